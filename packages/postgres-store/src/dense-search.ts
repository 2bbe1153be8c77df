import { checkVector, type DenseQuery, isStorable, type SearchResult } from '@aquifer/contracts';
import { createParameters } from './filter-sql.js';
import { rankMatches } from './rank-matches.js';
import { type ResolvedScope, resolveScope, type ScopedChunk } from './search-scope.js';
import { avoidNestedLoops, type Query } from './transactions.js';
import { calculableVector, vectorToBytes } from './vector-bytes.js';
import type { VectorGraph } from './vector-graph.js';

/** pgvector's own limit of `hnsw.ef_search`. */
const maxCandidates = 1_000;
const leastCandidates = 100;

/** Searches by cosine, in transactions that see one snapshot each. */
export function createDenseSearch(tenant: string, knowledgeBase: string, graph: VectorGraph) {
  const own = [tenant, knowledgeBase] as const;
  const ofOwn = 'tenant = $1 AND knowledge_base = $2';
  const joined = `aquifer.chunks JOIN aquifer.embeddings ON embeddings.tenant = $1 AND embeddings.knowledge_base = $2
    AND embeddings.key = chunks.embedding_key`;
  const documents = `JOIN aquifer.documents ON documents.tenant = $1 AND documents.knowledge_base = $2
    AND documents.id = chunks.document_id`;
  const ofOwnChunks = 'chunks.tenant = $1 AND chunks.knowledge_base = $2';

  const baseOf = async (query: Query) => {
    const [row] = await query(`SELECT dimensions, chunks::float8 FROM aquifer.knowledge_bases WHERE ${ofOwn}`, own);
    return row as { readonly dimensions: number; readonly chunks: number } | undefined;
  };

  const searchFew = async (
    query: Query,
    chunks: readonly ScopedChunk[],
    limit: number,
    vector: Buffer,
  ): Promise<SearchResult> => {
    const scores = await scoresOf(query, chunks, vector);
    const rows = chunks.map((chunk) => ({ ...chunk, score: scores.get(chunk.embedding_key) }));
    return { matches: rankMatches(rows, limit), method: 'exact' };
  };

  const scoresOf = async (
    query: Query,
    chunks: readonly ScopedChunk[],
    vector: Buffer,
  ): Promise<Map<string, number>> => {
    const rows = await query(
      `SELECT key, 1 - (vector <=> $3::vector) AS score FROM aquifer.embeddings WHERE ${ofOwn} AND key = ANY($4::text[])`,
      [...own, vector, chunks.map((chunk) => chunk.embedding_key)],
    );
    return new Map(rows.map((row) => [row.key as string, row.score as number]));
  };

  /** Looks at every vector of the knowledge base, once, whatever the filter. */
  const searchAll = async (
    query: Query,
    scope: ResolvedScope,
    limit: number,
    vector: Buffer,
  ): Promise<SearchResult> => {
    await avoidNestedLoops(query);
    const parameters = createParameters(...own, vector);
    // Distances first: what is joined then is a number, and not a vector.
    const rows = await query(
      `WITH distances AS MATERIALIZED (
         SELECT key, vector <=> $3::vector AS distance FROM aquifer.embeddings WHERE ${ofOwn})
       SELECT chunks.id, chunks.document_id, 1 - distance AS score
       FROM aquifer.chunks JOIN distances ON distances.key = chunks.embedding_key
       ${scope.kind === 'many' ? `${documents} WHERE ${ofOwnChunks} AND ${scope.condition(parameters)}` : `WHERE ${ofOwnChunks}`}
       ORDER BY distance FETCH FIRST (${parameters.bind(limit)}::int) ROWS WITH TIES`,
      parameters.values,
    );
    return { matches: rankMatches(rows, limit), method: 'exact' };
  };

  const searchGraph = async (
    query: Query,
    scope: ResolvedScope,
    limit: number,
    vector: Buffer,
    dimensions: number,
  ): Promise<SearchResult> => {
    const settings = Object.entries({
      'hnsw.ef_search': String(Math.min(maxCandidates, Math.max(leastCandidates, 2 * limit))),
      'hnsw.iterative_scan': 'relaxed_order',
      // The graph gives rows in order of distance only while nothing sorts or hashes them.
      enable_hashjoin: 'off',
      enable_mergejoin: 'off',
      enable_sort: 'off',
      enable_bitmapscan: 'off',
      enable_seqscan: 'off',
    });
    await query(
      `SELECT ${settings.map((_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, true)`).join(', ')}`,
      settings.flat(),
    );
    const parameters = createParameters(...own, vector);
    const rows = await query(
      `SELECT id, document_id, 1 - (vector <=> $3::vector) AS score FROM (
         SELECT chunks.id, chunks.document_id, embeddings.vector FROM ${joined}
         ${scope.kind === 'many' ? `${documents} WHERE ${ofOwnChunks} AND ${scope.condition(parameters)}` : `WHERE ${ofOwnChunks}`}
         ORDER BY ${graph.expression(dimensions)} <=> $3::vector::${graph.type(dimensions)}
         LIMIT ${parameters.bind(limit)}::int) nearest`,
      parameters.values,
    );
    await query(
      `SELECT ${settings.filter(([name]) => name.startsWith('enable')).map(([name]) => `set_config('${name}', 'on', true)`)}`,
    );
    return { matches: rankMatches(rows, limit), method: 'approximate' };
  };

  return {
    async search(query: Query, search: DenseQuery): Promise<SearchResult> {
      const { limit } = search;
      const base = await baseOf(query);
      if (base === undefined) return { matches: [], method: 'exact' };
      checkVector(search.vector, base.dimensions, 'the query');
      const vector = vectorToBytes(calculableVector(search.vector));
      const scope = await resolveScope(query, own, search);
      // What a filter leaves is answered sooner by looking at it alone, and for certain.
      if (scope.kind === 'few') return searchFew(query, scope.chunks, limit, vector);
      const mayUseGraph = search.exact !== true && limit <= maxCandidates && base.chunks > limit;
      if (mayUseGraph && (await graph.isReady(query, base.dimensions))) {
        const found = await searchGraph(query, scope, limit, vector, base.dimensions);
        // The graph stops after hnsw.max_scan_tuples; a result is never short.
        if (found.matches.length === limit) return found;
      }
      return searchAll(query, scope, limit, vector);
    },

    async score(query: Query, given: Float32Array, chunkIds: readonly string[]): Promise<(number | undefined)[]> {
      const base = await baseOf(query);
      if (base === undefined) return chunkIds.map(() => undefined);
      checkVector(given, base.dimensions, 'the query');
      const chunks = await query<ScopedChunk & Record<string, unknown>>(
        `SELECT id, document_id, number, embedding_key FROM aquifer.chunks WHERE ${ofOwn} AND id = ANY($3::text[])`,
        [...own, chunkIds.filter(isStorable)],
      );
      const scores = await scoresOf(query, chunks, vectorToBytes(calculableVector(given)));
      const keys = new Map(chunks.map((chunk) => [chunk.id, chunk.embedding_key]));
      return chunkIds.map((id) => scores.get(keys.get(id) ?? ''));
    },
  };
}
