import { throwIfAborted } from '@aquifer/contracts';
import { createTextFlow, type FlowOutput, type ParagraphLook, type TextFlow } from '../text-flow.js';
import {
  type FormatRuns,
  readCharacterRuns,
  readParagraphRuns,
  readStyleMeanings,
  type StyleMeaning,
} from './word-formats.js';

/** Characters with a meaning of their own (MS-DOC 2.4.1 and 2.8). */
const marks = {
  picture: 0x01,
  note: 0x02,
  annotation: 0x05,
  cell: 0x07,
  drawing: 0x08,
  lineBreak: 0x0b,
  pageBreak: 0x0c,
  paragraph: 0x0d,
  columnBreak: 0x0e,
  fieldBegin: 0x13,
  fieldMiddle: 0x14,
  fieldEnd: 0x15,
  hardHyphen: 0x1e,
  softHyphen: 0x1f,
};

/** A piece of the text: characters that stand together in the file. */
interface Piece {
  readonly text: string;
  /** Position in the stream of the first character. */
  readonly offset: number;
  readonly bytesPerCharacter: 1 | 2;
}

/**
 * The text of a Word document with its structure (MS-DOC), from the streams that hold it.
 *
 * @throws RangeError where the streams are damaged.
 */
export function readWordText(main: Uint8Array, table: Uint8Array, signal?: AbortSignal): readonly FlowOutput[] {
  const view = new DataView(main.buffer, main.byteOffset, main.byteLength);
  const paragraphs = readParagraphRuns(main, table);
  const characters = readCharacterRuns(main, table);
  const styleMeanings = readStyleMeanings(main, table);
  const pieces = readPieces(main, table);
  const [bodyLength, noteLength, headerLength, macroLength, remarkLength, endnoteLength, boxLength] = [
    0x4c, 0x50, 0x54, 0x58, 0x5c, 0x60, 0x64,
  ].map((offset) => view.getUint32(offset, true)) as [number, number, number, number, number, number, number];

  const notes = bodyLength + noteLength;
  const endnotes = notes + headerLength + macroLength + remarkLength;
  // References count each kind for itself; where both are used, one number would name two notes.
  const hasBoth = noteLength > 0 && endnoteLength > 0;
  const flowOf = (start: number, end: number, isNotes: boolean) =>
    readFlow(pieces, start, end, { paragraphs, characters, styleMeanings, hasBoth, isNotes, signal });
  return [
    ...flowOf(0, bodyLength, false),
    ...flowOf(endnotes + endnoteLength, endnotes + endnoteLength + boxLength, false),
    ...asItems(flowOf(bodyLength, notes, true)),
    ...asItems(flowOf(endnotes, endnotes + endnoteLength, true)),
  ];
}

function asItems(outputs: readonly FlowOutput[]): FlowOutput[] {
  return outputs.map((output, index) =>
    'rows' in output ? output : { kind: 'list-item', text: output.text, level: 1, startsGroup: index === 0 },
  );
}

