import { hash } from 'node:crypto';
import {
  AquiferError,
  type Chunk,
  type ChunkWrite,
  type Embedder,
  embeddedText,
  fingerprintText,
  isAquiferError,
  type Store,
} from '@aquifer/contracts';
import PQueue from 'p-queue';
import { type BatchOutcome, createBatcher } from './batcher.js';
import { requestsFor } from './embedding-terms.js';
import { untilAborted } from './until-aborted.js';

export interface ChunkVectorsOptions {
  readonly store: Pick<Store, 'getEmbeddings' | 'putEmbeddings'>;
  readonly embedder: Embedder;
  readonly embedBatchSize: number;
  readonly embedConcurrency: number;
  /** Whether a batch that is not full waits while others are in flight. */
  readonly fillBatches: boolean;
  readonly signal: AbortSignal;
  /** Told what was counted since it was told last: after each request to the embedder, and when a document has its vectors. */
  readonly onCounted?: ((counts: Readonly<EmbeddingCounts>) => void) | undefined;
  /**
   * Vectors that took longer than this, in milliseconds a text, are stored as soon as they are made, not with their document, so that a killed
   * run pays for nothing twice. Default 2: models take tens of milliseconds a text, storing a vector some 0.05 ms; what the built-in embedder
   * makes in well under 1 ms may as well be made again.
   */
  readonly worthSavingMs?: number;
}

export interface EmbeddingCounts {
  /** Texts that the embedder was given. */
  embedded: number;
  /** Chunks whose vector was there already: in the cache, or from an equal text in the same run. */
  cacheHits: number;
  /** Tokens that the embedder took. */
  tokens: number;
  /** Requests that a provider was or would be sent; 0 where the model runs here. */
  requests: number;
}

export interface ChunkVectors {
  readonly counts: Readonly<EmbeddingCounts>;
  /**
   * Finds or computes the vectors of a document's chunks. A write without a vector has it in the store's cache.
   *
   * `release` is called after the commit (or its failure): until then, equal texts of other documents share the vectors.
   *
   * @throws `too-large` or `invalid-document` for a text of these chunks; anything else concerns the embedder or the store as a whole.
   */
  resolve(chunks: readonly Chunk[]): Promise<ResolvedChunks>;
}

export interface ResolvedChunks {
  readonly writes: ChunkWrite[];
  /** How many of the chunks that were embedded now the embedder took in parts only. */
  readonly inParts: number;
  release(): void;
}

interface Request {
  readonly key: string;
  readonly text: string;
  /** Store the vector in the cache at once, and do not keep it in memory. */
  readonly spill: boolean;
}

interface Resolved {
  /** Absent where the cache holds it. */
  readonly vector?: Float32Array;
  /** Whether the text was embedded now, and in parts. */
  readonly inParts?: boolean;
}

/** Chunks of a document that are held in memory with their vectors. Longer documents keep theirs in the cache. */
const windowChunks = 512;
const lookupBatchSize = 256;

function asFaultOfText(error: AquiferError): AquiferError {
  if (error.code === 'too-large') return error;
  return new AquiferError('invalid-document', `The embedder refuses a part of this document: ${error.message}`, {
    cause: error,
  });
}

/** The key of a text in the embedding cache: what was embedded, and by what. */
export function embeddingKeys(embedder: Pick<Embedder, 'fingerprint'>): (text: string) => string {
  const prefix = `${fingerprintText(embedder.fingerprint)}\n`;
  return (text) => hash('sha256', prefix + text, 'hex');
}

