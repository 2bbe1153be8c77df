import type { PageBlock } from './assemble.js';
import type { Row } from './lines.js';
import type { Paragraph } from './paragraphs.js';

/** Footnotes are set smaller than the text. */
const smallerThan = 0.93;
const noteMarker = /^(?:[*∗†‡§¶※]|\d{1,3}(?:[\s\p{L}“"(.]|$)|\[\d{1,3}\]|[a-z]\s|注)/u;
const caption = /^(?:fig(?:ure)?|table|chart|source|図|表|写真|出典)[\s.:：\d]/i;

/** The font size that most characters have. */
export function commonSize(pages: readonly (readonly Row[])[]): number {
  const characters = new Map<number, number>();
  for (const { segments } of pages.flat()) {
    for (const { size, text } of segments) {
      const rounded = Math.round(size * 2) / 2;
      characters.set(rounded, (characters.get(rounded) ?? 0) + text.length);
    }
  }
  let [common, most] = [10, 0];
  for (const [size, count] of characters) if (count > most) [common, most] = [size, count];
  return common;
}

/**
 * Takes the footnotes off the end of a column: small paragraphs in the lower half of the page that begin with a mark or
 * stand away from the text. `isOnlyColumn`: where nothing else is on the page, all of it cannot be notes.
 */
export function splitFootnotes(
  blocks: readonly PageBlock[],
  bodySize: number,
  pageHeight: number,
  isOnlyColumn: boolean,
): { body: readonly PageBlock[]; notes: readonly PageBlock[] } {
  const mayBeNote = (block: PageBlock | undefined): block is Paragraph =>
    block?.kind === 'paragraph' && block.size < bodySize * smallerThan && topOf(block) > pageHeight * 0.5;
  let from = blocks.length;
  while (mayBeNote(blocks[from - 1])) from--;
  while (from < blocks.length && !beginsNotes(blocks[from] as Paragraph, blocks[from - 1])) from++;
  if (from === 0 && isOnlyColumn) return { body: blocks, notes: [] };
  return { body: blocks.slice(0, from), notes: blocks.slice(from) };
}

function beginsNotes(block: Paragraph, before: PageBlock | undefined): boolean {
  const text = (block.lines[0]?.text ?? '').trimStart();
  if (caption.test(text)) return false;
  const isBelowText = before?.kind === 'paragraph' && before.size * smallerThan > block.size;
  if (noteMarker.test(text)) return before?.kind !== 'paragraph' || isBelowText;
  return isBelowText && topOf(block) - (before.lines.at(-1)?.baseline ?? 0) > block.size * 2;
}

function topOf(paragraph: Paragraph): number {
  return paragraph.lines[0]?.baseline ?? 0;
}
