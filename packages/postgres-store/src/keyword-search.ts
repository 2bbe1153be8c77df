import { type Filter, keywordRanking, type SearchResult } from '@aquifer/contracts';
import { createParameters } from './filter-sql.js';
import { createKeywordPostings, type Meeting } from './keyword-postings.js';
import { createKeywordScores, type KeywordScores } from './keyword-scores.js';
import { storedTerm } from './keyword-terms.js';
import { rankMatches } from './rank-matches.js';
import { type ResolvedScope, resolveScope } from './search-scope.js';
import type { Query, Row } from './transactions.js';

export interface KeywordSearch {
  /** The analyser's terms of the query, repeated as often as the query says them. */
  readonly terms: readonly string[];
  /** The analyser's pairs of them. */
  readonly pairs: readonly (readonly [string, string])[];
  readonly limit: number;
  readonly filter?: Filter | undefined;
  readonly documentIds?: readonly string[] | undefined;
}

const { pairWeight } = keywordRanking;

/**
 * BM25 over the postings, as the store contract defines it, in a transaction that sees one snapshot. The server finds, and this process adds up:
 * counting, joining and sorting postings takes a plan of PostgreSQL's several times as long as reading them.
 */
export function createKeywordSearch(tenant: string, knowledgeBase: string) {
  const own = [tenant, knowledgeBase] as const;
  const ofOwn = 'tenant = $1 AND knowledge_base = $2';
  const postings = createKeywordPostings(tenant, knowledgeBase);

  /** Scores of all chunks with at least one of the terms; undefined where there is none. */
  const score = async (
    query: Query,
    { terms, pairs }: Pick<KeywordSearch, 'terms' | 'pairs'>,
  ): Promise<KeywordScores | undefined> => {
    const times = countEach(terms.map(storedTerm));
    const found = await postings.read(query, [...times.keys()]);
    if (found.postings.length === 0) return undefined;
    const scores = createKeywordScores(
      found.size,
      found.postings.reduce((sum, { chunks }) => sum + chunks.length, 0),
    );
    const placesOf = new Map<string, Int32Array>();
    for (const one of found.postings) {
      const places = scores.placesOf(one);
      placesOf.set(one.term, places);
      scores.add(places, one.frequencies, times.get(one.term) as number);
    }

    const pairTimes = countEach(pairs.map((pair) => pair.map(storedTerm).join(' ')));
    const known = [...pairTimes.keys()]
      .sort()
      .map((pair) => pair.split(' ') as [string, string])
      .filter((pair) => pair.every((term) => placesOf.has(term)));
    const met = known.map(([ahead, behind]) =>
      scores.meet(placesOf.get(ahead) as Int32Array, placesOf.get(behind) as Int32Array),
    );
    const meetings = met.flatMap((places, pair) =>
      Array.from(places, (place): Meeting => ({ pair, chunk: scores.numberAt(place) })),
    );
    if (meetings.length === 0) return scores;
    const frequencies = await postings.adjacent(query, known, meetings);
    let from = 0;
    for (const [pair, places] of met.entries()) {
      const all = frequencies.subarray(from, from + places.length);
      from += places.length;
      scores.add(
        places.filter((_, index) => all[index] !== 0),
        all.filter((frequency) => frequency !== 0),
        pairWeight * (pairTimes.get((known[pair] as [string, string]).join(' ')) as number),
      );
    }
    return scores;
  };

  /** The best that the scope has. Which chunks have a term or a pair was counted over all of them, so a filter comes last. */
  const best = async (query: Query, scores: KeywordScores, scope: ResolvedScope, limit: number): Promise<Row[]> => {
    if (scope.kind === 'few') {
      return scope.chunks
        .map(({ id, document_id, number }) => ({ id, document_id, score: scores.scoreOf(Number(number)) }))
        .filter((row) => row.score !== undefined);
    }
    const rows: Row[] = [];
    for (const group of scores.bestFirst(scope.kind === 'all' ? limit : 4 * limit)) {
      const { values, bind } = createParameters(...own);
      const within =
        scope.kind === 'all'
          ? ''
          : `, LATERAL (SELECT FROM aquifer.documents
               WHERE ${ofOwn} AND documents.id = chunk.document_id AND ${scope.condition({ bind })} OFFSET 0) AS allowed`;
      const found = await query<{ number: number; id: string; document_id: string }>(
        `SELECT asked.number::float8, chunk.id, chunk.document_id FROM unnest(${bind([...group.keys()])}::bigint[]) AS asked (number),
           LATERAL (SELECT id, document_id FROM aquifer.chunks WHERE ${ofOwn} AND chunks.number = asked.number OFFSET 0) AS chunk
           ${within}`,
        values,
      );
      for (const { number, ...names } of found) rows.push({ score: group.get(number), ...names });
      if (rows.length >= limit) break;
    }
    return rows;
  };

  return async (query: Query, search: KeywordSearch): Promise<SearchResult> => {
    const { terms, limit, filter, documentIds } = search;
    const nothing: SearchResult = { matches: [], method: 'exact' };
    if (terms.length === 0) return nothing;
    const scope = await resolveScope(query, own, {
      limit,
      ...(filter && { filter }),
      ...(documentIds && { documentIds }),
    });
    if (scope.kind === 'few' && scope.chunks.length === 0) return nothing;
    const scores = await score(query, search);
    if (scores === undefined) return nothing;
    return { matches: rankMatches(await best(query, scores, scope, limit), limit), method: 'exact' };
  };
}

/** How often each value is there. */
function countEach(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
