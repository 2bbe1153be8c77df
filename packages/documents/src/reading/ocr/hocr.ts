/** Pixels from the top left corner; `right` and `bottom` are outside. */
export interface PixelBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface RecognisedWord extends PixelBox {
  readonly text: string;
  /** 0 to 100. */
  readonly confidence: number;
}

export interface RecognisedLine extends PixelBox {
  readonly words: readonly RecognisedWord[];
  /** Height of a line of this size of letters, in pixels: comparable between lines. */
  readonly size: number;
  readonly baseline: number;
  /** Lines of one paragraph have the same number. */
  readonly paragraph: number;
}

/** Below, a word is more likely specks and lines than letters. */
const minWordConfidence = 25;
const minLineConfidence = 45;

/**
 * Lines out of Tesseract's hOCR (kba.github.io/hocr-spec/1.2), the one output that has sizes and baselines. What Tesseract itself
 * hardly believes is left out: it sees letters in stains and halftones.
 */
export function parseHocr(hocr: string): RecognisedLine[] {
  const lines: RecognisedLine[] = [];
  let paragraph = 0;
  for (const piece of hocr.split(/(?=<p class='ocr_par')|(?=<span class='ocr_(?:line|caption|header|textfloat)')/)) {
    if (piece.startsWith("<p class='ocr_par'")) paragraph++;
    const title = /^<span class='ocr_[a-z]+'[^>]*title="([^"]*)"/.exec(piece)?.[1];
    if (title === undefined) continue;
    const box = boxOf(title);
    const words = [...piece.matchAll(/<span class='ocrx_word'[^>]*title='([^']*)'[^>]*>([\s\S]*?)<\/span>/g)].flatMap(
      (match): RecognisedWord[] => {
        const wordBox = boxOf(match[1]!);
        const confidence = Number(/x_wconf (\d+)/.exec(match[1]!)?.[1] ?? 0);
        const text = decodeEntities(match[2]!.replace(/<[^>]*>/g, '')).trim();
        return wordBox && text !== '' && confidence >= minWordConfidence ? [{ ...wordBox, text, confidence }] : [];
      },
    );
    if (!box || !isBelieved(words)) continue;
    const size = Number(/x_size ([\d.]+)/.exec(title)?.[1] ?? box.bottom - box.top);
    const baseline = /baseline (-?[\d.]+) (-?[\d.]+)/.exec(title);
    // The offset counts from the lower left corner of the line, the slope goes over half of its width.
    const drop = baseline ? Number(baseline[2]) + (Number(baseline[1]) * (box.right - box.left)) / 2 : 0;
    lines.push({
      ...box,
      words,
      size,
      // Of a line that is mostly noise, the slope can be anything.
      baseline: Math.min(box.bottom, Math.max(box.bottom - size / 2, box.bottom + drop)),
      paragraph,
    });
  }
  return lines;
}

/** The text of words beside each other. Japanese and Chinese stand without spaces, though Tesseract cuts them into words. */
export function joinWords(words: readonly { readonly text: string }[]): string {
  let text = '';
  for (const word of words) text += `${needsSpace(text, word.text) ? ' ' : ''}${word.text}`;
  return text;
}

const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\u30fb\u30fc\uff00-\uffef]/u;

export function needsSpace(before: string, after: string): boolean {
  if (before === '' || after === '') return false;
  return !(unspaced.test(lastCharacter(before)) || unspaced.test(String.fromCodePoint(after.codePointAt(0)!)));
}

function lastCharacter(text: string): string {
  return String.fromCodePoint(text.codePointAt(/[\udc00-\udfff]$/.test(text) ? text.length - 2 : text.length - 1)!);
}

function isBelieved(words: readonly RecognisedWord[]): boolean {
  let characters = 0;
  let confidence = 0;
  for (const word of words) {
    characters += word.text.length;
    confidence += word.confidence * word.text.length;
  }
  return (
    characters > 0 &&
    confidence / characters >= minLineConfidence &&
    words.some(({ text }) => /[\p{L}\p{N}]/u.test(text))
  );
}

function boxOf(title: string): PixelBox | undefined {
  const match = /bbox (\d+) (\d+) (\d+) (\d+)/.exec(title);
  if (!match) return undefined;
  const [left, top, right, bottom] = match.slice(1).map(Number) as [number, number, number, number];
  return { left, top, right, bottom };
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", apos: "'" };

function decodeEntities(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos|#39);/g, (_, name: string) => entities[name]!);
}
