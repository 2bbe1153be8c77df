import { type Row, rowOf, type Segment } from './lines.js';

/** Rows that are read one after the other, between the same margins. */
export interface Region {
  readonly rows: readonly Row[];
  readonly left: number;
  readonly right: number;
}

/** Fewer lines than this side by side are not taken for columns. */
const minimumColumnLines = 3;
/** Of three columns or more. */
const minimumLinesOfSeveral = 6;
/** In points: how far apart the gutters of two pages may be found and still be the same. */
const gutterTolerance = 8;

/** Where at least two pages have a gutter. */
export function commonGutters(pages: readonly (readonly Row[])[]): number[] {
  const found = pages.flatMap((rows) => findGutter(rows, [])?.x ?? []);
  return found.filter((x) => found.filter((other) => Math.abs(other - x) <= gutterTolerance).length >= 2);
}

/**
 * Cuts a page into regions in reading order: what runs over the whole width, then the left column, then the right one, and
 * so on. Columns are lines of prose on both sides of a gutter that nothing crosses; cells of a table are not prose. Where
 * other pages have their gutter (`known`), prose on one side is enough: the other may be a figure or a table.
 */
export function regionsOf(rows: readonly Row[], known: readonly number[] = [], depth = 3): Region[] {
  if (rows.length === 0) return [];
  const gutter = depth > 0 ? findGutter(rows, known) : undefined;
  if (!gutter) return [regionOf(rows)];
  const regions: Region[] = [];
  let after = 0;
  for (const band of gutter.bands) {
    if (band.start > after) regions.push(...regionsOf(rows.slice(after, band.start), known, depth - 1));
    const inside = rows.slice(band.start, band.end);
    regions.push(
      ...regionsOf(
        side(inside, (segment) => segment.right <= gutter.x + 1),
        known,
        depth - 1,
      ),
    );
    regions.push(
      ...regionsOf(
        side(inside, (segment) => segment.right > gutter.x + 1),
        known,
        depth - 1,
      ),
    );
    after = band.end;
  }
  if (after < rows.length) regions.push(...regionsOf(rows.slice(after), known, depth - 1));
  return regions;
}

function regionOf(rows: readonly Row[]): Region {
  const segments = rows.flatMap((row) => row.segments);
  return {
    rows,
    left: Math.min(...segments.map((segment) => segment.left)),
    right: Math.max(...segments.map((segment) => segment.right)),
  };
}

interface Band {
  /** Rows `[start, end)`. */
  readonly start: number;
  readonly end: number;
}

interface Gutter {
  readonly x: number;
  readonly bands: readonly Band[];
}

/** The vertical line with the most prose on both of its sides. */
function findGutter(rows: readonly Row[], known: readonly number[]): Gutter | undefined {
  let best: Gutter | undefined;
  let bestLines = 0;
  for (const x of candidates(rows)) {
    const bands = bandsBeside(rows, x, known);
    const lines = bands.reduce((sum, band) => sum + band.end - band.start, 0);
    if (lines > bestLines) {
      bestLines = lines;
      best = { x, bands };
    }
  }
  return best;
}

/** Where many lines begin, away from the left margin. */
function candidates(rows: readonly Row[]): number[] {
  const counts = new Map<number, number>();
  const region = regionOf(rows);
  const width = region.right - region.left;
  for (const row of rows) {
    for (const { left, size } of row.segments) {
      if (left < region.left + width * 0.15 || left > region.right - width * 0.12) continue;
      const x = Math.round((left - size * 0.25) / 4) * 4;
      counts.set(x, (counts.get(x) ?? 0) + 1);
    }
  }
  return [...counts]
    .filter(([, count]) => count >= minimumColumnLines)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 12)
    .map(([x]) => x);
}

function bandsBeside(rows: readonly Row[], x: number, known: readonly number[]): Band[] {
  const isKnown = known.some((other) => Math.abs(other - x) <= gutterTolerance);
  const bands: Band[] = [];
  let start = 0;
  const close = (end: number) => {
    if (end - start >= minimumColumnLines && hasProse(rows.slice(start, end), x, isKnown)) bands.push({ start, end });
    start = end + 1;
  };
  rows.forEach((row, index) => {
    if (row.segments.some((segment) => segment.left < x - 1 && segment.right > x + 1)) close(index);
  });
  close(rows.length);
  return bands;
}

function hasProse(rows: readonly Row[], x: number, isKnown: boolean): boolean {
  const left = side(rows, (segment) => segment.right <= x + 1);
  const right = side(rows, (segment) => segment.right > x + 1);
  if (left.length === 0 || right.length === 0) return false;
  const isLeft = isProse(left) || isProseOfSeveral(left, (segments) => segments.at(-1) as Segment);
  const isRight = () => isProse(right) || isProseOfSeveral(right, (segments) => segments[0] as Segment);
  return isKnown ? isLeft || isRight() : isLeft && isRight();
}

/** Whether the lines are mostly long and fill their width, as lines of a column do and cells of a table do not. */
function isProse(rows: readonly Row[]): boolean {
  if (rows.filter((row) => row.segments.length === 1).length < rows.length * 0.7) return false;
  return fillsColumn(rows, 0.5, minimumColumnLines);
}

/** The same, where more columns follow: of the nearest, with less doubt, because tables of words look much like them. */
function isProseOfSeveral(rows: readonly Row[], nearest: (segments: readonly Segment[]) => Segment): boolean {
  const several = rows.filter((row) => row.segments.length > 1).length;
  if (several < minimumLinesOfSeveral || several < rows.length * 0.5) return false;
  return fillsColumn(
    rows.map((row) => rowOf([nearest(row.segments)])),
    0.75,
    minimumLinesOfSeveral,
  );
}

function fillsColumn(rows: readonly Row[], fullShare: number, fewest: number): boolean {
  if (rows.length < fewest) return false;
  const { left, right } = regionOf(rows);
  let full = 0;
  let characters = 0;
  let letters = 0;
  for (const row of rows) {
    const first = row.segments[0] as Segment;
    const last = row.segments.at(-1) as Segment;
    if (last.right - first.left > (right - left) * 0.65) full++;
    for (const { text } of row.segments) {
      characters += text.length;
      letters += text.replace(/[^\p{L}\s]/gu, '').length;
    }
  }
  const size = rows[0]?.size ?? 1;
  return (
    right - left > size * 8 &&
    full >= rows.length * fullShare &&
    characters / rows.length > 14 &&
    letters > characters * 0.7
  );
}

function side(rows: readonly Row[], belongs: (segment: Segment) => boolean): Row[] {
  return rows.flatMap((row) => {
    const segments = row.segments.filter(belongs);
    return segments.length === 0 ? [] : [rowOf(segments)];
  });
}
