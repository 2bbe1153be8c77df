import type { Filter, SearchResult } from '@aquifer/contracts';
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

/** Pairs count in queries of at most this many terms: in a question, not in a pasted document. */
export const maxPairedTerms = 64;
/** Distinct terms of a query that count: the rarest. This is for pasted documents, so that no query can take minutes. */
const maxQueryTerms = 1_000;
const pairWeight = 0.25;
// Of the store contract: k1 = 1.2, b = 0.75.
const gain = 'weight * frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * chunk_terms / $3::float8))';

/** BM25 over the postings, as the store contract defines it, in a transaction that sees one snapshot. */
export function createKeywordSearch(tenant: string, knowledgeBase: string) {
  const own = [tenant, knowledgeBase] as const;

  return async (query: Query, { terms, pairs, limit, filter, documentIds }: KeywordSearch): Promise<SearchResult> => {
    const [base] = await query(
      'SELECT chunks::float8, terms::float8 FROM aquifer.knowledge_bases WHERE tenant = $1 AND knowledge_base = $2',
      own,
    );
    const chunks = (base?.chunks ?? 0) as number;
    if (chunks === 0 || terms.length === 0) return { matches: [], method: 'exact' };
    const idf = (holding: number): number => Math.log(1 + (chunks - holding + 0.5) / (holding + 0.5));

    const times = countEach(terms.map(storedTerm));
    const counted = await query<{ term: string; holding: number }>(
      `SELECT term, count(*)::float8 AS holding FROM aquifer.postings
       WHERE tenant = $1 AND knowledge_base = $2 AND term = ANY($3::text[]) GROUP BY term`,
      [...own, [...times.keys()]],
    );
    // Rarest first, so that sums are always made in the same order and equal chunks have equal scores.
    const chosen = counted
      .sort((left, right) => left.holding - right.holding || (left.term < right.term ? -1 : 1))
      .slice(0, maxQueryTerms);
    if (chosen.length === 0) return { matches: [], method: 'exact' };

    const scope = await resolveScope(query, own, {
      limit,
      ...(filter && { filter }),
      ...(documentIds && { documentIds }),
    });
    if (scope.kind === 'few' && scope.chunks.length === 0) return { matches: [], method: 'exact' };
    await avoidNestedLoops(query);
    const { values, bind } = createParameters(...own, (base?.terms as number) / chunks);
    const known = new Set(chosen.map(({ term }) => term));
    const pairTimes = countEach(
      pairs.map((pair) => pair.map(storedTerm)).filter((pair) => pair.every((term) => known.has(term))),
      (pair) => pair.join(' '),
    );
    const hasPairs = pairTimes.size > 0;
    const termList = bind(chosen.map(({ term }) => term));
    const weights = bind(chosen.map(({ term, holding }) => (times.get(term) as number) * idf(holding)));
    const gains = [
      `SELECT chunk, place, ${gain} AS gain
       FROM unnest(${termList}::text[], ${weights}::float8[]) WITH ORDINALITY AS n (term, weight, place) JOIN hits USING (term)`,
    ];
    if (hasPairs) {
      const wanted = [...pairTimes].sort(([left], [right]) => (left < right ? -1 : 1));
      const [firsts, seconds] = [0, 1].map((index) => wanted.map(([pair]) => pair.split(' ')[index]));
      gains.push(
        `SELECT chunk, place, ${gain} AS gain FROM (
           SELECT *, times * ${pairWeight} * ln(1 + (${bind(chunks)}::float8 - holding + 0.5) / (holding + 0.5)) AS weight
           FROM (SELECT *, count(*) OVER (PARTITION BY place) AS holding
             FROM (SELECT ahead.chunk, ahead.chunk_terms, pair.times, ${bind(chosen.length)}::int + pair.place AS place, (
                 SELECT sum(CASE WHEN position < 0 THEN 3 ELSE 1 END)::float8
                 FROM unnest(ahead.positions) AS position WHERE position + 1 = ANY(behind.positions)) AS frequency
               FROM unnest(${bind(firsts)}::text[], ${bind(seconds)}::text[], ${bind(wanted.map(([, count]) => count))}::float8[])
                 WITH ORDINALITY AS pair (ahead, behind, times, place)
               JOIN hits AS ahead ON ahead.term = pair.ahead
               JOIN hits AS behind ON behind.term = pair.behind AND behind.chunk = ahead.chunk) adjacent
             WHERE frequency IS NOT NULL) counted) weighed`,
      );
    }
    // Which chunks have a pair is counted over all of them, so a filter comes last.
    const from = `(SELECT chunk, sum(gain ORDER BY place) AS score FROM (${gains.join(' UNION ALL ')}) gains GROUP BY chunk) scored`;
    const within =
      scope.kind === 'all'
        ? ''
        : scope.kind === 'few'
          ? `WHERE chunk = ANY(${bind(scope.chunks.map(({ number }) => number))}::bigint[])`
          : `JOIN aquifer.chunks ON chunks.tenant = $1 AND chunks.knowledge_base = $2 AND chunks.number = scored.chunk
             JOIN aquifer.documents ON documents.tenant = $1 AND documents.knowledge_base = $2
               AND documents.id = chunks.document_id WHERE ${scope.condition({ bind })}`;
    const best = await query(
      `WITH hits AS MATERIALIZED (
         SELECT term, chunk, frequency, chunk_terms${hasPairs ? ', positions' : ''} FROM aquifer.postings
         WHERE tenant = $1 AND knowledge_base = $2 AND term = ANY(${termList}::text[]))
       SELECT chunk, score FROM ${from} ${within} ORDER BY score DESC FETCH FIRST (${bind(limit)}::int) ROWS WITH TIES`,
      values,
    );
    const ids = await query(
      `SELECT number, id, document_id FROM aquifer.chunks
       WHERE tenant = $1 AND knowledge_base = $2 AND number = ANY($3::bigint[])`,
      [...own, best.map((row) => row.chunk)],
    );
    const named = new Map(ids.map((row) => [row.number, row]));
    const rows = best.map(({ chunk, score }) => ({ ...named.get(chunk), score }));
    return { matches: rankMatches(rows, limit), method: 'exact' };
  };
}

/** How often each value is there, by its name. */
function countEach<Value>(values: readonly Value[], nameOf: (value: Value) => string = String): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) {
    const name = nameOf(value);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
