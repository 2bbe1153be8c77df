import { closeSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { codeLength } from './quantise.js';
import { type CodeColumns, columnNames, emptyColumns, type VectorTable } from './vector-table.js';

const fileName = 'vectors.codes';
const temporaryFile = (location: string): string => join(location, `${fileName}.temporary`);
const magic = 'AQCODES2';
const headerBytes = 1_024;
const pieceBytes = 4 * 2 ** 20;

/** The stored value of the database that says which file is its own: see {@link CodeSnapshotFacts.token}. */
export const codesTokenKey = 'local-store/vector-codes';

/** Which state of which database a file of codes was derived from. */
export interface CodeSnapshotFacts {
  /** Of the database. */
  readonly identity: string;
  /** Written to the database once the file stands: a database brought back from before that has another one, or none. */
  readonly token: string;
  readonly generation: number;
  readonly removedChunks: number;
  /** The largest chunk number in it. */
  readonly lastNumber: number;
}

export interface CodeSnapshotHeader extends CodeSnapshotFacts {
  readonly dimensions: number;
  readonly vectors: number;
  readonly endianness: string;
  /** CRC-32 of each column and of the codes. */
  readonly checksums: readonly number[];
}

type ExpectedSnapshot = Pick<CodeSnapshotFacts, 'identity' | 'token'> & { readonly dimensions: number };

/** Some vectors of a file, one after the other. */
export interface CodePiece {
  readonly columns: CodeColumns;
  readonly codes: Uint8Array<ArrayBuffer>;
}

/**
 * Writes a file of the codes of all vectors, so that a process that searches once need not read the vectors themselves: they are
 * four times as long, and SQLite takes some 10 µs for each. The codes come in pieces, so that a process that only writes
 * need not hold them. The file is written beside the old one and renamed. It is derived: whoever finds it damaged or of another
 * state reads the vectors.
 *
 * Layout: the magic, a JSON text padded with spaces, its CRC-32 (together 1,024 bytes); columns of 64-bit numbers; codes.
 *
 * @param pieces `vectors` in all, in the order of their numbers. Each is written before the next is asked for.
 */
export async function writeCodeSnapshot(
  location: string,
  facts: CodeSnapshotFacts & { readonly dimensions: number; readonly vectors: number },
  pieces: AsyncIterable<CodePiece> | Iterable<CodePiece>,
): Promise<void> {
  const temporary = temporaryFile(location);
  const parts = partsOf(facts);
  const checksums = parts.map(() => 0);
  try {
    const file = await open(temporary, 'w');
    try {
      let slot = 0;
      for await (const piece of pieces) {
        for (const [index, bytes] of bytesOf(piece).entries()) {
          const { at, width } = parts[index] as SnapshotPart;
          checksums[index] = crc32(bytes, checksums[index]);
          await file.write(bytes, 0, bytes.length, at + slot * width);
        }
        slot += piece.columns.numbers.length;
      }
      if (slot !== facts.vectors) throw new Error(`${slot} codes were given instead of ${facts.vectors}.`);
      await file.write(encodeHeader({ ...facts, endianness: endianness(), checksums }), 0, headerBytes, 0);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(location, fileName));
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Removes what a process left that died while it wrote. */
export async function removeUnfinishedSnapshot(location: string): Promise<void> {
  await rm(temporaryFile(location), { force: true });
}

/**
 * Fills an empty table from the file.
 *
 * @returns The state that the table now has; undefined where there is no file, or it is damaged or of another database.
 *   A table that was begun is then of no use.
 */
export function readCodeSnapshot(
  location: string,
  table: VectorTable,
  expected: Omit<ExpectedSnapshot, 'dimensions'>,
): CodeSnapshotFacts | undefined {
  let file: number;
  try {
    file = openSync(join(location, fileName), 'r');
  } catch {
    return undefined;
  }
  try {
    const bytes = Buffer.alloc(headerBytes);
    readSync(file, bytes, 0, headerBytes, 0);
    const header = decodeHeader(bytes, { ...expected, dimensions: table.dimensions });
    if (header === undefined) return undefined;
    let at = headerBytes;
    let whole = true;
    const fill = (target: Uint8Array, checksum: number): number => {
      let sum = checksum;
      for (let start = 0; start < target.length; ) {
        const read = readSync(file, target, start, Math.min(pieceBytes, target.length - start), at);
        if (read === 0) {
          whole = false;
          return sum;
        }
        // While the piece is still in the processor's cache.
        sum = crc32(target.subarray(start, start + read), sum);
        start += read;
        at += read;
      }
      return sum;
    };
    const columns = emptyColumns(header.vectors);
    const checksums = columnNames.map((name) => fill(asBytes(columns[name]), 0));
    table.restore(columns, (blocks) => {
      checksums.push(blocks.reduce((checksum, block) => fill(block, checksum), 0));
    });
    return whole && isSame(checksums, header.checksums) ? header : undefined;
  } catch {
    // Unreadable: as good as missing.
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** A file of codes that is read piece by piece. */
export interface OpenCodeSnapshot {
  readonly header: CodeSnapshotHeader;
  /**
   * What is left to read of it, in pieces of at most `count` vectors.
   *
   * @throws after the last piece, where the file is damaged: what was read until then is of no use.
   */
  pieces(count: number): AsyncGenerator<CodePiece>;
  close(): Promise<void>;
}

/** Undefined where there is no file, or it is of another database. */
export async function openCodeSnapshot(
  location: string,
  expected: ExpectedSnapshot,
): Promise<OpenCodeSnapshot | undefined> {
  const file = await open(join(location, fileName), 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  const bytes = Buffer.alloc(headerBytes);
  await file.read(bytes, 0, headerBytes, 0);
  const header = decodeHeader(bytes, expected);
  if (header === undefined) {
    await file.close();
    return undefined;
  }
  return { header, pieces: (count) => readPieces(file, header, count), close: () => file.close() };
}

async function* readPieces(file: FileHandle, header: CodeSnapshotHeader, count: number): AsyncGenerator<CodePiece> {
  const parts = partsOf(header);
  const checksums = parts.map(() => 0);
  for (let slot = 0; slot < header.vectors; slot += count) {
    const some = Math.min(count, header.vectors - slot);
    const piece = {
      columns: emptyColumns(some),
      codes: new Uint8Array(some * codeLength(header.dimensions)),
    };
    for (const [index, bytes] of bytesOf(piece).entries()) {
      const { at, width } = parts[index] as SnapshotPart;
      await file.read(bytes, 0, bytes.length, at + slot * width);
      checksums[index] = crc32(bytes, checksums[index]);
    }
    yield piece;
  }
  if (!isSame(checksums, header.checksums)) throw new Error(`${fileName} is damaged.`);
}

/** A column or the codes: where it begins, and how many bytes it has for each vector. */
interface SnapshotPart {
  readonly at: number;
  readonly width: number;
}

function partsOf({ dimensions, vectors }: { readonly dimensions: number; readonly vectors: number }): SnapshotPart[] {
  const width = Float64Array.BYTES_PER_ELEMENT;
  const columns = columnNames.map((_, index) => ({ at: headerBytes + index * width * vectors, width }));
  return [...columns, { at: headerBytes + columnNames.length * width * vectors, width: codeLength(dimensions) }];
}

const asBytes = ({ buffer, byteOffset, byteLength }: Float64Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer, byteOffset, byteLength);

const bytesOf = ({ columns, codes }: CodePiece): Uint8Array<ArrayBuffer>[] => [
  ...columnNames.map((name) => asBytes(columns[name])),
  codes,
];

const isSame = (checksums: readonly number[], expected: readonly number[]): boolean =>
  checksums.length === expected.length && checksums.every((checksum, index) => checksum === expected[index]);

function encodeHeader(header: CodeSnapshotHeader): Buffer {
  const bytes = Buffer.alloc(headerBytes, ' ');
  bytes.write(magic, 'latin1');
  bytes.write(JSON.stringify(header), magic.length);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), headerBytes - 4);
  return bytes;
}

function decodeHeader(bytes: Buffer, expected: ExpectedSnapshot): CodeSnapshotHeader | undefined {
  if (bytes.toString('latin1', 0, magic.length) !== magic) return undefined;
  if (crc32(bytes.subarray(0, -4)) !== bytes.readUInt32LE(headerBytes - 4)) return undefined;
  const header = JSON.parse(bytes.toString('utf8', magic.length, headerBytes - 4)) as CodeSnapshotHeader;
  if (header.endianness !== endianness() || header.dimensions !== expected.dimensions) return undefined;
  return header.identity === expected.identity && header.token === expected.token ? header : undefined;
}
