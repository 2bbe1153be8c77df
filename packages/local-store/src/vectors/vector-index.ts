import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  checkVector,
  type Filter,
  isStorable,
  type SearchResult,
  type StoreStats,
  throwIfAborted,
} from '@aquifer/contracts';
import { assertIntact } from '../database/checksums.js';
import { inSnapshot } from '../database/database.js';
import { scopeToSql } from '../database/filter-sql.js';
import type { SqlDatabase, SqlValue } from '../database/sqlite-driver.js';
import { type Outcome, outcomeOf } from '../threads/gathered-calls.js';
import { createCodeSaver, type StoredValue } from './code-saving.js';
import { codesTokenKey, readCodeSnapshot } from './code-snapshot.js';
import { createGraphKeeper } from './graph-keeper.js';
import { type IndexKind, planSearch } from './search-plan.js';
import { type Candidates, createChunkIdLookup, topMatches } from './top-matches.js';
import { type AllowedDocuments, createVectorTable, type VectorTable } from './vector-table.js';

export interface VectorIndexOptions {
  readonly location: string;
  readonly kind: IndexKind;
  /** Whether graph and codes may be written: this is the writer, and the index is not encrypted. */
  readonly savesGraph: boolean;
  readonly encrypted: boolean;
}

export interface DenseSearch {
  readonly vector: Float32Array;
  readonly limit: number;
  readonly exact?: boolean | undefined;
  readonly filter?: Filter | undefined;
  readonly documentIds?: readonly string[] | undefined;
}

export interface OptimiseOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface VectorIndex {
  /** Loads the vectors a slice at a time, so that the first search need not. */
  warm(isClosed: () => boolean): Promise<void>;
  /** Several at once share a pass over the codes. One that fails does not keep the others from their results. */
  search(searches: readonly DenseSearch[]): Outcome<SearchResult>[];
  score(vector: Float32Array, chunkIds: readonly string[]): (number | undefined)[];
  /** @returns What the database must store, when codes were written: it vouches for the file. */
  optimise(options: OptimiseOptions): Promise<StoredValue | undefined>;
  stats(): Promise<StoreStats['index']>;
}

const warmSlice = 1_000;

interface BegunSearch {
  readonly search: DenseSearch;
  readonly method: SearchResult['method'];
  /** What was found, unless that is still to be scanned for, or there is nothing. */
  readonly near?: Candidates;
  readonly scan: boolean;
}

/**
 * The vectors of an index, their codes in memory, brought up to date with the database at the start of each search, so that a search
 * sees one committed state whichever process wrote it.
 */
