import { type Candidates, nthBest } from './top-matches.js';

/** What is known of the scores of some vectors before any of them is computed exactly. Arrays of parallel entries. */
export interface BoundedScores {
  /** Where in its table each vector is. */
  readonly slots: Uint32Array;
  /** The exact score lies between the two. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly length: number;
}

/**
 * The vectors that may be among the `limit` best, with their exact scores: all of the best, and those who tie with the last
 * of them. Few more scores than `limit` are computed, because most bounds exclude their vector (the threshold algorithm
 * of Fagin, Lotem and Naor 2003).
 *
 * @param vectors By slot: chunk numbers, and the exact score; undefined for a vector that has gone meanwhile.
 */
export function bestBounded(
  bounds: BoundedScores,
  limit: number,
  vectors: { readonly numbers: Float64Array; readonly scoreOf: (slot: number) => number | undefined },
): Candidates {
  const { slots, lower, upper, length } = bounds;
  // `limit` vectors score at least this much, so that what cannot is out.
  const certain = length > limit ? nthBest(lower, length, limit) : Number.NEGATIVE_INFINITY;
  const order: number[] = [];
  for (let index = 0; index < length; index++) if ((upper[index] as number) >= certain) order.push(index);
  order.sort((left, right) => (upper[right] as number) - (upper[left] as number));

  const numbers: number[] = [];
  const scores: number[] = [];
  const best = createLowestOfBest(limit);
  for (const index of order) {
    if ((upper[index] as number) < best.lowest()) break;
    const slot = slots[index] as number;
    const score = vectors.scoreOf(slot);
    if (score === undefined) continue;
    numbers.push(vectors.numbers[slot] as number);
    scores.push(score);
    best.add(score);
  }
  return { numbers, scores, length: numbers.length };
}

/** Keeps the `limit` highest numbers given to it, in a heap. */
function createLowestOfBest(limit: number) {
  const heap: number[] = [];
  const swap = (left: number, right: number): void => {
    const held = heap[left] as number;
    heap[left] = heap[right] as number;
    heap[right] = held;
  };
  return {
    /** The lowest of them; minus infinity while there are fewer. */
    lowest: () => (heap.length < limit ? Number.NEGATIVE_INFINITY : (heap[0] as number)),
    add(score: number): void {
      if (heap.length < limit) {
        let at = heap.push(score) - 1;
        while (at > 0 && (heap[(at - 1) >> 1] as number) > (heap[at] as number)) {
          swap(at, (at - 1) >> 1);
          at = (at - 1) >> 1;
        }
        return;
      }
      if (score <= (heap[0] as number)) return;
      heap[0] = score;
      for (let at = 0; ; ) {
        let child = 2 * at + 1;
        if (child >= limit) return;
        if (child + 1 < limit && (heap[child + 1] as number) < (heap[child] as number)) child++;
        if ((heap[child] as number) >= (heap[at] as number)) return;
        swap(at, child);
        at = child;
      }
    },
  };
}
