import { type Block, type BlockKind, collectGarbage, type PageSpan } from '@aquifer/contracts';
import { documentBlock } from './document-block.js';

export interface AppendOptions {
  /** Headings: 1 to 6. List items: nesting, from 1. */
  readonly level?: number;
  /** Table rows: `'self'` for the row that names the columns, and that row's block for the rows under it. */
  readonly header?: Block | 'self';
  /** Whether a new table or list begins, so that a blank line separates it from the rows or items before. */
  readonly startsGroup?: boolean;
}

/** Assembles the text of a document block by block, and knows where everything is. */
export interface TextBuilder {
  /** Adds a block, normalised by {@link normaliseText}. Returns it, or undefined where nothing but white space was left. */
  append(kind: BlockKind, text: string, options?: AppendOptions): Block | undefined;
  /**
   * Adds to the last block, such as the part of a paragraph that stands on the next page, after taking `cut` characters (a
   * hyphen) off it and putting `separator` behind it. Where there is no block yet, or nothing is left of the text,
   * nothing happens.
   */
  extend(text: string, joint: { readonly cut: 0 | 1; readonly separator: '' | ' ' | '\n' }): void;
  /** What follows stands on this page (counted from 1). Pages are begun in order. */
  beginPage(page: number): void;
  /** Puts the text together. Nothing can be added afterwards. */
  finish(): TextWithStructure;
}

export interface TextWithStructure {
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly pages: readonly PageSpan[];
}

/**
 * A {@link TextBuilder}. Rows of one table and items of one list are separated by a newline, everything else by a blank line.
 * A page without text has an empty span.
 *
 * ```ts
 * const builder = createTextBuilder();
 * builder.append('heading', 'Leave', { level: 1 });
 * const header = builder.append('table-row', 'Country | Weeks', { header: 'self' });
 * builder.append('table-row', 'Japan | 52', header && { header });
 * const { text, blocks, pages } = builder.finish();
 * ```
 */
export function createTextBuilder(): TextBuilder {
  /** Made of many pieces each. The last piece is never among them, for it may be continued. */
  let parts: string[] = [];
  let pieces: string[] = [];
  const blocks: Block[] = [];
  const pages: { page: number; start: number; end: number; hasText: boolean }[] = [];
  let length = 0;
  let header: Block['header'];

  // By itself: what a function has called on stays until it returns, and pieces may be slices of the source.
  function putTogether(): void {
    parts.push(pieces.join(''));
    pieces = [];
  }

  function push(text: string, separator: string): number {
    if (pieces.length >= piecesTogether) putTogether();
    if (separator !== '') pieces.push(separator);
    pieces.push(text);
    const start = length + separator.length;
    length = start + text.length;
    const page = pages.at(-1);
    if (page) {
      if (!page.hasText) page.start = start;
      page.hasText = true;
      page.end = length;
    }
    return start;
  }

  function takeOffLast(): void {
    pieces.push((pieces.pop() as string).slice(0, -1));
    length--;
    for (const page of pages.toReversed()) {
      if (page.end <= length) break;
      page.end = Math.min(page.end, length);
      page.start = Math.min(page.start, page.end);
    }
  }

  function separatorBefore(kind: BlockKind, startsGroup: boolean): string {
    const last = blocks.at(-1);
    if (!last) return '';
    const sameGroup = last.kind === kind && (kind === 'table-row' || kind === 'list-item') && !startsGroup;
    return sameGroup ? '\n' : '\n\n';
  }

  return {
    append(kind, text, options = {}) {
      const normalised = normaliseText(text, kind);
      if (normalised === '') return undefined;
      const start = push(normalised, separatorBefore(kind, options.startsGroup ?? false));
      if (options.header === 'self') header = { start, end: length };
      // The rows of a table share one object.
      else if (header?.start !== options.header?.start || header?.end !== options.header?.end)
        header = options.header && { start: options.header.start, end: options.header.end };
      const block = documentBlock(kind, start, length, options.level, header);
      blocks.push(block);
      return block;
    },
    extend(text, { cut, separator }) {
      const last = blocks.at(-1);
      const normalised = last ? normaliseText(text, last.kind) : '';
      if (!last || normalised === '') return;
      if (cut === 1) takeOffLast();
      push(normalised, separator);
      blocks[blocks.length - 1] = { ...last, end: length };
    },
    beginPage(page) {
      pages.push({ page, start: length, end: length, hasText: false });
    },
    finish() {
      putTogether();
      if (length >= longText) collectGarbage();
      const text = parts.join('');
      parts = [];
      return { text, blocks, pages: pages.map(({ page, start, end }) => ({ page, start, end })) };
    },
  };
}

/** Pieces that are put together on the way: each by itself, the rows of a table take a third more than their text. */
const piecesTogether = 4_096;

/** Characters from which what was left on the way to a text is collected before the text is put together. */
const longText = 2 ** 22;

/** Anything but words of ASCII with single spaces between them. Without a repeated group, which would overflow on long texts. */
const needsCleaning = /[^\x20-\x7e]| {2}|^ | $/;

/**
 * Text as it is stored: NFC, well-formed UTF-16, `\n` line ends, no control characters, byte order marks or soft
 * hyphens, no blank at either end. Code keeps its tabs, indentation and blank lines; elsewhere runs of blanks become one
 * space, and blank lines go.
 */
export function normaliseText(text: string, kind: BlockKind): string {
  if (!needsCleaning.test(text)) return text;
  const cleaned = text
    .replace(/\r\n?|[\v\f\x85\u2028\u2029]/g, '\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is being removed
    .replace(/[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\u00ad]/g, '')
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .normalize('NFC');
  if (kind === 'code') return cleaned.replace(/[ \t]+$/gm, '').replace(/^\n+|\s+$/g, '');
  return cleaned
    .replace(/[^\S\n\u3000]+/g, ' ')
    .replace(/\s*\n\s*/g, '\n')
    .trim();
}
