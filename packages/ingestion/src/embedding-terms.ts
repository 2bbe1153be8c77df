import type { Embedder, EmbedderTerms } from '@aquifer/contracts';

/**
 * How many texts are on their way to an embedder at once. Behind a network there must be enough that whoever paces the requests never
 * waits for work, in batches small enough that a killed run has paid for little that is not stored yet.
 */
export function embeddingWindow({ terms }: Embedder): {
  readonly embedBatchSize: number;
  readonly embedConcurrency: number;
} {
  if (terms === undefined) return { embedBatchSize: 64, embedConcurrency: 2 };
  return { embedBatchSize: Math.max(16, terms.textsPerRequest), embedConcurrency: 16 };
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
