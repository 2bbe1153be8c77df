import { type DocumentContent, pageRange } from '@aquifer/contracts';

/** Where a piece of a document stands, for people who look it up. */
export interface DocumentPlace {
  /** From the outermost heading to the innermost. */
  readonly headings: readonly string[];
  readonly pageStart?: number;
  readonly pageEnd?: number;
}

const maxHeadingLength = 200;

/** The headings that `[start, end)` stands under and the pages that it is on: of a long passage, only one section and page. */
export function placeInDocument(content: DocumentContent, start: number, end: number): DocumentPlace {
  const path: { readonly level: number; readonly heading: string }[] = [];
  for (const block of content.blocks) {
    if (block.start > start) break;
    if (block.kind !== 'heading') continue;
    const level = block.level ?? 1;
    while ((path.at(-1)?.level ?? 0) >= level) path.pop();
    path.push({ level, heading: oneLine(content.text.slice(block.start, block.end)) });
  }
  return {
    headings: path.map(({ heading }) => heading).filter((heading) => heading !== ''),
    ...pageRange(content.pages, start, end),
  };
}

function oneLine(text: string): string {
  const line = text
    .slice(0, 4 * maxHeadingLength)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length <= maxHeadingLength
    ? line
    : `${line.slice(0, maxHeadingLength - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
