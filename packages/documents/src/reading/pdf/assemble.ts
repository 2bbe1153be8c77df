import type { Block, ExtractedDocument } from '@aquifer/contracts';
import { createTextBuilder, type TextBuilder } from '../text-builder.js';
import { headingLevels } from './headings.js';
import type { PdfOutlineItem } from './open.js';
import { joinLines, joinTexts, lineJoint, type Paragraph, type Vocabulary } from './paragraphs.js';
import type { Table } from './tables.js';

export type PageBlock = Paragraph | Table;

/** What is on one page, in reading order. */
export interface PageBlocks {
  readonly body: readonly PageBlock[];
  /** Footnotes. */
  readonly notes: readonly PageBlock[];
  /** Filled-in form fields, as `name: value`. */
  readonly fields: readonly string[];
}

/** The text of the pages, and its structure. */
export function assemble(
  pages: readonly PageBlocks[],
  outline: readonly PdfOutlineItem[],
  vocabulary: Vocabulary,
): Pick<ExtractedDocument, 'text' | 'blocks' | 'pages'> {
  const builder = createTextBuilder();
  const levelOf = headingLevels(
    pages.flatMap(({ body }) => body),
    outline,
  );
  const pieces = pages.map(({ body }) => body.map((block) => pieceOf(block, vocabulary, levelOf)));
  markContinuations(pieces.flat());
  const listLefts: number[] = [];
  let last: Piece | undefined;
  const append = (piece: Piece) => {
    if (piece.continues !== undefined && piece.continues === last && piece.text !== undefined) {
      builder.extend(piece.text, lineJoint(last.text as string, piece.text, vocabulary));
    } else if (piece.block.kind === 'table') {
      appendTable(builder, piece.block, vocabulary);
    } else {
      appendParagraph(builder, piece.block, piece.text as string, piece.level, listLefts);
    }
    last = piece;
  };
  pages.forEach(({ notes, fields }, index) => {
    builder.beginPage(index + 1);
    const body = pieces[index] as Piece[];
    const kept = notes.length === 0 ? body.length : startOfOpenSentence(body, pieces[index + 1]?.[0]);
    body.slice(0, kept).forEach(append);
    for (const note of notes) append(pieceOf(note, vocabulary, () => undefined));
    body.slice(kept).forEach(append);
    for (const field of fields) builder.append('list-item', field, { level: 1 });
    if (fields.length > 0) last = undefined;
  });
  return builder.finish();
}

interface Piece {
  readonly block: PageBlock;
  /** Of a paragraph. */
  readonly text?: string;
  readonly level?: number | undefined;
  /** The piece that this one is the rest of, over the end of a column or page. */
  continues?: Piece;
}

function pieceOf(
  block: PageBlock,
  vocabulary: Vocabulary,
  levelOf: (paragraph: Paragraph, text: string) => number | undefined,
): Piece {
  if (block.kind === 'table') return { block };
  const text = joinLines(block.lines, vocabulary);
  return { block, text, level: block.listItem && !block.numbered ? undefined : levelOf(block, text) };
}

function markContinuations(pieces: readonly Piece[]): void {
  pieces.forEach((piece, index) => {
    const before = pieces[index - 1];
    if (!before || before.block.kind === 'table' || piece.block.kind === 'table') return;
    if (before.level !== undefined || piece.level !== undefined) return;
    const isOpen = before.block.isOpen && !before.block.monospaced;
    if (isOpen && goesOn(before.block, piece.block, piece.text as string)) piece.continues = before;
  });
}

/**
 * Where the paragraph begins that goes on behind the end of the page: footnotes stand before it, so that they interrupt no sentence
 * and stay on their page. After everything where no paragraph goes on, or the page has no other.
 */
function startOfOpenSentence(body: readonly Piece[], next: Piece | undefined): number {
  if (!next?.continues) return body.length;
  let start = body.length - 1;
  while (start >= 0 && body[start]?.continues) start--;
  return start >= 0 && !body[start]?.continues ? start : body.length;
}

/** The lines of paragraphs and cells. */
export function* linesOf(blocks: Iterable<PageBlock>): Iterable<string> {
  for (const block of blocks) {
    if (block.kind === 'paragraph') yield* block.lines.map((line) => line.text);
    else yield* block.rows.flat();
  }
}

/** Whether `next`, in another column or on the next page, is the rest of a paragraph. */
function goesOn(open: Paragraph, next: Paragraph, text: string): boolean {
  if (next.listItem || !next.isFlush || next.bold !== open.bold || Math.abs(next.size - open.size) > open.size * 0.08)
    return false;
  return /^[\p{Ll}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(text);
}

function appendParagraph(
  builder: TextBuilder,
  paragraph: Paragraph,
  text: string,
  level: number | undefined,
  listLefts: number[],
): void {
  if (level !== undefined) {
    builder.append('heading', text, { level });
  } else if (paragraph.listItem) {
    while (listLefts.length > 0 && (listLefts.at(-1) as number) > paragraph.left + paragraph.size * 0.5)
      listLefts.pop();
    if (listLefts.length === 0 || (listLefts.at(-1) as number) < paragraph.left - paragraph.size * 0.5) {
      listLefts.push(paragraph.left);
    }
    builder.append('list-item', text, { level: listLefts.length });
    return;
  } else if (paragraph.monospaced && paragraph.lines.length > 1) {
    builder.append('code', indented(paragraph));
  } else {
    builder.append('paragraph', text);
  }
  listLefts.length = 0;
}

/** Code keeps its lines, and its indentation by where they begin. */
function indented(paragraph: Paragraph): string {
  const left = Math.min(...paragraph.lines.map((line) => line.left));
  return paragraph.lines
    .map((line) => {
      const width = (line.right - line.left) / Math.max(1, line.text.length);
      return ' '.repeat(Math.min(40, Math.max(0, Math.round((line.left - left) / Math.max(width, 1))))) + line.text;
    })
    .join('\n');
}

function appendTable(builder: TextBuilder, table: Table, vocabulary: Vocabulary): void {
  let header: Block | undefined;
  const oneLine = (cell: string) => (cell.includes('\n') ? joinTexts(cell.split('\n'), vocabulary) : cell);
  if (table.caption) builder.append('paragraph', oneLine(table.caption));
  table.rows.forEach((cells, index) => {
    const last = cells.findLastIndex((cell) => cell !== '');
    const text = cells
      .slice(0, last + 1)
      .map(oneLine)
      .join(' | ');
    const isHeader = index === 0 && table.hasHeader;
    const block = builder.append('table-row', text, {
      startsGroup: index === 0,
      ...(isHeader ? { header: 'self' as const } : header && { header }),
    });
    if (isHeader) header = block;
  });
}