export function createChunkVectors(options: ChunkVectorsOptions): ChunkVectors {
  const { store, embedder, signal, onCounted, worthSavingMs = 2 } = options;
  const keyOf = embeddingKeys(embedder);
  const counts: EmbeddingCounts = { embedded: 0, cacheHits: 0, tokens: 0, requests: 0 };
  let told: EmbeddingCounts = { ...counts };
  /** Texts on their way: until their vectors are durable, equal texts wait for the same promise. */
  const inFlight = new Map<string, Promise<Resolved>>();

  const isCached = createBatcher<string, boolean>({
    maxBatch: lookupBatchSize,
    queue: new PQueue({ concurrency: 2 }),
    run: async (keys) => (await store.getEmbeddings(keys)).map((vector) => ({ value: vector !== undefined })),
  });

  const embed = createBatcher<Request, Resolved>({
    maxBatch: options.embedBatchSize,
    queue: new PQueue({ concurrency: options.embedConcurrency }),
    fill: options.fillBatches,
    run: async (requests) => {
      const startedAt = performance.now();
      const outcomes = await embedApart(requests);
      const isCostly = performance.now() - startedAt > worthSavingMs * requests.length;
      const saved = requests.flatMap(({ key, spill }, index) => {
        const outcome = outcomes[index];
        const vector = outcome && 'value' in outcome ? outcome.value.vector : undefined;
        return vector && (spill || isCostly) ? [{ index, key, vector }] : [];
      });
      if (saved.length === 0) return outcomes;
      await store.putEmbeddings(saved);
      for (const { index } of saved) {
        const outcome = outcomes[index];
        if (outcome && 'value' in outcome) outcomes[index] = { value: { inParts: outcome.value.inParts } };
      }
      return outcomes;
    },
  });

  function tell(): void {
    if (onCounted === undefined) return;
    const { embedded, cacheHits, tokens, requests } = told;
    told = { ...counts };
    onCounted({
      embedded: counts.embedded - embedded,
      cacheHits: counts.cacheHits - cacheHits,
      tokens: counts.tokens - tokens,
      requests: counts.requests - requests,
    });
  }

  /** Embeds a batch; when the model does not take one of the texts, halves it until only that text fails. */
  async function embedApart(requests: readonly Request[]): Promise<BatchOutcome<Resolved>[]> {
    try {
      const texts = requests.map(({ text }) => text);
      const { vectors, tokens, parts } = await embedder.embed(texts, { purpose: 'document', signal });
      assertShape(vectors, texts.length);
      counts.embedded += texts.length;
      for (const count of tokens) counts.tokens += count;
      if (embedder.terms) counts.requests += requestsFor(embedder.terms, texts.length, parts);
      tell();
      return vectors.map((vector, index) => ({ value: { vector, inParts: (parts?.[index] ?? 1) > 1 } }));
    } catch (error) {
      // A provider that has taken no text yet does not like the requests, not one of the texts.
      const concernsText =
        isAquiferError(error, 'too-large') || (isAquiferError(error, 'model-rejected') && counts.embedded > 0);
      if (!concernsText) throw error;
      if (requests.length === 1) return [{ error: asFaultOfText(error) }];
      const middle = requests.length >> 1;
      return [...(await embedApart(requests.slice(0, middle))), ...(await embedApart(requests.slice(middle)))];
    }
  }

  function assertShape(vectors: readonly Float32Array[], expected: number): void {
    const odd = vectors.find((vector) => vector.length !== embedder.dimensions);
    if (vectors.length === expected && odd === undefined) return;
    const { provider, model } = embedder.fingerprint;
    throw new AquiferError(
      'model-failed',
      `The embedder ${provider} ${model} gave ${vectors.length} vectors${odd ? ` of ${odd.length} dimensions` : ''} ` +
        `for ${expected} texts; ${expected} of ${embedder.dimensions} dimensions were expected.`,
    );
  }

  async function resolveOne(request: Request): Promise<Resolved> {
    if (!(await isCached(request.key))) return embed(request);
    counts.cacheHits += 1;
    return {};
  }

  return {
    counts,
    async resolve(chunks) {
      const owned: string[] = [];
      const release = () => {
        for (const key of owned.splice(0)) inFlight.delete(key);
      };
      const writes: ChunkWrite[] = [];
      let inParts = 0;
      const spill = chunks.length > windowChunks;
      try {
        for (let start = 0; start < chunks.length; start += windowChunks) {
          const window = chunks.slice(start, start + windowChunks);
          const requests = window.map((chunk) => {
            const text = embeddedText(chunk);
            return { key: keyOf(text), text, spill };
          });
          const promises = requests.map((request) => {
            const shared = inFlight.get(request.key);
            if (shared) {
              counts.cacheHits += 1;
              return shared;
            }
            const promise = resolveOne(request);
            inFlight.set(request.key, promise);
            owned.push(request.key);
            return promise;
          });
          // All of them, so that no rejection is left without a listener when one fails.
          const results = await untilAborted(Promise.allSettled(promises), signal);
          for (const [index, result] of results.entries()) {
            if (result.status === 'rejected') throw result.reason;
            const chunk = window[index] as Chunk;
            const embeddingKey = requests[index]?.key as string;
            const { vector } = result.value;
            if (result.value.inParts) inParts += 1;
            writes.push(vector === undefined ? { embeddingKey, ...chunk } : { embeddingKey, vector, ...chunk });
          }
          // Equal texts find them in the cache now.
          if (spill) release();
        }
        tell();
      } catch (error) {
        release();
        throw error;
      }
      return { writes, inParts, release };
    },
  };
}
