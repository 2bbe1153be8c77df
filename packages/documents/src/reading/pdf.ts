import {
  AquiferError,
  type Block,
  type ExtractedDocument,
  isAquiferError,
  type Reader,
  type ReadInput,
  type ReadOptions,
  throwIfAborted,
} from '@aquifer/contracts';
import { commonGutters, regionsOf } from './pdf/columns.js';
import { headingLevels, largestText } from './pdf/headings.js';
import { type Row, rowsOf } from './pdf/lines.js';
import { invalidPdf, openPdf, type PdfDocument, type PdfOutlineItem } from './pdf/open.js';
import { joinLines, lineJoint, type Paragraph, paragraphsOf, type Vocabulary, vocabularyOf } from './pdf/paragraphs.js';
import { propertiesOf } from './pdf/properties.js';
import { withoutRunningHeads } from './pdf/running-heads.js';
import { type FontStyles, learnFonts, pageRuns } from './pdf/runs.js';
import type { Table } from './pdf/tables.js';
import { isPdf } from './signatures.js';
import { createTextBuilder, type TextBuilder } from './text-builder.js';

/**
 * Reads PDF: text in reading order, headings, paragraphs over line, column and page ends, lists, tables and pages.
 * PDF.js, through pdf-parse, says what text stands where; one file in `pdf/` for each step makes a document of it:
 * runs → lines → regions (columns) → tables and paragraphs → headings.
 */
export const pdfReader: Reader = {
  id: 'pdf',
  mediaTypes: ['application/pdf'],
  extensions: ['.pdf'],
  recognises: isPdf,
  async read(input, options = {}) {
    throwIfAborted(options.signal);
    if (input.bytes.length === 0) return { text: '', blocks: [], pages: [], metadata: {}, omissions: [] };
    if (!isPdf(input.bytes)) {
      throw new AquiferError('unsupported-format', `${input.name} is not a PDF: it has no PDF header.`);
    }
    const { document, close } = await openPdf(input, options);
    try {
      return await readDocument(document, input, options);
    } catch (error) {
      throw isAquiferError(error) ? error : invalidPdf(input, error);
    } finally {
      await close().catch(() => undefined);
    }
  },
};

/** The text of a page in one writing direction. A page with a stamp across it has two of these. */
interface PagePart {
  readonly rows: readonly Row[];
  readonly height: number;
}

interface PageParts {
  readonly main: PagePart;
  readonly rest: readonly PagePart[];
  readonly state: 'text' | 'scan' | 'blank' | 'damaged';
}

async function readDocument(document: PdfDocument, input: ReadInput, options: ReadOptions): Promise<ExtractedDocument> {
  const fonts: FontStyles = new Map();
  const pages: PageParts[] = [];
  for (let page = 1; page <= document.numPages; page++) {
    throwIfAborted(options.signal);
    pages.push(await readPage(document, page, fonts));
  }
  if (pages.length > 0 && pages.every(({ state }) => state === 'damaged')) {
    throw invalidPdf(input, new Error('none of its pages can be read'));
  }
  const { title, metadata } = propertiesOf(await orElse(async () => (await document.getMetadata()).info, {}));
  const outline = (await orElse(() => document.getOutline(), [])) ?? [];
  const body = withoutRunningHeads(pages.map(({ main }) => main));
  const gutters = commonGutters(body);
  const blocks = pages.map(({ rest }, index) =>
    [body[index] ?? [], ...rest.map((part) => part.rows)].flatMap((rows) => blocksOf(rows, gutters)),
  );
  const vocabulary = vocabularyOf(() => linesOf(blocks));
  const firstPage = pages.slice(0, 1).flatMap(({ main }) => blocksOf(main.rows, gutters));
  const ownTitle = title ?? largestText(firstPage, (paragraph) => joinLines(paragraph.lines, vocabulary));
  return {
    ...assemble(blocks, outline, vocabulary),
    ...(ownTitle !== undefined && { title: ownTitle }),
    metadata,
    omissions: omissionsOf(pages),
  };
}

