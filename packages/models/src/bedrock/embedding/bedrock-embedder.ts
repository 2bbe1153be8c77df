import {
  AquiferError,
  type BedrockFamily,
  type BedrockResource,
  type Embedder,
  type EmbedderTerms,
  parseBedrockModelId,
  type SharedQuota,
} from '@aquifer/contracts';
import { createPacedEmbedder, type EmbeddedBatch } from '../../pacing/paced-embedder.js';
import type { Pacer } from '../../pacing/pacer.js';
import { type BedrockConnection, bedrockAddress, bedrockClient } from '../bedrock-client.js';
import { inputTooLong } from '../bedrock-errors.js';
import { bedrockPacer } from '../bedrock-pacer.js';
import { hiddenModel } from '../hidden-model.js';
import { invokeModel } from '../invoke-model.js';
import { describeModel, type ModelDescription } from '../model-catalogue.js';
import { cohere } from './cohere.js';
import type { BedrockEmbeddingType, EmbeddingFamily, EmbeddingSettings } from './embedding-family.js';
import { titanMultimodal } from './titan-multimodal.js';
import { titanTextV1 } from './titan-text-v1.js';
import { titanTextV2 } from './titan-text-v2.js';

export interface BedrockEmbedderOptions {
  /**
   * A model id, inference-profile id or ARN: `amazon.titan-embed-text-v2:0`, `cohere.embed-multilingual-v3`. The ARN of something in an account
   * with the model behind it: `arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123@amazon.titan-embed-text-v2:0`.
   */
  readonly model: string;
  /** Default: the model's own, such as 1,024. */
  readonly dimensions?: number;
  /** Vectors of length 1. Default true. */
  readonly normalise?: boolean;
  /**
   * `binary` asks for one bit a dimension, of models that have it; vectors are then of +1 and -1, scaled to length 1. It saves network
   * and is some points of recall worse. Default `float`.
   */
  readonly embeddingType?: BedrockEmbeddingType;
  readonly connection?: BedrockConnection;
  /** The account's quotas: AWS sets them per account, so the catalogue has none. Without one the rate is found out. */
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  /** The account's price. Default: the catalogue's. */
  readonly usdPerMillionTokens?: number;
  /** Keeps count where other processes use the same quota. Not with a pacer of one's own, which has that itself. */
  readonly sharedQuota?: SharedQuota | undefined;
  /** Default: the one that all requests of this process to this model at this address share. */
  readonly pacer?: Pacer;
}

/** How each family of embedding models is spoken with. */
const families: Partial<Record<BedrockFamily, EmbeddingFamily>> = {
  'titan-embed-text-v1': titanTextV1,
  'titan-embed-text-v2': titanTextV2,
  'titan-embed-image': titanMultimodal,
  'cohere-embed': cohere,
};

/**
 * As for ONNX models of this kind, measured with bench/ranking.mjs: sentence embedders of very different sizes were best with the same weight
 * over the same number of candidates. No Bedrock model could be measured here.
 */
const fusion = { fusionWeight: 0.55, fusionCandidates: 600 };

/**
 * An embedding model of Amazon Bedrock by its id. Nothing is asked before the first `embed`, so a model that the account may not use shows then.
 *
 * The fingerprint names the model without inference profile or ARN: vectors of `us.cohere.embed-v4:0` and `cohere.embed-v4:0` are the same. A
 * custom or imported model has weights of its own, and its ARN in the fingerprint.
 *
 * @throws `model-not-found` for an id of no known family. `invalid-options` for a model that does not embed, for an ARN that does not say which
 *   model it is, for dimensions or a type that it does not have, and for a client that retries by itself.
 *
 * @example
 * const embedder = await createBedrockEmbedder({ model: 'amazon.titan-embed-text-v2:0', dimensions: 512, connection: { region: 'eu-central-1' } });
 * const { vectors } = await embedder.embed(['How do I reset my password?'], { purpose: 'query' });
 */
