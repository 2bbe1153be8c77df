import { AquiferError, type Reader, throwIfAborted } from '@aquifer/contracts';
import { appendSheet, formatDate, formatNumber, formatPercent } from './append-sheet.js';
import { damagedOldOffice, encryptedOldOffice, openOldOffice, summaryOf } from './old-office-file.js';
import { isOldExcel } from './signatures.js';
import { createTextBuilder } from './text-builder.js';

const kind = 'an Excel 97–2003 workbook';

/** Cells of one sheet, empty ones between others included. */
const maxCells = 5_000_000;
const maxMergedRows = 10_000;

/** What the library gives for a cell: its type, value, shown text and number format. */
interface SheetCell {
  readonly t: string;
  readonly v?: unknown;
  readonly w?: string;
  readonly z?: string | number;
}

/** Reads workbooks of Excel 5 to 2003, as those of today are read. */
export const xlsReader: Reader = {
  id: 'xls',
  mediaTypes: ['application/vnd.ms-excel'],
  extensions: ['.xls', '.xlt'],
  recognises: isOldExcel,
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    const file = openOldOffice(bytes, name, kind);
    const workbookStream = file.stream('Workbook') ?? file.stream('Book');
    if (!workbookStream) throw damagedOldOffice(name, kind);
    if (isProtected(workbookStream)) throw encryptedOldOffice(name, 'xlsx');
    const { read, SSF, set_cptable } = await import('@e965/xlsx');
    // Before Excel 97, text is in the code page of its country.
    if (!file.stream('Workbook')) set_cptable(await import('@e965/xlsx/dist/cpexcel.full.mjs'));
    let workbook: ReturnType<typeof read>;
    try {
      // The stream alone: the library does not guard the container against chains that run in circles.
      workbook = read(withoutDecoration(workbookStream), {
        type: 'buffer',
        dense: true,
        cellFormula: false,
        cellHTML: false,
        cellNF: true,
      });
    } catch (error) {
      if (/password|encrypt/i.test(String(error))) throw encryptedOldOffice(name, 'xlsx');
      throw damagedOldOffice(name, kind, error);
    }
    const has1904Dates = workbook.Workbook?.WBProps?.date1904 === true;

    /** Near enough as people see it: dates in ISO order, numbers without the format of their language. */
    function textOf(cell: SheetCell | undefined): string {
      if (!cell) return '';
      if (cell.t === 'b') return cell.v === true ? 'TRUE' : 'FALSE';
      if (cell.t === 'n' && typeof cell.v === 'number' && Number.isFinite(cell.v)) {
        const format = String(cell.z ?? 'General');
        if (SSF.is_date(format)) {
          // Days since the end of 1899, or since 1904.
          return formatDate(new Date(Date.UTC(1899, 11, 30) + (cell.v + (has1904Dates ? 1462 : 0)) * 86_400_000));
        }
        return format.replace(/"[^"]*"|\\./g, '').includes('%') ? formatPercent(cell.v) : formatNumber(cell.v);
      }
      return (cell.t === 'e' ? (cell.w ?? '') : String(cell.v ?? '')).replace(/\s+/g, ' ').trim();
    }

    const builder = createTextBuilder();
    for (const sheetName of workbook.SheetNames) {
      throwIfAborted(signal);
      const sheet = workbook.Sheets[sheetName];
      const data = sheet?.['!data'] as readonly (readonly (SheetCell | undefined)[] | undefined)[] | undefined;
      if (!sheet || !data) continue;
      const cells = data.reduce((sum, row) => sum + 1 + (row?.length ?? 0), 0);
      if (cells > maxCells) {
        throw new AquiferError(
          'too-large',
          `${name}: the sheet ${JSON.stringify(sheetName)} has more than ${maxCells} cells. ` +
            'Delete what stands far outside the table, or export the sheet as CSV and split it.',
        );
      }
      const rows = Array.from(data, (row) => Array.from(row ?? [], textOf));
      const merges = (sheet['!merges'] ?? [])
        .filter(({ s, e }) => e.r > s.r)
        .map(({ s, e }) => ({ top: s.r, bottom: Math.min(e.r, s.r + maxMergedRows), left: s.c }));
      appendSheet(builder, sheetName, rows, merges);
    }
    const { title, metadata } = summaryOf(file);
    return { ...builder.finish(), ...(title && { title }), metadata, omissions: [] };
  },
};

/** Whether the workbook is encrypted: a FilePass record follows the first (MS-XLS 2.4.117). */
function isProtected(stream: Uint8Array): boolean {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  for (let offset = 0, count = 0; offset + 4 <= stream.length && count < 20; count++) {
    const type = view.getUint16(offset, true);
    if (type === 0x002f) return true;
    offset += 4 + view.getUint16(offset + 2, true);
  }
  return false;
}

/** Records that hold cells, their formats and the sheets that they stand in (MS-XLS 2.3, and older numbers of the same). */
const neededRecords = new Set([
  0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0009, 0x000a, 0x001e, 0x0022, 0x0042, 0x0043, 0x0085, 0x00bd, 0x00d6,
  0x00e0, 0x00e5, 0x00fc, 0x00fd, 0x0203, 0x0204, 0x0205, 0x0206, 0x0207, 0x0209, 0x0243, 0x027e, 0x0406, 0x0409,
  0x041e, 0x0443, 0x0809,
]);
const continueRecord = 0x003c;

/** A record that the library passes over: "Uncalced". */
const ignoredRecord = 0x005e;

/**
 * The stream with all other records made to be ignored, in place, as sheets are found by their position. Some keep the library
 * busy for hours: a link over a whole sheet visits each of its four billion cells.
 */
function withoutDecoration(stream: Uint8Array): Buffer {
  const records = Buffer.from(stream);
  let isNeeded = true;
  for (let offset = 0; offset + 4 <= records.length; offset += 4 + records.readUInt16LE(offset + 2)) {
    const type = records.readUInt16LE(offset);
    if (type !== continueRecord) isNeeded = neededRecords.has(type);
    // Zeros fill the stream up behind its end.
    if (!isNeeded && type !== 0) records.writeUInt16LE(ignoredRecord, offset);
  }
  return records;
}
