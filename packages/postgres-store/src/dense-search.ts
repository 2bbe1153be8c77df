import { checkVector, type DenseQuery, isStorable, type SearchResult } from '@aquifer/contracts';
import { createParameters } from './filter-sql.js';
import { maxCandidates } from './graph-calibration.js';
import { graphPlan, graphSettings, namedRows } from './graph-coding.js';
import { rankMatches } from './rank-matches.js';
import { type ResolvedScope, resolveScope, type ScopedChunk } from './search-scope.js';
import { avoidNestedLoops, type Query } from './transactions.js';
import { calculableVector, vectorToBytes } from './vector-bytes.js';
import type { ReadyGraph, VectorGraph } from './vector-graph.js';

const shortlists = [10, 20, 50, 100, 200, 500, maxCandidates];
/** So many more than results are looked up at first: texts that are there twice, and vectors that no chunk has any more. */
const spareVectors = 32;
/** How long a search goes by what an earlier one was told of the knowledge base. */
const trustMs = 2_000;

interface KnownBase {
  readonly since: number;
  readonly dimensions: number;
  /** Where there is one that may be used. */
  readonly graph: ReadyGraph | undefined;
}

/** Searches by cosine, in transactions that see one snapshot each. */
export function createDenseSearch(tenant: string, knowledgeBase: string, graph: VectorGraph) {
  const own = [tenant, knowledgeBase] as const;
  const ofOwn = 'tenant = $1 AND knowledge_base = $2';
  const named = (table: string): string => namedRows({ tenant, knowledgeBase }, table);
  const ofOwnChunks = 'chunks.tenant = $1 AND chunks.knowledge_base = $2';

  const baseOf = async (query: Query) => {
    const [row] = await query(`SELECT dimensions FROM aquifer.knowledge_bases WHERE ${ofOwn}`, own);
    return row as { readonly dimensions: number } | undefined;
  };

  const searchFew = async (
    query: Query,
    chunks: readonly ScopedChunk[],
    limit: number,
    vector: Buffer,
  ): Promise<SearchResult> => {
    const scores = await scoresOf(query, chunks, vector);
    const rows = chunks.map((chunk) => ({ score: scores.get(chunk.embedding_key), ...chunk }));
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

  /** Looks at every vector of the knowledge base, whatever the filter. */
  const searchAll = async (
    query: Query,
    scope: ResolvedScope,
    limit: number,
    vector: Buffer,
  ): Promise<SearchResult> => {
    const parameters = createParameters(...own);
    const chunks =
      scope.kind === 'many'
        ? `aquifer.chunks JOIN aquifer.documents ON ${named('documents')} AND documents.id = chunks.document_id
           WHERE ${ofOwnChunks} AND ${scope.condition(parameters)}`
        : `aquifer.chunks WHERE ${ofOwnChunks}`;
    const within = scope.kind === 'many' ? `AND key IN (SELECT embedding_key FROM ${chunks})` : '';
    if (scope.kind === 'many') await avoidNestedLoops(query);
    // The nearest vectors first, which the server sorts by halves and in one pass, and then whose they are: joining all of them takes as long again.
    for (let count = limit + spareVectors; ; count *= 4) {
      const ofNearest = createParameters(...parameters.values);
      const nearest = await query<{ key: string; distance: number }>(
        `SELECT key, vector <=> ${ofNearest.bind(vector)}::vector AS distance FROM aquifer.embeddings
         WHERE ${ofOwn} ${within} ORDER BY distance LIMIT ${ofNearest.bind(count)}::int`,
        ofNearest.values,
      );
      const distances = new Map(nearest.map(({ key, distance }) => [key, distance]));
      const ofTheirs = createParameters(...parameters.values);
      const theirs = await query<{ id: string; document_id: string; embedding_key: string }>(
        `SELECT chunks.id, chunks.document_id, embedding_key FROM ${chunks} AND embedding_key = ANY(${ofTheirs.bind([...distances.keys()])}::text[])`,
        ofTheirs.values,
      );
      const rows = theirs.map((row) => ({ distance: distances.get(row.embedding_key) as number, ...row }));
      // Another vector may be as far away as the last of these. Some are no chunk's, having been kept for when their text comes back.
      const farthest = nearest.at(-1)?.distance ?? 0;
      const certain = nearest.length < count ? rows : rows.filter(({ distance }) => distance < farthest);
      if (certain.length < limit && nearest.length === count) continue;
      const scored = certain.map((row) => ({ score: 1 - row.distance, ...row }));
      return { matches: rankMatches(scored, limit), method: 'exact' };
    }
  };

  const searchGraph = async (
    query: Query,
    scope: ResolvedScope,
    limit: number,
    vector: Buffer,
    { coding, candidates: least }: ReadyGraph,
  ): Promise<SearchResult> => {
    // One of few numbers, so that statements are few.
    const wanted = Math.max(coding.shortlist(limit), coding.isShortlist ? least : 0);
    const shortlist = shortlists.find((length) => length >= wanted) ?? wanted;
    const settings = graphSettings(Math.min(maxCandidates, Math.max(least, shortlist)));
    const parameters = createParameters(vector);
    const nearest = (condition: string): string =>
      `SELECT id, document_id, 1 - (vector <=> $1::vector) AS score FROM (
         SELECT chunks.id, chunks.document_id, embeddings.vector
         FROM aquifer.embeddings JOIN aquifer.chunks ON chunks.embedding_key = embeddings.key AND ${named('chunks')} ${condition}
         ORDER BY ${coding.expression('embeddings.vector')} ${coding.distance} ${coding.expression('$1::vector')}
         LIMIT ${shortlist}) nearest`;
    const [, rows] = await Promise.all([
      query(settings),
      scope.kind === 'many'
        ? query(
            nearest(
              `JOIN aquifer.documents ON ${named('documents')} AND documents.id = chunks.document_id
               WHERE ${named('embeddings')} AND ${scope.condition(parameters)}`,
            ),
            parameters.values,
          )
        : query.prepared(nearest(`WHERE ${named('embeddings')}`), parameters.values),
    ]);
    return { matches: rankMatches(rows, limit), method: 'approximate' };
  };

  // What a search has to know of the knowledge base before its first statement. It changes seldom, and asking takes as long as finding.
  let known: KnownBase | undefined;
  const knownBase = async (query: Query): Promise<KnownBase | undefined> => {
    if (known !== undefined && performance.now() - known.since < trustMs) return known;
    const since = performance.now();
    const base = await baseOf(query);
    known = base && {
      ...base,
      since,
      graph: await graph.ready(query, base.dimensions),
    };
    return known;
  };

  return {
    /** After what changes the manifest or the graph. */
    forget(): void {
      known = undefined;
    },

    async search(query: Query, search: DenseQuery): Promise<SearchResult> {
      const { limit } = search;
      let base = await knownBase(query);
      if (base?.dimensions !== search.vector.length) {
        known = undefined;
        base = await knownBase(query);
      }
      if (base === undefined) return { matches: [], method: 'exact' };
      checkVector(search.vector, base.dimensions, 'the query');
      const vector = vectorToBytes(calculableVector(search.vector));
      const scope = await resolveScope(query, own, search);
      // What a filter leaves is answered sooner by looking at it alone, and for certain.
      if (scope.kind === 'few') return searchFew(query, scope.chunks, limit, vector);
      if (base.graph !== undefined && search.exact !== true && base.graph.coding.shortlist(limit) <= maxCandidates) {
        const found = await searchGraph(query, scope, limit, vector, base.graph);
        // The graph stops after hnsw.max_scan_tuples; a result is never short.
        if (found.matches.length === limit) return found;
        await query(graphPlan('on'));
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