export async function createBedrockEmbedder(options: BedrockEmbedderOptions): Promise<Embedder> {
  const { connection = {}, normalise = true, embeddingType: type = 'float' } = options;
  const { id: modelId, family, baseId, region, resource, description } = knownEmbeddingModel(options.model);
  const dimensions = knownDimensions(options.dimensions, description, modelId);
  if (type === 'binary' && !family.hasBinary) {
    throw new AquiferError('invalid-options', `${modelId} has no binary embeddings. Leave embeddingType out.`);
  }
  // The ARN of a resource says in which region it is.
  const client = await bedrockClient({ ...(region !== undefined && { region }), ...connection });
  const address = await bedrockAddress(client);
  const context = { modelId, ...address };
  const settings: EmbeddingSettings = { model: baseId, dimensions, normalise, type };
  const terms = termsOf(options, description);
  const pacer = options.pacer ?? bedrockPacer(modelId, address, terms, options.sharedQuota);
  return createPacedEmbedder(
    {
      fingerprint: {
        provider: 'bedrock',
        model: resource !== undefined && ownWeights.has(resource) ? modelId : baseId,
        dimensions,
        normalised: normalise,
        ...(type === 'binary' && { revision: 'binary' }),
      },
      dimensions,
      maxInputTokens: description.maxInputTokens ?? 512,
      maxCharacters: family.maxCharacters?.(baseId),
      maxBatch: terms.textsPerRequest,
      ...fusion,
      terms,
      async embedBatch(texts, { purpose, signal }) {
        const body = family.request(texts, purpose, settings);
        const response = await invokeModel(client, { body, signal, context });
        const batch = read(family, response.body, settings, modelId);
        return { ...batch, tokens: batch.tokens ?? response.inputTokens };
      },
      isTooLong: (error) => inputTooLong(error) !== undefined,
    },
    pacer,
  );
}

/** What has weights of its own, and so vectors of its own, whatever model it was made from. */
const ownWeights: ReadonlySet<BedrockResource> = new Set(['custom-model', 'custom-model-deployment', 'imported-model']);

function knownEmbeddingModel(modelId: string) {
  const parsed = parseBedrockModelId(modelId);
  const known = describeModel(modelId);
  if (parsed === undefined || known === undefined) {
    throw new AquiferError(
      'model-not-found',
      `"${modelId}" is no id of a Bedrock model that is known here. Embedding models are amazon.titan-embed-text-v2:0, cohere.embed-multilingual-v3 and others.`,
    );
  }
  if (parsed.hidesModel) throw hiddenModel(modelId, 'amazon.titan-embed-text-v2:0');
  const family = families[parsed.family];
  if (family === undefined) {
    throw new AquiferError(
      'invalid-options',
      `${modelId} makes no embeddings. Use an embedding model, such as amazon.titan-embed-text-v2:0.`,
    );
  }
  return { ...parsed, family, description: known.description };
}

function knownDimensions(wanted: number | undefined, { dimensions = [] }: ModelDescription, modelId: string): number {
  const [usual] = dimensions;
  if (wanted === undefined && usual !== undefined) return usual;
  if (wanted !== undefined && dimensions.includes(wanted)) return wanted;
  throw new AquiferError(
    'invalid-options',
    `${modelId} has no embeddings of ${wanted} dimensions. It has: ${dimensions.join(', ')}.`,
  );
}

function termsOf(options: BedrockEmbedderOptions, description: ModelDescription): EmbedderTerms {
  const usdPerMillionTokens = options.usdPerMillionTokens ?? description.usdPerMillionInputTokens;
  const { requestsPerMinute, tokensPerMinute } = options;
  return {
    textsPerRequest: description.textsPerRequest ?? 1,
    ...(usdPerMillionTokens !== undefined && { usdPerMillionTokens }),
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    ...(tokensPerMinute !== undefined && { tokensPerMinute }),
  };
}

function read(family: EmbeddingFamily, body: unknown, settings: EmbeddingSettings, modelId: string): EmbeddedBatch {
  try {
    return family.read(body, settings);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new AquiferError('model-failed', `The answer of ${modelId} cannot be read: ${error.message}.`, {
      cause: error,
    });
  }
}
