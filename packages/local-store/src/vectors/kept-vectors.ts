import { cosineOf, inverseNorm } from './exact-cosine.js';
import { createProductMemory } from './inner-products.js';

/** Vectors whose exact scores were wanted last: searches often have neighbours in common, and SQLite takes some 36 µs to find one. */
export interface KeptVectors {
  /** Gives exact cosines of `query` with vectors, by embedding, until the next query; undefined for a vector that has gone. */
  cosinesOf(query: Float32Array): (embedding: number) => number | undefined;
}

const defaultBytes = 64 * 2 ** 20;
const growth = 1.5;
const growthBytes = 2 ** 20;

/**
 * @param readEmbedding The bytes of a vector in the database; undefined when it has gone. A number is never given to another vector.
 * @param options `createMemory` and `bytes` (most that is kept) for tests.
 */
export function createKeptVectors(
  dimensions: number,
  readEmbedding: (embedding: number) => Uint8Array | undefined,
  { createMemory = createProductMemory, bytes: mostBytes = defaultBytes } = {},
): KeptVectors {
  const byteLength = dimensions * Float32Array.BYTES_PER_ELEMENT;
  // Zeros fill it up to what is multiplied at once.
  const stride = Math.ceil(byteLength / 16) * 16;
  const mostRows = Math.max(1, Math.floor(mostBytes / stride));
  // The question is in front, in numbers twice as long.
  const rowsAt = 2 * stride;
  const memory = createMemory(rowsAt + mostRows * stride);
  const rows = new Map<number, number>();
  const embeddings = new Float64Array(mostRows);
  const inverseNorms = new Float64Array(mostRows);
  /** Whether a row was asked for since the hand passed it: one that was stays for another round (the CLOCK algorithm, Corbató 1968). */
  const asked = new Uint8Array(mostRows);
  let hand = 0;

  const freeRow = (): number => {
    if (rows.size < mostRows) return rows.size;
    for (; asked[hand] === 1; hand = (hand + 1) % mostRows) asked[hand] = 0;
    rows.delete(embeddings[hand] as number);
    return hand;
  };
  const grow = (byteLengthWanted: number): void => {
    if (byteLengthWanted <= memory.bytes().length) return;
    const grown = Math.max(byteLengthWanted, memory.bytes().length * growth + growthBytes);
    memory.grow(Math.ceil(Math.min(grown, rowsAt + mostRows * stride)));
  };
  const keep = (embedding: number, read: Uint8Array): number => {
    const row = freeRow();
    const at = rowsAt + row * stride;
    grow(at + stride);
    memory.bytes().set(read, at);
    inverseNorms[row] = inverseNorm(new Float32Array(memory.bytes().buffer, at, dimensions));
    embeddings[row] = embedding;
    rows.set(embedding, row);
    return row;
  };

  return {
    cosinesOf(query) {
      grow(rowsAt);
      new Float64Array(memory.bytes().buffer, 0, dimensions).set(query);
      const inverseNormOfQuery = inverseNorm(query);
      return (embedding) => {
        let row = rows.get(embedding);
        if (row === undefined) {
          const read = readEmbedding(embedding);
          if (read?.length !== byteLength) return undefined;
          row = keep(embedding, read);
        }
        asked[row] = 1;
        const at = rowsAt + row * stride;
        return cosineOf(memory.product(0, at, at + stride), inverseNormOfQuery, inverseNorms[row] as number);
      };
    },
  };
}