export function createVectorIndex(database: SqlDatabase, options: VectorIndexOptions): VectorIndex {
  const selectDimensions = database.prepare("SELECT json_extract(json, '$.embedder.dimensions') FROM manifest");
  const selectCounters = database.prepare('SELECT generation, removed_chunks, identity FROM counters');
  const selectAdded = database.prepare(
    `SELECT chunks.number, chunks.document, chunks.embedding, embeddings.vector, embeddings.checksum
     FROM chunks LEFT JOIN embeddings ON embeddings.number = chunks.embedding
     WHERE chunks.number > ? ORDER BY chunks.number LIMIT ?`,
  );
  const selectNumbers = database.prepare('SELECT number FROM chunks');
  const countChunks = database.prepare('SELECT count(*) FROM chunks');
  const selectNumber = database.prepare('SELECT number FROM chunks WHERE id = ?');
  const selectLastDocument = database.prepare('SELECT max(number) FROM documents');
  const selectVector = database.prepare('SELECT vector, checksum FROM embeddings WHERE number = ?');
  const selectToken = database.prepare('SELECT json FROM stored_values WHERE key = ?');
  const idsOf = createChunkIdLookup(database);
  const identity = selectCounters.rows()[0]?.[2] as string;
  const graphs = createGraphKeeper({ ...options, identity });
  const codes = createCodeSaver(database, { location: options.location, identity });

  let table: VectorTable | undefined;
  let generation = -1;
  let removedChunks = 0;
  let lastNumber = 0;
  let triedSnapshot = options.encrypted;

  const emptyTable = (dimensions: number): VectorTable =>
    createVectorTable({
      dimensions,
      readEmbedding: (embedding) => {
        const [bytes, checksum] = (selectVector.rows(embedding)[0] ?? []) as [Uint8Array?, SqlValue?];
        if (bytes !== undefined) assertIntact('a vector', checksum, bytes);
        return bytes;
      },
    });
  const replaceTable = (dimensions: number): VectorTable => {
    generation = -1;
    removedChunks = 0;
    lastNumber = 0;
    const token = triedSnapshot ? undefined : selectToken.rows(codesTokenKey)[0]?.[0];
    triedSnapshot = true;
    if (token === undefined) return emptyTable(dimensions);
    const restored = emptyTable(dimensions);
    const state = readCodeSnapshot(options.location, restored, { identity, token: JSON.parse(token as string) });
    if (state === undefined) return emptyTable(dimensions);
    ({ generation, removedChunks, lastNumber } = state);
    return restored;
  };

  /** Reads up to `limit` new vectors; returns whether nothing is left to read. Needs a snapshot. */
  const sync = (limit = -1): boolean => {
    const [now, removed] = selectCounters.rows()[0] as [number, number];
    if (now === generation) return true;
    const dimensions = selectDimensions.rows()[0]?.[0] as number | undefined;
    if (dimensions === undefined) return true;
    if (table?.dimensions !== dimensions) {
      table = replaceTable(dimensions);
      graphs.drop();
      if (now === generation) return true;
    }
    if (removed !== removedChunks && table.size() > 0) {
      const present = new Set(selectNumbers.rows().map((row) => row[0] as number));
      const gone = [...table.numbers()].filter((number) => !present.has(number));
      for (const number of gone) {
        table.remove(number);
        graphs.remove(number);
      }
    }
    removedChunks = removed;
    let added = 0;
    for (const [number, document, embedding, bytes, checksum] of selectAdded.each(lastNumber, limit)) {
      // A chunk without a vector cannot be written.
      assertIntact('a vector', bytes === null ? -1 : checksum, (bytes ?? '') as Uint8Array);
      table.add(number as number, document as number, embedding as number, bytes as Uint8Array);
      lastNumber = number as number;
      added++;
    }
    if (added === limit) return false;
    generation = now;
    return true;
  };

  const allowedDocuments = (search: DenseSearch): AllowedDocuments | undefined => {
    const scope = scopeToSql(search);
    if (scope === undefined) return undefined;
    const allowed = new Uint8Array(((selectLastDocument.rows()[0]?.[0] as number | null) ?? 0) + 1);
    const select = database.prepare(`SELECT documents.number FROM documents WHERE ${scope.sql}`);
    for (const row of select.rows(...scope.parameters)) allowed[row[0] as number] = 1;
    return allowed;
  };

  /** What the graph finds and what it does not hold, with exact scores; undefined where that would be too few. */
  const candidates = (
    current: VectorTable,
    search: DenseSearch,
    allowed: AllowedDocuments | undefined,
  ): Candidates | undefined => {
    const matching = current.count(allowed);
    const { limit, exact = false } = search;
    const situation = { vectors: current.size(), matching, limit, exact };
    const graph = graphs.situation(current);
    const plan = planSearch(graph === undefined ? situation : { ...situation, graph });
    if (plan.method === 'exact') return undefined;
    const found = graphs.search(current, search.vector, plan.count, plan.ef);
    const numbers = allowed === undefined ? found : found.filter((number) => current.isAllowed(number, allowed));
    if (numbers.length < Math.min(limit, matching)) return undefined;
    return current.nearest(search.vector, limit, { numbers });
  };

  /** All of a search but the scan of all vectors, where it needs one. */
  const begin = (current: VectorTable | undefined, search: DenseSearch): BegunSearch => {
    checkVector(search.vector, current?.dimensions, 'the query');
    if (current === undefined) return { search, scan: false, method: 'exact' };
    const allowed = allowedDocuments(search);
    const near = candidates(current, search, allowed);
    if (near !== undefined) return { search, near, scan: false, method: 'approximate' };
    if (allowed === undefined) return { search, scan: true, method: 'exact' };
    return { search, near: current.nearest(search.vector, search.limit, { allowed }), scan: false, method: 'exact' };
  };

  return {
    async warm(isClosed) {
      while (!isClosed() && !inSnapshot(database, () => sync(warmSlice))) await nextTurn();
    },

    search: (searches) =>
      inSnapshot(database, () => {
        sync();
        if (table !== undefined) graphs.noteSearch(table);
        const begun = searches.map((search) => outcomeOf(() => begin(table, search)));
        const scanned = begun.flatMap((each) => ('value' in each && each.value.scan ? [each.value.search] : []));
        const nearest = table?.nearestOfAll(scanned) ?? [];
        return begun.map((each) => {
          if ('error' in each) return each;
          const { search, scan, method } = each.value;
          const near = scan ? nearest.shift() : each.value.near;
          return outcomeOf(() => ({
            matches: near ? topMatches(near, search.limit, idsOf) : [],
            method,
          }));
        });
      }),

    score: (vector, chunkIds) =>
      inSnapshot(database, () => {
        sync();
        checkVector(vector, table?.dimensions, 'the query');
        return chunkIds.map((id) => {
          const number = isStorable(id) ? (selectNumber.rows(id)[0]?.[0] as number | undefined) : undefined;
          return number === undefined ? undefined : table?.cosine(vector, number);
        });
      }),

    async optimise({ signal, onProgress }) {
      const dimensions = selectDimensions.rows()[0]?.[0] as number | undefined;
      if (dimensions === undefined) return undefined;
      const pause = async (): Promise<void> => {
        await nextTurn();
        throwIfAborted(signal);
      };
      const vectors = countChunks.rows()[0]?.[0] as number;
      if (graphs.isBuilt(vectors, dimensions)) {
        inSnapshot(database, () => sync());
        await graphs.optimise(table as VectorTable, { onProgress, generation, pause });
      } else {
        await graphs.retire(vectors, dimensions);
      }
      return options.savesGraph ? codes.save(dimensions, pause) : undefined;
    },

    async stats() {
      const vectors = inSnapshot(database, () => countChunks.rows()[0]?.[0] as number);
      const dimensions = selectDimensions.rows()[0]?.[0] as number | undefined;
      const numbers = (): number[] => selectNumbers.rows().map((row) => row[0] as number);
      return { vectors, ...(await graphs.stats(vectors, dimensions ?? 0, numbers)) };
    },
  };
}
