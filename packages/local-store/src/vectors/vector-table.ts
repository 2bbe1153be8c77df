import { createBoundedSearch } from './best-bounded.js';
import { type CodeBlocks, createCodeBlocks, mostQuestions } from './code-blocks.js';
import { createKeptVectors } from './kept-vectors.js';
import { codeLength, quantiseQuestion, quantiseVector } from './quantise.js';
import type { Candidates } from './top-matches.js';

/**
 * The vectors of an index by chunk number. In memory are their codes, a byte a dimension (`quantise.ts`), with what bounds
 * their scores; the vectors themselves stay in the database, which is asked for the few whose score must be exact.
 */
export interface VectorTable {
  readonly dimensions: number;
  size(): number;
  /** Grows with every change. */
  revision(): number;
  has(number: number): boolean;
  /**
   * @param embedding Where the database keeps the vector.
   * @param bytes The vector's numbers, 32 bits each, little endian.
   */
  add(number: number, document: number, embedding: number, bytes: Uint8Array): void;
  remove(number: number): void;
  numbers(): Iterable<number>;
  /** A copy of the vector; undefined where there is none. */
  vector(number: number): Float32Array | undefined;
  /** Exact cosine of `query` with the vector of `number`; undefined where there is none. */
  cosine(query: Float32Array, number: number): number | undefined;
  /**
   * Exact cosines of the `limit` vectors nearest to `query`, of those who tie with the last of them, and of some more: among
   * vectors of allowed documents, and among `numbers` where they are given. In no order.
   */
  nearest(query: Float32Array, limit: number, among?: SearchScope): Candidates;
  /** The same of all vectors for several queries, which share passes over the codes. */
  nearestOfAll(queries: readonly Question[]): Candidates[];
  /** How many vectors belong to allowed documents. */
  count(allowed: AllowedDocuments | undefined): number;
  isAllowed(number: number, allowed: AllowedDocuments): boolean;
  /** Fills an empty table with `columns`, and lets `read` fill in the codes: see `code-snapshot.ts`. */
  restore(columns: CodeColumns, read: (pieces: readonly Uint8Array<ArrayBuffer>[]) => void): void;
}

export interface Question {
  readonly vector: Float32Array;
  readonly limit: number;
}

/** What is known of each vector beside its code, by slot. */
export interface CodeColumns {
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly documents: Float64Array<ArrayBuffer>;
  readonly embeddings: Float64Array<ArrayBuffer>;
  readonly factors: Float64Array<ArrayBuffer>;
  readonly errors: Float64Array<ArrayBuffer>;
}

/** One byte for each document number: 1 where a search may look. */
export type AllowedDocuments = Uint8Array;

export interface SearchScope {
  readonly allowed?: AllowedDocuments | undefined;
  readonly numbers?: readonly number[];
}

export interface VectorTableOptions {
  readonly dimensions: number;
  /** The bytes of a vector in the database; undefined when it has gone. */
  readonly readEmbedding: (embedding: number) => Uint8Array | undefined;
  readonly createBlocks?: (dimensions: number) => CodeBlocks;
}

export const columnNames = ['numbers', 'documents', 'embeddings', 'factors', 'errors'] as const;

export const emptyColumns = (length: number): CodeColumns =>
  Object.fromEntries(columnNames.map((name) => [name, new Float64Array(length)])) as unknown as CodeColumns;

