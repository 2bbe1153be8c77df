import type { TokenCounter } from '@aquifer/contracts';
import { shorten } from './sections.js';

/** Lengths, in UTF-16 units, to which lines are shortened in turn until they fit. */
const lineLengths = [1000, 400, 200, 100, 60, 40, 24, 12, 6] as const;

/**
 * What says where a chunk comes from: title and heading path, one a line, in at most `maxTokens`. The first heading is
 * left out where it repeats the title. What is too long is shortened line by line, then headings are left out from the outermost.
 */
export function chunkContext(
  title: string,
  headings: readonly string[],
  counter: TokenCounter,
  maxTokens: number,
): string {
  const lines = [title, ...headings];
  const repeats = headings.length > 0 && comparable(title) === comparable(headings[0]!);
  if (repeats) lines.splice(1, 1);
  for (const length of lineLengths) {
    const context = joinLines(lines, length);
    if (counter.count(context) <= maxTokens) return context;
  }
  for (let kept = lines.length - 2; kept >= 0; kept -= 1) {
    const context = joinLines([lines[0]!, ...lines.slice(lines.length - kept)], lineLengths.at(-1)!);
    if (counter.count(context) <= maxTokens) return context;
  }
  return '';
}

/** A table's header row, in at most `maxTokens`. */
export function tableHeader(row: string, counter: TokenCounter, maxTokens: number): string {
  if (row.length <= 4 * lineLengths[0] && counter.count(row) <= maxTokens) return row;
  for (const length of lineLengths) {
    const shortened = shorten(row, length);
    if (counter.count(shortened) <= maxTokens) return shortened;
  }
  return '';
}

function joinLines(lines: readonly string[], length: number): string {
  return lines
    .map((line) => shorten(line, length))
    .filter((line) => line.length > 0)
    .join('\n');
}

function comparable(line: string): string {
  return shorten(line, 200).normalize('NFKC').toLowerCase();
}
