import type { Region } from './columns.js';
import { joinsWithoutSpace } from './lines.js';
import { type Line, type Table, tablesAndLines } from './tables.js';

/** Lines that belong together. */
export interface Paragraph {
  readonly kind: 'paragraph';
  readonly lines: readonly Line[];
  readonly size: number;
  readonly bold: boolean;
  readonly italic: boolean;
  readonly monospaced: boolean;
  /** Begins with a bullet or a number. */
  readonly listItem: boolean;
  /** Begins with a number, as headings do too. */
  readonly numbered: boolean;
  readonly left: number;
  /** Whether the last line is full and no sentence ends there, so that the text may go on in the next column or page. */
  readonly isOpen: boolean;
  /** Whether the first line begins at the margin, so that it may go on from the column or page before. */
  readonly isFlush: boolean;
}

const listMarker =
  /^(?:[•●▪▫◦‣⁃∙■□◆◇➢➤✓✔○\uf0a7\uf0b7\uf0d8\uf076・]\s*|[–—*-]\s+|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)]\s+|[①-⑳]\s*)(?=\S)/u;
const endOfSentence = /[.!?:;。！？：][)\]”’"'」』）]*$/u;

/** The paragraphs and tables of a region. */
export function paragraphsOf(region: Region): (Paragraph | Table)[] {
  const result: (Paragraph | Table)[] = [];
  let lines: Line[] = [];
  const flush = () => {
    if (lines.length > 0) result.push(...cutIntoParagraphs(lines, region));
    lines = [];
  };
  for (const piece of tablesAndLines(region.rows)) {
    if (piece.kind === 'line') lines.push(piece);
    else {
      flush();
      result.push(piece);
    }
  }
  flush();
  return result;
}

function cutIntoParagraphs(lines: readonly Line[], region: Region): Paragraph[] {
  const leading = usualLeading(lines);
  const paragraphs: Paragraph[] = [];
  let members: Line[] = [];
  for (const line of lines) {
    if (members.length > 0 && beginsParagraph(members, line, leading, region)) {
      paragraphs.push(paragraphOf(members, region));
      members = [];
    }
    members.push(line);
  }
  paragraphs.push(paragraphOf(members, region));
  return paragraphs;
}

/** The median distance of neighbouring lines of one size, in font sizes. */
function usualLeading(lines: readonly Line[]): number {
  const gaps: number[] = [];
  lines.forEach((line, index) => {
    const last = lines[index - 1];
    if (!last || Math.abs(last.size - line.size) > 0.1 * line.size) return;
    const gap = (line.baseline - last.baseline) / line.size;
    if (gap > 0.5 && gap < 2.2) gaps.push(gap);
  });
  gaps.sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 2)] ?? 1.25;
}

function beginsParagraph(members: readonly Line[], line: Line, leading: number, region: Region): boolean {
  const first = members[0] as Line;
  const last = members.at(-1) as Line;
  const { size } = line;
  if (Math.abs(last.size - size) > size * 0.12) return true;
  if (line.baseline - last.baseline > size * leading * 1.3 || line.baseline < last.baseline) return true;
  if (line.bold !== last.bold && (line.bold || members.every((member) => member.bold))) return true;
  if (line.monospaced !== last.monospaced) return true;
  if (listMarker.test(line.text)) return true;
  if (line.monospaced) return false;
  const centered =
    Math.abs(line.left + line.right - last.left - last.right) < size && Math.abs(line.left - last.left) > size * 1.5;
  if (centered) return false;
  const isItem = listMarker.test(first.text);
  if (isItem && line.left < first.left - size * 0.5) return true;
  // A first line may stand further in or (in lists of references) further out than the others.
  const others = members.length > 1 ? (members[1] as Line).left : Math.min(first.left, line.left);
  if (!isItem && line.left > last.left + size * 0.7 && (members.length > 1 || last.left > region.left + size))
    return true;
  if (members.length > 1 && line.left < others - size * 0.7) return true;
  const room = region.right - last.right;
  // Japanese and Chinese lines end anywhere: what had to find room is one character.
  const firstWord = (joinsWithoutSpace(last.text, line.text) ? /^\S/u : /^\S+/).exec(line.text)?.[0] ?? '';
  const wordWidth = ((line.right - line.left) * Math.min(firstWord.length, 12)) / Math.max(1, line.text.length);
  if (room < wordWidth + size) return false;
  return endOfSentence.test(last.text) || room > Math.max((region.right - region.left) * 0.3, wordWidth + size * 4);
}

