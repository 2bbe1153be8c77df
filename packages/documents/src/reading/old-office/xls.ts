import { AquiferError, type Reader, throwIfAborted } from '@aquifer/contracts';
import { appendSheet, formatDate, formatNumber, formatPercent } from '../append-sheet.js';
import { isOldExcel } from '../signatures.js';
import { createTextBuilder } from '../text-builder.js';
import { damagedOldOffice, encryptedOldOffice, openOldOffice, summaryOf } from './old-office-file.js';

const kind = 'an Excel 97–2003 workbook';

/** Cells of one sheet, empty ones between others included. */
const maxCells = 5_000_000;
const maxMergedRows = 10_000;

/** Errors of formulas (MS-XLS 2.5.10). */
const errors: ReadonlyMap<number, string> = new Map([
  [0x00, '#NULL!'],
  [0x07, '#DIV/0!'],
  [0x0f, '#VALUE!'],
  [0x17, '#REF!'],
  [0x1d, '#NAME?'],
  [0x24, '#NUM!'],
  [0x2a, '#N/A'],
]);

/** What the library gives for a cell: its type, value and number format. */
interface SheetCell {
  readonly t: string;
  readonly v?: unknown;
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
    const { read, set_cptable } = await import('@e965/xlsx');
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
        // Formats that are damaged keep the library formatting for ever.
        cellText: false,
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
        // Without what is shown as it stands, blanks as wide as a character, and colours and conditions.
        const format = String(cell.z ?? '').replace(/"[^"]*"|[\\_*].|\[(?!(?:h+|m+|s+)\])[^\]]*\]|general/gi, '');
        if (/[ymdhs]/i.test(format)) {
          // Days since the end of 1899, or since 1904.
          return formatDate(new Date(Date.UTC(1899, 11, 30) + (cell.v + (has1904Dates ? 1462 : 0)) * 86_400_000));
        }
        return format.includes('%') ? formatPercent(cell.v) : formatNumber(cell.v);
      }
      return (cell.t === 'e' ? (errors.get(Number(cell.v)) ?? '') : String(cell.v ?? '')).replace(/\s+/g, ' ').trim();
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

/**
 * Records that hold cells, their formats and the sheets that they stand in (MS-XLS 2.3), with the least number of bytes that each has:
 * a string without its length keeps the library reading for ever.
 */
const neededRecords: ReadonlyMap<number, number> = new Map([
  [0x0006, 20],
  [0x000a, 0],
  [0x0022, 2],
  [0x0042, 2],
  [0x0085, 7],
  [0x00bd, 12],
  [0x00d6, 8],
  [0x00e0, 16],
  [0x00e5, 2],
  [0x00fc, 8],
  [0x00fd, 10],
  [0x0203, 14],
  [0x0204, 8],
  [0x0205, 8],
  [0x0207, 2],
  [0x027e, 10],
  [0x041e, 3],
  [0x0809, 4],
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
    if (type !== continueRecord)
      isNeeded = records.readUInt16LE(offset + 2) >= (neededRecords.get(type) ?? Number.POSITIVE_INFINITY);
    // Zeros fill the stream up behind its end.
    if (!isNeeded && type !== 0) records.writeUInt16LE(ignoredRecord, offset);
  }
  return records;
}
