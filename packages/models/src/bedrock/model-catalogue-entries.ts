import type { ModelDescription } from './model-catalogue.js';

/** A row of the table: what differs from the model's family. */
export interface CatalogueEntry
  extends Partial<
    Omit<
      ModelDescription,
      'id' | 'provider' | 'family' | 'usdPerMillionInputTokens' | 'usdPerMillionOutputTokens' | 'pricesAsOf'
    >
  > {
  readonly id: string;
  /** USD per million tokens: input, output. */
  readonly prices?: readonly [input: number, output?: number];
  /** What an inference profile of a region (`us.`, `eu.`, not `global.`) costs more. */
  readonly regionalProfilePercent?: number;
}

const thousand = 1000;
const million = 1_000_000;

/** When the prices below were looked up. */
export const pricesAsOf = '2026-11';

/**
 * Prices on demand in us-east-1, where two public lists agreed; they may have changed since. A model without a price here has one that could not be verified.
 *
 * Sources: https://aws.amazon.com/bedrock/pricing/, https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html and
 * …/model-lifecycle.html, …/model-parameters-embed-v3.html (96 texts of 2,048 characters), …/titan-multiemb-models.html (256 tokens; it said 128 once).
 */
export const catalogueEntries: readonly CatalogueEntry[] = [
  { id: 'amazon.titan-embed-text-v2:0', prices: [0.02] },
  { id: 'amazon.titan-embed-text-v1', prices: [0.1] },
  { id: 'amazon.titan-embed-g1-text-02', prices: [0.1] },
  {
    id: 'amazon.titan-embed-image-v1',
    prices: [0.8],
    note: 'short texts only',
  },
  { id: 'cohere.embed-english-v3', prices: [0.1], note: 'English only' },
  { id: 'cohere.embed-multilingual-v3', prices: [0.1] },
  {
    id: 'cohere.embed-v4:0',
    prices: [0.12],
    dimensions: [1536, 1024, 512, 256],
    maxInputTokens: 128 * thousand,
  },

  claude('sonnet-4-6', [3, 15], { contextTokens: million, maxOutputTokens: 64 * thousand, regionalProfilePercent: 10 }),
  claude('opus-4-8', [5, 25], { contextTokens: million, maxOutputTokens: 128 * thousand, regionalProfilePercent: 10 }),
  claude('opus-4-7', [5, 25], { contextTokens: million, maxOutputTokens: 128 * thousand, regionalProfilePercent: 10 }),
  claude('opus-4-6-v1', [5, 25], {
    contextTokens: million,
    maxOutputTokens: 128 * thousand,
    regionalProfilePercent: 10,
  }),
  // The price of its first months has ended, and what holds now could not be verified.
  claude('sonnet-5', undefined, { contextTokens: million, maxOutputTokens: 128 * thousand }),
  claude('opus-4-5-20251101-v1:0', [5, 25], { maxOutputTokens: 64 * thousand, regionalProfilePercent: 10 }),
  claude('haiku-4-5-20251001-v1:0', [1, 5], { maxOutputTokens: 64 * thousand, regionalProfilePercent: 10 }),
  claude('sonnet-4-5-20250929-v1:0', [3, 15], { maxOutputTokens: 64 * thousand, regionalProfilePercent: 10 }),
  claude('opus-4-1-20250805-v1:0', [15, 75], { maxOutputTokens: 32 * thousand }),
  claude('opus-4-20250514-v1:0', [15, 75], { maxOutputTokens: 32 * thousand, isLegacy: true }),
  claude('sonnet-4-20250514-v1:0', [3, 15], { maxOutputTokens: 64 * thousand }),
  claude('3-7-sonnet-20250219-v1:0', [3, 15], { maxOutputTokens: 8192, isLegacy: true }),
  claude('3-5-haiku-20241022-v1:0', [0.8, 4], { maxOutputTokens: 8192, isLegacy: true }),
  claude('3-5-sonnet-20241022-v2:0', [3, 15], { maxOutputTokens: 8192, isLegacy: true }),
  claude('3-5-sonnet-20240620-v1:0', [3, 15], { citesNatively: false, isLegacy: true }),
  claude('3-haiku-20240307-v1:0', [0.25, 1.25], { citesNatively: false, isLegacy: true }),
  claude('3-sonnet-20240229-v1:0', [3, 15], { citesNatively: false, isLegacy: true }),
  claude('3-opus-20240229-v1:0', [15, 75], { citesNatively: false, isLegacy: true }),
  claude('v2:1', [8, 24], { contextTokens: 200 * thousand }),
  claude('v2', [8, 24]),
  claude('instant-v1', [0.8, 2.4]),

  { id: 'amazon.nova-2-lite-v1:0', prices: [0.3, 2.5], contextTokens: million, regionalProfilePercent: 10 },
  { id: 'amazon.nova-premier-v1:0', prices: [2.5, 12.5], contextTokens: million },
  { id: 'amazon.nova-pro-v1:0', prices: [0.8, 3.2], contextTokens: 300 * thousand },
  { id: 'amazon.nova-lite-v1:0', prices: [0.06, 0.24], contextTokens: 300 * thousand },
  { id: 'amazon.nova-micro-v1:0', prices: [0.035, 0.14] },

  { id: 'ai21.jamba-1-5-large-v1:0', prices: [2, 8] },
  { id: 'ai21.jamba-1-5-mini-v1:0', prices: [0.2, 0.4] },
  // Lists disagree on its context; the smaller figure is the safe one.
  { id: 'ai21.jamba-instruct-v1:0', prices: [0.5, 0.7], contextTokens: 70 * thousand, isLegacy: true },
  { id: 'ai21.j2-ultra-v1', prices: [18.8, 18.8] },
  { id: 'ai21.j2-mid-v1', prices: [12.5, 12.5] },

  { id: 'amazon.titan-text-premier-v1:0', prices: [0.5, 1.5], contextTokens: 32 * thousand },
  { id: 'amazon.titan-text-express-v1', contextTokens: 8192, maxOutputTokens: 8192 },
  { id: 'amazon.titan-text-lite-v1', maxOutputTokens: 4096 },

  { id: 'meta.llama4-maverick-17b-instruct-v1:0', prices: [0.24, 0.97], contextTokens: 128 * thousand },
  { id: 'meta.llama4-scout-17b-instruct-v1:0', prices: [0.17, 0.66], contextTokens: 128 * thousand },
  { id: 'meta.llama3-3-70b-instruct-v1:0', prices: [0.72, 0.72], contextTokens: 128 * thousand },
  { id: 'meta.llama3-1-405b-instruct-v1:0', prices: [2.4, 2.4], contextTokens: 128 * thousand },
  { id: 'meta.llama3-1-70b-instruct-v1:0', prices: [0.72, 0.72], contextTokens: 128 * thousand },
  { id: 'meta.llama3-1-8b-instruct-v1:0', prices: [0.22, 0.22], contextTokens: 128 * thousand },
  { id: 'meta.llama3-70b-instruct-v1:0', prices: [2.65, 3.5] },
  { id: 'meta.llama3-8b-instruct-v1:0', prices: [0.3, 0.6] },
  { id: 'mistral.pixtral-large-2502-v1:0', prices: [2, 6], contextTokens: 128 * thousand },
  { id: 'mistral.mistral-large-2407-v1:0', contextTokens: 128 * thousand },
  { id: 'mistral.mistral-large-2402-v1:0', contextTokens: 32 * thousand },
  { id: 'mistral.mixtral-8x7b-instruct-v0:1', contextTokens: 32 * thousand },
  { id: 'mistral.mistral-7b-instruct-v0:2', contextTokens: 32 * thousand },
  { id: 'cohere.command-r-plus-v1:0', prices: [3, 15], contextTokens: 128 * thousand },
  { id: 'cohere.command-r-v1:0', prices: [0.5, 1.5], contextTokens: 128 * thousand },
  { id: 'deepseek.r1-v1:0', prices: [1.35, 5.4], contextTokens: 128 * thousand, maxOutputTokens: 8192 },
  { id: 'openai.gpt-oss-120b-1:0', contextTokens: 128 * thousand },
  { id: 'openai.gpt-oss-20b-1:0', contextTokens: 128 * thousand },

  { id: 'amazon.rerank-v1:0', usdPerThousandQueries: 1 },
  { id: 'cohere.rerank-v3-5:0', usdPerThousandQueries: 2 },

  { id: 'amazon.nova-canvas-v1:0' },
  { id: 'amazon.titan-image-generator-v2:0', isLegacy: true },
  { id: 'amazon.titan-image-generator-v1', isLegacy: true },
  { id: 'stability.stable-image-ultra-v1:1' },
  { id: 'stability.stable-image-core-v1:1' },
  { id: 'stability.sd3-5-large-v1:0' },
  { id: 'stability.stable-diffusion-xl-v1' },
];

function claude(
  name: string,
  prices?: readonly [number, number],
  more: Partial<Omit<CatalogueEntry, 'id' | 'prices'>> = {},
): CatalogueEntry {
  return { id: `anthropic.claude-${name}`, ...(prices !== undefined && { prices }), ...more };
}