export function createVectorTable(options: VectorTableOptions): VectorTable {
  const { dimensions, readEmbedding, createBlocks = createCodeBlocks } = options;
  const blocks = createBlocks(dimensions);
  const kept = createKeptVectors(dimensions, readEmbedding);
  // One vector at a time passes through here on its way in.
  const vectorInHand = new Float32Array(dimensions);
  const bytesInHand = new Uint8Array(vectorInHand.buffer);
  let columns = emptyColumns(64);
  let size = 0;
  let revision = 0;
  let slots: Map<number, number> | undefined;

  // Made when it is first needed: many searches never ask where a chunk's vector is.
  const slotsByNumber = (): Map<number, number> => {
    if (slots === undefined) {
      slots = new Map();
      for (let slot = 0; slot < size; slot++) slots.set(columns.numbers[slot] as number, slot);
    }
    return slots;
  };
  const grow = (): void => {
    const larger = emptyColumns(columns.numbers.length * 2);
    for (const name of columnNames) larger[name].set(columns[name]);
    columns = larger;
  };
  /** The best for each of the questions, of which one pass takes so many, in the slots that `runs` names by beginnings and lengths. */
  const nearestIn = (questions: readonly Question[], runs: Iterable<readonly [number, number]>): Candidates[] => {
    const searches = questions.map(({ vector, limit }) => {
      const code = quantiseQuestion(vector);
      return { vector, code, bounded: createBoundedSearch(code, limit, columns) };
    });
    blocks.ask(searches.map(({ code }) => code.numbers));
    for (const [start, count] of runs) {
      for (let slot = start; slot < start + count; ) {
        const products = blocks.products(slot, start + count - slot);
        for (const [index, { bounded }] of searches.entries()) bounded.add(products[index] as Int32Array, slot);
        slot += (products[0] as Int32Array).length;
      }
    }
    const { numbers, embeddings } = columns;
    return searches.map(({ vector, bounded }) => {
      const cosineOf = kept.cosinesOf(vector);
      return bounded.best({ numbers, scoreOf: (slot) => cosineOf(embeddings[slot] as number) });
    });
  };

  function* runsOf({ allowed, numbers }: SearchScope): Generator<readonly [number, number]> {
    const isIn = (slot: number): boolean => allowed === undefined || allowed[columns.documents[slot] as number] === 1;
    if (numbers !== undefined) {
      for (const number of numbers) {
        const slot = slotsByNumber().get(number);
        if (slot !== undefined && isIn(slot)) yield [slot, 1];
      }
      return;
    }
    if (allowed === undefined) {
      if (size > 0) yield [0, size];
      return;
    }
    let start = 0;
    while (start < size) {
      while (start < size && !isIn(start)) start++;
      let end = start;
      while (end < size && isIn(end)) end++;
      if (end > start) yield [start, end - start];
      start = end;
    }
  }

  return {
    dimensions,
    size: () => size,
    revision: () => revision,
    has: (number) => slotsByNumber().has(number),
    add(number, document, embedding, bytes) {
      const slot = size;
      if (slot === columns.numbers.length) grow();
      blocks.reserve(slot + 1);
      bytesInHand.set(bytes);
      const { factor, error } = blocks.at(slot, (codes, offset) => quantiseVector(vectorInHand, codes, offset));
      columns.numbers[slot] = number;
      columns.documents[slot] = document;
      columns.embeddings[slot] = embedding;
      columns.factors[slot] = factor;
      columns.errors[slot] = error;
      slots?.set(number, slot);
      size++;
      revision++;
    },
    remove(number) {
      const known = slotsByNumber();
      const slot = known.get(number);
      if (slot === undefined) return;
      known.delete(number);
      revision++;
      const last = --size;
      if (slot === last) return;
      // The last vector moves into the gap.
      const code = blocks.at(last, (codes, offset) => codes.slice(offset, offset + codeLength(dimensions)));
      blocks.at(slot, (codes, offset) => codes.set(code, offset));
      for (const name of columnNames) columns[name][slot] = columns[name][last] as number;
      known.set(columns.numbers[slot] as number, slot);
    },
    numbers: () => slotsByNumber().keys(),
    vector(number) {
      const slot = slotsByNumber().get(number);
      const bytes = slot === undefined ? undefined : readEmbedding(columns.embeddings[slot] as number);
      // An own copy, where a vector may begin at any byte.
      return bytes?.length === bytesInHand.length ? new Float32Array(Uint8Array.from(bytes).buffer) : undefined;
    },
    cosine(query, number) {
      const slot = slotsByNumber().get(number);
      return slot === undefined ? undefined : kept.cosinesOf(query)(columns.embeddings[slot] as number);
    },
    nearest: (vector, limit, among = {}) => nearestIn([{ vector, limit }], runsOf(among))[0] as Candidates,
    nearestOfAll(queries) {
      const found: Candidates[] = [];
      while (found.length < queries.length) {
        found.push(...nearestIn(queries.slice(found.length, found.length + mostQuestions), runsOf({})));
      }
      return found;
    },
    count(allowed) {
      if (allowed === undefined) return size;
      let count = 0;
      for (let slot = 0; slot < size; slot++) count += allowed[columns.documents[slot] as number] ?? 0;
      return count;
    },
    isAllowed(number, allowed) {
      const slot = slotsByNumber().get(number);
      return slot !== undefined && allowed[columns.documents[slot] as number] === 1;
    },
    restore(restored, read) {
      const count = restored.numbers.length;
      blocks.reserve(count);
      read(blocks.pieces(count));
      columns = count > 0 ? restored : emptyColumns(64);
      size = count;
      slots = undefined;
      revision++;
    },
  };
}
