import { type Filter, inverseDocumentFrequency, keywordRanking, type SearchResult } from '@aquifer/contracts';
import { type SqlCondition, scopeToSql } from '../database/filter-sql.js';
import type { SqlDatabase } from '../database/sqlite-driver.js';
import { createChunkIdLookup, topMatches } from '../vectors/top-matches.js';
import { createKeptPostings } from './kept-postings.js';
import { storedTerm } from './keyword-terms.js';

export interface KeywordSearch {
  /** The analyser's terms of the query, repeated as often as the query says them. */
  readonly terms: readonly string[];
  /** The analyser's pairs of them. */
  readonly pairs: readonly (readonly [string, string])[];
  readonly limit: number;
  readonly filter?: Filter | undefined;
  readonly documentIds?: readonly string[] | undefined;
}

const { pairWeight, maxQueryTerms } = keywordRanking;

/**
 * BM25 over FTS5's postings, as the store contract defines it.
 *
 * FTS5 has its own inverse document frequency, near zero for words in more than half of the chunks. But for one term its
 * `bm25()` is −idf · f (sqlite.org/fts5.html#the_bm25_function), so f is had by dividing, and our own idf is put in its place.
 */
export function createKeywordSearch(database: SqlDatabase): (search: KeywordSearch) => SearchResult {
  const idsOf = createChunkIdLookup(database);
  const postings = createKeptPostings(database);
  // By chunk number; all zero between searches.
  let scores = new Float64Array(0);

  return ({ terms, pairs, limit, filter, documentIds }) => {
    const { chunks, lastNumber } = postings.update();
    if (chunks === 0 || terms.length === 0) return { matches: [], method: 'exact' };
    if (scores.length <= lastNumber) scores = new Float64Array(lastNumber + 1 + (lastNumber >> 2));
    const found: number[] = [];
    const add = (phrase: string, weight: number): void => {
      const { numbers, frequencies } = postings.of(phrase);
      const holding = numbers.length;
      const idf = weight * inverseDocumentFrequency(chunks, holding);
      for (let index = 0; index < holding; index++) {
        const number = numbers[index] as number;
        if (scores[number] === 0) found.push(number);
        scores[number] = (scores[number] as number) + idf * (frequencies[index] as number);
      }
    };
    try {
      const chosen = chooseTerms(terms, postings.count);
      for (const { term, times } of chosen) add(term, times);
      for (const { phrase, times } of choosePairs(pairs, chosen)) add(phrase, times * pairWeight);
      const scope = scopeToSql({ filter, documentIds });
      const allowed = scope === undefined ? found : within(database, found, scope, lastNumber);
      const ranked = new Float64Array(allowed.length);
      for (let index = 0; index < ranked.length; index++) ranked[index] = scores[allowed[index] as number] as number;
      return {
        matches: topMatches({ numbers: allowed, scores: ranked, length: allowed.length }, limit, idsOf),
        method: 'exact',
      };
    } finally {
      for (let index = 0; index < found.length; index++) scores[found[index] as number] = 0;
    }
  };
}

/** Pairs of terms that both exist, always in the same order. */
function choosePairs(
  pairs: KeywordSearch['pairs'],
  terms: readonly QueryTerm[],
): { readonly phrase: string; readonly times: number }[] {
  const known = new Set(terms.map(({ term }) => term));
  const times = new Map<string, number>();
  for (const pair of pairs) {
    const stored = pair.map(storedTerm);
    if (!stored.every((term) => known.has(term))) continue;
    const phrase = stored.join(' ');
    times.set(phrase, (times.get(phrase) ?? 0) + 1);
  }
  return [...times].sort(([left], [right]) => (left < right ? -1 : 1)).map(([phrase, times]) => ({ phrase, times }));
}

interface QueryTerm {
  readonly term: string;
  readonly times: number;
  readonly documents: number;
}

/** Rarest first, so that sums are always made in the same order and equal chunks have equal scores. */
function chooseTerms(terms: readonly string[], countDocuments: (term: string) => number): QueryTerm[] {
  const times = new Map<string, number>();
  for (const term of terms) {
    const stored = storedTerm(term);
    times.set(stored, (times.get(stored) ?? 0) + 1);
  }
  return [...times]
    .map(([term, count]) => ({ term, times: count, documents: countDocuments(term) }))
    .filter(({ documents }) => documents > 0)
    .sort((left, right) => left.documents - right.documents || (left.term < right.term ? -1 : 1))
    .slice(0, maxQueryTerms);
}

function within(
  database: SqlDatabase,
  numbers: readonly number[],
  scope: SqlCondition,
  lastNumber: number,
): readonly number[] {
  const allowed = new Uint8Array(lastNumber + 1);
  const select = database.prepare(
    `SELECT chunks.number FROM chunks WHERE chunks.document IN (SELECT documents.number FROM documents WHERE ${scope.sql})`,
  );
  for (const row of select.rows(...scope.parameters)) allowed[row[0] as number] = 1;
  return numbers.filter((number) => allowed[number] === 1);
}
