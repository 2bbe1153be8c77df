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

function readLayout(xml: string, percentStyles: ReadonlySet<number>): SheetLayout {
  let rowCount = 0;
  let columnCount = 0;
  let row = -1;
  let column = -1;
  const percentCells = new Set<string>();
  for (const [tag] of xml.matchAll(/<(?:\w+:)?(?:row|c)(?=[\s/>])[^<>]*>/g)) {
    if (/^<(?:\w+:)?row/.test(tag)) {
      const number = Number(attributeOf(tag, 'r') ?? row + 2);
      if (Number.isSafeInteger(number)) row = number - 1;
      column = -1;
      continue;
    }
    const address = parseAddress(attributeOf(tag, 'r') ?? '');
    column = address?.column ?? column + 1;
    row = address?.row ?? row;
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