async function readPage(document: PdfDocument, number: number, fonts: FontStyles): Promise<PageParts> {
  const empty: PagePart = { rows: [], height: 0 };
  try {
    const page = await document.getPage(number);
    const content = await page.getTextContent();
    await orElse(() => learnFonts(page, content, fonts), undefined);
    const groups = pageRuns(page, content, fonts);
    const [main = empty, ...rest] = groups.map(({ runs, height }) => ({ rows: rowsOf(runs), height }));
    let state: PageParts['state'] = 'text';
    if (groups.length === 0) {
      const { fnArray } = await orElse(() => page.getOperatorList(), { fnArray: [] });
      state = showsPicture(fnArray) ? 'scan' : 'blank';
    }
    page.cleanup();
    return { main, rest, state };
  } catch {
    return { main: empty, rest: [], state: 'damaged' };
  }
}

/** Operations of PDF.js (`OPS`). */
const restore = 11;
const transform = 12;
const constructPath = 91;
/** More shapes than this are letters or a drawing; fewer are lines and frames of a page that was left blank. */
const framesAtMost = 50;

/**
 * Whether a page without text shows a picture. Images are left out of the operations because they are not decoded; what stays is
 * that a place was made for them (`cm`) in which nothing is drawn.
 */
function showsPicture(operations: readonly number[]): boolean {
  let placeIsEmpty = false;
  let paths = 0;
  for (const operation of operations) {
    if (operation === transform) placeIsEmpty = true;
    else if (operation === constructPath) {
      placeIsEmpty = false;
      paths++;
    } else if (operation === restore && placeIsEmpty) return true;
  }
  return paths > framesAtMost;
}

/** What is only nice to have does not make a document unreadable. */
async function orElse<T, U>(attempt: () => Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await attempt();
  } catch {
    return otherwise;
  }
}

function blocksOf(rows: readonly Row[], gutters: readonly number[]): (Paragraph | Table)[] {
  return regionsOf(rows, gutters).flatMap(paragraphsOf);
}

function* linesOf(pages: readonly (readonly (Paragraph | Table)[])[]): Iterable<string> {
  for (const block of pages.flat()) {
    if (block.kind === 'paragraph') yield* block.lines.map((line) => line.text);
    else yield* block.rows.flat();
  }
}

function assemble(
  pages: readonly (readonly (Paragraph | Table)[])[],
  outline: readonly PdfOutlineItem[],
  vocabulary: Vocabulary,
): Pick<ExtractedDocument, 'text' | 'blocks' | 'pages'> {
  const builder = createTextBuilder();
  const levels = headingLevels(pages.flat(), outline);
  const listLefts: number[] = [];
  let open: { readonly paragraph: Paragraph; text: string } | undefined;
  pages.forEach((blocks, index) => {
    builder.beginPage(index + 1);
    for (const block of blocks) {
      if (block.kind === 'table') {
        appendTable(builder, block);
        open = undefined;
        continue;
      }
      const text = joinLines(block.lines, vocabulary);
      const level = block.listItem && !block.numbered ? undefined : levels(block, text);
      if (open && level === undefined && goesOn(open.paragraph, block, text)) {
        const joint = lineJoint(open.text, text, vocabulary);
        builder.extend(text, joint);
      } else {
        appendParagraph(builder, block, text, level, listLefts);
      }
      open = level === undefined && block.isOpen && !block.monospaced ? { paragraph: block, text } : undefined;
    }
  });
  return builder.finish();
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

function appendTable(builder: TextBuilder, table: Table): void {
  let header: Block | undefined;
  table.rows.forEach((cells, index) => {
    const last = cells.findLastIndex((cell) => cell !== '');
    const text = cells.slice(0, last + 1).join(' | ');
    const isHeader = index === 0 && table.hasHeader;
    const block = builder.append('table-row', text, {
      startsGroup: index === 0,
      ...(isHeader ? { header: 'self' as const } : header && { header }),
    });
    if (isHeader) header = block;
  });
}

function omissionsOf(pages: readonly PageParts[]): string[] {
  const omissions: string[] = [];
  const describe = (count: number) =>
    count === pages.length ? `All ${count} pages` : `${count} of ${pages.length} pages`;
  const scans = pages.filter(({ state }) => state === 'scan').length;
  if (scans > 0) {
    const [subject, verb] =
      pages.length === 1 ? ['The only page', 'is'] : [describe(scans), scans === 1 ? 'is' : 'are'];
    omissions.push(
      `${subject} ${verb} scanned or drawn and hold${verb === 'is' ? 's' : ''} no text: run OCR over the file, and index it again.`,
    );
  }
  const damaged = pages.filter(({ state }) => state === 'damaged').length;
  if (damaged > 0)
    omissions.push(`${describe(damaged)} ${damaged === 1 ? 'is' : 'are'} damaged and could not be read.`);
  return omissions;
}
