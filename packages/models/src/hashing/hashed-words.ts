import type { EmbedPurpose } from '@aquifer/contracts';
import { createAnalyser } from '@aquifer/text-analysis';
import {
  addBallast,
  addScaled,
  blockSize,
  createFeatureList,
  type FeatureList,
  hashText,
  mixed,
  type SparseVector,
} from './feature-hashing.js';
import { createTermWeight } from './word-commonness.js';

/** Raised whenever the same text would give other numbers. */
export const hashedWordsRevision = 1;

/** How often a word of a heading line counts. */
const headingWeight = 3;
/** Character n-grams together, beside the word they are taken from. */
const gramShare = 0.7;
const gramLengths = [3, 4] as const;
const maxGramTermLength = 40;
/**
 * Length that every document has besides its words, so that a title alone does not outweigh a page on the same thing: pivoted
 * normalisation (Singhal, Buckley, Mitra 1996) in vectors of length 1.
 */
const ballastWeight = 6;
const maxHeadingLines = 3;
const maxHeadingLength = 160;
const maxCachedTerms = 20_000;

/** Entries of a word in each block, beside one of a gram. */
const wordRounds = 2;
const wordSeed = 0;
const gramSeed = 0x2545f491;
const wordlessSeed = 0x6c078965;

/** The vector of a text, and of how many terms it was made. Keeps the features of the words seen last. */
export type HashedWords = (
  text: string,
  purpose: EmbedPurpose,
) => { readonly vector: Float32Array; readonly tokens: number };

/** @param dimensions a multiple of the block size of feature hashing */
export function createHashedWords(dimensions: number): HashedWords {
  const analyser = createAnalyser();
  const features = createTermFeatures(dimensions / blockSize);
  const sum = new Float64Array(dimensions);

  return (text, purpose) => {
    const bodyStart = purpose === 'document' ? headingEnd(text) : 0;
    const heading = bodyStart > 0 ? analyser.terms(text.slice(0, bodyStart)) : [];
    const body = analyser.terms(bodyStart > 0 ? text.slice(bodyStart) : text);
    const counts = new Map<string, number>();
    for (const term of heading) counts.set(term, (counts.get(term) ?? 0) + headingWeight);
    for (const term of body) counts.set(term, (counts.get(term) ?? 0) + 1);

    sum.fill(0);
    let hash = 0;
    for (const [term, count] of counts) {
      hash = (hash + features.add(sum, term, saturated(count))) | 0;
    }
    if (counts.size === 0) addBallast(sum, hashText(text, 0, text.length, wordlessSeed), 1);
    else if (purpose === 'document') addBallast(sum, mixed(hash), ballastWeight);
    return { vector: normalised(sum), tokens: heading.length + body.length };
  };
}

/** How much a term counts that a text says `count` times: as in BM25, with k1 = 1.2. */
function saturated(count: number): number {
  return (2.2 * count) / (count + 1.2);
}

interface TermFeatures {
  /** Adds the features of a term, weighed, to `target`; returns the term's hash. */
  add(target: Float64Array, term: string, scale: number): number;
}

interface CachedTerm {
  readonly hash: number;
  readonly vector: SparseVector;
}

/** A slice of 13 characters or more keeps the text that it was cut from in memory, perhaps a whole document's. */
function ownText(term: string): string {
  return term.length < 13 ? term : Buffer.from(term, 'utf16le').toString('utf16le');
}

/** Features of terms. Those of words, many each, are kept for the words seen last, in two generations of bounded size. */
function createTermFeatures(blocks: number): TermFeatures {
  const weightOf = createTermWeight();
  const list = createFeatureList(blocks);
  let young = new Map<string, CachedTerm>();
  let old = new Map<string, CachedTerm>();

  function compute(term: string): CachedTerm {
    const weight = weightOf(term);
    const hash = hashText(term, 0, term.length, wordSeed);
    list.clear();
    list.add(hash, weight, wordRounds);
    // Numbers that look alike mean different things.
    if (/\p{L}/u.test(term)) addGrams(term, weight, list);
    return { hash, vector: list.copy() };
  }

  function cached(term: string): CachedTerm {
    let known = young.get(term);
    if (known !== undefined) return known;
    known = old.get(term) ?? compute(term);
    if (young.size >= maxCachedTerms / 2) {
      old = young;
      young = new Map();
    }
    young.set(ownText(term), known);
    return known;
  }

  return {
    add(target, term, scale) {
      if (hasGrams(term)) {
        const { hash, vector } = cached(term);
        addScaled(target, vector, scale);
        return hash;
      }
      const hash = hashText(term, 0, term.length, wordSeed);
      list.clear();
      list.add(hash, weightOf(term), wordRounds);
      list.addTo(target, scale);
      return hash;
    },
  };
}

/** Two characters of Japanese are a gram already. */
function hasGrams(term: string): boolean {
  return term.length > 2 && term.length <= maxGramTermLength;
}

function addGrams(term: string, weight: number, list: FeatureList): void {
  const padded = `<${term}>`;
  const count = gramLengths.reduce((sum, length) => sum + Math.max(0, padded.length - length + 1), 0);
  const gramWeight = (weight * gramShare) / Math.sqrt(count);
  for (const length of gramLengths) {
    for (let start = 0; start + length <= padded.length; start++) {
      list.add(hashText(padded, start, start + length, gramSeed), gramWeight, 1);
    }
  }
}

/** Where the lines at the top that look like a title or headings end: short, and not the end of a sentence. */
function headingEnd(text: string): number {
  let end = 0;
  for (let line = 0; line < maxHeadingLines; line++) {
    const lineEnd = text.indexOf('\n', end);
    if (lineEnd < 0 || lineEnd - end > maxHeadingLength || /[.。!?！？,、;；]\s*$/.test(text.slice(end, lineEnd)))
      break;
    end = lineEnd + 1;
  }
  return end;
}

function normalised(sum: Float64Array): Float32Array {
  let squares = 0;
  for (let index = 0; index < sum.length; index++) squares += sum[index]! * sum[index]!;
  const scale = 1 / Math.sqrt(squares);
  const vector = new Float32Array(sum.length);
  for (let index = 0; index < sum.length; index++) vector[index] = sum[index]! * scale;
  return vector;
}
