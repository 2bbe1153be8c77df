import { plainLine, plainName, type Terminal, truncate } from '../terminal/terminal.js';

export interface Place {
  readonly source: string;
  readonly pageStart?: number;
  readonly pageEnd?: number;
  readonly headings?: readonly string[];
}

/** `people/leave-policy-2025.pdf · page 3 · Parental leave › Japan` */
export function placeLine(terminal: Terminal, place: Place): string {
  const { pageStart, pageEnd, headings = [] } = place;
  const pages =
    pageStart === undefined
      ? ''
      : pageEnd !== undefined && pageEnd > pageStart
        ? `pages ${pageStart}–${pageEnd}`
        : `page ${pageStart}`;
  const rest = [pages, headings.map(plainLine).join(' › ')].filter(Boolean).join(' · ');
  return terminal.style('cyan', plainName(place.source)) + (rest ? terminal.style('dim', ` · ${rest}`) : '');
}

/** The first columns of a quote, in quotation marks. */
export function quoteLine(terminal: Terminal, quote: string, indent: number): string {
  return `${' '.repeat(indent)}“${truncate(plainLine(quote), terminal.columns - indent - 3)}”`;
}
