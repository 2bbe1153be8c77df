/** What the properties of a paragraph or of characters say about structure. */
export interface WordFormat {
  /** Index of the paragraph's style. */
  readonly style: number | undefined;
  readonly outline: number | undefined;
  /** Nesting in a list, from 1. */
  readonly list: number | undefined;
  readonly inTable: boolean;
  /** Whether this is the mark at the end of a row. */
  readonly endsRow: boolean;
  readonly isHeaderRow: boolean;
  /** Deleted with changes tracked, formatted as hidden, or a symbol. */
  readonly isHidden: boolean;
}

/** Formats by position in the stream of the text. */
export interface FormatRuns {
  readonly find: (position: number) => WordFormat | undefined;
}

const pageSize = 512;

/** Formats of paragraphs (MS-DOC 2.9.174, `PapxFkp`). */
export function readParagraphRuns(main: Uint8Array, table: Uint8Array): FormatRuns {
  return readRuns(main, table, 0x102, (page, count, index) => {
    const offset = page[(count + 1) * 4 + index * 13]! * 2;
    if (offset === 0) return undefined;
    const isLong = page[offset] === 0;
    const start = offset + (isLong ? 2 : 1);
    const length = isLong ? (page[offset + 1] ?? 0) * 2 : page[offset]! * 2 - 1;
    const properties = page.subarray(start, start + length);
    if (properties.length < 2) return undefined;
    return formatOf(properties.subarray(2), properties[0]! | (properties[1]! << 8));
  });
}

/** Formats of characters (MS-DOC 2.9.33, `ChpxFkp`). */
export function readCharacterRuns(main: Uint8Array, table: Uint8Array): FormatRuns {
  return readRuns(main, table, 0xfa, (page, count, index) => {
    const offset = page[(count + 1) * 4 + index]! * 2;
    return offset === 0 ? undefined : formatOf(page.subarray(offset + 1, offset + 1 + page[offset]!), undefined);
  });
}

/**
 * Runs are listed page by page; a table at `pair` of the stream's header says which pages. Pages named twice are read once.
 */
function readRuns(
  main: Uint8Array,
  table: Uint8Array,
  pair: number,
  formatAt: (page: Uint8Array, count: number, index: number) => WordFormat | undefined,
): FormatRuns {
  const mainView = new DataView(main.buffer, main.byteOffset, main.byteLength);
  const start = mainView.getUint32(pair, true);
  const size = mainView.getUint32(pair + 4, true);
  const list = table.subarray(start, start + size);
  const listView = new DataView(list.buffer, list.byteOffset, list.byteLength);
  const pages = Math.max(0, Math.floor((list.length - 4) / 8));
  const runs: { from: number; to: number; format: WordFormat | undefined }[] = [];
  const seen = new Set<number>();
  for (let index = 0; index < pages; index++) {
    const number = listView.getUint32((pages + 1) * 4 + index * 4, true) & 0x3fffff;
    const page = main.subarray(number * pageSize, (number + 1) * pageSize);
    if (page.length < pageSize || seen.has(number)) continue;
    seen.add(number);
    const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
    const count = page[pageSize - 1]!;
    for (let run = 0; run < count && (run + 2) * 4 <= pageSize; run++) {
      const from = view.getUint32(run * 4, true);
      runs.push({ from, to: view.getUint32(run * 4 + 4, true), format: formatAt(page, count, run) });
    }
  }
  runs.sort((one, other) => one.from - other.from);
  return {
    find(position) {
      let low = 0;
      let high = runs.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (runs[middle]!.from <= position) low = middle + 1;
        else high = middle;
      }
      const run = runs[low - 1];
      return run && position < run.to ? run.format : undefined;
    },
  };
}

/** Sizes of operands by the highest three bits of a property (MS-DOC 2.2.5.1); 0 where the operand says itself. */
const operandSizes = [1, 1, 2, 4, 2, 2, 0, 3];

