import type { Ruling } from './drawing.js';

/** A cell between ruled lines. Rows and columns are those of the grid; `to` is included. */
export interface GridCell {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly fromRow: number;
  readonly toRow: number;
  readonly fromColumn: number;
  readonly toColumn: number;
}

/** A table drawn with lines. */
export interface Grid {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly rows: number;
  readonly columns: number;
  readonly cells: readonly GridCell[];
}

/** In points: lines as near as this are one line, or touch. */
const near = 3;
const maximumLines = 400;

/** The grids that lines which cross or touch each other make. One cell alone, a frame, is none. */
export function gridsOf(rulings: readonly Ruling[]): Grid[] {
  const lines = joined(rulings);
  if (lines.length < 4 || lines.length > maximumLines * 4) return [];
  return groupsOf(lines).flatMap((group) => gridOf(group) ?? []);
}

/** Pieces of one line, such as the borders of neighbouring cells, as one. */
function joined(rulings: readonly Ruling[]): Ruling[] {
  const result: { horizontal: boolean; at: number; from: number; to: number }[] = [];
  for (const horizontal of [true, false]) {
    const lines = rulings
      .filter((ruling) => ruling.horizontal === horizontal)
      .sort((a, b) => a.at - b.at || a.from - b.from);
    let start = result.length;
    for (const line of lines) {
      while (start < result.length && line.at - (result[start] as Ruling).at > near) start++;
      const same = result.slice(start).find((one) => line.from <= one.to + near && line.to >= one.from - near);
      if (same) {
        same.from = Math.min(same.from, line.from);
        same.to = Math.max(same.to, line.to);
      } else result.push({ ...line });
    }
  }
  return result;
}

function touch(horizontal: Ruling, vertical: Ruling): boolean {
  return (
    vertical.at > horizontal.from - near &&
    vertical.at < horizontal.to + near &&
    horizontal.at > vertical.from - near &&
    horizontal.at < vertical.to + near
  );
}

function groupsOf(lines: readonly Ruling[]): Ruling[][] {
  const groups: Ruling[][] = [];
  const open = new Set(lines);
  const horizontals = lines.filter((line) => line.horizontal);
  const verticals = lines.filter((line) => !line.horizontal);
  for (const first of verticals) {
    if (!open.delete(first)) continue;
    const group = [first];
    for (const line of group) {
      const others = line.horizontal ? verticals : horizontals;
      for (const other of others) {
        if (!open.has(other) || !(line.horizontal ? touch(line, other) : touch(other, line))) continue;
        open.delete(other);
        group.push(other);
      }
    }
    groups.push(group);
  }
  return groups;
}

/** Distinct positions; those near each other as one. */
function positions(values: readonly number[]): number[] {
  const result: number[] = [];
  for (const value of values.toSorted((a, b) => a - b)) {
    if (value - (result.at(-1) ?? Number.NEGATIVE_INFINITY) > near) result.push(value);
  }
  return result;
}

function gridOf(lines: readonly Ruling[]): Grid | undefined {
  const horizontals = lines.filter((line) => line.horizontal);
  const verticals = lines.filter((line) => !line.horizontal);
  // Tables are often open at their sides: their lines end where the table does.
  const xs = positions([...verticals.map(({ at }) => at), ...horizontals.flatMap(({ from, to }) => [from, to])]);
  const ys = positions([...horizontals.map(({ at }) => at), ...verticals.flatMap(({ from, to }) => [from, to])]);
  const [columns, rows] = [xs.length - 1, ys.length - 1];
  if (columns < 1 || rows < 1 || columns * rows < 2 || columns > maximumLines || rows > maximumLines) return undefined;
  const isLine = (ruled: readonly Ruling[], at: number, middle: number) =>
    ruled.some((line) => Math.abs(line.at - at) <= near && line.from <= middle && line.to >= middle);
  const cells: GridCell[] = [];
  const taken = new Set<number>();
  for (let row = 0; row < rows; row++) {
    const middle = ((ys[row] as number) + (ys[row + 1] as number)) / 2;
    for (let column = 0; column < columns; column++) {
      if (taken.has(row * columns + column)) continue;
      const center = ((xs[column] as number) + (xs[column + 1] as number)) / 2;
      let toColumn = column;
      while (toColumn + 1 < columns && !isLine(verticals, xs[toColumn + 1] as number, middle)) toColumn++;
      let toRow = row;
      while (toRow + 1 < rows && !isLine(horizontals, ys[toRow + 1] as number, center)) toRow++;
      for (let y = row; y <= toRow; y++) for (let x = column; x <= toColumn; x++) taken.add(y * columns + x);
      cells.push({
        left: xs[column] as number,
        right: xs[toColumn + 1] as number,
        top: ys[row] as number,
        bottom: ys[toRow + 1] as number,
        fromRow: row,
        toRow,
        fromColumn: column,
        toColumn,
      });
    }
  }
  const [left, right, top, bottom] = [xs[0], xs.at(-1), ys[0], ys.at(-1)] as [number, number, number, number];
  return { left, right, top, bottom, rows, columns, cells };
}
