import { AquiferError, type Reader, throwIfAborted } from '@aquifer/contracts';
import { appendSheet, formatNumber, formatPercent, type SheetMerge } from '../append-sheet.js';
import { walkXml } from '../parse-xml.js';
import { openDocumentKind } from '../signatures.js';
import { createTextBuilder } from '../text-builder.js';
import { unpackOpenDocument } from './open-document-file.js';

/** Cells of one sheet, empty ones between others included. Beyond it, rows alone would fill the memory. */
const maxCells = 5_000_000;

/** Never shown in the cell: remarks, forms, drawings over the sheet. */
const skipped = new Set(['office:annotation', 'office:forms', 'table:shapes', 'table:tracked-changes', 'draw:frame']);

type Attributes = Readonly<Record<string, string>>;

interface OpenSheet {
  readonly name: string;
  readonly rows: string[][];
  readonly merges: SheetMerge[];
  /** Cells so far, repeated ones included. */
  cells: number;
  /** Empty rows that only count when another row follows. */
  emptyRows: number;
}

/** Reads OpenDocument spreadsheets: every sheet that is not empty, under its name, row by row with the names of the columns. */
export const odsReader: Reader = {
  id: 'ods',
  mediaTypes: ['application/vnd.oasis.opendocument.spreadsheet'],
  extensions: ['.ods', '.ots'],
  recognises: (bytes) => /^spreadsheet/.test(openDocumentKind(bytes) ?? ''),
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    const file = unpackOpenDocument(bytes, name, 'an OpenDocument spreadsheet');
    const builder = createTextBuilder();
    let sheet: OpenSheet | undefined;
    let row: string[] = [];
    let emptyCells = 0;
    let rowCopies = 1;
    let cell: Attributes | undefined;
    let isCovered = false;
    let text: string[] = [];
    let skippedDepth = 0;

    function endCell(): void {
      if (!sheet || !cell) return;
      const copies = count(cell['table:number-columns-repeated']);
      const value = isCovered ? '' : cellText(cell, text.join('').replace(/\s+/g, ' ').trim());
      if (value === '') emptyCells += copies;
      else {
        claim(sheet, emptyCells + copies);
        while (emptyCells > 0) {
          row.push('');
          emptyCells--;
        }
        const rowSpan = count(cell['table:number-rows-spanned']);
        if (rowSpan > 1) {
          const top = sheet.rows.length + sheet.emptyRows;
          sheet.merges.push({ top, bottom: top + Math.min(rowSpan, 10_000) - 1, left: row.length });
        }
        for (let copy = 0; copy < copies; copy++) row.push(value);
      }
      cell = undefined;
    }

    function endRow(): void {
      if (!sheet) return;
      if (row.length === 0) {
        sheet.emptyRows += rowCopies;
        return;
      }
      claim(sheet, sheet.emptyRows + (rowCopies - 1) * row.length);
      for (; sheet.emptyRows > 0; sheet.emptyRows--) sheet.rows.push([]);
      for (let copy = 0; copy < rowCopies; copy++) sheet.rows.push(copy === 0 ? row : [...row]);
    }

    function claim(target: OpenSheet, cells: number): void {
      target.cells += cells;
      if (target.cells <= maxCells) return;
      throw new AquiferError(
        'too-large',
        `${name}: the sheet ${JSON.stringify(target.name)} has more than ${maxCells} cells. ` +
          'Delete what stands far outside the table, or export the sheet as CSV and split it.',
      );
    }

    walkXml(
      file.content,
      { name, part: 'content.xml', signal },
      {
        open(element, attributes) {
          if (skippedDepth > 0 || skipped.has(element)) {
            skippedDepth++;
          } else if (element === 'table:table') {
            sheet = { name: attributes['table:name'] ?? '', rows: [], merges: [], cells: 0, emptyRows: 0 };
          } else if (element === 'table:table-row') {
            row = [];
            emptyCells = 0;
            rowCopies = count(attributes['table:number-rows-repeated']);
          } else if (element === 'table:table-cell' || element === 'table:covered-table-cell') {
            cell = attributes;
            isCovered = element === 'table:covered-table-cell';
            text = [];
          } else if (/^text:(?:p|s|tab|line-break)$/.test(element)) text.push(' ');
        },
        close(element) {
          if (skippedDepth > 0) skippedDepth--;
          else if (element === 'table:table-cell' || element === 'table:covered-table-cell') endCell();
          else if (element === 'table:table-row') endRow();
          else if (element === 'table:table' && sheet) {
            appendSheet(builder, sheet.name, sheet.rows, sheet.merges);
            sheet = undefined;
          }
        },
        text(value) {
          if (skippedDepth === 0 && cell) text.push(value);
        },
      },
    );
    const title = file.title;
    return { ...builder.finish(), ...(title && { title }), metadata: file.metadata, omissions: [] };
  },
};

/** A cell as cells of Excel are shown: dates in ISO order, numbers and percentages without the format of their language. */
function cellText(cell: Attributes, shown: string): string {
  const value = Number(cell['office:value'] ?? Number.NaN);
  switch (cell['office:value-type'] ?? cell['calcext:value-type']) {
    case 'float':
    case 'currency':
      return Number.isFinite(value) ? formatNumber(value) : shown;
    case 'percentage':
      return Number.isFinite(value) ? formatPercent(value) : shown;
    case 'boolean':
      return cell['office:boolean-value'] === 'true' ? 'TRUE' : 'FALSE';
    case 'date':
      return /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d.*)?$/.test(cell['office:date-value'] ?? '')
        ? cell['office:date-value']!.replace(/T00:00(?::00(?:\.0*)?)?$/, '')
            .replace('T', ' ')
            .replace(/:00(?:\.0*)?$/, '')
        : shown;
    case 'time': {
      const time = /^PT(\d+)H(\d+)M(\d+)/.exec(cell['office:time-value'] ?? '');
      if (!time) return shown;
      const [hours, minutes, seconds] = time.slice(1).map((part) => part.padStart(2, '0'));
      return seconds === '00' ? `${hours}:${minutes}` : `${hours}:${minutes}:${seconds}`;
    }
    default:
      return shown || (cell['office:string-value'] ?? '');
  }
}

function count(value: string | undefined): number {
  const number = Number.parseInt(value ?? '1', 10);
  return number >= 1 ? number : 1;
}
