import { keywordRanking } from '@aquifer/contracts';
import { createRecentlyUsed } from '../database/recently-used.js';
import type { SqlDatabase } from '../database/sqlite-driver.js';
import { createChunkLengths, createLengthTotals } from './chunk-lengths.js';

/** The chunks that hold a term or a pair, and how well each one does: f of BM25, as if every term were worth the same. */
export interface Postings {
  readonly numbers: Float64Array;
  readonly frequencies: Float64Array;
}

/** What all postings of one committed state have in common. */
export interface KeywordState {
  readonly chunks: number;
  readonly lastNumber: number;
}

export interface KeptPostings {
  /** What is read from here on is of the state that the connection sees now. Needs a snapshot. */
  update(): KeywordState;
  /** Of a stored term, or of two that stand side by side. */
  of(phrase: string): Postings;
  /** How many chunks hold a stored term. */
  count(term: string): number;
}

/** FTS5's own (sqlite.org/fts5.html#the_bm25_function). */
const [k1, b] = [1.2, 0.75];

const mostTermCounts = 10_000;
/** FTS5 takes some 6 µs for each of them, so those of common words are worth having at hand. */
const keptPostingBytes = 32 * 2 ** 20;
/** From so many new chunks at once on, reading their terms takes longer than asking FTS5 again. */
const mostAddedChunks = 1_000;
/** Numbers, 8 bytes each, that wait to be added to postings which nobody asks for. */
const mostWaiting = 2 ** 20;

interface State extends KeywordState {
  readonly generation: number;
  readonly removedChunks: number;
  readonly averageLength: number;
}

interface PostingsOfState extends Postings {
  readonly state: State;
}

/**
 * Keeps what was asked of FTS5 last, and brings it up to date when something was committed: chunks that are gone are left out, the
 * terms of new ones are counted here, and f follows the average length. So a search beside a running ingestion takes
 * little more than one that is alone.
 */
