import { setMaxListeners } from 'node:events';
import { toUSVString } from 'node:util';
import {
  AquiferError,
  type Embedder,
  type Embeddings,
  type EmbedOptions,
  type EmbedPurpose,
  isAquiferError,
  throwIfAborted,
} from '@aquifer/contracts';
import { estimateTokens } from '@aquifer/text-analysis';
import { inBatches, tokensOfEach } from './embedding-batches.js';
import { checkedVector, type EmbeddedPart, meanVector } from './embedding-vectors.js';
import type { Pacer } from './pacer.js';
import { halveText, partsThatFit } from './text-parts.js';

/** What a provider gives for one request. */
export interface EmbeddedBatch {
  /** One a text, in order, as the provider sent them: they are checked here. */
  readonly vectors: readonly ArrayLike<number>[];
  /** As the provider counts: one a text, or the sum over the request. Absent where it does not say. */
  readonly tokens?: readonly number[] | number;
}

/** What is particular to a provider's embedding model. Everything else is done once, by {@link createPacedEmbedder}. */
export interface EmbeddingAdapter
  extends Pick<
    Embedder,
    | 'fingerprint'
    | 'dimensions'
    | 'maxInputTokens'
    | 'fusionWeight'
    | 'fusionCandidates'
    | 'tokenCounter'
    | 'terms'
    | 'close'
  > {
  /** Most texts of one request. */
  readonly maxBatch: number;
  /** Most characters (UTF-16 units) of one text; longer ones are cut before anything is sent. */
  readonly maxCharacters?: number;
  /** Most tokens of all texts of one request, where the provider has such a limit. */
  readonly maxBatchTokens?: number;
  /**
   * Sends one request with 1 to `maxBatch` texts. It does not retry, wait, cut or check: it throws `AquiferError`s that say whether they are
   * `retryable`, or describes the library's errors as such in place.
   */
  embedBatch(texts: readonly string[], options: { purpose: EmbedPurpose; signal: AbortSignal }): Promise<EmbeddedBatch>;
  /** Whether an error of `embedBatch` says that a text is longer than the model takes. Default: errors with the code `too-large`. */
  isTooLong?(error: unknown): boolean;
}

/**
 * An embedder from what is particular to a provider: batches, the pacer's waiting and retrying, checks of what comes back, and texts that
 * are too long. Those are cut at a sentence, as often as it takes, and get the mean of their parts' vectors, weighted by tokens; `parts` of
 * the result says so. Nothing is ever cut off.
 *
 * Where `fingerprint.normalised` is true, vectors are given the length 1 here, whatever the provider does.
 *
 * @throws `embed` rejects with what the adapter throws; `model-failed` when a vector has the wrong length, is all zero or holds NaN.
 *
 * @example
 * const embedder = createPacedEmbedder(
 *   { fingerprint, dimensions: 768, maxInputTokens: 2048, fusionWeight: 0.55, maxBatch: 32, embedBatch: (texts) => post('/api/embed', texts) },
 *   sharedPacer('ollama|http://127.0.0.1:11434', { name: 'Ollama at 127.0.0.1:11434', concurrency: 4 }),
 * );
 */
