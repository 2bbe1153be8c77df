import type { Row, Segment } from './lines.js';

/** A table as rows of cells. A missing cell is the empty string; the lines of a cell are separated by newlines. */
export interface Table {
  readonly kind: 'table';
  readonly rows: readonly (readonly string[])[];
  /** Whether the first row names the columns. Several header rows have been made one. */
  readonly hasHeader: boolean;
  /** What stands over all columns. */
  readonly caption?: string;
}

/** A line of text that is not in a table. */
export interface Line extends Segment {
  readonly kind: 'line';
}

/** Takes the tables out of the rows of a region. What stands outside of them comes back as lines. */
export function tablesAndLines(rows: readonly Row[]): (Table | Line)[] {
  const result: (Table | Line)[] = [];
  let index = 0;
  while (index < rows.length) {
    const ruled = (rows[index] as Row).segments.find((segment) => segment.table)?.table;
    if (ruled) {
      result.push(ruled);
      index++;
      continue;
    }
    const end = endOfTable(rows, index + spanningHeadings(rows, index));
    const table = end > index + 1 ? tableOf(rows.slice(index, end)) : undefined;
    if (table) {
      result.push(table);
      index = end;
    } else {
      result.push(lineOf(rows[index] as Row));
      index++;
    }
  }
  return result;
}

function lineOf(row: Row): Line {
  const [first] = row.segments as [Segment];
  const main = row.segments.reduce((a, b) => (b.text.length > a.text.length ? b : a));
  return {
    kind: 'line',
    ...main,
    text: row.segments.map((segment) => segment.text).join(' '),
    left: first.left,
    right: Math.max(...row.segments.map((segment) => segment.right)),
    bold: row.segments.every((segment) => segment.bold),
    italic: row.segments.every((segment) => segment.italic),
  };
}

/** How many rows from `start` on are headings over several columns of a table: alone, and away from its left margin. */
function spanningHeadings(rows: readonly Row[], start: number): number {
  for (let count = 0; count <= 2; count++) {
    const row = rows[start + count];
    if (!row || row.segments.some((segment) => segment.table)) return 0;
    if (row.segments.length >= 2) {
      const headings = rows.slice(start, start + count).map(({ segments }) => segments[0] as Segment);
      const below = rows.slice(start + count, start + count + 4);
      const left = Math.min(...below.map(({ segments }) => (segments[0] as Segment).left));
      const right = Math.max(...below.map(({ segments }) => (segments.at(-1) as Segment).right));
      const isOver = headings.every(
        (one) =>
          one.left > left + (right - left) * 0.25 &&
          one.right < right + one.size &&
          one.text.length < 60 &&
          !one.text.startsWith('('),
      );
      const isClose = row.baseline - (rows[start] as Row).baseline < row.size * 2.2 * count;
      return count > 0 && isOver && isClose ? count : 0;
    }
  }
  return 0;
}

/** Where the run of rows with several cells that begins at `start` ends; `start` where none begins. */
function endOfTable(rows: readonly Row[], start: number): number {
  let end = start;
  let several = 0;
  let cells = 0;
  let columnLeft = Number.POSITIVE_INFINITY;
  const lefts: number[] = [];
  for (let index = start; index < rows.length; index++) {
    const row = rows[index] as Row;
    const before = rows[index - 1];
    if (before && index > start && row.baseline - before.baseline > Math.max(row.size, before.size) * 4) break;
    if (row.segments.some((segment) => segment.table)) break;
    if (row.segments.length >= 2) {
      columnLeft = (row.segments[1] as Segment).left;
      lefts.push(...row.segments.slice(1).map(({ left }) => left));
      several++;
      cells += row.segments.length;
      end = index + 1;
      // Labels of sections and wrapped lines may stand between rows, but a paragraph, which runs across columns, ends the table.
    } else {
      const [only] = row.segments as [Segment];
      if (
        index === start ||
        index - end >= 3 ||
        isMuchLarger(only, rows[end - 1]) ||
        (only.right > columnLeft &&
          only.text.length > 70 &&
          !lefts.some((left) => Math.abs(only.left - left) < only.size * 0.4))
      )
        break;
    }
  }
  return several >= 3 || (several === 2 && cells >= 6) ? end : start;
}

/** Whether these are cells, and not lines whose spaces were stretched to fill a column. */
function hasCells(rows: readonly Row[]): boolean {
  const gaps: number[] = [];
  let amounts = 0;
  let cells = 0;
  for (const { segments } of rows) {
    segments.forEach((segment, index) => {
      const last = segments[index - 1];
      if (last) gaps.push((segment.left - last.right) / segment.size);
      if (isAmount(segment.text)) amounts++;
      cells++;
    });
  }
  gaps.sort((a, b) => a - b);
  return amounts > cells * 0.3 || (gaps[Math.floor(gaps.length / 2)] ?? 0) > 1.4;
}

function isMuchLarger(segment: Segment, row: Row | undefined): boolean {
  return row !== undefined && segment.size > row.size * 1.5;
}