interface FlowContext {
  readonly paragraphs: FormatRuns;
  readonly characters: FormatRuns;
  readonly styleMeanings: ReadonlyMap<number, StyleMeaning>;
  readonly hasBoth: boolean;
  readonly isNotes: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Reads the characters from `start` to `end`, counted over all pieces. */
function readFlow(pieces: readonly Piece[], start: number, end: number, context: FlowContext): readonly FlowOutput[] {
  const flow = createTextFlow();
  const plain: ParagraphLook = { heading: undefined, list: undefined, inTable: false };
  /** For each open field, whether its instructions are being read. */
  const fields: boolean[] = [];
  let references = 0;
  let run = '';
  const put = (text: string) => {
    run += text;
  };
  const flush = () => {
    if (run !== '') flow.addText(run);
    run = '';
  };

  let first = 0;
  for (const { text, offset, bytesPerCharacter } of pieces) {
    throwIfAborted(context.signal);
    const from = Math.max(0, start - first);
    const to = Math.min(text.length, end - first);
    for (let index = from; index < to; index++) {
      const code = text.charCodeAt(index);
      const position = offset + index * bytesPerCharacter;
      if (code === marks.fieldBegin) fields.push(true);
      else if (code === marks.fieldMiddle) {
        if (fields.length > 0) fields[fields.length - 1] = false;
      } else if (code === marks.fieldEnd) fields.pop();
      else if (code === marks.paragraph || code === marks.cell || code === marks.pageBreak) {
        flush();
        endParagraph(flow, code, position, context);
      } else if (fields.includes(true) || context.characters.find(position)?.isHidden) continue;
      else if (code === marks.note) {
        references++;
        if (!context.hasBoth) put(context.isNotes ? `[${references}] ` : `[${references}]`);
      } else if (code === marks.lineBreak || code === marks.columnBreak) put('\n');
      else if (code === marks.hardHyphen) put('\u2011');
      else if (code === marks.softHyphen) continue;
      else if (code >= 0x20 || code === 0x09) put(code === 0x09 ? ' ' : text[index]!);
    }
    first += text.length;
    if (first >= end) break;
  }
  flush();
  return flow.finish(plain);
}

function endParagraph(flow: TextFlow, mark: number, position: number, context: FlowContext): void {
  const format = context.paragraphs.find(position);
  const style = format?.style === undefined ? undefined : context.styleMeanings.get(format.style);
  const look: ParagraphLook = {
    heading: format?.outline ?? (style === 'contents' ? undefined : style),
    list: format?.list,
    inTable: format?.inTable ?? false,
    isContents: style === 'contents',
  };
  if (mark !== marks.cell) flow.endParagraph(look);
  else if (format?.endsRow) flow.endRow({ isHeader: format.isHeaderRow, continuesAbove: [] });
  else flow.endCell(look);
}

/** The pieces of the text in reading order (MS-DOC 2.9.38): in Windows-1252 with one byte a character, or UTF-16. */
function readPieces(main: Uint8Array, table: Uint8Array): readonly Piece[] {
  const mainView = new DataView(main.buffer, main.byteOffset, main.byteLength);
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  let position = mainView.getUint32(0x1a2, true);
  while (view.getUint8(position) === 1) position += 3 + view.getUint16(position + 1, true);
  if (view.getUint8(position) !== 2) throw new RangeError('The piece table is missing.');
  const size = view.getUint32(position + 1, true);
  const count = Math.floor((size - 4) / 12);
  const first = position + 5;
  if (count < 0 || first + size > table.length) throw new RangeError('The piece table is cut off.');
  const pieces: Piece[] = [];
  let total = 0;
  for (let index = 0; index < count; index++) {
    const length = view.getUint32(first + index * 4 + 4, true) - view.getUint32(first + index * 4, true);
    const place = view.getUint32(first + (count + 1) * 4 + index * 8 + 2, true);
    const isNarrow = (place & 0x40000000) !== 0;
    const bytesPerCharacter = isNarrow ? 1 : 2;
    const offset = isNarrow ? (place & 0x3fffffff) >>> 1 : place & 0x3fffffff;
    // Pieces may not stand for more than the file holds, however often they point at the same place.
    total += length * bytesPerCharacter;
    if (length < 0 || total > main.length || offset + length * bytesPerCharacter > main.length) {
      throw new RangeError('A piece of the text is missing.');
    }
    const bytes = main.subarray(offset, offset + length * bytesPerCharacter);
    const decoder = new TextDecoder(isNarrow ? 'windows-1252' : 'utf-16le', { ignoreBOM: true });
    const text = isNarrow ? decoder.decode(bytes) : Buffer.from(bytes).toString('utf16le');
    pieces.push({ text, offset, bytesPerCharacter });
  }
  return pieces;
}
