import {
  AquiferError,
  type ExtractedDocument,
  isAquiferError,
  type Reader,
  type ReadInput,
  throwIfAborted,
} from '@aquifer/contracts';
import { createPageRecogniser, type PageRecogniser } from './ocr/recognise-page.js';
import type { RecognisingOptions } from './ocr/text-recogniser.js';
import { assemble, linesOf, type PageBlocks } from './pdf/assemble.js';
import { commonGutters, regionsOf } from './pdf/columns.js';
import { commonSize, splitFootnotes } from './pdf/footnotes.js';
import { formFields } from './pdf/form-fields.js';
import { largestText } from './pdf/headings.js';
import type { Row } from './pdf/lines.js';
import { omissionsOf } from './pdf/omissions.js';
import { invalidPdf, openPdf, type PdfDocument } from './pdf/open.js';
import { createPageFinder, type FoundPage, orElse, type PagePart, type PageParts, pageParts } from './pdf/page.js';
import { joinLines, paragraphsOf, vocabularyOf } from './pdf/paragraphs.js';
import { propertiesOf } from './pdf/properties.js';
import { withoutRunningHeads } from './pdf/running-heads.js';
import { unreadableFonts } from './pdf/unreadable-fonts.js';
import { isPdf } from './signatures.js';

/**
 * Reads PDF: text in reading order, headings, paragraphs over line, column and page ends, lists, tables and pages.
 * PDF.js, through pdf-parse, says what text stands where; one file in `pdf/` for each step makes a document of it:
 * runs → ruled tables and lines → regions (columns) → tables, paragraphs and footnotes → headings.
 */
export const pdfReader: Reader = {
  id: 'pdf',
  mediaTypes: ['application/pdf'],
  extensions: ['.pdf'],
  recognises: isPdf,
  async read(input, options: RecognisingOptions = {}) {
    throwIfAborted(options.signal);
    if (input.bytes.length === 0) return { text: '', blocks: [], pages: [], metadata: {}, omissions: [] };
    if (!isPdf(input.bytes)) {
      throw new AquiferError('unsupported-format', `${input.name} is not a PDF: it has no PDF header.`);
    }
    const { document, close } = await openPdf(input, options);
    const scans = options.recogniser && createPageRecogniser(input, options, options.recogniser);
    try {
      return await readDocument(document, input, options, scans);
    } catch (error) {
      throw isAquiferError(error) ? error : invalidPdf(input, error);
    } finally {
      await scans?.close().catch(() => undefined);
      await close().catch(() => undefined);
    }
  },
};

async function readDocument(
  document: PdfDocument,
  input: ReadInput,
  options: RecognisingOptions,
  scans: PageRecogniser | undefined,
): Promise<ExtractedDocument> {
  const pages = await readPages(document, options, scans);
  if (pages.length > 0 && pages.every(({ state }) => state === 'damaged')) {
    throw invalidPdf(input, new Error('none of its pages can be read'));
  }
  const { title, metadata } = propertiesOf(await orElse(async () => (await document.getMetadata()).info, {}));
  const outline = (await orElse(() => document.getOutline(), [])) ?? [];
  const fields = await orElse(() => formFields(document), new Map<number, readonly string[]>());
  const body = withoutRunningHeads(pages.map(({ main }) => main));
  const gutters = commonGutters(body);
  const bodySize = commonSize(body);
  const blocks = pages.map(
    ({ main, rest }, index): PageBlocks => ({
      ...blocksOf(body[index] ?? [], main.height, gutters, bodySize, rest),
      fields: fields.get(index + 1) ?? [],
    }),
  );
  const vocabulary = vocabularyOf(() => linesOf(blocks.flatMap((page) => [...page.body, ...page.notes])));
  const firstPage = pages.slice(0, 1).flatMap(({ main }) => regionsOf(main.rows, gutters).flatMap(paragraphsOf));
  const ownTitle = title ?? largestText(firstPage, (paragraph) => joinLines(paragraph.lines, vocabulary));
  return {
    ...assemble(blocks, outline, vocabulary),
    ...(ownTitle !== undefined && { title: ownTitle }),
    metadata,
    omissions: omissionsOf(pages, scans !== undefined),
    ...(pages.some(({ state }) => dependsOnOcr.has(state)) && { dependsOnRecognition: true }),
  };
}

const dependsOnOcr: ReadonlySet<PageParts['state']> = new Set(['scan', 'unmapped', 'recognised']);

async function readPages(
  document: PdfDocument,
  { signal }: RecognisingOptions,
  scans: PageRecogniser | undefined,
): Promise<PageParts[]> {
  const find = createPageFinder(document, new Map());
  const found: FoundPage[] = [];
  for (let page = 1; page <= document.numPages; page++) {
    throwIfAborted(signal);
    found.push(await find(page));
  }
  const unreadable = unreadableFonts(found);
  const pages: PageParts[] = [];
  for (const page of found) {
    throwIfAborted(signal);
    pages.push(await pageParts(page, unreadable, scans));
  }
  return pages;
}

/** The paragraphs, tables and footnotes of a page. What is written across it in another direction comes last. */
function blocksOf(
  rows: readonly Row[],
  height: number,
  gutters: readonly number[],
  bodySize: number,
  rest: readonly PagePart[],
): Pick<PageBlocks, 'body' | 'notes'> {
  const regions = regionsOf(rows, gutters);
  const columns = regions.map((region) => splitFootnotes(paragraphsOf(region), bodySize, height, regions.length === 1));
  const across = rest.flatMap((part) => regionsOf(part.rows, gutters).flatMap(paragraphsOf));
  return {
    body: [...columns.flatMap((column) => column.body), ...across],
    notes: columns.flatMap((column) => column.notes),
  };
}
