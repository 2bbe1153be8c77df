import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AquiferError, type Reader, type ReadInput, throwIfAborted } from '@aquifer/contracts';
import { codePointCut } from '@aquifer/text-analysis';
import { type Options, parse } from 'csv-parse';
import { headerRowOf } from '../append-sheet.js';
import { appendTable, type TableRows } from '../table-rows.js';
import { createTextBuilder, type TextBuilder } from '../text-builder.js';
import { readText } from './decode-text.js';

/** Characters by which the delimiter is found out. */
const sampleLength = 65_536;
/** Rows by which the header and the columns are found out. */
const headRows = 200;
/** A row that is longer is no row: a quotation mark that is never closed, or no table at all. */
const maxRowLength = 2 ** 20;
/** Characters that are parsed at a time: the parser copies what it is given. */
const pieceLength = 2 ** 18;

type Delimiter = (typeof delimiters)[number];

const delimiters = [',', ';', '\t', '|'] as const;

/** Reads tables of text (RFC 4180 and what programs make of it): rows under the names of their columns. */
export const csvReader: Reader = {
  id: 'csv',
  mediaTypes: ['text/csv', 'text/tab-separated-values'],
  extensions: ['.csv', '.tsv', '.tab'],
  async read(input, { signal } = {}) {
    throwIfAborted(signal);
    const content = await readTable(input, signal);
    // Until the turn in which the parser has ended is over, it holds the source.
    await nextTurn();
    return { ...content.finish(), metadata: {}, omissions: [] };
  },
};

/** By itself, so that the source is gone when the text is put together. */
async function readTable(input: ReadInput, signal: AbortSignal | undefined): Promise<TextBuilder> {
  const decoded = readText(input);
  // As Excel writes and reads it: the delimiter, alone in the first line.
  const stated = /^sep=([,;\t|])\r?\n/i.exec(decoded);
  const text = stated ? decoded.slice(stated[0].length) : decoded;
  const prefersTab = /\.(?:tsv|tab)$/i.test(input.name);
  const delimiter = (stated?.[1] as Delimiter | undefined) ?? findDelimiter(text, prefersTab);

  const content =
    (await readRows(text, delimiter, '"', signal)) ??
    // A quotation mark that is never closed takes the rest of the file into one cell; then it is a character like others.
    (await readRows(text, delimiter, null, signal));
  if (!content) {
    throw new AquiferError(
      'invalid-document',
      `${input.name} has a row of more than ${maxRowLength} characters, which is no table. Rename it to .txt to have it read as text.`,
    );
  }
  return content;
}

/** Undefined where the quotation marks do not fit. */
async function readRows(
  text: string,
  delimiter: Delimiter,
  quote: '"' | null,
  signal: AbortSignal | undefined,
): Promise<TextBuilder | undefined> {
  const builder = createTextBuilder();
  const head: string[][] = [];
  let rows: TableRows | undefined;
  let count = 0;
  const begin = () => {
    rows = appendHead(builder, head);
  };
  const add = (row: string[]) => {
    if (++count % 4096 === 0) throwIfAborted(signal);
    if (rows) rows.append(row);
    else if (head.push(row) === headRows) begin();
    return null;
  };
  const parser = parse({ ...parsing(delimiter, quote), on_record: add });
  try {
    // Its output has to be read, although `add` takes all rows.
    await pipeline(Readable.from(piecesOf(text)), parser.resume());
  } catch (error) {
    if (isParsingError(error)) return undefined;
    throw error;
  }
  if (!rows) begin();
  return builder;
}

function* piecesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = codePointCut(text, Math.min(text.length, start + pieceLength));
    yield text.slice(start, end);
    start = end;
  }
}

/** Titles and remarks stand above a table, each alone in its row. */
function appendHead(builder: TextBuilder, head: readonly string[][]): TableRows {
  const filled = (row: readonly string[] | undefined) => row?.filter((cell) => cell.trim() !== '').length ?? 0;
  const widest = head.reduce((most, row) => Math.max(most, filled(row)), 0);
  let first = 0;
  for (; widest > 1 && filled(head[first]) <= 1; first++) {
    const title = head[first]!.find((cell) => cell.trim() !== '');
    if (title !== undefined) builder.append('paragraph', title);
  }
  const table = head.slice(first);
  return appendTable(builder, { rows: table, headerRow: headerRowOf(table, widest) });
}

/** The delimiter that gives most rows the same number of cells. */
function findDelimiter(text: string, prefersTab: boolean): Delimiter {
  const cut = text.length <= sampleLength ? -1 : text.lastIndexOf('\n', sampleLength);
  const rows = countDelimiters(cut > 0 ? text.slice(0, cut) : text.slice(0, sampleLength));
  const order: readonly Delimiter[] = prefersTab ? ['\t', ',', ';', '|'] : delimiters;
  let best = { delimiter: order[0]!, share: 0, width: 0 };
  for (const delimiter of order) {
    const times = new Map<number, number>();
    for (const counts of rows) {
      const width = counts[delimiters.indexOf(delimiter)]!;
      if (width > 0) times.set(width, (times.get(width) ?? 0) + 1);
    }
    const [width, most] = [...times].sort((left, right) => right[1] - left[1])[0] ?? [0, 0];
    const share = most / Math.max(1, rows.length);
    if (share > best.share + 0.05 || (share > best.share - 0.05 && width > best.width)) {
      best = { delimiter, share, width };
    }
  }
  return best.delimiter;
}

/** How often each delimiter stands in each row, outside of quotation marks. */
function countDelimiters(sample: string): number[][] {
  const rows: number[][] = [];
  let counts: number[] = delimiters.map(() => 0);
  let isQuoted = false;
  for (const [mark] of sample.matchAll(/[",;\t|\n]/g)) {
    if (mark === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (mark === '\n') {
      rows.push(counts);
      counts = delimiters.map(() => 0);
    } else counts[delimiters.indexOf(mark as Delimiter)]!++;
  }
  rows.push(counts);
  return rows.filter((row) => row.some((count) => count > 0));
}

function parsing(delimiter: Delimiter, quote: '"' | null): Options<string[]> {
  return {
    delimiter,
    quote,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    max_record_size: maxRowLength,
  };
}

function isParsingError(error: unknown): boolean {
  return String((error as { code?: unknown }).code).startsWith('CSV_');
}
