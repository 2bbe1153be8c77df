import { AquiferError, type Reader, throwIfAborted } from '@aquifer/contracts';
import { appendSheet, formatDate, formatNumber, formatPercent } from '../append-sheet.js';
import { readSheetLayouts } from '../sheet-layout.js';
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
      sheets = isOnlyCharts ? [] : await readParts(parts).catch(() => readParts(withoutValuelessCells(parts)));
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
 * The parts, without cells that claim a type but hold no value, as programs write formulas that nobody has calculated yet.
 * The library gives up on the whole file at the first of them.
 */
function withoutValuelessCells(parts: ZipParts): ZipParts {
  const changed = new Map(parts);
  for (const [path, part] of parts) {
    if (!/worksheets\/[^/]*\.xml$/.test(path)) continue;
    const xml = new TextDecoder().decode(part);
    const cells = xml.split(/(?=<c\s)/).map((piece, index) => {
      if (index === 0) return piece;
      const closing = piece.indexOf('</c>');
      const end = closing >= 0 ? closing + '</c>'.length : piece.indexOf('>') + 1;
      return /<v>[^<]|<is>/.test(piece.slice(0, end)) ? piece : piece.slice(end);
    });
    changed.set(path, new TextEncoder().encode(cells.join('')));
  }
  return changed;
}

/** A cell as people see it, near enough: dates in ISO order, no artefacts of binary fractions. */
function formatCell(cell: Cell | undefined, isPercent: boolean): string {
  if (cell === null || cell === undefined) return '';
  if (cell instanceof Date) return formatDate(cell);
  if (typeof cell === 'boolean') return cell ? 'TRUE' : 'FALSE';
  if (typeof cell !== 'number') return cell.replace(/\s+/g, ' ').trim();
  return isPercent ? formatPercent(cell) : formatNumber(cell);
}