export function createPacedEmbedder(adapter: EmbeddingAdapter, pacer: Pacer): Embedder {
  const { fingerprint, dimensions, maxInputTokens, maxBatch, maxCharacters = Number.POSITIVE_INFINITY } = adapter;
  const { maxBatchTokens = Number.POSITIVE_INFINITY, tokenCounter } = adapter;
  const isTooLong = adapter.isTooLong ?? ((error) => isAquiferError(error, 'too-large'));
  const name = `${fingerprint.provider} ${fingerprint.model}`;
  /** What the provider has counted so far for what was estimated: estimates follow. */
  const seen = { estimated: 0, counted: 0 };

  const estimate = (text: string): number => {
    if (tokenCounter !== undefined) return tokenCounter.count(text);
    const factor = seen.estimated === 0 ? 1 : seen.counted / seen.estimated;
    return Math.max(1, Math.round(estimateTokens(text) * factor));
  };

  const fits = (text: string): boolean =>
    text.length <= maxCharacters && (tokenCounter === undefined || tokenCounter.count(text) <= maxInputTokens);

  const readBatch = (texts: readonly string[], { vectors, tokens }: EmbeddedBatch): EmbeddedPart[] => {
    if (vectors.length !== texts.length) {
      throw new AquiferError('model-failed', `${name} gave ${vectors.length} vectors for ${texts.length} texts.`);
    }
    const counts = tokensOfEach(texts, tokens, estimate);
    if (tokens !== undefined && tokenCounter === undefined) {
      for (const [index, text] of texts.entries()) {
        seen.estimated += Math.max(1, estimateTokens(text));
        seen.counted += counts[index]!;
      }
    }
    return vectors.map((vector, index) => ({
      vector: checkedVector(vector, { name, dimensions, normalised: fingerprint.normalised }),
      tokens: counts[index]!,
    }));
  };

  /** Embeds texts of one request, in more requests where one of them is too long. One list of parts a text. */
  async function embedTexts(texts: readonly string[], options: BatchOptions): Promise<EmbeddedPart[][]> {
    try {
      const expected = texts.reduce((sum, text) => sum + estimate(text), 0);
      const parts = await pacer.run({
        tokens: expected,
        signal: options.signal,
        attempt: async (signal) => {
          const batch = await adapter.embedBatch(texts, { purpose: options.purpose, signal });
          const value = readBatch(texts, batch);
          return { value, tokens: value.reduce((sum, part) => sum + part.tokens, 0) };
        },
      });
      return parts.map((part) => [part]);
    } catch (error) {
      if (!isTooLong(error)) throw error;
      if (texts.length > 1) {
        // Providers do not say which text it was.
        const alone = await Promise.all(texts.map((text) => embedTexts([text], options)));
        return alone.flat();
      }
      const halves = halveText(texts[0]!);
      if (halves === undefined) throw error;
      const pieces = halves.flatMap((half) => partsThatFit(half, (part) => estimate(part) <= maxInputTokens));
      const parts = await Promise.all(pieces.map((piece) => embedTexts([piece], options)));
      return [parts.flat(2)];
    }
  }

  async function embedAll(texts: readonly string[], options: BatchOptions): Promise<Embeddings> {
    const pieces = texts.flatMap((text, index) =>
      partsThatFit(toUSVString(text), fits).map((piece) => ({ index, piece })),
    );
    const batches = inBatches(pieces, maxBatch, maxBatchTokens, ({ piece }) => estimate(piece));
    const partsOf: EmbeddedPart[][] = texts.map(() => []);
    const results = await Promise.all(
      batches.map((batch) =>
        embedTexts(
          batch.map(({ piece }) => piece),
          options,
        ),
      ),
    );
    for (const [number, batch] of batches.entries()) {
      for (const [place, { index }] of batch.entries()) partsOf[index]!.push(...results[number]![place]!);
    }
    const parts = partsOf.map((all) => all.length);
    return {
      vectors: partsOf.map((all) => (all.length === 1 ? all[0]!.vector : meanVector(all, fingerprint.normalised))),
      tokens: partsOf.map((all) => all.reduce((sum, part) => sum + part.tokens, 0)),
      ...(parts.some((count) => count > 1) && { parts }),
    };
  }

  const { fusionWeight, fusionCandidates, terms } = adapter;
  return {
    fingerprint,
    dimensions,
    maxInputTokens,
    fusionWeight,
    ...(fusionCandidates !== undefined && { fusionCandidates }),
    ...(tokenCounter !== undefined && { tokenCounter }),
    ...(terms !== undefined && { terms }),
    close: async () => adapter.close?.(),
    async embed(texts: readonly string[], { purpose, signal }: EmbedOptions): Promise<Embeddings> {
      throwIfAborted(signal);
      // One failure ends all requests of the call: nobody would get their results.
      const controller = new AbortController();
      // Every request listens, and Node takes more than ten for a leak.
      setMaxListeners(0, controller.signal);
      const stop = (): void => controller.abort(signal?.reason);
      signal?.addEventListener('abort', stop, { once: true });
      try {
        return await embedAll(texts, { purpose, signal: controller.signal });
      } finally {
        signal?.removeEventListener('abort', stop);
        controller.abort();
      }
    },
  };
}

interface BatchOptions {
  readonly purpose: EmbedPurpose;
  readonly signal: AbortSignal;
}
