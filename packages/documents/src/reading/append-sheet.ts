import { appendTable, findHeaderRow } from './table-rows.js';
import type { TextBuilder } from './text-builder.js';

/** A cell over several rows: its left column, first and last row, counted from 0. */
export interface SheetMerge {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
}

/**
 * Adds a sheet of a workbook: its name as a heading, titles above the table as paragraphs, then the rows with the names of their
 * columns. A cell over several rows stands in each of them. Nothing where the sheet is empty.
 *
 * @param rows Cells as they are shown. Rows of merged cells are filled in place.
 */
export function appendSheet(
  builder: TextBuilder,
  name: string,
  rows: readonly string[][],
  merges: readonly SheetMerge[] = [],
): void {
  for (const { top, bottom, left } of merges) {
    for (let row = top + 1; row <= bottom && row < rows.length; row++) {
      if ((rows[row]![left] ?? '') === '') rows[row]![left] = rows[top]?.[left] ?? '';
    }
  }
  if (!rows.some((row) => row.some((cell) => cell !== ''))) return;
  builder.append('heading', name, { level: 1 });

  // Titles and remarks stand above the table, each alone in its row.
  const filled = (row: readonly string[] | undefined) => row?.filter((cell) => cell !== '').length ?? 0;
  const widest = rows.reduce((most, row) => Math.max(most, filled(row)), 0);
  let first = 0;
  if (widest > 1) {
    for (; filled(rows[first]) <= 1; first++) {
      const text = rows[first]!.find((cell) => cell !== '');
      if (text !== undefined) builder.append('paragraph', text);
    }
  }
  const table = rows.slice(first);
  appendTable(builder, { rows: table, headerRow: headerRowOf(table, widest) });
}

/** The first row that names the columns. Columns without a name, such as remarks beside a table, do not prevent it. */
export function headerRowOf(rows: readonly (readonly string[])[], widest: number): number | 'none' {
  const found = findHeaderRow(rows);
  if (found !== 'none' || rows.length < 2) return found;
  const names = rows[0]!.filter((cell) => cell !== '');
  const isNamed = names.length >= 2 && names.length * 2 > widest && names.every((cell) => /\p{L}/u.test(cell));
  return isNamed ? 0 : 'none';
}

/** A number as Excel and Calc keep it: 15 digits, so that no artefacts of binary fractions show. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(15)));
}

export function formatPercent(value: number): string {
  return `${Number((value * 100).toFixed(2))}%`;
}

/** Dates of sheets in ISO order; a time of day has no date. */
export function formatDate(date: Date): string {
  if (Number.isNaN(date.getTime())) return '';
  const iso = new Date(Math.round(date.getTime() / 1000) * 1000).toISOString();
  const day = iso.slice(0, -14);
  const time = iso.slice(-13, -5).replace(/:00$/, '');
  // A time of day without a date is a fraction of the day before the first.
  if (day === '1899-12-30' || day === '1899-12-31') return time;
  return time === '00:00' ? day : `${day} ${time}`;
}
