import { type BedrockFamily, parseBedrockModelId } from '@aquifer/contracts';
import { type CatalogueEntry, catalogueEntries, pricesAsOf } from './model-catalogue-entries.js';

export type BedrockModelKind = 'embedding' | 'text' | 'image' | 'rerank';

/** What is known of a model on Amazon Bedrock. What is absent is not known, or not verified. Quotas are the account's and not listed. */
export interface ModelDescription {
  /** Base id, without inference profile and ARN. */
  readonly id: string;
  /** First part of the id: `amazon`, `anthropic`, … */
  readonly provider: string;
  readonly family: BedrockFamily;
  readonly kind: BedrockModelKind;
  /** Tokens of prompt and answer together. */
  readonly contextTokens?: number;
  readonly maxOutputTokens?: number;
  /** Of an embedding model: tokens of one text. */
  readonly maxInputTokens?: number;
  /** Of an embedding model: what it can give, the default first. */
  readonly dimensions?: readonly number[];
  /** Of an embedding model: most texts of one request. */
  readonly textsPerRequest?: number;
  /** On demand in us-east-1. A regional inference profile of some models costs more; {@link describeModel} counts it in. */
  readonly usdPerMillionInputTokens?: number;
  readonly usdPerMillionOutputTokens?: number;
  /** Of a reranker. A query is of up to 100 texts; one of more than 512 tokens, the question's included, counts as several. */
  readonly usdPerThousandQueries?: number;
  /** Month in which these prices were published: `2026-11`. */
  readonly pricesAsOf?: string;
  /** Of a text model: whether its answers come as a stream. */
  readonly streams?: boolean;
  /** Takes passages as `search_result` blocks and cites them itself. */
  readonly citesNatively?: boolean;
  /** AWS has announced its end, or it is past it. */
  readonly isLegacy?: boolean;
  readonly note?: string;
}

/** What holds for every model of a family, unless the table says otherwise. */
const familyDefaults: Readonly<Record<BedrockFamily, Partial<ModelDescription> & Pick<ModelDescription, 'kind'>>> = {
  'titan-embed-text-v1': { kind: 'embedding', dimensions: [1536], maxInputTokens: 8192, textsPerRequest: 1 },
  'titan-embed-text-v2': { kind: 'embedding', dimensions: [1024, 512, 256], maxInputTokens: 8192, textsPerRequest: 1 },
  'titan-embed-image': { kind: 'embedding', dimensions: [1024, 384, 256], maxInputTokens: 256, textsPerRequest: 1 },
  'cohere-embed': { kind: 'embedding', dimensions: [1024], maxInputTokens: 512, textsPerRequest: 96 },
  'claude-messages': {
    kind: 'text',
    contextTokens: 200_000,
    maxOutputTokens: 4096,
    streams: true,
    // Every Claude since 3.5 does; a model of the future will.
    citesNatively: true,
  },
  'claude-completions': { kind: 'text', contextTokens: 100_000, maxOutputTokens: 4096, streams: true, isLegacy: true },
  jurassic: { kind: 'text', contextTokens: 8191, maxOutputTokens: 8191, streams: false, isLegacy: true },
  jamba: { kind: 'text', contextTokens: 256_000, maxOutputTokens: 4096, streams: true },
  'titan-text': { kind: 'text', contextTokens: 4096, maxOutputTokens: 3072, streams: true, isLegacy: true },
  nova: { kind: 'text', contextTokens: 128_000, maxOutputTokens: 10_000, streams: true },
  'titan-image': { kind: 'image' },
  'stable-diffusion': { kind: 'image', isLegacy: true },
  'stability-image': { kind: 'image' },
  rerank: { kind: 'rerank', contextTokens: 32_000 },
  converse: { kind: 'text', contextTokens: 8192, maxOutputTokens: 2048, streams: true },
};

/** All models that are known by name, by kind and then as they are listed in the source. */
export const modelCatalogue: readonly ModelDescription[] = catalogueEntries.map(describeEntry);

const byId = new Map(modelCatalogue.map((description) => [description.id, description]));

/**
 * What is known about a model by its id, inference-profile id or ARN. An id that is not in the table but belongs to a family gets what holds
 * for the family, and `isKnown` false; undefined where there is no such family. A version suffix such as `:0:8k` makes no difference. Of what is
 * not charged by the token, such as provisioned throughput, there is no price.
 *
 * @example
 * describeModel('us.anthropic.claude-haiku-4-5-20251001-v1:0')?.description.usdPerMillionInputTokens; // 1.1
 */
export function describeModel(
  id: string,
): { readonly description: ModelDescription; readonly isKnown: boolean } | undefined {
  const parsed = parseBedrockModelId(id);
  if (parsed === undefined) return undefined;
  const { baseId, family, inferenceProfile, resource } = parsed;
  const known = byId.get(baseId) ?? byId.get(baseId.replace(/(:\d+):\d+k$/, '$1'));
  if (known === undefined) {
    const description = { id: baseId, provider: providerOf(baseId), family, ...familyDefaults[family] };
    return { description, isKnown: false };
  }
  // An application inference profile costs what its model does. Capacity that is rented costs by the hour, and a router chooses the model.
  if (resource !== undefined && resource !== 'application-inference-profile') {
    return { description: withoutPrice(known), isKnown: true };
  }
  const percent = inferenceProfile === undefined || inferenceProfile === 'global' ? 0 : surchargePercent(known.id);
  return { description: percent === 0 ? known : withSurcharge(known, percent), isKnown: true };
}

function describeEntry({ id, prices, regionalProfilePercent: _, ...entry }: CatalogueEntry): ModelDescription {
  const family = parseBedrockModelId(id)?.family;
  if (family === undefined) throw new Error(`${id} is in the catalogue and in no family.`);
  const [input, output] = prices ?? [];
  return {
    id,
    provider: providerOf(id),
    family,
    ...familyDefaults[family],
    ...entry,
    ...(input !== undefined && { usdPerMillionInputTokens: input }),
    ...(output !== undefined && { usdPerMillionOutputTokens: output }),
    ...((prices ?? entry.usdPerThousandQueries) !== undefined && { pricesAsOf }),
  };
}

function providerOf(id: string): string {
  return /^[a-z0-9]+(?=\.)/.exec(id)?.[0] ?? 'unknown';
}

function surchargePercent(id: string): number {
  return catalogueEntries.find((entry) => entry.id === id)?.regionalProfilePercent ?? 0;
}

function withoutPrice(description: ModelDescription): ModelDescription {
  const {
    usdPerMillionInputTokens: _input,
    usdPerMillionOutputTokens: _output,
    usdPerThousandQueries: _queries,
    pricesAsOf: _asOf,
    ...rest
  } = description;
  return rest;
}

function withSurcharge(description: ModelDescription, percent: number): ModelDescription {
  const { usdPerMillionInputTokens: input, usdPerMillionOutputTokens: output } = description;
  const raised = (usd: number): number => Math.round(usd * (100 + percent) * 100) / 10_000;
  return {
    ...description,
    ...(input !== undefined && { usdPerMillionInputTokens: raised(input) }),
    ...(output !== undefined && { usdPerMillionOutputTokens: raised(output) }),
  };
}
