import type { TextBuilder } from './text-builder.js';

/** A table as its readers find it. Rows may have different lengths; a missing cell is empty. */
export interface Table {
  readonly rows: readonly (readonly string[])[];
  /** Index of the row that names the columns, where the format says so. Absent: {@link findHeaderRow} decides. */
  readonly headerRow?: number | 'none';
  readonly caption?: string;
}

/** Between the cells of a row, in every format. */
const cellSeparator = ' | ';

/** A table that more rows may be added to, as long as nothing else has been. */
export interface TableRows {
  append(row: readonly string[]): void;
}

/**
 * Adds a table: one `table-row` a row, cells joined by ` | `, empty rows and columns dropped. Returns what adds further rows with
 * the same columns; cells of theirs in columns that were dropped are kept.
 */
export function appendTable(builder: TextBuilder, table: Table): TableRows {
  if (table.caption) builder.append('paragraph', table.caption);
  const used = usedColumns(table.rows);
  const headerRow = table.headerRow ?? findHeaderRow(table.rows);
  let header: ReturnType<TextBuilder['append']>;
  let startsGroup = true;
  for (const [index, row] of table.rows.entries()) {
    const text = joinCells(row, used);
    if (text === '') continue;
    const block =
      index === headerRow
        ? builder.append('table-row', text, { header: 'self', startsGroup })
        : builder.append('table-row', text, { startsGroup, ...(header && { header }) });
    if (index === headerRow) header = block;
    if (block) startsGroup = false;
  }
  const isUsed = new Set(used);
  return {
    append(row) {
      const isOutside =
        row.length > used.length && row.some((cell, column) => !isUsed.has(column) && cell.trim() !== '');
      const columns = isOutside ? [...row.keys()].filter((column) => isUsed.has(column) || row[column] !== '') : used;
      const text = joinCells(row, columns);
      if (text === '') return;
      builder.append('table-row', text, { startsGroup, ...(header && { header }) });
      startsGroup = false;
    },
  };
}

/**
 * The first row, where it looks like the names of columns: something in every column that is used, nothing twice, no
 * number alone, and at least one row under it. `'none'` otherwise.
 */
export function findHeaderRow(rows: readonly (readonly string[])[]): number | 'none' {
  const used = usedColumns(rows);
  const first = rows.findIndex((row) => joinCells(row, used) !== '');
  const below = rows.slice(first + 1).some((row) => joinCells(row, used) !== '');
  if (first < 0 || !below || used.length < 2) return 'none';
  const names = used.map((column) => oneLine(rows[first]?.[column] ?? ''));
  const isNamed = names.every((name) => name !== '' && !isNumber(name));
  return isNamed && new Set(names).size === names.length ? first : 'none';
}

function isNumber(cell: string): boolean {
  return cell.length <= 40 && /^[-+(]?\p{Sc}?[\d.,\s]*\d[\d.,\s]*[%\p{Sc})]?$/u.test(cell);
}

function usedColumns(rows: readonly (readonly string[])[]): readonly number[] {
  const used: boolean[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) if (!used[column] && cell.trim() !== '') used[column] = true;
  }
  return [...used.keys()].filter((column) => used[column]);
}

function joinCells(row: readonly string[], used: readonly number[]): string {
  const cells = used.map((column) => oneLine(row[column] ?? ''));
  while (cells.at(-1) === '') cells.pop();
  return cells.join(cellSeparator);
}

function oneLine(cell: string): string {
  return cell.replace(/\s+/g, ' ').trim();
}
