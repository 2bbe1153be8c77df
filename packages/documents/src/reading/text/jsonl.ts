import { type Reader, type ReadInput, throwIfAborted } from '@aquifer/contracts';
import { appendTable, type TableRows } from '../table-rows.js';
import { createTextBuilder, type TextBuilder } from '../text-builder.js';
import { appendJson, linesOf, tableCells, tableColumns } from './append-json.js';
import { readText } from './decode-text.js';
import { parseStrictJson } from './json-text.js';

/** Lines by which it is known whether they are the rows of a table. */
const headLines = 200;

/** Reads a JSON value a line: like objects as the rows of a table, others each by itself. */
export const jsonLinesReader: Reader = {
  id: 'jsonl',
  mediaTypes: ['application/jsonl', 'application/x-ndjson'],
  extensions: ['.jsonl', '.ndjson'],
  async read(input, { signal } = {}) {
    throwIfAborted(signal);
    const builder = createTextBuilder();
    const omissions = appendLines(builder, input, signal);
    return { ...builder.finish(), metadata: {}, omissions };
  },
};

/** By itself, so that the source is gone when the text is put together. */
function appendLines(builder: TextBuilder, input: ReadInput, signal: AbortSignal | undefined): readonly string[] {
  return appendJsonLines(builder, readText(input), signal).omissions;
}

/** Whether a text that is not JSON is one value a line, by its first lines. */
export function looksLikeJsonLines(text: string): boolean {
  const lines = text
    .slice(0, 65_536)
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.trim() !== '');
  return lines.length >= 2 && lines.every((line) => /^\s*[[{]/.test(line) && parseStrictJson(line) !== undefined);
}

/** Adds the values of a text with one a line. Lines that are not JSON are kept as they are, and counted. */
export function appendJsonLines(
  builder: TextBuilder,
  text: string,
  signal?: AbortSignal,
): { readonly omissions: string[] } {
  const head: Line[] = [];
  let rows: { readonly columns: readonly string[]; readonly table: TableRows } | undefined;
  let isHead = true;
  let broken = 0;
  let firstBroken = 0;

  const add = ({ value, line }: Line) => {
    if (value === undefined) {
      builder.append('paragraph', line);
      return;
    }
    const cells = rows && tableCells(value, rows.columns);
    if (rows && cells) {
      rows.table.append(cells);
      return;
    }
    const together = linesOf(value, '', 16);
    if (together?.every((one) => one.length <= 200)) builder.append('paragraph', together.join('\n'));
    else appendJson(builder, value, signal);
  };
  const endHead = () => {
    isHead = false;
    const columns = tableColumns(head.map(({ value }) => value).filter((value) => value !== undefined));
    if (columns) rows = { columns, table: appendTable(builder, { rows: [columns], headerRow: 0 }) };
    for (const line of head) add(line);
  };

  let number = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    start = end + 1;
    if (++number % 1024 === 0) throwIfAborted(signal);
    if (line.trim() === '') continue;
    const parsed = parseStrictJson(line);
    if (!parsed) {
      broken++;
      firstBroken ||= number;
    }
    const next = { value: parsed?.value, line };
    if (!isHead) add(next);
    else if (head.push(next) === headLines) endHead();
  }
  if (isHead) endHead();
  const omissions =
    broken > 0
      ? [
          `${broken} of ${number} lines are not valid JSON and were read as plain text, the first of them line ${firstBroken}`,
        ]
      : [];
  return { omissions };
}

interface Line {
  /** Undefined where the line is not JSON. */
  readonly value: unknown;
  readonly line: string;
}
