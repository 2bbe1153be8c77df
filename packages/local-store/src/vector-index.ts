import type { Filter, SearchResult, StoreStats } from '@aquifer/contracts';
import { inSnapshot } from './database.js';
import { checkVector, vectorFromBytes } from './embedding-cache.js';
import { isStorable, scopeToSql } from './filter-sql.js';
import type { SqlDatabase } from './sqlite-driver.js';
import { createChunkIdLookup, topMatches } from './top-matches.js';
import { type AllowedDocuments, createVectorTable, prepareQuery, type VectorTable } from './vector-table.js';

export interface DenseSearch {
  readonly vector: Float32Array;
  readonly limit: number;
  readonly exact?: boolean | undefined;
  readonly filter?: Filter | undefined;
  readonly documentIds?: readonly string[] | undefined;
}

export interface VectorIndex {
  search(search: DenseSearch): SearchResult;
  score(vector: Float32Array, chunkIds: readonly string[]): (number | undefined)[];
  stats(): StoreStats['index'];
}

/**
 * The vectors of an index in memory, brought up to date with the database at the start of each search, so that a search
 * sees one committed state whichever process wrote it.
 */
export function createVectorIndex(database: SqlDatabase): VectorIndex {
  const selectDimensions = database.prepare("SELECT json_extract(json, '$.embedder.dimensions') FROM manifest");
  const selectCounters = database.prepare('SELECT generation, removed_chunks FROM counters');
  const selectAdded = database.prepare(
    `SELECT chunks.number, chunks.document, embeddings.vector
     FROM chunks CROSS JOIN embeddings ON embeddings.number = chunks.embedding
     WHERE chunks.number > ? ORDER BY chunks.number`,
  );
  const selectNumbers = database.prepare('SELECT number FROM chunks');
  const selectNumber = database.prepare('SELECT number FROM chunks WHERE id = ?');
  const selectLastDocument = database.prepare('SELECT max(number) FROM documents');
  const idsOf = createChunkIdLookup(database);

  let table: VectorTable | undefined;
  let generation = -1;
  let removedChunks = 0;
  let lastNumber = 0;

  const sync = (): VectorTable | undefined => {
    const [now, removed] = selectCounters.rows()[0] as [number, number];
    if (now === generation) return table;
    const dimensions = selectDimensions.rows()[0]?.[0] as number | undefined;
    if (dimensions === undefined) return undefined;
    if (table?.dimensions !== dimensions) {
      table = createVectorTable(dimensions);
      lastNumber = 0;
    } else if (removed !== removedChunks) {
      const present = new Set(selectNumbers.rows().map((row) => row[0] as number));
      const gone = [...table.numbers()].filter((number) => !present.has(number));
      for (const number of gone) table.remove(number);
    }
    for (const [number, document, bytes] of selectAdded.each(lastNumber)) {
      table.add(number as number, document as number, vectorFromBytes(bytes as Uint8Array));
      lastNumber = number as number;
    }
    generation = now;
    removedChunks = removed;
    return table;
  };

  const allowedDocuments = (search: DenseSearch): AllowedDocuments | undefined => {
    const scope = scopeToSql(search);
    if (scope === undefined) return undefined;
    const allowed = new Uint8Array(((selectLastDocument.rows()[0]?.[0] as number | null) ?? 0) + 1);
    const select = database.prepare(`SELECT documents.number FROM documents WHERE ${scope.sql}`);
    for (const row of select.rows(...scope.parameters)) allowed[row[0] as number] = 1;
    return allowed;
  };

  return {
    search: (search) =>
      inSnapshot(database, () => {
        const current = sync();
        checkVector(search.vector, current?.dimensions, 'the query');
        if (current === undefined) return { matches: [], method: 'exact' };
        const allowed = allowedDocuments(search);
        return {
          matches: topMatches(current.scan(prepareQuery(search.vector), allowed), search.limit, idsOf),
          method: 'exact',
        };
      }),
    score: (vector, chunkIds) =>
      inSnapshot(database, () => {
        const current = sync();
        checkVector(vector, current?.dimensions, 'the query');
        const query = prepareQuery(vector);
        return chunkIds.map((id) => {
          const number = isStorable(id) ? (selectNumber.rows(id)[0]?.[0] as number | undefined) : undefined;
          return number === undefined ? undefined : current?.cosine(query, number);
        });
      }),
    stats: () => inSnapshot(database, () => ({ kind: 'exact', vectors: sync()?.size() ?? 0 })),
  };
}
