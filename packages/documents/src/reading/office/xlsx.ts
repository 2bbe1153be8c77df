import { AquiferError, type Reader, throwIfAborted } from '@aquifer/contracts';
import { appendSheet, formatDate, formatNumber, formatPercent } from '../append-sheet.js';
import { formatAddress, readSheetLayouts, type SheetTag, sheetTags } from '../sheet-layout.js';
import { isXlsx } from '../signatures.js';
import { createTextBuilder } from '../text-builder.js';
import { packZip, type ZipParts } from '../zip-archive.js';
import { isEncryptedOffice, officeProperties, unpackOffice } from './office-file.js';

/** Cells of one sheet, empty ones between others included. Beyond it, rows alone would fill the memory. */
const maxCells = 5_000_000;

type Cell = string | number | boolean | Date | null;

type Sheets = readonly { readonly sheet: string; readonly data: readonly (readonly Cell[])[] | undefined }[];

/** Reads Excel workbooks: every sheet that is not empty, under its name, row by row with the names of the columns. */
export const xlsxReader: Reader = {
  id: 'xlsx',
  mediaTypes: ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  extensions: ['.xlsx', '.xlsm', '.xltx'],
  recognises: (bytes) => isXlsx(bytes) || isEncryptedOffice(bytes),
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    const parts = unpackOffice(bytes, name, 'an Excel workbook', '.xlsx');
    const layouts = readSheetLayouts(parts);
    for (const [sheet, { rowCount, columnCount }] of layouts) {
      if (rowCount * columnCount > maxCells) {
        throw new AquiferError(
          'too-large',
          `${name}: the sheet ${JSON.stringify(sheet)} reaches to row ${rowCount}, column ${columnCount}. ` +
            'Delete what stands far outside the table, or export the sheet as CSV and split it.',
        );
      }
    }
    const { default: readExcelFile } = await import('read-excel-file/node');
    let sheets: Sheets;
    try {
      // Its types give dates as the constructor of dates.
      const readParts = async (from: ZipParts) => (await readExcelFile(packZip(from))) as unknown as Sheets;
      const isOnlyCharts = layouts.size === 0 && parts.has('xl/_rels/workbook.xml.rels');
      sheets = isOnlyCharts ? [] : await readParts(parts).catch(() => readParts(withCompleteCells(parts)));
    } catch (error) {
      throw new AquiferError(
        'invalid-document',
        `${name} is damaged and cannot be read as an Excel workbook. Open it in Excel and save it again.`,
        { cause: error },
      );
    }

    const builder = createTextBuilder();
    for (const { sheet, data } of sheets) {
      throwIfAborted(signal);
      // A sheet that is nothing but a chart has no data.
      if (!data) continue;
      const layout = layouts.get(sheet);
      const rows = data.map((row, rowIndex) =>
        row.map((cell, column) => formatCell(cell, layout?.percentCells.has(`${rowIndex},${column}`) ?? false)),
      );
      appendSheet(builder, sheet, rows, layout?.merges);
    }
    const { title, metadata } = officeProperties(parts);
    return { ...builder.finish(), ...(title && { title }), metadata, omissions: [] };
  },
};

/**
 * The parts as the library wants them, which gives up on the whole file at the first cell that does not say where it is, as programs write them that
 * put cells one behind the other, or that claims a type but holds no value, as they write formulas that nobody has calculated yet.
 */
function withCompleteCells(parts: ZipParts): ZipParts {
  const changed = new Map(parts);
  for (const [path, part] of parts) {
    if (!/worksheets\/[^/]*\.xml$/.test(path)) continue;
    const xml = new TextDecoder().decode(part);
    const pieces: string[] = [];
    let last: SheetTag | undefined;
    for (const next of sheetTags(xml)) {
      pieces.push(completePiece(xml.slice(last?.start ?? 0, next.start), last));
      last = next;
    }
    pieces.push(completePiece(xml.slice(last?.start ?? 0), last));
    changed.set(path, new TextEncoder().encode(pieces.join('')));
  }
  return changed;
}

/** A row's or a cell's tag and all up to the next. */
function completePiece(piece: string, begin: SheetTag | undefined): string {
  if (begin === undefined) return piece;
  const { tag, row, column, isPlaced } = begin;
  if (column >= 0) {
    const end = /<\/(?:\w+:)?c>/.exec(piece);
    const cell = end ? piece.slice(0, end.index + end[0].length) : tag;
    if (!/<(?:\w+:)?(?:v>[^<]|is>)/.test(cell)) return piece.slice(cell.length);
  }
  if (isPlaced) return piece;
  return piece.replace(/^<[\w:]+/, `$& r="${column < 0 ? row + 1 : formatAddress(row, column)}"`);
}

/** A cell as people see it, near enough: dates in ISO order, no artefacts of binary fractions. */
function formatCell(cell: Cell | undefined, isPercent: boolean): string {
  if (cell === null || cell === undefined) return '';
  if (cell instanceof Date) return formatDate(cell);
  if (typeof cell === 'boolean') return cell ? 'TRUE' : 'FALSE';
  if (typeof cell !== 'number') return cell.replace(/\s+/g, ' ').trim();
  return isPercent ? formatPercent(cell) : formatNumber(cell);
}