function formatOf(properties: Uint8Array, style: number | undefined): WordFormat {
  let outline: number | undefined;
  let level = 0;
  let isItem = false;
  let inTable = false;
  let endsRow = false;
  let isHeaderRow = false;
  let isHidden = false;
  for (let offset = 0; offset + 2 < properties.length; ) {
    const property = properties[offset]! | (properties[offset + 1]! << 8);
    const at = offset + 2;
    const value = properties[at]!;
    switch (property) {
      case 0x2416:
        inTable = value !== 0;
        break;
      case 0x2417:
        endsRow = value !== 0;
        break;
      case 0x3404:
        isHeaderRow = value !== 0;
        break;
      case 0x2640:
        outline = value <= 8 ? Math.min(value + 1, 6) : undefined;
        break;
      case 0x260a:
        level = Math.min(value, 8);
        break;
      case 0x460b:
        isItem = value !== 0 || properties[at + 1] !== 0;
        break;
      // The character stands for one of a font of symbols, which is a picture.
      case 0x6a09:
        isHidden = true;
        break;
      case 0x0800:
      case 0x083c:
        isHidden ||= value === 1;
        break;
    }
    const size = operandSizes[property >> 13]!;
    if (size > 0) offset = at + size;
    // The definition of a table counts in two bytes, and one more than there is.
    else if (property === 0xd608) offset = at + 1 + (value | ((properties[at + 1] ?? 0) << 8));
    else offset = at + 1 + value;
  }
  return { style, outline, list: isItem ? level + 1 : undefined, inTable, endsRow, isHeaderRow, isHidden };
}

/** Identifier of the built-in style "Title", whatever it is called in the language of the program. */
const titleStyle = 62;
/** That of "toc 1"; eight more follow. */
const firstContentsStyle = 19;
const maxAncestors = 12;

/** What a style means: a heading level, or a line of the table of contents. */
export type StyleMeaning = number | 'contents';

/** Styles that mean something: built-in ones (MS-DOC 2.9.271), and those that are based on them. */
export function readStyleMeanings(main: Uint8Array, table: Uint8Array): ReadonlyMap<number, StyleMeaning> {
  const mainView = new DataView(main.buffer, main.byteOffset, main.byteLength);
  const start = mainView.getUint32(0xa2, true);
  const sheet = table.subarray(start, start + mainView.getUint32(0xa6, true));
  const view = new DataView(sheet.buffer, sheet.byteOffset, sheet.byteLength);
  const styles: ({ readonly builtIn: number; readonly base: number } | undefined)[] = [];
  if (sheet.length >= 4) {
    let offset = 2 + view.getUint16(0, true);
    for (let count = view.getUint16(2, true); count > 0 && offset + 2 <= sheet.length; count--) {
      const size = view.getUint16(offset, true);
      styles.push(
        size >= 4 && offset + 6 <= sheet.length
          ? { builtIn: view.getUint16(offset + 2, true) & 0x0fff, base: view.getUint16(offset + 4, true) >> 4 }
          : undefined,
      );
      offset += 2 + size + (size % 2);
    }
  }
  const meanings = new Map<number, StyleMeaning>();
  for (const [index] of styles.entries()) {
    let style = styles[index];
    for (let depth = 0; style && depth < maxAncestors; depth++) {
      const { builtIn, base } = style;
      const meaning = meaningOf(builtIn);
      if (meaning !== undefined) {
        meanings.set(index, meaning);
        break;
      }
      style = styles[base];
    }
  }
  return meanings;
}

function meaningOf(builtIn: number): StyleMeaning | undefined {
  if (builtIn === titleStyle) return 1;
  if (builtIn >= firstContentsStyle && builtIn < firstContentsStyle + 9) return 'contents';
  return builtIn >= 1 && builtIn <= 9 ? Math.min(builtIn, 6) : undefined;
}
