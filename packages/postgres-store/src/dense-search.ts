import { checkVector, type DenseQuery, isStorable, type SearchResult } from '@aquifer/contracts';
import { createParameters, type Parameters, scopeToSql } from './filter-sql.js';
import { rankMatches } from './rank-matches.js';
import type { Query } from './transactions.js';
import { calculableVector, vectorToBytes } from './vector-bytes.js';
import { leastGraphVectors, type VectorGraph } from './vector-graph.js';

/** pgvector's own limit of `hnsw.ef_search`. */
const maxCandidates = 1_000;
const leastCandidates = 100;

/** Searches by cosine, in transactions that see one snapshot each. */
export function createDenseSearch(tenant: string, knowledgeBase: string, graph: VectorGraph) {
  const own = [tenant, knowledgeBase];
  const joined = `aquifer.chunks JOIN aquifer.embeddings ON embeddings.tenant = $1 AND embeddings.knowledge_base = $2
    AND embeddings.key = chunks.embedding_key`;
  const documents = `JOIN aquifer.documents ON documents.tenant = $1 AND documents.knowledge_base = $2
    AND documents.id = chunks.document_id`;
  const ofOwn = 'chunks.tenant = $1 AND chunks.knowledge_base = $2';

  const baseOf = async (query: Query) => {
    const [row] = await query(
      'SELECT dimensions, chunks::float8 FROM aquifer.knowledge_bases WHERE tenant = $1 AND knowledge_base = $2',
      own,
    );
    return row as { readonly dimensions: number; readonly chunks: number } | undefined;
  };

  const scoped = (search: DenseQuery, parameters: Parameters): string => {
    const scope = scopeToSql(search, parameters);
    return scope === undefined ? `WHERE ${ofOwn}` : `${documents} WHERE ${ofOwn} AND ${scope}`;
  };

  const searchAll = async (query: Query, search: DenseQuery, vector: Buffer): Promise<SearchResult> => {
    const parameters = createParameters(...own, vector);
    const from = scoped(search, parameters);
    const rows = await query(
      `SELECT chunks.id, chunks.document_id, 1 - (embeddings.vector <=> $3::vector) AS score FROM ${joined} ${from}
       ORDER BY embeddings.vector <=> $3::vector FETCH FIRST (${parameters.bind(search.limit)}::int) ROWS WITH TIES`,
      parameters.values,
    );
    return { matches: rankMatches(rows, search.limit), method: 'exact' };
  };

  const searchGraph = async (query: Query, search: DenseQuery, vector: Buffer, dimensions: number) => {
    const settings: Readonly<Record<string, string>> = {
      'hnsw.ef_search': String(Math.min(maxCandidates, Math.max(leastCandidates, 2 * search.limit))),
      'hnsw.iterative_scan': 'relaxed_order',
      // The graph gives rows in order of distance only while no join sorts them.
      enable_hashjoin: 'off',
      enable_mergejoin: 'off',
      enable_sort: 'off',
      enable_bitmapscan: 'off',
    };
    const names = Object.keys(settings);
    await query(
      `SELECT ${names.map((_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, true)`).join(', ')}`,
      names.flatMap((name) => [name, settings[name]]),
    );
    const parameters = createParameters(...own, vector);
    const from = scoped(search, parameters);
    const rows = await query(
      `SELECT id, document_id, 1 - (vector <=> $3::vector) AS score FROM (
         SELECT chunks.id, chunks.document_id, embeddings.vector FROM ${joined} ${from}
           AND embeddings.tenant = $1 AND embeddings.knowledge_base = $2
         ORDER BY ${graph.expression(dimensions)} <=> $3::vector::${graph.type(dimensions)}
         LIMIT ${parameters.bind(search.limit)}::int) nearest`,
      parameters.values,
    );
    await query("SELECT set_config('enable_sort', 'on', true), set_config('enable_hashjoin', 'on', true)");
    return rankMatches(rows, search.limit);
  };

  /** How many chunks match, but no more than `most`: enough to choose. */
  const countMatching = async (query: Query, search: DenseQuery, most: number): Promise<number> => {
    const parameters = createParameters(...own);
    const from = scoped(search, parameters);
    const [row] = await query(
      `SELECT count(*)::int AS count FROM (SELECT FROM aquifer.chunks ${from} LIMIT ${parameters.bind(most)}::int) matching`,
      parameters.values,
    );
    return row?.count as number;
  };

  return {
    async search(query: Query, search: DenseQuery): Promise<SearchResult> {
      const base = await baseOf(query);
      if (base === undefined) return { matches: [], method: 'exact' };
      checkVector(search.vector, base.dimensions, 'the query');
      const vector = vectorToBytes(calculableVector(search.vector));
      const mayUseGraph =
        search.exact !== true &&
        search.limit <= maxCandidates &&
        base.chunks > search.limit &&
        (await graph.isReady(query, base.dimensions));
      if (!mayUseGraph) return searchAll(query, search, vector);
      // A filter that leaves few is answered sooner by looking at these alone, and for certain.
      const isScoped = search.filter !== undefined || search.documentIds !== undefined;
      if (isScoped && (await countMatching(query, search, leastGraphVectors)) < leastGraphVectors) {
        return searchAll(query, search, vector);
      }
      const matches = await searchGraph(query, search, vector, base.dimensions);
      // The graph stops after hnsw.max_scan_tuples; a result is never short.
      if (matches.length < search.limit) return searchAll(query, search, vector);
      return { matches, method: 'approximate' };
    },

    async score(query: Query, given: Float32Array, chunkIds: readonly string[]): Promise<(number | undefined)[]> {
      const base = await baseOf(query);
      if (base === undefined) return chunkIds.map(() => undefined);
      checkVector(given, base.dimensions, 'the query');
      const rows = await query(
        `SELECT chunks.id, 1 - (embeddings.vector <=> $3::vector) AS score FROM ${joined}
         WHERE ${ofOwn} AND chunks.id = ANY($4::text[])`,
        [...own, vectorToBytes(calculableVector(given)), chunkIds.filter(isStorable)],
      );
      const scores = new Map(rows.map((row) => [row.id as string, row.score as number]));
      return chunkIds.map((id) => scores.get(id));
    },
  };
}
