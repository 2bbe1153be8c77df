import { setImmediate as nextTurn } from 'node:timers/promises';
import { AquiferError, type Embedder, type EmbedPurpose, throwIfAborted } from '@aquifer/contracts';
import { createAnalyser } from '@aquifer/text-analysis';
import {
  addBallast,
  addScaled,
  blockSize,
  createFeatureList,
  hashText,
  mixed,
  type SparseVector,
} from './feature-hashing.js';
import { createTermWeight } from './word-commonness.js';

export interface BuiltinEmbedderOptions {
  /** Default 1024. A shorter vector is the beginning of the longer one, normalised again. */
  readonly dimensions?: 1024 | 512 | 256;
}

/** Raised whenever the same text would give other numbers. */
const revision = 1;
const dimensionChoices: readonly number[] = [1024, 512, 256];

/** Share of the dense leg. Measured in bench/ranking.mjs; from 0.25 on, the keyword leg alone is better on most sets. */
const fusionWeight = 0.15;
/** How often a word of a heading line counts. */
const headingWeight = 3;
/** Character n-grams together, beside the word they are taken from. */
const gramShare = 0.5;
const gramLengths = [3, 4] as const;
const maxGramTermLength = 40;
/** Length that every document has besides its words, so that a title alone does not outweigh a page on the same thing. */
const ballastWeight = 2;
const maxHeadingLines = 3;
const maxHeadingLength = 160;
const maxCachedTerms = 20_000;
/** Embedding goes on this long before other work of the thread has its turn. */
const turnMs = 8;

const wordSeed = 0;
const gramSeed = 0x2545f491;
const wordlessSeed = 0x6c078965;

/**
 * The embedder that is always there: no model, no files, no network, the same vectors on every machine.
 *
 * Words (stemmed, in Japanese, Chinese and Korean pairs of characters) and the character n-grams of words are hashed to signed dimensions
 * (Weinberger et al. 2009) and weighed by their number (1 + ln n), by how common they are in general, and by whether they
 * stand in a heading. It knows spelling and morphology, not meaning, so its `fusionWeight` is small.
 *
 * Takes texts of any length in linear time. Its tokens are the analyser's terms.
 *
 * @throws `invalid-options` for another number of dimensions.
 *
 * ```ts
 * const embedder = createBuiltinEmbedder({ dimensions: 256 });
 * const { vectors } = await embedder.embed(['Parental leave'], { purpose: 'query' });
 * ```
 */
export function createBuiltinEmbedder(options: BuiltinEmbedderOptions = {}): Embedder {
  const { dimensions = 1024 } = options;
  if (!dimensionChoices.includes(dimensions)) {
    throw new AquiferError(
      'invalid-options',
      `The built-in embedder has ${dimensionChoices.join(', ')} dimensions, not ${dimensions}.`,
    );
  }
  const analyser = createAnalyser();
  const featuresOf = createTermFeatures(dimensions / blockSize);

  function vectorOf(text: string, purpose: EmbedPurpose): { vector: Float32Array; tokens: number } {
    const bodyStart = purpose === 'document' ? headingEnd(text) : 0;
    const heading = bodyStart > 0 ? analyser.terms(text.slice(0, bodyStart)) : [];
    const body = analyser.terms(bodyStart > 0 ? text.slice(bodyStart) : text);
    const counts = new Map<string, number>();
    for (const term of heading) counts.set(term, (counts.get(term) ?? 0) + headingWeight);
    for (const term of body) counts.set(term, (counts.get(term) ?? 0) + 1);

    const sum = new Float64Array(dimensions);
    let hash = 0;
    for (const [term, count] of counts) {
      const features = featuresOf(term);
      addScaled(sum, features.vector, count === 1 ? 1 : 1 + Math.log(count));
      hash = (hash + features.hash) | 0;
    }
    if (counts.size === 0) addBallast(sum, hashText(text, 0, text.length, wordlessSeed), 1);
    else if (purpose === 'document') addBallast(sum, mixed(hash), ballastWeight);
    return { vector: normalised(sum), tokens: heading.length + body.length };
  }

  return {
    fingerprint: {
      provider: 'builtin',
      model: 'hashed-words',
      dimensions,
      normalised: true,
      revision: `${revision}-${analyser.version}`,
    },
    dimensions,
    maxInputTokens: Number.MAX_SAFE_INTEGER,
    fusionWeight,
    async embed(texts, { purpose, signal }) {
      throwIfAborted(signal);
      const vectors: Float32Array[] = [];
      const tokens: number[] = [];
      let turnEnd = performance.now() + turnMs;
      for (const text of texts) {
        if (performance.now() > turnEnd) {
          await nextTurn();
          throwIfAborted(signal);
          turnEnd = performance.now() + turnMs;
        }
        const embedded = vectorOf(text, purpose);
        vectors.push(embedded.vector);
        tokens.push(embedded.tokens);
      }
      return { vectors, tokens };
    },
  };
}

interface TermFeatures {
  readonly hash: number;
  readonly vector: SparseVector;
}

/** Features of terms, weighed; those seen last are kept, in two generations of bounded size. */
function createTermFeatures(blocks: number): (term: string) => TermFeatures {
  const weightOf = createTermWeight();
  const list = createFeatureList(blocks);
  let young = new Map<string, TermFeatures>();
  let old = new Map<string, TermFeatures>();

  function compute(term: string): TermFeatures {
    const weight = weightOf(term);
    const hash = hashText(term, 0, term.length, wordSeed);
    list.add(hash, weight, 2);
    if (hasGrams(term)) addGrams(term, weight, list.add);
    return { hash, vector: list.take() };
  }

  return (term) => {
    let features = young.get(term);
    if (features !== undefined) return features;
    features = old.get(term) ?? compute(term);
    if (young.size >= maxCachedTerms / 2) {
      old = young;
      young = new Map();
    }
    young.set(term, features);
    return features;
  };
}

/** Two characters of Japanese are a gram already, and numbers that look alike mean different things. */
function hasGrams(term: string): boolean {
  return term.length > 2 && term.length <= maxGramTermLength && /\p{L}/u.test(term);
}

function addGrams(term: string, weight: number, add: (hash: number, weight: number, rounds: number) => void): void {
  const padded = `<${term}>`;
  const count = gramLengths.reduce((sum, length) => sum + Math.max(0, padded.length - length + 1), 0);
  const gramWeight = (weight * gramShare) / Math.sqrt(count);
  for (const length of gramLengths) {
    for (let start = 0; start + length <= padded.length; start++) {
      add(hashText(padded, start, start + length, gramSeed), gramWeight, 1);
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
  for (const value of sum) squares += value * value;
  const length = Math.sqrt(squares);
  return Float32Array.from(sum, (value) => value / length);
}
