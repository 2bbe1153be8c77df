import type { TokenCounter } from './chunk.js';

/** What must be equal for two vectors to be comparable. */
export interface EmbedderFingerprint {
  /** Such as `builtin`, `onnx`, `bedrock`. */
  readonly provider: string;
  readonly model: string;
  readonly dimensions: number;
  readonly normalised: boolean;
  /** Version of the algorithm, hash of the weights, or anything else that changes the numbers. */
  readonly revision?: string;
}

/** The fingerprint as one line: key of caches, text of messages. */
export function fingerprintText(fingerprint: EmbedderFingerprint): string {
  const { provider, model, dimensions, normalised, revision } = fingerprint;
  return [provider, model, `${dimensions}d`, normalised ? 'normalised' : 'raw', revision ?? ''].join('|');
}

export type EmbedPurpose = 'query' | 'document';

export interface EmbedOptions {
  readonly purpose: EmbedPurpose;
  readonly signal?: AbortSignal;
}

export interface Embeddings {
  /** One vector of `dimensions` finite numbers per text, in order. */
  readonly vectors: Float32Array[];
  /** Tokens that the model took, per text, as the model itself counts them. */
  readonly tokens: number[];
  /**
   * Per text, into how many parts it was cut because the model takes no more at once; the vector is then the mean of theirs, weighted by
   * tokens. Absent where no text was.
   */
  readonly parts?: readonly number[];
}

/** What a provider asks and allows, for estimates before anything is paid. */
export interface EmbedderTerms {
  readonly usdPerMillionTokens?: number;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  /** Most texts of one request. */
  readonly textsPerRequest: number;
}

/**
 * Texts in, vectors out.
 *
 * A text of more than `maxInputTokens` is never cut silently: `embed` rejects with `too-large`, or embeds it in parts and says so (`parts`).
 * It also rejects with `model-not-found`, `model-failed`, `missing-dependency` or `aborted`; a model behind a network, also with
 * `credentials-refused`, `model-access-denied`, `model-rejected`, `model-throttled` or `model-unavailable`. An empty list gives empty lists.
 */
export interface Embedder {
  readonly fingerprint: EmbedderFingerprint;
  readonly dimensions: number;
  readonly maxInputTokens: number;
  /**
   * Share of the dense leg in hybrid search, 0 to 1 (Bruch, Gai, Ingber 2023, "An Analysis of Fusion Functions for
   * Hybrid Retrieval"): a weak embedder must not count as much as a good one, so the weight belongs to its description.
   */
  readonly fusionWeight: number;
  /**
   * How many of each leg's best are fused. It goes with the weight, because cosines are scaled between the best and the worst of
   * them: a model whose cosines order a long list well deserves the long list. Default 100.
   */
  readonly fusionCandidates?: number;
  /** The model's own tokenizer, where it has one at hand. Counts include prefixes and special tokens. */
  readonly tokenCounter?: TokenCounter;
  /** Present where somebody else runs the model. */
  readonly terms?: EmbedderTerms;
  embed(texts: readonly string[], options: EmbedOptions): Promise<Embeddings>;
  close?(): Promise<void>;
}
