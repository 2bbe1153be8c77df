import { closeSync, openSync, readSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { CodeColumns, VectorTable } from './vector-table.js';

const fileName = 'vectors.codes';
const temporaryFile = (location: string): string => join(location, `${fileName}.temporary`);
const magic = 'AQCODES1';
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

interface Header extends CodeSnapshotFacts {
  readonly dimensions: number;
  readonly vectors: number;
  readonly endianness: string;
  /** Of all that follows the header. */
  readonly crc32: number;
}

/**
 * Writes the codes of all vectors to one flat file, so that a process that searches once need not read the vectors
 * themselves: they are four times as long, and SQLite takes some 10 µs for each. The file is written beside the old one
 * and renamed. It is derived: whoever finds it damaged or of another state reads the vectors.
 *
 * Layout: the magic, a JSON text padded with spaces, its CRC-32 (together 1,024 bytes); columns of 64-bit numbers; codes.
 *
 * @returns Whether it was written: not when the table changed meanwhile.
 */
export async function writeCodeSnapshot(
  location: string,
  table: VectorTable,
  facts: CodeSnapshotFacts,
): Promise<boolean> {
  const revision = table.revision();
  const temporary = temporaryFile(location);
  const vectors = table.size();
  try {
    const file = await open(temporary, 'w');
    try {
      let at = headerBytes;
      let checksum = 0;
      for (const part of [...columnBytes(table.columns()), ...table.codes()]) {
        for (let start = 0; start < part.length; start += pieceBytes) {
          // A copy, because the memory may grow, and so move, while the disk is busy.
          const piece = part.slice(start, start + pieceBytes);
          checksum = crc32(piece, checksum);
          await file.write(piece, 0, piece.length, at);
          at += piece.length;
          if (table.revision() !== revision) return false;
        }
      }
      const { dimensions } = table;
      const header: Header = { ...facts, dimensions, vectors, endianness: endianness(), crc32: checksum };
      await file.write(encodeHeader(header), 0, headerBytes, 0);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(location, fileName));
    return true;
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
  expected: Pick<CodeSnapshotFacts, 'identity' | 'token'>,
): CodeSnapshotFacts | undefined {
  let file: number;
  try {
    file = openSync(join(location, fileName), 'r');
  } catch {
    return undefined;
  }
  try {
    const header = readHeader(file);
    if (header === undefined || header.endianness !== endianness()) return undefined;
    if (header.identity !== expected.identity || header.token !== expected.token) return undefined;
    if (header.dimensions !== table.dimensions) return undefined;
    let at = headerBytes;
    let checksum = 0;
    let whole = true;
    const fill = (target: Uint8Array): void => {
      for (let start = 0; start < target.length; ) {
        const read = readSync(file, target, start, Math.min(pieceBytes, target.length - start), at);
        if (read === 0) {
          whole = false;
          return;
        }
        // While the piece is still in the processor's cache.
        checksum = crc32(target.subarray(start, start + read), checksum);
        start += read;
        at += read;
      }
    };
    const column = (): Float64Array<ArrayBuffer> => new Float64Array(header.vectors);
    const columns = {
      numbers: column(),
      documents: column(),
      embeddings: column(),
      factors: column(),
      errors: column(),
    };
    for (const bytes of columnBytes(columns)) fill(bytes);
    table.restore(columns, (pieces) => pieces.forEach(fill));
    return whole && checksum === header.crc32 ? header : undefined;
  } catch {
    // Unreadable: as good as missing.
    return undefined;
  } finally {
    closeSync(file);
  }
}

function columnBytes({ numbers, documents, embeddings, factors, errors }: CodeColumns): Uint8Array<ArrayBuffer>[] {
  return [numbers, documents, embeddings, factors, errors].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
}

function encodeHeader(header: Header): Buffer {
  const bytes = Buffer.alloc(headerBytes, ' ');
  bytes.write(magic, 'latin1');
  bytes.write(JSON.stringify(header), magic.length);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), headerBytes - 4);
  return bytes;
}

function readHeader(file: number): Header | undefined {
  const bytes = Buffer.alloc(headerBytes);
  if (readSync(file, bytes, 0, headerBytes, 0) !== headerBytes) return undefined;
  if (bytes.toString('latin1', 0, magic.length) !== magic) return undefined;
  if (crc32(bytes.subarray(0, -4)) !== bytes.readUInt32LE(headerBytes - 4)) return undefined;
  return JSON.parse(bytes.toString('utf8', magic.length, headerBytes - 4)) as Header;
}
