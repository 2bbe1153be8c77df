import type { Table } from '../table-rows.js';
import { attribute, elementsOf, type MarkupElement, textOf } from './parse-markup.js';

/** Columns beyond this are not followed when cells span several of them; a hostile table may claim a thousand in every row. */
const maxSpannedColumns = 100;

/** Characters of cells repeated in the rows that they span, in one table. */
const maxRepeatedCharacters = 1_000_000;

type Skip = (element: MarkupElement) => boolean;

/**
 * Whether a `<table>` holds rows of data. Otherwise it only places things on the page: it says so, holds other tables
 * or headings, or has a single row or column and no header.
 */
export function isDataTable(table: MarkupElement, skip: Skip): boolean {
  const role = attribute(table, 'role')?.toLowerCase();
  if (role === 'presentation' || role === 'none') return false;
  let rows = 0;
  let widest = 0;
  let cells = 0;
  let hasHeader = false;
  for (const element of elementsOf(table, (item) => item.tagName !== 'table' && !skip(item))) {
    if (skip(element)) continue;
    const { tagName } = element;
    if (tagName === 'table' || /^h[1-6]$/.test(tagName)) return false;
    if (tagName === 'tr') {
      rows++;
      cells = 0;
    }
    if (tagName === 'td' || tagName === 'th') widest = Math.max(widest, ++cells);
    if (tagName === 'th' || tagName === 'caption') hasHeader = true;
  }
  return hasHeader || (rows > 1 && widest > 1);
}

/**
 * The rows of a `<table>`. A cell over several rows stands in each of them, so that each row can be understood alone; a
 * header over several columns stands above each of them; another cell over several columns stands in the first.
 */
export function readTable(table: MarkupElement, skip: Skip): Table {
  const rows: string[][] = [];
  const headerRows: number[] = [];
  let caption: string | undefined;
  let firstRowIsHeader = false;
  let namesRows = false;
  let repeated = 0;
  let spanning = new Map<number, { text: string; rows: number }>();

  const inside = (element: MarkupElement) => !skip(element) && element.tagName !== 'td' && element.tagName !== 'th';
  for (const element of elementsOf(table, inside)) {
    if (skip(element)) continue;
    if (element.tagName === 'caption') caption = textOf(element, skip);
    if (element.tagName !== 'tr') continue;

    const row: string[] = [];
    const next = new Map<number, { text: string; rows: number }>();
    for (const [column, above] of spanning) {
      row[column] = repeated < maxRepeatedCharacters ? above.text : '';
      repeated += above.text.length;
      if (above.rows > 1) next.set(column, { text: above.text, rows: above.rows - 1 });
    }
    let column = 0;
    let headers = 0;
    let cells = 0;
    for (const cell of element.childNodes) {
      if (!('tagName' in cell) || (cell.tagName !== 'td' && cell.tagName !== 'th') || skip(cell)) continue;
      while (row[column] !== undefined) column++;
      const isHeader = cell.tagName === 'th';
      if (isHeader && cells === 0 && rows.length > 0) namesRows = true;
      cells++;
      if (isHeader) headers++;
      const text = textOf(cell, skip);
      const rowSpan = span(cell, 'rowspan', 65534);
      const columnSpan = column < maxSpannedColumns ? span(cell, 'colspan', maxSpannedColumns) : 1;
      for (let offset = 0; offset < columnSpan; offset++, column++) {
        row[column] = offset === 0 || isHeader ? text : '';
        if (rowSpan > 1 && column < maxSpannedColumns) next.set(column, { text: row[column]!, rows: rowSpan - 1 });
      }
    }
    for (let index = 0; index < row.length; index++) row[index] ??= '';
    spanning = next;
    if (cells === 0 && row.length === 0) continue;
    if (isInside(element, 'thead')) headerRows.push(rows.length);
    if (rows.length === 0) firstRowIsHeader = cells > 0 && headers === cells;
    rows.push(row);
  }

  const headerRow = headerRows.at(-1) ?? (firstRowIsHeader ? 0 : namesRows ? 'none' : undefined);
  return { rows, ...(headerRow !== undefined && { headerRow }), ...(caption && { caption }) };
}

function span(cell: MarkupElement, name: string, most: number): number {
  const value = Number.parseInt(attribute(cell, name) ?? '1', 10);
  return Number.isFinite(value) ? Math.min(Math.max(value, 1), most) : 1;
}

function isInside(row: MarkupElement, tagName: string): boolean {
  return row.parentNode !== null && 'tagName' in row.parentNode && row.parentNode.tagName === tagName;
}
