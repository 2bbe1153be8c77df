import { allocateMapped, type Block, type BlockKind, blockKinds, mostKeptBytes } from '@aquifer/contracts';
import { documentBlock } from './document-block.js';
import type { ReadDocument } from './reading-pool.js';

/**
 * A document as it leaves the thread that read it: text and blocks in memory that is handed over, not copied. As a message of strings
 * and objects a document of 60 MB took 120 MB more while it was on its way.
 */
export interface PackedDocument extends Omit<ReadDocument, 'text' | 'blocks'> {
  /** Latin-1 where every character is in it, else UTF-16. */
  readonly packedText: Uint8Array;
  readonly encoding: 'latin1' | 'utf16le';
  /** {@link blockFields} numbers a block. */
  readonly packedBlocks: Int32Array;
}

/** Kind, start, end, level, start and end of the header; -1 for what is absent. */
const blockFields = 6;

/** Characters from which packing is worth it. */
const longText = 2 ** 20;

export function isWorthPacking({ text }: ReadDocument): boolean {
  return text.length >= longText;
}

export function packDocument({ text, blocks, ...rest }: ReadDocument): PackedDocument {
  const encoding = /[^\0-\xff]/.test(text) ? 'utf16le' : 'latin1';
  const packedBlocks = new Int32Array(blocks.length * blockFields);
  let position = 0;
  for (const { kind, start, end, level = -1, header } of blocks) {
    packedBlocks[position++] = blockKinds.indexOf(kind);
    packedBlocks[position++] = start;
    packedBlocks[position++] = end;
    packedBlocks[position++] = level;
    packedBlocks[position++] = header?.start ?? -1;
    packedBlocks[position++] = header?.end ?? -1;
  }
  const packedText = allocateMapped(encoding === 'latin1' ? text.length : text.length * 2);
  packedText.write(text, encoding);
  return { ...rest, packedText, encoding, packedBlocks };
}

/** The memory to hand over with the document. */
export function packedBuffers({ packedText, packedBlocks }: PackedDocument): ArrayBuffer[] {
  return [packedText.buffer as ArrayBuffer, packedBlocks.buffer as ArrayBuffer];
}

/** Node makes of more bytes at once a string outside of V8's heap, in memory that glibc keeps when it is given back: see {@link allocateMapped}. */
const pieceBytes = 2 ** 19;

function textIn(bytes: Buffer, encoding: PackedDocument['encoding']): string {
  if (bytes.length > mostKeptBytes) return bytes.toString(encoding);
  let text = '';
  for (let start = 0; start < bytes.length; start += pieceBytes)
    text += bytes.toString(encoding, start, start + pieceBytes);
  return text;
}

export function unpackDocument({ packedText, encoding, packedBlocks, ...rest }: PackedDocument): ReadDocument {
  const text = textIn(Buffer.from(packedText.buffer, packedText.byteOffset, packedText.byteLength), encoding);
  const blocks: Block[] = [];
  let header: Block['header'];
  for (let position = 0; position < packedBlocks.length; position += blockFields) {
    const field = (offset: number) => packedBlocks[position + offset] as number;
    const [level, headerStart, headerEnd] = [field(3), field(4), field(5)];
    // The rows of a table share one object.
    if (headerStart < 0) header = undefined;
    else if (header?.start !== headerStart || header.end !== headerEnd) header = { start: headerStart, end: headerEnd };
    const kind = blockKinds[field(0)] as BlockKind;
    blocks.push(documentBlock(kind, field(1), field(2), level < 0 ? undefined : level, header));
  }
  return { ...rest, text, blocks };
}
