import { displayWidth } from '../terminal/display-width.js';
import { plainLine, plainName, type Terminal, truncate } from '../terminal/terminal.js';

export interface Place {
  readonly source: string;
  readonly pageStart?: number;
  readonly pageEnd?: number;
  readonly headings?: readonly string[];
}

const leastHeadingColumns = 8;

/** `people/leave-policy-2025.pdf · page 3 · Parental leave › Japan`: headings get what columns the rest and `taken` others leave. */
export function placeLine(terminal: Terminal, place: Place, taken: number): string {
  const { pageStart, pageEnd, headings = [] } = place;
  const pages =
    pageStart === undefined
      ? ''
      : pageEnd !== undefined && pageEnd > pageStart
        ? `pages ${pageStart}–${pageEnd}`
        : `page ${pageStart}`;
  const source = plainName(place.source);
  const before = [source, pages].filter(Boolean).join(' · ');
  const room = terminal.columns - taken - displayWidth(before) - ' · '.length;
  const heading = room < leastHeadingColumns ? '' : truncate(headings.map(plainLine).join(' › '), room);
  const rest = [pages, heading].filter(Boolean).join(' · ');
  return terminal.style('cyan', source) + (rest ? terminal.style('dim', ` · ${rest}`) : '');
}

/** The first columns of a quote, in quotation marks. */
export function quoteLine(terminal: Terminal, quote: string, indent: number): string {
  return `${' '.repeat(indent)}“${truncate(plainLine(quote), terminal.columns - indent - 3)}”`;
}
