import type { PdfOutlineItem } from './open.js';
import type { Paragraph } from './paragraphs.js';
import type { Table } from './tables.js';

/** Says which paragraphs are headings: a level from 1 to 6, or undefined. `text` is the joined text of the paragraph. */
export type HeadingLevels = (paragraph: Paragraph, text: string) => number | undefined;

/** Longer paragraphs are not headings, whatever they look like. */
const maximumHeadingLength = 180;

/**
 * Learns from all of a document what its headings look like. What the outline (bookmarks) names is a heading of that
 * depth; then larger sizes than that of most text, the largest first; then whole short lines in bold.
 */
export function headingLevels(
  blocks: readonly (Paragraph | Table)[],
  outline: readonly PdfOutlineItem[],
): HeadingLevels {
  const depths = outlineDepths(outline);
  const { size: bodySize, boldShare } = bodyStyle(blocks);
  const paragraphs = blocks.filter((block) => block.kind === 'paragraph');
  const isLarge = (paragraph: Paragraph) => paragraph.size > bodySize * 1.12;
  const sizes = [
    ...new Set(paragraphs.filter((one) => isLarge(one) && mayBeHeading(one, rawText(one))).map(roundedSize)),
  ];
  sizes.sort((a, b) => b - a);
  return (paragraph, text) => {
    if (!mayBeHeading(paragraph, text)) return undefined;
    const depth = depths.get(outlineKey(text));
    if (depth !== undefined) return Math.min(6, depth);
    if (isLarge(paragraph)) return Math.min(5, 1 + sizes.indexOf(roundedSize(paragraph)));
    const isBold = paragraph.bold && boldShare < 0.5 && paragraph.size > bodySize * 0.9;
    if (!isBold || paragraph.lines.length > 2 || /[.,;。、]$/u.test(text)) return undefined;
    return Math.min(6, Math.min(5, sizes.length) + (paragraph.italic ? 2 : 1));
  };
}

function rawText(paragraph: Paragraph): string {
  return paragraph.lines.map((line) => line.text).join(' ');
}

function mayBeHeading(paragraph: Paragraph, text: string): boolean {
  return (
    paragraph.lines.length <= 4 &&
    text.length <= maximumHeadingLength &&
    /\p{L}{2}|\p{Script=Han}/u.test(text) &&
    !paragraph.monospaced
  );
}

function roundedSize(paragraph: Paragraph): number {
  return Math.round(paragraph.size * 2) / 2;
}

/** The size that most characters of paragraphs have, and how much of the text is bold. */
function bodyStyle(blocks: readonly (Paragraph | Table)[]): { size: number; boldShare: number } {
  const characters = new Map<number, number>();
  let bold = 0;
  let all = 0;
  for (const block of blocks) {
    if (block.kind === 'table') continue;
    for (const line of block.lines) {
      const size = Math.round(line.size * 2) / 2;
      characters.set(size, (characters.get(size) ?? 0) + line.text.length);
      all += line.text.length;
      if (line.bold) bold += line.text.length;
    }
  }
  const [size = 10] = [...characters].reduce<readonly number[]>((a, b) => ((b[1] as number) > (a[1] ?? 0) ? b : a), []);
  return { size, boldShare: all === 0 ? 0 : bold / all };
}

function outlineDepths(outline: readonly PdfOutlineItem[]): Map<string, number> {
  const depths = new Map<string, number>();
  const visit = (items: readonly PdfOutlineItem[], depth: number) => {
    for (const item of items) {
      const key = outlineKey(item.title);
      if (key.length > 2 && !depths.has(key)) depths.set(key, depth);
      if (depth < 20) visit(item.items, depth + 1);
    }
  };
  visit(outline, 1);
  return depths;
}

/** Outlines often leave out the number of a section, or write it otherwise. */
function outlineKey(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/^[\s\d.]+/, '')
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** The largest text on the first page, where it stands out from the rest and reads like a title. */
export function largestText(
  blocks: readonly (Paragraph | Table)[],
  text: (paragraph: Paragraph) => string,
): string | undefined {
  const candidates = blocks
    .filter((block) => block.kind === 'paragraph')
    .filter((block) => /\p{L}/u.test(rawText(block)));
  const largest = Math.max(...candidates.map(roundedSize));
  const title = candidates.find((paragraph) => roundedSize(paragraph) === largest);
  if (!title) return undefined;
  const others = candidates.filter((paragraph) => roundedSize(paragraph) < largest);
  const standsOut = others.some((paragraph) => paragraph.size < largest * 0.9);
  const words = text(title).replace(/\s+/g, ' ').trim();
  // What thousands of documents are called says less than the name of the file.
  if (/^(?:form|page|part|appendix|exhibit|schedule)\s+[\w-]+$/i.test(words)) return undefined;
  return standsOut && title.lines.length <= 4 && words.length >= 3 && words.length <= 200 ? words : undefined;
}
