import type { Embedder, EmbedderTerms } from '@aquifer/contracts';

export interface EmbeddingWindow {
  readonly embedBatchSize: number;
  readonly embedConcurrency: number;
  /** Whether batches wait until they are full while others are in flight: where a request takes many texts, quotas count requests. */
  readonly fillBatches: boolean;
  /** Documents in work, so that the shortest, of one chunk each, fill all batches. */
  readonly documentConcurrency: number;
}

/**
 * How many texts are on their way to an embedder at once. Behind a network there must be enough that whoever paces the requests never
 * waits for work, in batches small enough that a killed run has paid for little that is not stored yet.
 */
export function embeddingWindow({ terms }: Pick<Embedder, 'terms'>): EmbeddingWindow {
  if (terms === undefined)
    return { embedBatchSize: 64, embedConcurrency: 2, fillBatches: false, documentConcurrency: 128 };
  const embedBatchSize = Math.max(16, terms.textsPerRequest);
  const embedConcurrency = 16;
  const documentConcurrency = embedBatchSize * embedConcurrency;
  return { embedBatchSize, embedConcurrency, fillBatches: terms.textsPerRequest > 1, documentConcurrency };
}

/** Requests that a provider is sent for so many texts, some of them in parts. */
export function requestsFor({ textsPerRequest }: EmbedderTerms, texts: number, parts: readonly number[] = []): number {
  const inputs = texts + parts.reduce((sum, count) => sum + count - 1, 0);
  return Math.ceil(inputs / textsPerRequest);
}

/** What a run cost or would cost, as far as the provider's terms are known. */
export function chargesFor(
  terms: EmbedderTerms | undefined,
  { tokens, requests }: { readonly tokens: number; readonly requests: number },
  isEstimate: boolean,
): { readonly costUsd?: number; readonly minutesAtQuota?: number } {
  if (terms === undefined) return {};
  const { usdPerMillionTokens, tokensPerMinute, requestsPerMinute } = terms;
  const minutes = [
    ...(tokensPerMinute === undefined ? [] : [tokens / tokensPerMinute]),
    ...(requestsPerMinute === undefined ? [] : [requests / requestsPerMinute]),
  ];
  return {
    ...(usdPerMillionTokens !== undefined && { costUsd: (tokens * usdPerMillionTokens) / 1e6 }),
    ...(isEstimate && minutes.length > 0 && { minutesAtQuota: Math.max(...minutes) }),
  };
}
