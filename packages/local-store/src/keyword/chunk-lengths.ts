import type { SqlDatabase } from '../database/sqlite-driver.js';

/** How many terms each chunk has, those of its context counted three times: what BM25 divides by (`keyword-terms.ts`). */
export interface ChunkLengths {
  /** Reads what was added since the last time, and looks what is gone where `removedChunks` is another number. */
  update(removedChunks: number): void;
  /** Undefined where there is no such chunk. */
  of(number: number): number | undefined;
}

/** How many chunks have terms, and how many on average: as FTS5 itself keeps count. */
export interface LengthTotals {
  readonly chunks: number;
  readonly averageLength: number;
}

const gone = -1;

/** FTS5's own tables (sqlite.org/fts5.html#fts5_data_structures): reading them costs a tenth of asking it for a row's size. */
export function createChunkLengths(database: SqlDatabase): ChunkLengths {
  const selectAdded = database.prepare('SELECT id, sz FROM keywords_docsize WHERE id > ? ORDER BY id');
  const selectNumbers = database.prepare('SELECT id FROM keywords_docsize');
  let lengths = new Int32Array(0);
  let end = 0;
  let removed: number | undefined;

  const keepOnly = (numbers: readonly number[]): void => {
    const left = new Int32Array(lengths.length).fill(gone);
    for (const number of numbers) if (number < end) left[number] = lengths[number] as number;
    lengths = left;
  };

  return {
    update(removedChunks) {
      if (removed !== undefined && removedChunks !== removed) {
        keepOnly(selectNumbers.rows().map(([number]) => number as number));
      }
      removed = removedChunks;
      for (const [number, sizes] of selectAdded.rows(end - 1) as [number, Uint8Array][]) {
        if (number >= lengths.length) {
          const larger = new Int32Array(Math.max(1_024, number * 2)).fill(gone);
          larger.set(lengths);
          lengths = larger;
        }
        lengths[number] = sum(varints(sizes));
        end = number + 1;
      }
    },
    of(number) {
      const length = lengths[number];
      return length === gone ? undefined : length;
    },
  };
}

/** Reads {@link LengthTotals} of the state that the connection sees. */
export function createLengthTotals(database: SqlDatabase): () => LengthTotals {
  const selectTotals = database.prepare('SELECT block FROM keywords_data WHERE id = 1');
  return () => {
    const [chunks = 0, ...terms] = varints(selectTotals.rows()[0]?.[0] as Uint8Array);
    return { chunks, averageLength: sum(terms) / chunks };
  };
}

/** SQLite's whole numbers of variable length: seven bits a byte, the first ones first. */
function varints(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = number * 128 + (byte & 127);
    if (byte < 128) {
      numbers.push(number);
      number = 0;
    }
  }
  return numbers;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