interface PlacedRow {
  readonly row: Row;
  readonly cells: readonly Cell[];
}

/**
 * Puts further lines of cells to their rows, in tables of words. Such a line adds to cells that have begun, and goes on where they could not: in lower
 * case, or with a word for which there was no room. Its first column is empty, or it is nearer to the line before than rows are.
 */
function withContinuations(rows: readonly PlacedRow[], columns: readonly Column[]): PlacedRow[] {
  const gaps = rows.slice(1).map(({ row }, index) => row.baseline - (rows[index] as PlacedRow).row.baseline);
  const [least, most] = [Math.min(...gaps), Math.max(...gaps)];
  const result: { row: Row; cells: readonly Cell[] }[] = [];
  rows.forEach(({ row, cells }, index) => {
    const open = result.at(-1);
    const gap = gaps[index - 1] ?? 0;
    const filled = cells.filter(isFilled);
    const [first] = cells;
    const hasKey = first !== undefined && isFilled(first);
    const isNearer = most > least * 1.25 && gap < least * 1.2;
    const goesOn = (cell: Cell) => {
      const [from, next] = [open?.cells[cell.from]?.segments.at(-1), cell.segments[0]];
      if (!from || !next || cell.segments.some(({ text }) => isAmount(text) || !/[\p{L}\p{N}]/u.test(text)))
        return false;
      // One line alone under one cell of a row adds to it, whatever room there was.
      if (!hasKey && filled.length === 1) return true;
      return /^\p{Ll}/u.test(next.text) || !hasRoom(from, next, columns[cell.from] as Column);
    };
    const mayGoOn = hasKey
      ? isNearer && filled.length > 1 && filled.length < (open?.cells.filter(isFilled).length ?? 0)
      : open?.cells[0] !== undefined && isFilled(open.cells[0]);
    if (open && mayGoOn && gap < row.size * 1.6 && filled.every(goesOn)) {
      open.cells = open.cells.map((cell, column) => ({
        ...cell,
        segments: [...cell.segments, ...(cells[column]?.segments ?? [])],
      }));
    } else result.push({ row, cells });
  });
  return result;
}

function isFilled({ segments }: Cell): boolean {
  return segments.length > 0;
}

/** Whether the first word of `next` had had room behind `before`. */
function hasRoom(before: Segment, next: Segment, { right }: Column): boolean {
  const word = /^\S+/.exec(next.text)?.[0] ?? '';
  const width = ((next.right - next.left) * word.length) / Math.max(1, next.text.length);
  return before.right + width + before.size * 1.2 < right;
}

interface Column {
  left: number;
  right: number;
}

function tableOf(rows: readonly Row[]): Table | undefined {
  const columns = columnsOf(rows);
  if (columns.length < 2) return undefined;
  const placed = rows.map((row) => ({ row, cells: placeCells(row, columns) }));
  if (!hasCells(rows)) return undefined;
  const severalFilled = placed.filter(({ cells }) => cells.filter((cell) => cell.segments.length > 0).length >= 2);
  if (severalFilled.length < rows.length * 0.4 || severalFilled.length < 2) return undefined;
  // The first column may number what is listed.
  const values = rows.flatMap(({ segments }) => segments.slice(1));
  const isOfWords = values.filter(({ text }) => isAmount(text)).length < values.length * 0.3;
  const headerRows = countHeaderRows(placed.map(({ cells }) => cells));
  const texts = (cells: readonly Cell[]) => {
    const all = cells.map(textOf);
    const filled = all.filter((text) => text !== '');
    // A label over the rows that follow names no column, wherever it stands.
    return filled.length === 1 && cells.flatMap((cell) => cell.segments).length === 1
      ? [...filled, ...all.slice(1).fill('')]
      : all;
  };
  const bodyRows = isOfWords ? withContinuations(placed.slice(headerRows), columns) : placed.slice(headerRows);
  const body = mergeWrapped(
    bodyRows.map(({ row, cells }) => ({
      row,
      texts: texts(cells),
      isLabel: cells[0] !== undefined && isFilled(cells[0]),
    })),
  );
  if (headerRows === 0) return { kind: 'table', rows: body, hasHeader: false };
  const header = columns.map((_, column) =>
    placed
      .slice(0, headerRows)
      .flatMap(({ cells }) =>
        cells.filter((cell) => cell.from <= column && column <= cell.to).flatMap((cell) => cell.segments),
      )
      .map((segment) => segment.text)
      .join(' '),
  );
  return { kind: 'table', rows: [header, ...body], hasHeader: true };
}

/**
 * The columns: what lies between the vertical strips that (nearly) no row covers. Rows with few cells do not vote, because
 * titles and headings over several columns run across the strips.
 */
