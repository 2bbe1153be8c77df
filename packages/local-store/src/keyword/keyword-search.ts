import { type Filter, keywordRanking, type SearchResult } from '@aquifer/contracts';
import { type SqlCondition, scopeToSql } from '../database/filter-sql.js';
import { createRecentlyUsed } from '../database/recently-used.js';
import type { SqlDatabase } from '../database/sqlite-driver.js';
import { createChunkIdLookup, topMatches } from '../vectors/top-matches.js';
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

const { contextWeight, pairWeight, maxQueryTerms } = keywordRanking;

/** The chunks that hold a term or a pair, and how well each one does: f of BM25, as if every term were worth the same. */
interface Postings {
  readonly numbers: Float64Array;
  readonly frequencies: Float64Array;
}

const mostTermCounts = 10_000;
/** FTS5 takes some 6 µs for each of them, so those of common words are worth having at hand. */
const keptPostingBytes = 32 * 2 ** 20;
const postingBytes = ({ numbers, frequencies }: Postings): number => numbers.byteLength + frequencies.byteLength + 256;

/**
 * BM25 over FTS5's postings, as the store contract defines it.
 *
 * FTS5 has its own inverse document frequency, near zero for words in more than half of the chunks. But for one term its
 * `bm25()` is −idf · f (sqlite.org/fts5.html#the_bm25_function), so f is had by dividing, and our own idf is put in its place.
 */
export function createKeywordSearch(database: SqlDatabase): (search: KeywordSearch) => SearchResult {
  const countChunks = database.prepare('SELECT count(*), max(number) FROM chunks');
  const countTerm = database.prepare('SELECT doc FROM keyword_counts WHERE term = ?');
  const findPhrase = database.prepare(
    `SELECT rowid, bm25(keywords, ${contextWeight}.0, 1.0, 0.0) FROM keywords WHERE keywords MATCH ?`,
  );
  const selectGeneration = database.prepare('SELECT generation FROM counters');
  const idsOf = createChunkIdLookup(database);

  // Counts, lengths and postings are of one committed state.
  let counted = { generation: -1, chunks: 0, lastNumber: 0 };
  const kept = createRecentlyUsed<string, Postings>(keptPostingBytes, postingBytes);
  const termCounts = createRecentlyUsed<string, number>(mostTermCounts, () => 1);
  const count = (): typeof counted => {
    const generation = selectGeneration.rows()[0]?.[0] as number;
    if (generation !== counted.generation) {
      const [chunks, lastNumber] = countChunks.rows()[0] as [number, number | null];
      counted = { generation, chunks, lastNumber: lastNumber ?? 0 };
      kept.clear();
      termCounts.clear();
    }
    return counted;
  };
  const countOf = (term: string): number => {
    let known = termCounts.get(term);
    if (known === undefined) {
      known = (countTerm.rows(term)[0]?.[0] as number | undefined) ?? 0;
      termCounts.set(term, known);
    }
    return known;
  };
  const postingsOf = (phrase: string, chunks: number): Postings => {
    const known = kept.get(phrase);
    if (known !== undefined) return known;
    const rows = findPhrase.rows(`"${phrase}"`);
    const ownIdf = Math.log((chunks - rows.length + 0.5) / (rows.length + 0.5));
    const ftsIdf = ownIdf <= 0 ? 1e-6 : ownIdf;
    const postings = {
      numbers: Float64Array.from(rows, (row) => row[0] as number),
      frequencies: Float64Array.from(rows, (row) => (row[1] as number) / -ftsIdf),
    };
    kept.set(phrase, postings);
    return postings;
  };

  return ({ terms, pairs, limit, filter, documentIds }) => {
    const { chunks, lastNumber, generation } = count();
    if (chunks === 0 || terms.length === 0) return { matches: [], method: 'exact' };
    const scores = new Float64Array(lastNumber + 1);
    const found: number[] = [];
    const add = (phrase: string, weight: number): void => {
      const { numbers, frequencies } = postingsOf(phrase, chunks);
      const holding = numbers.length;
      const idf = weight * Math.log(1 + (chunks - holding + 0.5) / (holding + 0.5));
      for (let index = 0; index < holding; index++) {
        const number = numbers[index] as number;
        if (scores[number] === 0) found.push(number);
        scores[number] = (scores[number] as number) + idf * (frequencies[index] as number);
      }
    };
    const chosen = chooseTerms(terms, countOf);
    for (const { term, times } of chosen) add(term, times);
    for (const { phrase, times } of choosePairs(pairs, chosen)) add(phrase, times * pairWeight);
    const scope = scopeToSql({ filter, documentIds });
    const allowed = scope === undefined ? found : within(database, found, scope, lastNumber);
    const ranked = Float64Array.from(allowed, (number) => scores[number] as number);
    return {
      matches: topMatches({ numbers: allowed, scores: ranked, length: allowed.length }, limit, (numbers) =>
        idsOf(numbers, generation),
      ),
      method: 'exact',
    };
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
