import { CFB, utils, write } from '@e965/xlsx';

/** A compound file with the given streams. Built by another hand than the reader, so that both would have to be wrong. */
export function compoundFileOf(streams: Readonly<Record<string, Uint8Array>>): Buffer {
  const container = CFB.utils.cfb_new();
  for (const [name, content] of Object.entries(streams)) CFB.utils.cfb_add(container, `/${name}`, Buffer.from(content));
  return Buffer.from(CFB.write(container, { type: 'buffer' }));
}

/** An Excel 97 workbook, or one of Excel 5 with `biff5`. Rows of cells by sheet; merged cells as `A1:A2`. */
export function xlsOf(
  sheets: Readonly<Record<string, readonly (readonly unknown[])[]>>,
  options: {
    readonly bookType?: 'biff8' | 'biff5';
    readonly merges?: readonly string[];
    readonly formats?: Readonly<Record<string, string>>;
  } = {},
): Buffer {
  const workbook = utils.book_new();
  for (const [name, rows] of Object.entries(sheets)) {
    const sheet = utils.aoa_to_sheet(rows as unknown[][]);
    sheet['!merges'] = (options.merges ?? []).map((range) => utils.decode_range(range));
    for (const [address, format] of Object.entries(options.formats ?? {}))
      if (sheet[address]) sheet[address].z = format;
    utils.book_append_sheet(workbook, sheet, name);
  }
  return Buffer.from(write(workbook, { type: 'buffer', bookType: options.bookType ?? 'biff8' }));
}

export interface WordParagraph {
  readonly text: string;
  /** Character at its end: a paragraph mark unless it is a cell. */
  readonly mark?: '\r' | '\x07';
  /** Index of its style; see {@link docOf}. */
  readonly style?: number;
  /** Properties (MS-DOC 2.6) as bytes. */
  readonly properties?: readonly number[];
}

export const wordProperties = {
  inTable: [0x16, 0x24, 1],
  endsRow: [0x16, 0x24, 1, 0x17, 0x24, 1],
  listItem: [0x0a, 0x26, 1, 0x0b, 0x46, 1, 0],
};

/** A Word 97 document. Style 0 is "Normal", 1 "heading 1", 2 based on "heading 1", 3 "Title", 4 "toc 1". Notes follow the body. */
export function docOf(
  body: readonly WordParagraph[],
  options: {
    readonly notes?: readonly WordParagraph[];
    readonly flags?: number;
    readonly version?: number;
    readonly hidden?: readonly [number, number];
  } = {},
): Buffer {
  const paragraphs = [...body, ...(options.notes ?? [])];
  const texts = paragraphs.map(({ text, mark = '\r' }) => text + mark);
  const textStart = 0x400;
  const text = Buffer.from(texts.join(''), 'utf16le');
  const firstPage = Math.ceil((textStart + text.length) / 512);
  const ends = [textStart];
  for (const one of texts) ends.push(ends.at(-1)! + one.length * 2);

  const paragraphPages: Buffer[] = [];
  const perPage = 20;
  for (let first = 0; first < paragraphs.length; first += perPage) {
    const formats = paragraphs.slice(first, first + perPage).map(({ style = 0, properties = [] }) => {
      const bytes = [style, 0, ...properties];
      return bytes.length % 2 === 1 ? [(bytes.length + 1) / 2, ...bytes] : [0, bytes.length / 2, ...bytes];
    });
    paragraphPages.push(formatPage(ends.slice(first, first + perPage + 1), formats, 13));
  }
  const characterPages: Buffer[] = [];
  if (options.hidden) {
    const [from, to] = options.hidden.map((index) => textStart + index * 2) as [number, number];
    characterPages.push(formatPage([from, to], [[3, 0x3c, 0x08, 1]], 1));
  }
  const pages = [...paragraphPages, ...characterPages];

  const count = (items: readonly WordParagraph[] = []) =>
    items.reduce((sum, { text: one, mark = '\r' }) => sum + one.length + mark.length, 0);
  const main = Buffer.alloc((firstPage + pages.length) * 512);
  main.writeUInt16LE(0xa5ec, 0);
  main.writeUInt16LE(options.version ?? 0x00c1, 2);
  main.writeUInt16LE(options.flags ?? 0x0200, 0x0a);
  main.writeUInt32LE(count(body), 0x4c);
  main.writeUInt32LE(count(options.notes), 0x50);
  text.copy(main, textStart);
  for (const [index, page] of pages.entries()) page.copy(main, (firstPage + index) * 512);

  const pieceTable = uint32s(0, text.length / 2);
  const piece = Buffer.alloc(8);
  piece.writeUInt32LE(textStart, 2);
  const pieces = Buffer.concat([Buffer.from([2]), uint32s(pieceTable.length + piece.length), pieceTable, piece]);
  const pageList = (first: number, length: number) =>
    Buffer.concat([
      uint32s(...new Array(length + 1).fill(0)),
      uint32s(...Array.from({ length }, (_, index) => first + index)),
    ]);
  const style = (builtIn: number, base: number) => {
    const bytes = Buffer.alloc(6);
    bytes.writeUInt16LE(4, 0);
    bytes.writeUInt16LE(builtIn, 2);
    bytes.writeUInt16LE((base << 4) | 1, 4);
    return bytes;
  };
  const sheet = Buffer.concat([
    Buffer.from([4, 0, 5, 0, 0, 0]),
    style(0, 0xfff),
    style(1, 0),
    style(0x0ffe, 1),
    style(62, 0),
    style(19, 0),
  ]);
  const table: Buffer[] = [];
  let offset = 0;
  const place = (pair: number, bytes: Buffer) => {
    main.writeUInt32LE(offset, pair);
    main.writeUInt32LE(bytes.length, pair + 4);
    table.push(bytes);
    offset += bytes.length;
  };
  place(0x1a2, pieces);
  place(0x102, pageList(firstPage, paragraphPages.length));
  if (characterPages.length > 0) place(0xfa, pageList(firstPage + paragraphPages.length, characterPages.length));
  place(0xa2, sheet);
  return compoundFileOf({ WordDocument: main, '1Table': Buffer.concat(table) });
}

