import type { PageParts } from './page.js';

/** What of the pages is not in the text, for people. `wasOcrTried` tells whether scans went through text recognition. */
export function omissionsOf(pages: readonly Pick<PageParts, 'state'>[], wasOcrTried: boolean): string[] {
  const omissions: string[] = [];
  const report = (state: PageParts['state'], one: string, several: string, advice: string) => {
    const numbers = pages.flatMap((page, index) => (page.state === state ? [index + 1] : []));
    if (numbers.length === 0) return;
    const isOne = numbers.length === 1;
    omissions.push(`${subject(numbers, pages.length)} ${isOne ? one : several}${advice}.`);
  };
  report(
    'scan',
    'is a scan or drawing',
    'are scans or drawings',
    wasOcrTried ? ' in which OCR found no text' : ' without text: run again with --ocr',
  );
  report(
    'unmapped',
    'is',
    'are',
    ` in fonts that do not say which letters they show, and ${wasOcrTried ? 'OCR found none either' : 'left out: run again with --ocr'}`,
  );
  report('partly-unmapped', 'has', 'have', ' text in fonts that do not say which letters they show; it was left out');
  report('damaged', 'is', 'are', ' damaged and could not be read');
  return omissions;
}

/** `3 of 12 pages (2, 5-6)`. */
function subject(numbers: readonly number[], pages: number): string {
  if (numbers.length === pages) return pages === 1 ? '1 of 1 pages' : `All ${pages} pages`;
  return `${numbers.length} of ${pages} pages (${ranges(numbers)})`;
}

/** `2, 5-7, …`: at most eight ranges. */
function ranges(numbers: readonly number[]): string {
  const found: [from: number, to: number][] = [];
  for (const number of numbers) {
    const open = found.at(-1);
    if (open && open[1] === number - 1) open[1] = number;
    else found.push([number, number]);
  }
  const shown = found.slice(0, 8).map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
  return [...shown, ...(found.length > shown.length ? ['…'] : [])].join(', ');
}
