import { createHighestScores } from './highest-scores.js';
import { cosineError, type QuestionCode } from './quantise.js';
import type { Candidates } from './top-matches.js';

/** What bounds the scores of vectors, by slot. */
export interface CodeBounds {
  readonly factors: Float64Array;
  readonly errors: Float64Array;
}

/**
 * The vectors that may be among the best for one question, by what their codes say. Few more scores than are wanted are computed exactly, because most
 * bounds exclude their vector (the threshold algorithm of Fagin, Lotem and Naor 2003).
 */
export interface BoundedSearch {
  /** Inner products of the question with the codes from `slot` on, one after the other. */
  add(products: Int32Array, slot: number): void;
  /**
   * The `limit` best with their exact scores, those who tie with the last of them, and some more, in no order.
   *
   * @param vectors By slot: chunk numbers, and the exact score; undefined for a vector that has gone meanwhile.
   */
  best(vectors: { readonly numbers: Float64Array; readonly scoreOf: (slot: number) => number | undefined }): Candidates;
}

export function createBoundedSearch(question: QuestionCode, limit: number, bounds: CodeBounds): BoundedSearch {
  const { factors, errors } = bounds;
  // `limit` vectors score at least its lowest, so that what cannot is out.
  const certain = createHighestScores(limit);
  let slots = new Uint32Array(1_024);
  let uppers = new Float64Array(1_024);
  let length = 0;

  /** Leaves out what has been excluded since. */
  const compact = (): void => {
    const least = certain.lowest();
    let kept = 0;
    for (let index = 0; index < length; index++) {
      const upper = uppers[index] as number;
      if (upper < least) continue;
      slots[kept] = slots[index] as number;
      uppers[kept++] = upper;
    }
    length = kept;
  };
  const makeRoom = (): void => {
    compact();
    if (2 * length <= slots.length) return;
    const [moreSlots, moreUppers] = [new Uint32Array(4 * slots.length), new Float64Array(4 * slots.length)];
    moreSlots.set(slots);
    moreUppers.set(uppers);
    [slots, uppers] = [moreSlots, moreUppers];
  };

  const keep = (slot: number, upper: number): void => {
    if (length === slots.length) makeRoom();
    slots[length] = slot;
    uppers[length++] = upper;
  };

  return {
    add(products, slot) {
      // What the loop needs is here: a variable from outside would be looked up again for each code.
      const { factor } = question;
      const fixedError = cosineError(question, 0);
      const errorGrowth = cosineError(question, 1) - fixedError;
      const count = products.length;
      const factorsHere = factors.subarray(slot, slot + count);
      const errorsHere = errors.subarray(slot, slot + count);
      let least = certain.lowest();
      for (let index = 0; index < count; index++) {
        const score = (products[index] as number) * factor * (factorsHere[index] as number);
        const error = fixedError + errorGrowth * (errorsHere[index] as number);
        if (score + error < least) continue;
        keep(slot + index, score + error);
        if (score - error <= least) continue;
        certain.add(score - error);
        least = certain.lowest();
      }
    },
    best({ numbers, scoreOf }) {
      compact();
      const found: number[] = [];
      const scores: number[] = [];
      const best = createHighestScores(limit);
      const look = (index: number): void => {
        const slot = slots[index] as number;
        const score = scoreOf(slot);
        if (score === undefined) return;
        found.push(numbers[slot] as number);
        scores.push(score);
        best.add(score);
      };
      // Those who promise most first: what they score excludes most of the others.
      const promising = createHighestScores(limit);
      for (let index = 0; index < length; index++) promising.add(uppers[index] as number);
      const first = promising.lowest();
      for (let index = 0; index < length; index++) if ((uppers[index] as number) >= first) look(index);
      for (let index = 0; index < length; index++) {
        const upper = uppers[index] as number;
        if (upper < first && upper >= best.lowest()) look(index);
      }
      return { numbers: found, scores, length: found.length };
    },
  };
}