function columnsOf(rows: readonly Row[]): Column[] {
  const most = Math.max(...rows.map((row) => row.segments.length));
  const voters = rows.filter((row) => row.segments.length >= Math.max(2, most * 0.6));
  const left = Math.min(...voters.map((row) => (row.segments[0] as Segment).left));
  const right = Math.max(...voters.map((row) => (row.segments.at(-1) as Segment).right));
  const covered = new Uint16Array(Math.max(1, Math.min(5000, Math.ceil(right - left))));
  for (const row of voters) {
    for (const segment of row.segments) {
      const from = Math.max(0, Math.floor(segment.left - left));
      const to = Math.min(covered.length, Math.ceil(segment.right - left));
      for (let x = from; x < to; x++) covered[x] = (covered[x] as number) + 1;
    }
  }
  const tolerated = Math.floor(voters.length * 0.08);
  const columns: Column[] = [];
  let open: Column | undefined;
  covered.forEach((count, x) => {
    if (count > tolerated) {
      if (open) open.right = left + x + 1;
      else {
        open = { left: left + x, right: left + x + 1 };
        columns.push(open);
      }
    } else open = undefined;
  });
  return columns;
}

interface Cell {
  readonly from: number;
  readonly to: number;
  readonly segments: Segment[];
}

/** Every segment into the column it covers most of. A heading over several columns stands in the first, and says up to where. */
function placeCells(row: Row, columns: readonly Column[]): Cell[] {
  const cells: Cell[] = columns.map((_, column) => ({ from: column, to: column, segments: [] }));
  for (const segment of row.segments) {
    const overlaps = columns.map(
      (column) => Math.min(column.right, segment.right) - Math.max(column.left, segment.left),
    );
    let main = 0;
    overlaps.forEach((overlap, column) => {
      if (overlap > (overlaps[main] as number)) main = column;
    });
    const from = overlaps.findIndex((overlap) => overlap > 0);
    const to = overlaps.findLastIndex((overlap) => overlap > 0);
    if (to > from && from > 0) {
      const cell = cells[from] as Cell;
      cells[from] = { from, to: Math.max(cell.to, to), segments: [...cell.segments, segment] };
    } else {
      (cells[main] as Cell).segments.push(segment);
    }
  }
  return cells;
}

const number = /^[-–—(]?\s*(?:US)?[$€£¥]?\s*[-–(]?[\d.,\s]*\d[\d.,]*\s*\)?\s*(?:%|pts|x|bps)?\s*\)?$/;
const year = /^(?:19|20)\d\d$/;

/** Whether a cell is a number, with its currency, brackets or unit; years are names. */
export function isAmount(text: string): boolean {
  return (number.test(text) && !year.test(text)) || /^[—–-]\s*%?$/.test(text);
}

/**
 * How many rows at the top name the columns: those before the first with an amount, where amounts follow at all; else the first
 * row where it alone is bold.
 */
function countHeaderRows(rows: readonly (readonly Cell[])[]): number {
  const filled = (cells: readonly Cell[]) => cells.flatMap((cell) => cell.segments);
  const firstAmount = rows.findIndex((cells) =>
    cells.slice(1).some((cell) => cell.segments.some((segment) => isAmount(segment.text))),
  );
  if (firstAmount > 0) {
    let count = 0;
    while (count < firstAmount && count < 5) {
      const cells = rows[count] as readonly Cell[];
      // A label alone, such as "Net sales:", begins the body.
      const hasColumns = rows.slice(0, count).some((earlier) => filled(earlier).length >= 2);
      if (hasColumns && filled(cells).length < 2) break;
      count++;
    }
    return count;
  }
  const [first, second] = rows;
  if (firstAmount === -1 && first && second) {
    const isBold = (cells: readonly Cell[]) =>
      filled(cells).length >= 2 && filled(cells).every((segment) => segment.bold);
    if (isBold(first) && !rows.slice(1).every(isBold)) return 1;
  }
  return 0;
}

/** The segments of a cell; those on different lines are separated by newlines. */
function textOf({ segments }: Cell): string {
  return segments.reduce((text, segment, index) => {
    const last = segments[index - 1];
    if (!last) return segment.text;
    const isBelow = segment.baseline - last.baseline > last.size * 0.5;
    return text + (isBelow ? '\n' : ' ') + segment.text;
  }, '');
}

/** Puts a label that runs over two lines back into one row. */
function mergeWrapped(
  rows: readonly { readonly row: Row; readonly texts: readonly string[]; readonly isLabel: boolean }[],
): string[][] {
  const merged: { row: Row; texts: string[] }[] = [];
  for (const { row, texts, isLabel } of rows) {
    const last = merged.at(-1);
    const close = last && row.baseline - last.row.baseline < row.size * 1.6;
    const alone = texts.slice(1).every((text) => text === '');
    if (last && close && isLabel && /^[\p{Ll}(]/u.test(texts[0] ?? '')) {
      const lastAlone = last.texts.slice(1).every((text) => text === '');
      if (alone || lastAlone) {
        merged[merged.length - 1] = {
          row,
          texts: last.texts.map((text, column) => [text, texts[column] ?? ''].filter((part) => part !== '').join(' ')),
        };
        continue;
      }
    }
    merged.push({ row, texts: [...texts] });
  }
  return merged.map(({ texts }) => texts);
}
