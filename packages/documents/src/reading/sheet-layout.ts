import { decodeXml, partText } from './office/office-file.js';
import type { ZipParts } from './zip-archive.js';

/** What a sheet says beside the values of its cells. Rows and columns count from 0. */
export interface SheetLayout {
  /** How far the sheet reaches, in rows and columns. */
  readonly rowCount: number;
  readonly columnCount: number;
  /** Cells over several rows: their left column, first and last row. */
  readonly merges: readonly { readonly top: number; readonly bottom: number; readonly left: number }[];
  /** Numbers shown as percentages, as `row,column`. */
  readonly percentCells: ReadonlySet<string>;
}

/** Rows that one merged cell may repeat its text in. */
const maxMergedRows = 10_000;
const maxMerges = 100_000;

/** The layout of every sheet of cells by its name (ECMA-376 part 1, 18.3.1). Charts, and sheets that cannot be found, are left out. */
export function readSheetLayouts(parts: ZipParts): ReadonlyMap<string, SheetLayout> {
  const targets = new Map<string, string>();
  for (const [tag] of partText(parts, 'xl/_rels/workbook.xml.rels').matchAll(/<Relationship\s[^<>]*>/g)) {
    if (!attributeOf(tag, 'Type')?.endsWith('/worksheet')) continue;
    const id = attributeOf(tag, 'Id');
    const target = attributeOf(tag, 'Target');
    if (id && target) targets.set(id, target.startsWith('/') ? target.slice(1) : `xl/${target}`);
  }
  const percentStyles = findPercentStyles(partText(parts, 'xl/styles.xml'));
  const layouts = new Map<string, SheetLayout>();
  for (const [tag] of partText(parts, 'xl/workbook.xml').matchAll(/<(?:\w+:)?sheet\s[^<>]*>/g)) {
    const name = attributeOf(tag, 'name');
    const path = targets.get(attributeOf(tag, '(?:\\w+:)?id') ?? '');
    if (name !== undefined && path !== undefined) layouts.set(name, readLayout(partText(parts, path), percentStyles));
  }
  return layouts;
}

/** The tag of a row or a cell in the XML of a sheet, and where it belongs. Rows and columns count from 0; the column of a row is -1. */
export interface SheetTag {
  readonly tag: string;
  /** Where the tag begins. */
  readonly start: number;
  readonly row: number;
  readonly column: number;
  /** Whether the tag itself says where it belongs. Nothing has to: it follows then what is before it (18.3.1.4, 18.3.1.73). */
  readonly isPlaced: boolean;
}

/** The tags of all rows and cells of a sheet. */
export function* sheetTags(xml: string): Generator<SheetTag> {
  let row = -1;
  let column = -1;
  for (const { 0: tag, index: start } of xml.matchAll(/<(?:\w+:)?(?:row|c)(?=[\s/>])[^<>]*>/g)) {
    const reference = attributeOf(tag, 'r');
    if (/^<(?:\w+:)?row/.test(tag)) {
      const number = Number(reference ?? row + 2);
      if (Number.isSafeInteger(number)) row = number - 1;
      column = -1;
    } else {
      const address = parseAddress(reference ?? '');
      column = address?.column ?? column + 1;
      row = address?.row ?? row;
    }
    yield { tag, start, row, column, isPlaced: reference !== undefined };
  }
}

function readLayout(xml: string, percentStyles: ReadonlySet<number>): SheetLayout {
  let rowCount = 0;
  let columnCount = 0;
  const percentCells = new Set<string>();
  for (const { tag, row, column } of sheetTags(xml)) {
    if (column < 0) continue;
    rowCount = Math.max(rowCount, row + 1);
    columnCount = Math.max(columnCount, column + 1);
    const style = attributeOf(tag, 's');
    if (style !== undefined && percentStyles.has(Number(style))) percentCells.add(`${row},${column}`);
  }
  const merges: { top: number; bottom: number; left: number }[] = [];
  for (const [tag] of xml.matchAll(/<(?:\w+:)?mergeCell\s[^<>]*>/g)) {
    const [from, to] = (attributeOf(tag, 'ref') ?? '').split(':').map(parseAddress);
    if (!from || !to || to.row <= from.row || merges.length >= maxMerges) continue;
    merges.push({ top: from.row, bottom: Math.min(to.row, from.row + maxMergedRows), left: from.column });
  }
  return { rowCount, columnCount, merges, percentCells };
}

/** Indexes of the cell formats that show a percentage: the built-in 9 and 10, and codes with a `%` outside quotes. */
function findPercentStyles(xml: string): ReadonlySet<number> {
  const formats = new Set([9, 10]);
  for (const [tag] of xml.matchAll(/<(?:\w+:)?numFmt\s[^<>]*>/g)) {
    const code = (attributeOf(tag, 'formatCode') ?? '').replace(/"[^"]*"|\\./g, '');
    if (code.includes('%')) formats.add(Number(attributeOf(tag, 'numFmtId')));
  }
  const styles = new Set<number>();
  const begin = xml.search(/<(?:\w+:)?cellXfs[\s>]/);
  const end = xml.search(/<\/(?:\w+:)?cellXfs>/);
  const cellFormats = begin >= 0 && end > begin ? xml.slice(begin, end) : '';
  let index = 0;
  for (const [tag] of cellFormats.matchAll(/<(?:\w+:)?xf[\s/>][^<>]*>?/g)) {
    if (formats.has(Number(attributeOf(tag, 'numFmtId')))) styles.add(index);
    index++;
  }
  return styles;
}

const patterns = new Map<string, RegExp>();

function attributeOf(tag: string, name: string): string | undefined {
  let pattern = patterns.get(name);
  if (!pattern) {
    pattern = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`);
    patterns.set(name, pattern);
  }
  const match = pattern.exec(tag);
  return match ? decodeXml(match[1] ?? match[2] ?? '') : undefined;
}

/** `B3` as row 2, column 1. */
function parseAddress(address: string): { row: number; column: number } | undefined {
  const match = /^\$?([A-Z]{1,3})\$?(\d{1,7})$/i.exec(address);
  if (!match) return undefined;
  let column = 0;
  for (const letter of match[1]!.toUpperCase()) column = column * 26 + letter.charCodeAt(0) - 64;
  return { row: Number(match[2]) - 1, column: column - 1 };
}

/** Row 2, column 1 as `B3`. */
export function formatAddress(row: number, column: number): string {
  let letters = '';
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
  }
  return `${letters}${row + 1}`;
}
