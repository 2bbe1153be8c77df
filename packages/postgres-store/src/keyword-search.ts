import { type Filter, keywordRanking, type SearchResult } from '@aquifer/contracts';
import { createParameters } from './filter-sql.js';
import { storedTerm } from './keyword-terms.js';
import { rankMatches } from './rank-matches.js';
import { resolveScope } from './search-scope.js';
import { avoidNestedLoops, type Query } from './transactions.js';

export interface KeywordSearch {
  /** The analyser's terms of the query, repeated as often as the query says them. */
  readonly terms: readonly string[];
  /** The analyser's pairs of them. */
  readonly pairs: readonly (readonly [string, string])[];
  readonly limit: number;
  readonly filter?: Filter | undefined;
  readonly documentIds?: readonly string[] | undefined;
}

const { k1, b, contextWeight, pairWeight, maxQueryTerms } = keywordRanking;
// Gains are added up as whole multiples of a tiny number: such sums are exact in 8-byte floats, so they do not depend on the order in which the
// server comes by the gains, and equal chunks have equal scores.
const unitsPerPoint = 2 ** 36;
const idf = (holding: string): string =>
  `ln(1 + ((SELECT chunks FROM base) - ${holding} + 0.5::float8) / (${holding} + 0.5::float8))`;
// A number without a type would be calculated with as a decimal one, which takes ten times as long.
const units = `round(${unitsPerPoint}::float8 * weight * frequency * ${k1 + 1}::float8 /
  (frequency + ${k1}::float8 * (${1 - b}::float8 + ${b}::float8 * chunk_terms / (SELECT average FROM base))))`;

/** BM25 over the postings, as the store contract defines it, in a transaction that sees one snapshot. */
export function createKeywordSearch(tenant: string, knowledgeBase: string) {
  const own = [tenant, knowledgeBase] as const;
  const ofOwn = 'tenant = $1 AND knowledge_base = $2';
  const positionsOf = (term: string): string =>
    `(SELECT positions FROM aquifer.postings WHERE ${ofOwn} AND term = ${term} AND chunk = ahead.chunk)::int[]`;

  return async (query: Query, search: KeywordSearch): Promise<SearchResult> => {
    const { terms, pairs, limit, filter, documentIds } = search;
    const times = countEach(terms.map(storedTerm));
    if (times.size === 0) return { matches: [], method: 'exact' };
    const scope = await resolveScope(query, own, {
      limit,
      ...(filter && { filter }),
      ...(documentIds && { documentIds }),
    });
    if (scope.kind === 'few' && scope.chunks.length === 0) return { matches: [], method: 'exact' };

    const { values, bind } = createParameters(...own);
    const asked = `unnest(${bind([...times.keys()])}::text[], ${bind([...times.values()])}::float8[]) WITH ORDINALITY AS asked (term, times, place)`;
    const parts = [
      `base AS MATERIALIZED (
         SELECT chunks::float8, terms::float8 / nullif(chunks, 0) AS average FROM aquifer.knowledge_bases WHERE ${ofOwn})`,
      // All of it is in the index. From here on a term is its place in the query, which is compared sooner.
      `hits AS MATERIALIZED (
         SELECT place, chunk, frequency, chunk_terms FROM ${asked}, LATERAL (
           SELECT chunk, frequency, chunk_terms FROM aquifer.postings WHERE ${ofOwn} AND postings.term = asked.term OFFSET 0) posting)`,
      `weighed AS MATERIALIZED (
         SELECT place, term, times * ${idf('holding')} AS weight
         FROM (SELECT place, count(*)::float8 AS holding FROM hits GROUP BY place) counted JOIN ${asked} USING (place)
         ORDER BY holding, term COLLATE "C" LIMIT ${maxQueryTerms})`,
    ];
    const gains = [`SELECT chunk, ${units} AS gain FROM hits JOIN weighed USING (place)`];
    const pairTimes = countEach(pairs.map((pair) => pair.map(storedTerm).join(' ')));
    if (pairTimes.size > 0) {
      const wanted = [...pairTimes.keys()].map((pair) => pair.split(' '));
      const [firsts, seconds] = [0, 1].map((index) => bind(wanted.map((pair) => pair[index])));
      parts.push(
        `pairs AS MATERIALIZED (
           SELECT pair.place, pair.times, ahead.term AS ahead, behind.term AS behind, ahead.place AS ahead_place, behind.place AS behind_place
           FROM unnest(${firsts}::text[], ${seconds}::text[], ${bind([...pairTimes.values()])}::float8[])
             WITH ORDINALITY AS pair (ahead, behind, times, place)
           JOIN weighed AS ahead ON ahead.term = pair.ahead JOIN weighed AS behind ON behind.term = pair.behind)`,
        `met AS MATERIALIZED (
           SELECT ahead.chunk, ahead.chunk_terms, pairs.place, pairs.times, (
             SELECT sum(CASE WHEN position < 0 THEN ${contextWeight} ELSE 1 END)::float8
             FROM unnest(${positionsOf('pairs.ahead')}) AS position WHERE position + 1 = ANY(${positionsOf('pairs.behind')})) AS frequency
           FROM pairs JOIN hits AS ahead ON ahead.place = pairs.ahead_place
           JOIN hits AS behind ON behind.place = pairs.behind_place AND behind.chunk = ahead.chunk)`,
        `adjacent AS MATERIALIZED (SELECT * FROM met WHERE frequency IS NOT NULL)`,
        `weighed_pairs AS (
           SELECT place, ${pairWeight}::float8 * min(times) * ${idf('count(*)')} AS weight FROM adjacent GROUP BY place)`,
      );
      gains.push(`SELECT chunk, ${units} AS gain FROM adjacent JOIN weighed_pairs USING (place)`);
    }
    // Which chunks have a term or a pair is counted over all of them, so a filter comes last.
    const within =
      scope.kind === 'all'
        ? ''
        : scope.kind === 'few'
          ? `WHERE chunk = ANY(${bind(scope.chunks.map(({ number }) => number))}::bigint[])`
          : `JOIN aquifer.chunks ON chunks.tenant = $1 AND chunks.knowledge_base = $2 AND chunks.number = scored.chunk
             JOIN aquifer.documents ON documents.tenant = $1 AND documents.knowledge_base = $2
               AND documents.id = chunks.document_id WHERE ${scope.condition({ bind })}`;
    const [, best] = await Promise.all([
      avoidNestedLoops(query),
      query<{ names: [string, string]; units: number }>(
        `WITH ${parts.join(', ')}
         SELECT units, (SELECT ARRAY[id, document_id] FROM aquifer.chunks WHERE ${ofOwn} AND number = best.chunk) AS names FROM (
           SELECT chunk, units FROM (SELECT chunk, sum(gain) AS units FROM (${gains.join(' UNION ALL ')}) gains GROUP BY chunk) scored
           ${within} ORDER BY units DESC FETCH FIRST (${bind(limit)}::int) ROWS WITH TIES) best`,
        values,
      ),
    ]);
    const rows = best.map(({ names, units }) => ({
      id: names[0],
      document_id: names[1],
      score: units / unitsPerPoint,
    }));
    return { matches: rankMatches(rows, limit), method: 'exact' };
  };
}

/** How often each value is there. */
function countEach(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