/** A page of formats: where runs begin and end, where the format of each stands, and the formats from the end backwards. */
function formatPage(ends: readonly number[], formats: readonly (readonly number[])[], entrySize: number): Buffer {
  const page = Buffer.alloc(512);
  uint32s(...ends).copy(page, 0);
  let end = 510;
  for (const [index, format] of formats.entries()) {
    end = (end - format.length) & ~1;
    Buffer.from(format).copy(page, end);
    page[ends.length * 4 + index * entrySize] = end / 2;
  }
  page[511] = formats.length;
  return page;
}

export interface OldSlideSample {
  readonly title?: string;
  /** Paragraphs of the outline. */
  readonly body?: readonly string[];
  /** A text box beside the outline. */
  readonly box?: string;
  readonly notes?: string;
}

/** A PowerPoint 97 presentation. What an earlier save wrote, `stale`, stays in the file and is referred to no more. */
export function pptOf(
  slides: readonly OldSlideSample[],
  options: { readonly token?: number; readonly stale?: string } = {},
): Buffer {
  const textOf = (kind: number, text: string) => [
    record(0x0f9f, uint32s(kind)),
    /[^\0-\x7f]/.test(text) ? record(0x0fa0, Buffer.from(text, 'utf16le')) : record(0x0fa8, Buffer.from(text)),
  ];
  const persist = (reference: number, id: number) => record(0x03f3, uint32s(reference, 0, 0, id, 0));
  const box = (...children: Buffer[]) => container(0x040c, container(0xf00d, ...children));
  const slideReference = (index: number) => 2 + index * 2;

  const list = slides.flatMap(({ title, body }, index) => [
    persist(slideReference(index), 256 + index),
    ...(title === undefined ? [] : textOf(0, title)),
    ...(body ? textOf(1, body.join('\r')) : []),
  ]);
  const notes = slides.map((_, index) => persist(slideReference(index) + 1, 512 + index));
  const objects: [reference: number, bytes: Buffer][] = [
    [1, container(0x03e8, container(0x0ff0, ...list), container(0x0ff0, ...notes).fill(0x2f, 0, 1))],
  ];
  for (const [index, { title, body, box: text, notes: spoken }] of slides.entries()) {
    const references = [title, body]
      .filter((one) => one !== undefined)
      .map((_, position) => record(0x0f9e, uint32s(position)));
    objects.push([
      slideReference(index),
      container(0x03ee, ...references.map((one) => box(one)), ...(text === undefined ? [] : [box(...textOf(4, text))])),
    ]);
    objects.push([
      slideReference(index) + 1,
      container(
        0x03f0,
        record(0x03f1, uint32s(256 + index, 0)),
        box(...textOf(4, '*')),
        ...(spoken === undefined ? [] : [box(...textOf(2, spoken))]),
      ),
    ]);
  }
  const pieces = [container(0x03ee, box(...textOf(0, options.stale ?? 'stale')))];
  let offset = pieces[0]!.length;
  const directory: Buffer[] = [];
  for (const [reference, bytes] of objects) {
    directory.push(uint32s((1 << 20) | reference, offset));
    pieces.push(bytes);
    offset += bytes.length;
  }
  const directoryRecord = record(0x1772, Buffer.concat(directory));
  const edit = record(0x0ff5, uint32s(256, 0, 0, offset, 1, 0, 0));
  const user = record(0x0ff6, uint32s(20, options.token ?? 0xe391c05f, offset + directoryRecord.length, 0, 0));
  return compoundFileOf({
    'PowerPoint Document': Buffer.concat([...pieces, directoryRecord, edit]),
    'Current User': user,
  });
}

function record(type: number, content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(type, 2);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

function container(type: number, ...children: Buffer[]): Buffer {
  const bytes = record(type, Buffer.concat(children));
  bytes.writeUInt16LE(0xf, 0);
  return bytes;
}

function uint32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, index * 4);
  return bytes;
}
