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
 * BM25 (Robertson and Zaragoza 2009, eq. 3.15) as the store contract writes it, summed up for one query. Gains must be added in an order that depends on
 * the query alone: sums of floats depend on it, and equal chunks have equal scores.
 *
 * @param most No more chunks than this will be there.
 */
export function createKeywordScores({ chunks, averageLength }: CollectionSize, most: number): KeywordScores {
  const places = new Map<number, number>();
  const numbers = new Float64Array(most);
  // What a term has to be said against, of each chunk: its length beside the average.
  const norms = new Float64Array(most);
  const scores = new Float64Array(most);
  const marks = new Int32Array(most);
  let lastMark = 0;
  return {
    placesOf(postings) {
      const found = new Int32Array(postings.chunks.length);
      for (let index = 0; index < found.length; index++) {
        const chunk = postings.chunks[index] as number;
        let place = places.get(chunk);
        if (place === undefined) {
          place = places.size;
          places.set(chunk, place);
          numbers[place] = chunk;
          norms[place] = k1 * (1 - b + (b * (postings.lengths[index] as number)) / averageLength);
        }
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
      const place = places.get(chunk);
      return place === undefined ? undefined : scores[place];
    },
    *bestFirst(least) {
      const count = places.size;
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
