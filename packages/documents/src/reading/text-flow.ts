import type { BlockKind } from '@aquifer/contracts';
import { appendTable, type Table } from './table-rows.js';
import type { TextBuilder } from './text-builder.js';

const maxColumns = 1000;

interface FlowBlock {
  readonly kind: BlockKind;
  readonly text: string;
  readonly level?: number;
  readonly startsGroup?: boolean;
}

export type FlowOutput = FlowBlock | Table;

/** What a paragraph is, by its own properties and its style. */
export interface ParagraphLook {
  readonly heading: number | undefined;
  /** Nesting in a list, from 1. */
  readonly list: number | undefined;
  readonly inTable: boolean;
  /** Whether it is a line of the table of contents, which repeats the headings with page numbers of the paper. */
  readonly isContents?: boolean;
}

/** How a cell of the row being read is joined with that above it, by column. */
export interface RowLook {
  readonly isHeader: boolean;
  readonly continuesAbove: readonly boolean[];
}

/** Paragraphs and tables of one flow of text: the body, a note, a text box. */
export interface TextFlow {
  addText(text: string): void;
  /** The number or bullet that is printed before the paragraph. */
  addMarker(text: string): void;
  endParagraph(look: ParagraphLook): void;
  endCell(look: ParagraphLook): void;
  /** Of a table inside a cell: its text becomes the cell's. */
  endInnerCell(): void;
  endRow(look: RowLook): void;
  /** Adds what stands in another flow, behind the paragraph being read. */
  addOutputs(outputs: readonly FlowOutput[]): void;
  finish(look: ParagraphLook): readonly FlowOutput[];
}

export function createTextFlow(): TextFlow {
  const outputs: FlowOutput[] = [];
  let text: string[] = [];
  let marker = '';
  let waiting: FlowOutput[] = [];
  let rows: string[][] = [];
  let headerRow: number | undefined;
  let row: string[] = [];
  let cell: FlowBlock[] = [];
  let lastIsItem = false;

  function takeParagraph(look: ParagraphLook): FlowBlock | undefined {
    const content = text.join('').trim();
    text = [];
    const printed = marker.trim();
    marker = '';
    if (content === '' || look.isContents) return undefined;
    if (look.heading !== undefined) {
      lastIsItem = false;
      const number = /\p{N}/u.test(printed) ? `${printed} ` : '';
      return { kind: 'heading', text: number + content.replaceAll('\n', ' '), level: look.heading };
    }
    if (look.list !== undefined || printed !== '') {
      // Bullets only say that it is an item; numbers and letters are referred to.
      const number = /[\p{L}\p{N}]/u.test(printed) && printed.length <= 20 && printed !== 'o' ? `${printed} ` : '';
      const startsGroup = !lastIsItem;
      lastIsItem = true;
      return { kind: 'list-item', text: number + content, level: look.list ?? 1, startsGroup };
    }
    lastIsItem = false;
    return { kind: 'paragraph', text: content };
  }

  function endTable(): void {
    if (cell.length > 0) row.push(cell.map((block) => block.text).join(' '));
    if (row.length > 0) rows.push(row);
    const widest = rows.reduce((most, one) => Math.max(most, one.length), 0);
    if (headerRow !== undefined || (rows.length > 1 && widest > 1)) {
      outputs.push({ rows, ...(headerRow !== undefined && { headerRow }) });
    } else {
      // It only places things on the page.
      for (const one of rows.flat()) if (one.trim() !== '') outputs.push({ kind: 'paragraph', text: one });
    }
    rows = [];
    row = [];
    cell = [];
    headerRow = undefined;
    lastIsItem = false;
  }

  const hasTable = () => rows.length > 0 || row.length > 0 || cell.length > 0;

  function release(): void {
    outputs.push(...waiting);
    if (waiting.length > 0) lastIsItem = false;
    waiting = [];
  }

  function endParagraph(look: ParagraphLook): void {
    const block = takeParagraph(look);
    if (look.inTable) {
      if (block) cell.push(block);
      return;
    }
    // An empty paragraph separates a table from the next.
    if (hasTable()) endTable();
    if (block) outputs.push(block);
    release();
  }

  return {
    addText(value) {
      text.push(value);
    },
    addMarker(value) {
      marker += value;
    },
    endParagraph,
    endCell(look) {
      const block = takeParagraph({ ...look, heading: undefined });
      if (block) cell.push(block);
      if (row.length < maxColumns) row.push(cell.map((one) => one.text).join(' '));
      cell = [];
    },
    endInnerCell() {
      text.push(' ');
    },
    endRow({ isHeader, continuesAbove }) {
      const above = rows.at(-1);
      const filled = row.map((value, column) =>
        value === '' && continuesAbove[column] ? (above?.[column] ?? '') : value,
      );
      if (isHeader && (headerRow === undefined || headerRow === rows.length - 1)) headerRow = rows.length;
      rows.push(filled);
      row = [];
      cell = [];
    },
    addOutputs(inside) {
      waiting.push(...inside);
    },
    finish(look) {
      endParagraph({ ...look, inTable: false });
      if (hasTable()) endTable();
      release();
      return outputs;
    },
  };
}

export function appendFlow(builder: TextBuilder, outputs: readonly FlowOutput[]): void {
  for (const output of outputs) {
    if ('rows' in output) appendTable(builder, output);
    else builder.append(output.kind, output.text, output);
  }
}
