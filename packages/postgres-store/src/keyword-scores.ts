import { inverseDocumentFrequency, keywordRanking } from '@aquifer/contracts';
import type { Postings } from './keyword-postings.js';

const { k1, b } = keywordRanking;

export interface CollectionSize {
  readonly chunks: number;
  /** The mean length of a chunk in terms. */
  readonly averageLength: number;
}

export interface KeywordScores {
  /** Gives each of these chunks a place, where it has none yet, and returns the places in the same order. */
  placesOf(postings: Postings): Int32Array;
  /** The places that are in both. */
  meet(left: Int32Array, right: Int32Array): Int32Array;
  /** Adds to each of these chunks, all that hold a term or a pair, what BM25 says that it is worth there. */
  add(places: Int32Array, frequencies: ArrayLike<number>, weight: number): void;
  numberAt(place: number): number;
  /** Undefined for a chunk without any of the terms. */
  scoreOf(chunk: number): number | undefined;
  /**
   * All chunks with their scores in groups, best group first: of at least `least` chunks, then of four times as many, and so on. Equal scores are in
   * the same group.
   */
  bestFirst(least: number): Iterable<Map<number, number>>;
}

/**
 * BM25 (Robertson and Zaragoza 2009) as the store contract writes it, summed up for one query. Gains must be added in an order that depends on
 * the query alone: sums of floats depend on it, and equal chunks have equal scores.
 *
 * @param most No more chunks than this will be there.
 */
export function createKeywordScores({ chunks, averageLength }: CollectionSize, most: number): KeywordScores {
  const places = createPlaces(most);
  const { numbers } = places;
  // What a term has to be said against, of each chunk: its length beside the average.
  const norms = new Float64Array(most);
  const scores = new Float64Array(most);
  const marks = new Int32Array(most);
  let lastMark = 0;
  return {
    placesOf(postings) {
      const found = new Int32Array(postings.chunks.length);
      for (let index = 0; index < found.length; index++) {
        const known = places.count();
        const place = places.put(postings.chunks[index] as number);
        if (place === known) norms[place] = k1 * (1 - b + (b * (postings.lengths[index] as number)) / averageLength);
        found[index] = place;
      }
      return found;
    },
    meet(left, right) {
      const mark = ++lastMark;
      for (const place of right) marks[place] = mark;
      return left.filter((place) => marks[place] === mark);
    },
    add(at, frequencies, weight) {
      const worth = weight * inverseDocumentFrequency(chunks, at.length) * (k1 + 1);
      for (let index = 0; index < at.length; index++) {
        const place = at[index] as number;
        const frequency = frequencies[index] as number;
        scores[place] = (scores[place] as number) + (worth * frequency) / (frequency + (norms[place] as number));
      }
    },
    numberAt: (place) => numbers[place] as number,
    scoreOf(chunk) {
      const place = places.find(chunk);
      return place < 0 ? undefined : scores[place];
    },
    *bestFirst(least) {
      const count = places.count();
      const sorted = scores.slice(0, count).sort();
      let above = Number.POSITIVE_INFINITY;
      for (let group = least, taken = 0; taken < count; group *= 4) {
        const lowest = sorted[Math.max(0, count - taken - group)] as number;
        const best = new Map<number, number>();
        for (let place = 0; place < count; place++) {
          const score = scores[place] as number;
          if (score >= lowest && score < above) best.set(numbers[place] as number, score);
        }
        yield best;
        taken += best.size;
        above = lowest;
      }
    },
  };
}

/**
 * Numbers of chunks, and which place each has: a hash table with linear probing (Knuth, The Art of Computer Programming 3, 6.4), which takes a fifth of
 * what a Map of this many numbers does.
 */
function createPlaces(most: number) {
  const numbers = new Float64Array(most);
  const bits = Math.max(1, Math.ceil(Math.log2(2 * most)));
  const table = new Int32Array(2 ** bits).fill(-1);
  let count = 0;
  /** Where in the table the number is, or else belongs. */
  const slotOf = (number: number): number => {
    // The golden ratio spreads numbers that follow each other.
    let slot = Math.imul(number | 0, 0x9e3779b1) >>> (32 - bits);
    for (;;) {
      const place = table[slot] as number;
      if (place < 0 || numbers[place] === number) return slot;
      slot = (slot + 1) % table.length;
    }
  };
  return {
    numbers,
    count: () => count,
    /** Below zero where there is none. */
    find: (number: number) => table[slotOf(number)] as number,
    /** The next place where it has none yet. */
    put(number: number): number {
      const slot = slotOf(number);
      if ((table[slot] as number) < 0) {
        numbers[count] = number;
        table[slot] = count++;
      }
      return table[slot] as number;
    },
  };
}
