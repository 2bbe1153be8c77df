import type { Row } from './lines.js';

/** How many lines at the top and at the bottom of a page are looked at. */
const edgeLines = 4;
/** How far, in pages, the same line must come again. Chapters have their own running heads. */
const reach = 6;

export interface EdgePage {
  readonly rows: readonly Row[];
  readonly height: number;
}

interface EdgeLine {
  readonly row: Row;
  /** The text with its numbers made alike. */
  readonly key: string;
  readonly baseline: number;
  /** The last number in it, or NaN. */
  readonly lastNumber: number;
}

/**
 * Takes away running headers, footers and page numbers: lines at the edge of a page that come again at the same
 * place, but for their numbers, on at least three pages not far from each other. Documents of one or two pages keep all lines.
 */
export function withoutRunningHeads(pages: readonly EdgePage[]): (readonly Row[])[] {
  if (pages.length < 3) return pages.map((page) => page.rows);
  const tops = pages.map((page) => edge(page.rows, (row) => row.baseline < page.height * 0.2));
  const bottoms = pages.map((page) => edge(page.rows.toReversed(), (row) => row.baseline > page.height * 0.8));
  return pages.map((page, index) => {
    const heads = new Set([...repeated(tops, index), ...repeated(bottoms, index)]);
    return heads.size === 0 ? page.rows : page.rows.filter((row) => !heads.has(row));
  });
}

function edge(rows: readonly Row[], isNear: (row: Row) => boolean): EdgeLine[] {
  const lines: EdgeLine[] = [];
  for (const row of rows.slice(0, edgeLines)) {
    if (!isNear(row) && lines.length > 0) break;
    const text = row.segments.map((segment) => segment.text).join(' ');
    const lastNumber = Number(/(\d{1,6})\D*$/.exec(text)?.[1] ?? Number.NaN);
    lines.push({ row, key: keyOf(text), baseline: row.baseline, lastNumber });
  }
  return lines;
}

function keyOf(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\b[ivxl]+\b|\d+/g, '#')
    .replace(/\s+/g, '');
}

/** The lines at this page's edge, from the outermost inwards, that come again; the first that does not ends the search. */
function repeated(pages: readonly (readonly EdgeLine[])[], index: number): Row[] {
  const heads: Row[] = [];
  for (const line of pages[index] ?? []) {
    let count = 0;
    for (let other = Math.max(0, index - reach); other <= Math.min(pages.length - 1, index + reach); other++) {
      const again = pages[other]?.some(
        (candidate, position) =>
          candidate.key === line.key &&
          (Math.abs(candidate.baseline - line.baseline) < line.row.size ||
            // Below a short page the footer may stand higher, but its page number says what it is.
            (position === 0 && candidate.lastNumber - line.lastNumber === other - index)),
      );
      if (again) count++;
    }
    if (count < 3) break;
    heads.push(line.row);
  }
  return heads;
}
