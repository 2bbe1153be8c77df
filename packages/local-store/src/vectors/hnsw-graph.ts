import { createRequire } from 'node:module';

/** A graph of some of the vectors, by chunk number. Finds neighbours approximately. */
export interface HnswGraph {
  readonly dimensions: number;
  has(number: number): boolean;
  /** How many vectors it finds. */
  size(): number;
  /** Share of its nodes whose vectors were removed: they still cost time, and guide searches. */
  removedShare(): number;
  add(number: number, vector: Float32Array): void;
  remove(number: number): void;
  /** Chunk numbers near `vector`: at most `count`, which is not more than `ef`. In no order. */
  search(vector: Float32Array, count: number, ef: number): number[];
  numbers(): Iterable<number>;
  /** Writes the library's own format, on another thread. */
  write(file: string): Promise<void>;
}

/** The part of hnswlib-node that is used. */
export interface HnswLibrary {
  readonly HierarchicalNSW: new (space: 'cosine', dimensions: number) => HnswLibraryIndex;
}
interface HnswLibraryIndex {
  initIndex(options: { maxElements: number; m: number; efConstruction: number; randomSeed: number }): void;
  readIndex(file: string): Promise<boolean>;
  writeIndex(file: string): Promise<boolean>;
  resizeIndex(maxElements: number): void;
  addPoint(point: number[], label: number): void;
  markDelete(label: number): void;
  searchKnn(point: number[], count: number): { neighbors: number[] };
  getMaxElements(): number;
  getCurrentCount(): number;
  setEf(ef: number): void;
}

// Malkov and Yashunin 2018, section 4. The library's own defaults; efConstruction 100 builds a third faster, but needs twice
// the ef for the same recall.
const connections = 16;
const efConstruction = 200;
const seed = 100;

/** The addon holds labels in 32 bits. */
export const largestNumber = 0xffff_ffff;

/** Undefined where the addon is not installed or was not built for this Node, which is a normal state. */
export function loadHnswLibrary(): HnswLibrary | undefined {
  try {
    return createRequire(import.meta.url)('hnswlib-node') as HnswLibrary;
  } catch {
    return undefined;
  }
}

export function createHnswGraph(library: HnswLibrary, dimensions: number, capacity: number): HnswGraph {
  const index = new library.HierarchicalNSW('cosine', dimensions);
  const maxElements = Math.max(1_000, capacity);
  index.initIndex({ maxElements, m: connections, efConstruction, randomSeed: seed });
  return wrap(index, dimensions, []);
}

/**
 * @param file Must have been verified: the library loads a file of other dimensions without an error.
 * @param numbers Those of the vectors in it that were not removed.
 */
export async function readHnswGraph(
  library: HnswLibrary,
  file: string,
  dimensions: number,
  numbers: Iterable<number>,
): Promise<HnswGraph> {
  const index = new library.HierarchicalNSW('cosine', dimensions);
  await index.readIndex(file);
  return wrap(index, dimensions, numbers);
}

function wrap(index: HnswLibraryIndex, dimensions: number, numbers: Iterable<number>): HnswGraph {
  const live = new Set(numbers);
  return {
    dimensions,
    has: (number) => live.has(number),
    size: () => live.size,
    removedShare: () => 1 - live.size / Math.max(1, index.getCurrentCount()),
    add(number, vector) {
      const room = index.getMaxElements();
      if (index.getCurrentCount() >= room) index.resizeIndex(Math.ceil(room * 1.5));
      index.addPoint(Array.from(vector), number);
      live.add(number);
    },
    remove(number) {
      // The library throws when a label is unknown or was removed before.
      if (live.delete(number)) index.markDelete(number);
    },
    search(vector, count, ef) {
      // The library forgets ef when it saves, and starts with 10.
      index.setEf(ef);
      const { neighbors } = index.searchKnn(Array.from(vector), Math.min(count, index.getMaxElements()));
      return neighbors.filter((number) => live.has(number));
    },
    numbers: () => live,
    async write(file) {
      await index.writeIndex(file);
    },
  };
}
