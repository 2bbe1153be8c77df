import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { AquiferError, type Embedder, type Embeddings, type EmbedOptions, throwIfAborted } from '@aquifer/contracts';
import { createAnalyser } from '@aquifer/text-analysis';
import { createHashedWords, type HashedWords, hashedWordsRevision } from './hashing/hashed-words.js';
import { createHashingThread } from './hashing/hashing-thread.js';

export interface BuiltinEmbedderOptions {
  /** Default 1024. A shorter vector is the beginning of the longer one, normalised again. */
  readonly dimensions?: 1536 | 1024 | 512 | 256;
}

const dimensionChoices: readonly number[] = [1536, 1024, 512, 256];

/** Share of the dense leg. Measured with bench/ranking.mjs --weights: from 0.2 on, the keyword leg alone is better on most sets. */
const fusionWeight = 0.1;
/** Embedding goes on this long before other work of the thread has its turn. */
const turnMs = 8;

/** Texts of documents after which a thread of their own is worth its start, some 50 ms: a small folder is done before. */
const textsBeforeThread = 256;
/** Fewer texts are made sooner than they are sent. */
const textsWorthSending = 8;
/** Some 20 ms of work. */
const textsPerMessage = 64;

/**
 * The embedder that is always there: no model, no files, no network, the same vectors on every machine.
 *
 * Words (stemmed, in Japanese, Chinese and Korean pairs of characters) and the character n-grams of words are hashed to signed dimensions
 * (Weinberger et al. 2009) and weighed by their number (saturating, as in BM25), by how common they are in general, and by
 * whether they stand in a heading. It knows spelling and morphology, not meaning, so its `fusionWeight` is small.
 *
 * Takes texts of any length in linear time. Its tokens are the analyser's terms. Where there is a second processor, and the caller is the main
 * thread, the texts of many documents are embedded in a thread of their own, which ends when it has had nothing to do for a while.
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
  let hashedWords: HashedWords | undefined;
  // A caller in another thread has seen to it already that nothing waits for this.
  const hasRoom = isMainThread && availableParallelism() > 1;
  const thread = createHashingThread(dimensions);
  let documentTexts = 0;

  async function embedHere(texts: readonly string[], { purpose, signal }: EmbedOptions): Promise<Embeddings> {
    hashedWords ??= createHashedWords(dimensions);
    // The thread may take over meanwhile.
    const here = hashedWords;
    const vectors: Float32Array[] = [];
    const tokens: number[] = [];
    let turnEnd = performance.now() + turnMs;
    for (const text of texts) {
      if (performance.now() > turnEnd) {
        await nextTurn();
        throwIfAborted(signal);
        turnEnd = performance.now() + turnMs;
      }
      const embedded = here(text, purpose);
      vectors.push(embedded.vector);
      tokens.push(embedded.tokens);
    }
    return { vectors, tokens };
  }

  /** In pieces, so that nobody waits long to be told that it was cancelled. */
  async function embedThere(texts: readonly string[], { signal }: EmbedOptions): Promise<Embeddings> {
    const vectors: Float32Array[] = [];
    const tokens: number[] = [];
    for (let start = 0; start < texts.length; start += textsPerMessage) {
      const piece = texts.slice(start, start + textsPerMessage);
      const embedded = (await thread.embed(piece)) ?? (await embedHere(piece, { purpose: 'document' }));
      throwIfAborted(signal);
      vectors.push(...embedded.vectors);
      tokens.push(...embedded.tokens);
    }
    return { vectors, tokens };
  }

  return {
    fingerprint: {
      provider: 'builtin',
      model: 'hashed-words',
      dimensions,
      normalised: true,
      revision: `${hashedWordsRevision}-${createAnalyser().version}`,
    },
    dimensions,
    maxInputTokens: Number.MAX_SAFE_INTEGER,
    fusionWeight,
    async embed(texts, options) {
      throwIfAborted(options.signal);
      if (options.purpose === 'query') return await embedHere(texts, options);
      documentTexts += texts.length;
      const isMany = hasRoom && documentTexts > textsBeforeThread && texts.length >= textsWorthSending;
      if (!isMany) return await embedHere(texts, options);
      // The words that it knows are kept in the thread now.
      hashedWords = undefined;
      return await embedThere(texts, options);
    },
    close: () => thread.close(),
  };
}
