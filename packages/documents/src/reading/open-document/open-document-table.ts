import type { Table } from '../table-rows.js';

/** Columns beyond this are not followed; a hostile file may claim a million in every row. */
const maxColumns = 1000;

/** Characters of cells repeated in the rows and columns that they span, in one table. */
const maxRepeatedCharacters = 1_000_000;

/** A table of an OpenDocument text or slide while it is walked. */
export interface OpenDocumentTable {
  beginHeader(): void;
  endHeader(): void;
  beginRow(): void;
  endRow(): void;
  beginCell(attributes: Readonly<Record<string, string>>, isCovered: boolean): void;
  /** @param outputs What stands in the cell, for tables that only place things on the page. @param text The same as one line. */
  endCell(outputs: readonly unknown[], text: string): void;
  /** Whether it holds rows of data, rather than placing things on the page. */
  isData(): boolean;
  /** What stands in all cells, in order. */
  readonly outputs: readonly unknown[];
  finish(): Table;
}

/**
 * A cell over several rows stands in each of them, so that each row can be understood alone; a header over several columns stands
 * above each of them; another cell over several columns stands in the first.
 */
export function createOpenDocumentTable(): OpenDocumentTable {
  const rows: string[][] = [];
  const outputs: unknown[] = [];
  /** Cells that reach into the rows below, by column. */
  const spanning = new Map<number, { text: string; rows: number }>();
  let row: string[] = [];
  let inHeader = false;
  let headerRow: number | undefined;
  let widest = 0;
  let repeated = 0;
  /** The text of a header for the columns that it still reaches over. */
  let headers: string[] = [];
  let cell = { rowSpan: 1, columnSpan: 1, copies: 1, isCovered: false };

  return {
    outputs,
    beginHeader() {
      inHeader = true;
    },
    endHeader() {
      inHeader = false;
    },
    beginRow() {
      row = [];
      headers = [];
    },
    endRow() {
      if (inHeader) headerRow = rows.length;
      widest = Math.max(widest, row.length);
      rows.push(row);
    },
    beginCell(attributes, isCovered) {
      cell = {
        rowSpan: count(attributes['table:number-rows-spanned'], 65_536),
        columnSpan: count(attributes['table:number-columns-spanned'], maxColumns),
        copies: count(attributes['table:number-columns-repeated'], maxColumns),
        isCovered,
      };
    },
    endCell(inside, text) {
      for (const output of inside) outputs.push(output);
      const fits = () => row.length < maxColumns && repeated < maxRepeatedCharacters;
      for (let copy = 0; copy < cell.copies && fits(); copy++) {
        const column = row.length;
        const above = cell.isCovered ? spanning.get(column) : undefined;
        if (above && --above.rows === 0) spanning.delete(column);
        const shown = above?.text ?? (cell.isCovered ? (headers.pop() ?? '') : text);
        if (cell.isCovered || copy > 0) repeated += shown.length;
        row.push(shown);
        if (!cell.isCovered && cell.rowSpan > 1) spanning.set(column, { text, rows: cell.rowSpan - 1 });
      }
      if (!cell.isCovered) headers = inHeader ? new Array(cell.columnSpan - 1).fill(text) : [];
    },
    isData: () => headerRow !== undefined || (rows.length > 1 && widest > 1),
    finish: () => ({ rows, ...(headerRow !== undefined && { headerRow }) }),
  };
}

function count(value: string | undefined, most: number): number {
  const number = Number.parseInt(value ?? '1', 10);
  return number >= 1 ? Math.min(number, most) : 1;
}