function paragraphOf(lines: readonly Line[], region: Region): Paragraph {
  const first = lines[0] as Line;
  const last = lines.at(-1) as Line;
  return {
    kind: 'paragraph',
    lines,
    size: first.size,
    bold: lines.every((line) => line.bold),
    italic: lines.every((line) => line.italic),
    monospaced: lines.every((line) => line.monospaced),
    listItem: listMarker.test(first.text),
    numbered: /^\(?\w{1,4}[.)]\s/.test(first.text),
    left: first.left,
    isOpen: region.right - last.right < last.size * 5 && !endOfSentence.test(last.text),
    isFlush: first.left - region.left < first.size * 0.6,
  };
}

/** Which words the document writes, to decide what a hyphen at the end of a line meant. */
export interface Vocabulary {
  has(word: string): boolean;
}

const lineHyphen = /(\p{L}+)[-\u2010\u00ad]$/u;
/** First parts of compounds that keep their hyphen, where the document itself does not say. */
const compounding = new Set(
  'self,long,short,well,high,low,half,full,all,cross,third,first,second,year,non,ex,part,time,real,risk,tax,cost,end,user,two,three,four,five,six'.split(
    ',',
  ),
);

/** What goes between two lines, and how much of the first is taken off. */
export function lineJoint(before: string, after: string, vocabulary: Vocabulary): { cut: 0 | 1; separator: '' | ' ' } {
  if (before.endsWith('\u00ad')) return { cut: 1, separator: '' };
  const first = lineHyphen.exec(before.slice(-60))?.[1];
  const second = /^\p{Ll}+/u.exec(after)?.[0];
  if (first !== undefined) {
    if (second === undefined) return { cut: 0, separator: /^[\p{L}\d]/u.test(after) ? '' : ' ' };
    const whole = (first + second).toLowerCase();
    if (vocabulary.has(whole)) return { cut: 1, separator: '' };
    const compound = `${first}-${second}`.toLowerCase();
    const keep = vocabulary.has(compound) || compounding.has(first.toLowerCase());
    return { cut: keep ? 0 : 1, separator: '' };
  }
  return { cut: 0, separator: joinsWithoutSpace(before, after) ? '' : ' ' };
}

/** Lines as running text. */
export function joinLines(lines: readonly Line[], vocabulary: Vocabulary): string {
  return joinTexts(
    lines.map((line) => line.text),
    vocabulary,
  );
}

/** The texts of lines as running text. */
export function joinTexts(texts: readonly string[], vocabulary: Vocabulary): string {
  let text = '';
  for (const line of texts) {
    if (text === '') text = line;
    else {
      const joint = lineJoint(text, line, vocabulary);
      text = text.slice(0, text.length - joint.cut) + joint.separator + line;
    }
  }
  return text;
}

const wordOrCompound = /\p{L}+(?:[-\u2010]\p{L}+)*/gu;

/** The words and hyphenated compounds inside the lines; collected when first asked. */
export function vocabularyOf(lines: () => Iterable<string>): Vocabulary {
  let words: Set<string> | undefined;
  return {
    has(word) {
      if (!words) {
        words = new Set();
        for (const line of lines()) {
          for (const found of line.toLowerCase().match(wordOrCompound) ?? []) words.add(found);
        }
      }
      return words.has(word);
    },
  };
}
