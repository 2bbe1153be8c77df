import type { Grid, GridCell } from './grids.js';
import { type Row, rowOf, rowsOf } from './lines.js';
import type { Run } from './runs.js';
import { isAmount, type Table } from './tables.js';

/** A cell with more characters is a box of a page's layout: what stands in it is not read as a cell. */
const maximumCellCharacters = 1200;

interface FilledCell extends GridCell {
  readonly rows: readonly Row[];
  /** Lines are separated by newlines. */
  readonly text: string;
  readonly bold: boolean;
}

/**
 * Rows of a page, of which those in a ruled grid are made tables. A table stands in the rows as a row of one segment as wide as the
 * grid, so that it has its place among columns and paragraphs. Where no table is found, `rows` comes back.
 */
export function rowsWithRuledTables(runs: readonly Run[], grids: readonly Grid[], rows = rowsOf(runs)): readonly Row[] {
  let open = runs;
  const tables: Row[] = [];
  for (const grid of grids.toSorted((a, b) => areaOf(b) - areaOf(a))) {
    const inside = open.filter((run) => isInside(run, grid));
    if (inside.length < 2) continue;
    const found = tablesOf(grid, inside);
    if (!found) continue;
    const taken = new Set(inside);
    open = open.filter((run) => !taken.has(run));
    tables.push(...found);
  }
  return tables.length === 0 ? rows : [...rowsOf(open), ...tables].sort((a, b) => a.baseline - b.baseline);
}

function areaOf({ left, right, top, bottom }: Grid): number {
  return (right - left) * (bottom - top);
}

function isInside(run: Run, area: { left: number; right: number; top: number; bottom: number }): boolean {
  const x = (run.left + run.right) / 2;
  const y = run.baseline - run.size * 0.35;
  return x >= area.left && x <= area.right && y >= area.top && y <= area.bottom;
}

function tablesOf(grid: Grid, runs: readonly Run[]): Row[] | undefined {
  const byCell = new Map<GridCell, Run[]>();
  for (const run of runs) {
    const cell = grid.cells.find((one) => isInside(run, one));
    const members = cell && byCell.get(cell);
    if (members) members.push(run);
    else if (cell) byCell.set(cell, [run]);
  }
  const cells = grid.cells.map((cell) => filled(cell, byCell.get(cell) ?? []));
  // What stands in columns itself, such as a head without lines of its own, is no cell.
  const isOneCell = ({ text, rows }: FilledCell) =>
    text.length <= maximumCellCharacters && rows.every(({ segments }) => segments.length < 3);
  if (!cells.every(isOneCell)) return undefined;
  const withText = cells.filter(({ text }) => text !== '');
  const besideEachOther = withText.some((a) =>
    withText.some((b) => a.fromColumn < b.fromColumn && a.toRow >= b.fromRow && a.fromRow <= b.toRow),
  );
  if (!besideEachOther || new Set(withText.map(({ fromRow }) => fromRow)).size < 2) return undefined;
  const tables: Row[] = [];
  for (const section of sectionsOf(cells, grid)) {
    const table = tableOf(section);
    if (table === 'unread') return undefined;
    const size = (section.body[0]?.rows[0] ?? section.title?.rows[0])?.size ?? 10;
    const first = section.title ?? (section.body[0] as FilledCell);
    if (table) tables.push(rowOfTable(table, grid, first.top + size, size));
  }
  return tables;
}

function rowOfTable(table: Table, { left, right }: Grid, baseline: number, size: number): Row {
  const style = { bold: false, italic: false, monospaced: false };
  return rowOf([{ text: '', left, right, baseline, size, ...style, table }]);
}

function filled(cell: GridCell, runs: readonly Run[]): FilledCell {
  const rows = rowsOf(runs);
  return {
    rows,
    ...cell,
    text: rows.map(textOf).join('\n'),
    bold: runs.length > 0 && runs.every(({ font }) => font.bold),
  };
}

function textOf(row: Row): string {
  return row.segments.map(({ text }) => text).join(' ');
}

interface Section {
  /** A cell over the whole width, above. */
  readonly title?: FilledCell;
  readonly body: readonly FilledCell[];
}

/**
 * Forms put several tables into one grid: with a title over the whole width, other columns begin. Where the columns stay the
 * same, such a row is a label between the rows of one table.
 */
function sectionsOf(cells: readonly FilledCell[], { columns }: Grid): Section[] {
  const sections: { title?: FilledCell; body: FilledCell[]; columns: string }[] = [];
  for (const cell of cells) {
    const isTitle = cell.fromColumn === 0 && cell.toColumn === columns - 1;
    const open = sections.at(-1);
    if (isTitle && cell.text !== '') sections.push({ title: cell, body: [], columns: '' });
    else if (isTitle) continue;
    else if (open) open.body.push(cell);
    else sections.push({ body: [cell], columns: '' });
  }
  for (const section of sections) section.columns = [...startsOf(section.body)].join();
  const merged: typeof sections = [];
  for (const section of sections) {
    const last = merged.at(-1);
    if (last && section.title && last.body.length > 0 && last.columns === section.columns) {
      last.body.push(section.title, ...section.body);
    } else if (last && last.body.length === 0 && last.title && section.title) {
      // Two titles in a row.
      section.title = { ...section.title, text: `${last.title.text}\n${section.title.text}`, top: last.title.top };
      merged[merged.length - 1] = section;
    } else merged.push(section);
  }
  return merged;
}

