import type { Filter, SearchResult } from '@aquifer/contracts';
import { type SqlCondition, scopeToSql } from '../database/filter-sql.js';
import type { SqlDatabase } from '../database/sqlite-driver.js';
import { createChunkIdLookup, topMatches } from '../vectors/top-matches.js';
import { storedTerm } from './keyword-terms.js';

export interface KeywordSearch {
  /** The analyser's terms of the query, repeated as often as the query says them. */
  readonly terms: readonly string[];
  readonly limit: number;
  readonly filter?: Filter | undefined;
  readonly documentIds?: readonly string[] | undefined;
}

/**
 * Distinct terms of a query that count: the rarest in the index. Questions have ten or twenty; this is for pasted
 * documents, so that no query can take minutes.
 */
export const maxQueryTerms = 1_000;

const contextWeight = 3;
const bodyWeight = 1;

/**
 * BM25 over FTS5's postings, as the store contract defines it.
 *
 * FTS5 has its own inverse document frequency, near zero for words in more than half of the chunks. But for one term its
 * `bm25()` is −idf · f (sqlite.org/fts5.html#the_bm25_function), so f is had by dividing, and our own idf is put in its place.
 */
export function createKeywordSearch(database: SqlDatabase): (search: KeywordSearch) => SearchResult {
  const countChunks = database.prepare('SELECT count(*), max(number) FROM chunks');
  const countTerm = database.prepare('SELECT doc FROM keyword_counts WHERE term = ?');
  const findTerm = database.prepare(
    `SELECT rowid, bm25(keywords, ${contextWeight}.0, ${bodyWeight}.0) FROM keywords WHERE keywords MATCH ?`,
  );
  const selectGeneration = database.prepare('SELECT generation FROM counters');
  const idsOf = createChunkIdLookup(database);

  // Counting takes milliseconds on a large index, so it is done once for each committed state.
  let counted = { generation: -1, chunks: 0, lastNumber: 0 };
  const count = (): typeof counted => {
    const generation = selectGeneration.rows()[0]?.[0] as number;
    if (generation !== counted.generation) {
      const [chunks, lastNumber] = countChunks.rows()[0] as [number, number | null];
      counted = { generation, chunks, lastNumber: lastNumber ?? 0 };
    }
    return counted;
  };

  return ({ terms, limit, filter, documentIds }) => {
    const { chunks, lastNumber } = count();
    if (chunks === 0 || terms.length === 0) return { matches: [], method: 'exact' };
    const scores = new Float64Array(lastNumber + 1);
    const found: number[] = [];
    for (const { term, times, documents } of chooseTerms(terms, (term) => countTerm.rows(term)[0]?.[0] as number)) {
      const ownIdf = Math.log((chunks - documents + 0.5) / (documents + 0.5));
      const ftsIdf = ownIdf <= 0 ? 1e-6 : ownIdf;
      const factor = (times * Math.log(1 + (chunks - documents + 0.5) / (documents + 0.5))) / -ftsIdf;
      for (const row of findTerm.rows(`"${term}"`)) {
        const number = row[0] as number;
        if (scores[number] === 0) found.push(number);
        scores[number] = (scores[number] as number) + (row[1] as number) * factor;
      }
    }
    const scope = scopeToSql({ filter, documentIds });
    const allowed = scope === undefined ? found : within(database, found, scope, lastNumber);
    const ranked = Float64Array.from(allowed, (number) => scores[number] as number);
    return {
      matches: topMatches({ numbers: allowed, scores: ranked, length: allowed.length }, limit, idsOf),
      method: 'exact',
    };
  };
}

interface QueryTerm {
  readonly term: string;
  readonly times: number;
  readonly documents: number;
}

/** Rarest first, so that sums are always made in the same order and equal chunks have equal scores. */
function chooseTerms(terms: readonly string[], countDocuments: (term: string) => number | undefined): QueryTerm[] {
  const times = new Map<string, number>();
  for (const term of terms) {
    const stored = storedTerm(term);
    times.set(stored, (times.get(stored) ?? 0) + 1);
  }
  return [...times]
    .map(([term, count]) => ({ term, times: count, documents: countDocuments(term) ?? 0 }))
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
