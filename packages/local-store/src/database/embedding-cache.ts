import { checksumOf, isIntact } from './checksums.js';
import type { SqlDatabase, SqlValue } from './sqlite-driver.js';

/** Cached vectors without a chunk that are always kept. Beyond it, as many as the index has chunks. */
const minUnusedEmbeddings = 10_000;

export interface EmbeddingCache {
  /** The number of the entry, or undefined. */
  find(key: string): number | undefined;
  /** Inserts unless the key is there, undamaged; returns the entry's number. */
  add(key: string, vector: Float32Array): number;
  /** Undefined too for a vector that the disk has changed: it is made again. */
  get(key: string): Float32Array | undefined;
  /** Keys after this one, in order. */
  keys(after: string, limit: number): string[];
  /** Deletes the oldest entries that no chunk uses, beyond 10,000 or the number of chunks. */
  prune(): number;
  /** Deletes the entries of other dimensions. */
  keepOnly(dimensions: number): void;
}

export function createEmbeddingCache(database: SqlDatabase): EmbeddingCache {
  const find = database.prepare('SELECT number FROM embeddings WHERE key = ?');
  const insert = database.prepare('INSERT INTO embeddings (key, vector, checksum) VALUES (?, ?, ?)');
  const mend = database.prepare('UPDATE embeddings SET vector = ?, checksum = ? WHERE number = ?');
  const select = database.prepare('SELECT vector, checksum, number FROM embeddings WHERE key = ?');
  const list = database.prepare('SELECT key FROM embeddings WHERE key > ? ORDER BY key LIMIT ?');
  const prune = database.prepare(
    `DELETE FROM embeddings WHERE number IN (
       SELECT number FROM embeddings WHERE number NOT IN (SELECT embedding FROM chunks)
       ORDER BY number DESC LIMIT -1 OFFSET max(${minUnusedEmbeddings}, (SELECT count(*) FROM chunks)))`,
  );
  const deleteOthers = database.prepare('DELETE FROM embeddings WHERE length(vector) <> ?');
  const numberOf = (key: string): number | undefined => find.rows(key)[0]?.[0] as number | undefined;
  return {
    find: numberOf,
    add(key, vector) {
      const bytes = vectorBytes(vector);
      const [stored, checksum, number] = (select.rows(key)[0] ?? []) as [Uint8Array?, SqlValue?, number?];
      if (stored === undefined || number === undefined)
        return insert.run(key, bytes, checksumOf(bytes)).lastInsertRowid;
      if (!isIntact(checksum, stored)) mend.run(bytes, checksumOf(bytes), number);
      return number;
    },
    get(key) {
      const [bytes, checksum] = (select.rows(key)[0] ?? []) as [Uint8Array?, SqlValue?];
      return bytes === undefined || !isIntact(checksum, bytes) ? undefined : vectorFromBytes(bytes);
    },
    keys: (after, limit) => list.rows(after, limit).map(([key]) => key as string),
    prune: () => prune.run().changes,
    keepOnly: (dimensions) => void deleteOthers.run(dimensions * Float32Array.BYTES_PER_ELEMENT),
  };
}

function vectorBytes(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** A copy with a buffer of its own, aligned as Float32Array wants it. */
export function vectorFromBytes(bytes: Uint8Array): Float32Array {
  const vector = new Float32Array(bytes.byteLength >> 2);
  new Uint8Array(vector.buffer).set(bytes.subarray(0, vector.byteLength));
  return vector;
}
