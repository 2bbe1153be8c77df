import type { PageRecogniser } from '../ocr/recognise-page.js';
import { type Ruling, rulingsOf, showsPicture } from './drawing.js';
import { type Grid, gridsOf } from './grids.js';
import { type Row, rowsOf } from './lines.js';
import type { Matrix } from './matrix.js';
import type { PdfDocument, PdfOperators, PdfPage } from './open.js';
import { rowsWithRuledTables } from './ruled-tables.js';
import { type FontStyle, type FontStyles, learnFonts, pageRuns, type Run, type RunGroup } from './runs.js';

/** The text of a page in one writing direction. A page with a stamp across it has two of these. */
export interface PagePart {
  readonly rows: readonly Row[];
  readonly height: number;
}

export interface PageParts {
  readonly main: PagePart;
  readonly rest: readonly PagePart[];
  /** `unmapped`: most of its text is in fonts that do not say which letters their shapes are. */
  readonly state: 'text' | 'partly-unmapped' | 'scan' | 'recognised' | 'unmapped' | 'blank' | 'damaged';
}

/** A page as it is found in the file. */
export interface FoundPage {
  readonly number: number;
  readonly groups: readonly RunGroup[];
  readonly rows: readonly Row[];
  readonly grids: readonly Grid[];
  readonly viewport: Viewport;
  readonly state: 'text' | 'scan' | 'blank' | 'damaged';
}

export interface Viewport {
  readonly width: number;
  readonly height: number;
  readonly transform: Matrix;
}

/** Finds what is on pages, and remembers between them whether it is worth looking for the lines of tables. */
export function createPageFinder(document: PdfDocument, fonts: FontStyles): (page: number) => Promise<FoundPage> {
  let found = 0;
  let missed = 0;

  async function find(page: PdfPage, number: number): Promise<FoundPage> {
    const content = await page.getTextContent();
    let operators = await orElse(() => learnFonts(page, content, fonts), undefined);
    const viewport = page.getViewport({ scale: 1 });
    const groups = pageRuns(viewport, content, fonts);
    const [main] = groups;
    if (!main) {
      operators ??= await orElse(() => page.getOperatorList(), undefined);
      const state = operators && showsPicture(operators) ? 'scan' : 'blank';
      return { number, groups, rows: [], grids: [], viewport, state };
    }
    const rows = rowsOf(main.runs);
    if (mayHoldTable(rows)) {
      // Drawing operations cost as much as text. A document whose first tables have no lines has none in the others either.
      // Lines matter most where cells hold sentences, which are also rarer.
      const mayAsk = missed < (holdsSentences(rows) ? 16 : 4) + found * 4;
      operators ??= mayAsk ? await orElse(() => page.getOperatorList(), undefined) : undefined;
      const grids = operators ? gridsOf(rulingsIn(operators, viewport, main)) : [];
      const withTables = grids.length > 0 ? rowsWithRuledTables(main.runs, grids, rows) : rows;
      if (withTables !== rows) {
        found++;
        return { number, groups, rows: withTables, grids, viewport, state: 'text' };
      }
      if (operators) missed++;
    }
    return { number, groups, rows, grids: [], viewport, state: 'text' };
  }

  return async (number) => {
    try {
      const page = await document.getPage(number);
      try {
        return await find(page, number);
      } finally {
        page.cleanup();
      }
    } catch {
      const viewport: Viewport = { width: 0, height: 0, transform: [1, 0, 0, 1, 0, 0] };
      return { number, groups: [], rows: [], grids: [], viewport, state: 'damaged' };
    }
  };
}

function mayHoldTable(rows: readonly Row[]): boolean {
  return rows.filter(({ segments }) => segments.length > 1).length > 1;
}

/** Whether sentences stand side by side: in cells, or in columns of text. */
function holdsSentences(rows: readonly Row[]): boolean {
  return rows.filter(({ segments }) => segments.filter(({ text }) => text.length >= 18).length > 1).length > 2;
}

/** The lines, in the frame of the text. */
function rulingsIn(operators: PdfOperators, viewport: Viewport, { place }: RunGroup): Ruling[] {
  return rulingsOf(operators, viewport.transform).map(({ horizontal, at, from, to }): Ruling => {
    const [x1, y1] = horizontal ? place(from, at) : place(at, from);
    const [x2, y2] = horizontal ? place(to, at) : place(at, to);
    const lies = Math.abs(y2 - y1) <= Math.abs(x2 - x1);
    return lies
      ? { horizontal: true, at: y1, from: Math.min(x1, x2), to: Math.max(x1, x2) }
      : { horizontal: false, at: x1, from: Math.min(y1, y2), to: Math.max(y1, y2) };
  });
}

/**
 * The lines of a page, without the runs of `unreadable` fonts; those of a scan, or of a page of which little else is left, by text
 * recognition where it is on.
 */
export async function pageParts(
  page: FoundPage,
  unreadable: ReadonlySet<FontStyle>,
  recogniser: PageRecogniser | undefined,
): Promise<PageParts> {
  const isReadable = ({ font }: Run) => !unreadable.has(font);
  const isUnmapped =
    unreadable.size > 0 && charactersOf(page.groups, isReadable) < charactersOf(page.groups, (run) => !isReadable(run));
  const isWhole = unreadable.size === 0 || page.groups.every(({ runs }) => runs.every(isReadable));
  const state = isUnmapped ? 'unmapped' : isWhole ? page.state : 'partly-unmapped';
  if (recogniser && (state === 'scan' || state === 'unmapped')) {
    const content = await orElse(() => recogniser.recognise(page.number), undefined);
    const [main, ...rest] = content ? pageRuns(page.viewport, content, new Map()) : [];
    if (main) return { main: partOf(main), rest: rest.map(partOf), state: 'recognised' };
  }
  const [first, ...others] = page.groups;
  if (!first) return { main: { rows: [], height: 0 }, rest: [], state };
  const readable = (group: RunGroup) => ({ ...group, runs: group.runs.filter(isReadable) });
  const rows = first.runs.every(isReadable) ? page.rows : rowsWithRuledTables(readable(first).runs, page.grids);
  return { main: { rows, height: first.height }, rest: others.map((group) => partOf(readable(group))), state };
}

function partOf({ runs, height }: RunGroup): PagePart {
  return { rows: rowsOf(runs), height };
}

function charactersOf(groups: readonly RunGroup[], counts: (run: Run) => boolean): number {
  return groups.reduce(
    (sum, { runs }) => sum + runs.reduce((all, run) => all + (counts(run) ? run.text.length : 0), 0),
    0,
  );
}

/** What is only nice to have does not make a document unreadable. */
export async function orElse<T, U>(attempt: () => Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await attempt();
  } catch {
    return otherwise;
  }
}