function startsOf(cells: readonly FilledCell[]): Set<number> {
  return new Set(cells.map(({ fromColumn }) => fromColumn).sort((a, b) => a - b));
}

/** `'unread'` where cells hold many rows that cannot be told apart. */
function tableOf({ title, body }: Section): Table | 'unread' | undefined {
  const withText = body.filter(({ text }) => text !== '');
  if (withText.length === 0) {
    return title && { kind: 'table', rows: [[title.text]], hasHeader: false };
  }
  // Columns are kept where a cell with text begins.
  const columns = [...startsOf(withText)];
  const rowNumbers = [...new Set(withText.map(({ fromRow }) => fromRow))].sort((a, b) => a - b);
  const headerRows = countHeaderRows(withText, rowNumbers, columns);
  if (headerRows === 'all') return 'unread';
  const rows: string[][] = [];
  if (headerRows > 0) {
    const heads = rowNumbers.slice(0, headerRows);
    rows.push(
      columns.map((column) =>
        withText
          .filter((cell) => heads.includes(cell.fromRow) && cell.fromColumn <= column && column <= cell.toColumn)
          .map(({ text }) => text)
          .join('\n'),
      ),
    );
  }
  for (const row of rowNumbers.slice(headerRows)) {
    const cells = columns.map((column) =>
      withText.find((cell) => cell.fromColumn === column && cell.fromRow <= row && row <= cell.toRow),
    );
    const several = rowsInside(cells, row, rowNumbers.length - headerRows === 1);
    if (several === 'unread') return 'unread';
    rows.push(...several);
  }
  return { kind: 'table', rows, hasHeader: headerRows > 0, ...(title && { caption: title.text }) };
}

/** Rows that no lines separate stand in one cell: amounts tell them apart or, where all rows stand so, what is in the first column. */
function rowsInside(cells: readonly (FilledCell | undefined)[], row: number, isOnly: boolean): string[][] | 'unread' {
  const starting = cells.filter((cell) => cell?.fromRow === row) as FilledCell[];
  let anchors = starting
    .filter((cell) => cell.rows.length > 1 && cell.rows.every((line) => isAmount(textOf(line))))
    .reduce<readonly Row[]>((most, cell) => (cell.rows.length > most.length ? cell.rows : most), []);
  if (anchors.length === 0 && isOnly) anchors = keysOf(starting);
  if (anchors.length === 0) {
    const long = starting.filter((cell) => cell.rows.length > 12);
    return long.length > 1 ? 'unread' : [cells.map((cell) => cell?.text ?? '')];
  }
  return anchors.map((anchor, index) => {
    const half = anchor.size * 0.5;
    const from = index === 0 ? Number.NEGATIVE_INFINITY : anchor.baseline - half;
    const to = (anchors[index + 1]?.baseline ?? Number.POSITIVE_INFINITY) - half;
    return cells.map((cell) =>
      (cell?.rows ?? [])
        .filter(({ baseline }) => baseline >= from && baseline < to)
        .map(textOf)
        .join('\n'),
    );
  });
}

/** The lines of the first cell, where another has a line beside each of them. */
function keysOf([first, ...others]: readonly FilledCell[]): readonly Row[] {
  if (!first || first.rows.length < 3) return [];
  const isBeside = (line: Row, other: Row) => Math.abs(line.baseline - other.baseline) < line.size * 0.3;
  const areKeys = others.some(({ rows }) => first.rows.every((line) => rows.some((other) => isBeside(line, other))));
  return areKeys ? first.rows : [];
}

/**
 * The rows at the top that name the columns: as deep as the first row's cells reach and one more under headings over several
 * columns, if all of it is words, and no two columns have one name.
 */
function countHeaderRows(
  cells: readonly FilledCell[],
  rowNumbers: readonly number[],
  columns: readonly number[],
): number | 'all' {
  const [firstRow] = rowNumbers as [number];
  const first = cells.filter(({ fromRow }) => fromRow === firstRow);
  const lastRow = Math.max(...first.map(({ toRow }) => toRow));
  const spans = first.some((cell) => columns.filter((at) => at >= cell.fromColumn && at <= cell.toColumn).length > 1);
  const depth = Math.max(rowNumbers.filter((row) => row <= lastRow).length, spans ? 2 : 1);
  if (depth >= rowNumbers.length) return depth > 1 ? 'all' : 0;
  const heads = cells.filter((cell) => rowNumbers.indexOf(cell.fromRow) < depth);
  if (heads.some((cell) => isAmount(cell.text) || cell.text.length > 120)) return 0;
  const names = columns.map((column) =>
    heads
      .filter((cell) => cell.fromColumn <= column && column <= cell.toColumn)
      .map(({ text }) => text)
      .join('\n'),
  );
  const named = names.filter((name) => name !== '');
  const isNamed = named.length >= Math.max(2, columns.length - 1) && names.slice(1).every((name) => name !== '');
  // A table that names its rows, and not its columns.
  const labels = cells.filter((cell) => cell.fromColumn === columns[0]);
  const namesRows = labels.length > 1 && labels.every(({ bold }) => bold) && !heads.every(({ bold }) => bold);
  return isNamed && !namesRows && new Set(named).size === named.length ? depth : 0;
}