export function createKeptPostings(database: SqlDatabase): KeptPostings {
  const { contextWeight } = keywordRanking;
  const selectCounters = database.prepare('SELECT generation, removed_chunks FROM counters');
  const selectLastNumber = database.prepare('SELECT max(number) FROM chunks');
  // FTS5 goes through all rows for a bound that is no INTEGER, and numbers are bound as REAL.
  const selectTerms = database.prepare(
    'SELECT rowid, context, body FROM keywords WHERE rowid > CAST(? AS INTEGER) ORDER BY rowid',
  );
  const countTerm = database.prepare('SELECT doc FROM keyword_counts WHERE term = ?');
  const findPhrase = database.prepare(
    `SELECT rowid, bm25(keywords, ${contextWeight}.0, 1.0, 0.0) FROM keywords WHERE keywords MATCH ?`,
  );
  const readTotals = createLengthTotals(database);
  const lengths = createChunkLengths(database);

  const nothing: State = { generation: -1, removedChunks: 0, chunks: 0, lastNumber: 0, averageLength: 0 };
  let state = nothing;
  const kept = createRecentlyUsed<string, PostingsOfState>(
    keptPostingBytes,
    ({ numbers, frequencies }) => numbers.byteLength + frequencies.byteLength + 256,
  );
  const termCounts = createRecentlyUsed<string, number>(mostTermCounts, () => 1);
  /** What new chunks add to kept postings: a number and how often, in turn. */
  const waiting = new Map<string, number[]>();
  let waitingNumbers = 0;

  const forget = (): void => {
    kept.clear();
    waiting.clear();
    waitingNumbers = 0;
  };
  const readState = (generation: number, removedChunks: number): State => {
    const lastNumber = (selectLastNumber.rows()[0]?.[0] as number | null) ?? 0;
    return { generation, removedChunks, lastNumber, ...readTotals() };
  };

  const noteAdded = (after: number): void => {
    for (const [number, context, body] of selectTerms.rows(after) as [number, string, string][]) {
      const times = new Map<string, number>();
      const note = (phrase: string, weight: number): void => {
        if (kept.has(phrase)) times.set(phrase, (times.get(phrase) ?? 0) + weight);
      };
      for (const [text, weight] of [[context, contextWeight] as const, [body, 1] as const]) {
        let before: string | undefined;
        for (const term of text.split(' ')) {
          note(term, weight);
          if (before !== undefined) note(`${before} ${term}`, weight);
          before = term;
        }
      }
      for (const [phrase, count] of times) {
        const added = waiting.get(phrase);
        if (added === undefined) waiting.set(phrase, [number, count]);
        else added.push(number, count);
        waitingNumbers += 2;
      }
    }
  };

  /** f of BM25, reckoned as FTS5 does. */
  const frequency = (times: number, length: number): number =>
    (times * (k1 + 1)) / (times + k1 * (1 - b + (b * length) / state.averageLength));

  const renewed = (phrase: string, { numbers, frequencies, state: before }: PostingsOfState): PostingsOfState => {
    const added = waiting.get(phrase) ?? [];
    const most = numbers.length + added.length / 2;
    const next = { numbers: new Float64Array(most), frequencies: new Float64Array(most) };
    let length = 0;
    const put = (number: number, ofChunk: number, times: number): void => {
      next.numbers[length] = number;
      next.frequencies[length] = frequency(times, ofChunk);
      length++;
    };
    for (let index = 0; index < numbers.length; index++) {
      const number = numbers[index] as number;
      const ofChunk = lengths.of(number);
      if (ofChunk === undefined) continue;
      // How often it is there follows from f, and is a whole number.
      const f = frequencies[index] as number;
      const norm = k1 * (1 - b + (b * ofChunk) / before.averageLength);
      put(number, ofChunk, Math.round((f * norm) / (k1 + 1 - f)));
    }
    for (let index = 0; index < added.length; index += 2) {
      const number = added[index] as number;
      const ofChunk = lengths.of(number);
      if (ofChunk !== undefined) put(number, ofChunk, added[index + 1] as number);
    }
    const isWhole = length === most;
    return {
      numbers: isWhole ? next.numbers : next.numbers.slice(0, length),
      frequencies: isWhole ? next.frequencies : next.frequencies.slice(0, length),
      state,
    };
  };

  const fetch = (phrase: string): PostingsOfState => {
    const rows = findPhrase.rows(`"${phrase}"`);
    const ownIdf = Math.log((state.chunks - rows.length + 0.5) / (rows.length + 0.5));
    const ftsIdf = ownIdf <= 0 ? 1e-6 : ownIdf;
    return {
      numbers: Float64Array.from(rows, (row) => row[0] as number),
      frequencies: Float64Array.from(rows, (row) => (row[1] as number) / -ftsIdf),
      state,
    };
  };

  const of = (phrase: string): Postings => {
    const known = kept.get(phrase);
    if (known?.state === state) return known;
    const postings = known === undefined ? fetch(phrase) : renewed(phrase, known);
    waitingNumbers -= waiting.get(phrase)?.length ?? 0;
    waiting.delete(phrase);
    kept.set(phrase, postings);
    return postings;
  };

  return {
    update() {
      const [generation, removedChunks] = selectCounters.rows()[0] as [number, number];
      if (generation === state.generation) return state;
      const before = state;
      const now = readState(generation, removedChunks);
      // Should anything below fail, nothing that is kept counts any more.
      state = nothing;
      termCounts.clear();
      const isWorthwhile = before !== nothing && now.lastNumber - before.lastNumber <= mostAddedChunks;
      if (!isWorthwhile || waitingNumbers > mostWaiting) forget();
      if (kept.size() > 0) {
        lengths.update(removedChunks);
        noteAdded(before.lastNumber);
      }
      state = now;
      return state;
    },
    of,
    count(term) {
      if (kept.has(term)) return of(term).numbers.length;
      let known = termCounts.get(term);
      if (known === undefined) {
        known = (countTerm.rows(term)[0]?.[0] as number | undefined) ?? 0;
        termCounts.set(term, known);
      }
      return known;
    },
  };
}
