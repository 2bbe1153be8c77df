import { AquiferError, type Embedder } from '@aquifer/contracts';
import type { ModelServer } from '../http/model-server.js';
import { findDimensions } from '../pacing/find-dimensions.js';
import { createPacedEmbedder, type EmbeddedBatch } from '../pacing/paced-embedder.js';
import type { Pacer } from '../pacing/pacer.js';
import { describeServedModel, type ServedModelOptions } from '../served-model.js';
import { readEmbeddings } from './embeddings.js';
import { connectOpenAi, type OpenAiConnection, openAiPacer, openAiUrl } from './openai-server.js';

export interface OpenAiEmbedderOptions extends OpenAiConnection, ServedModelOptions {
  /** As the server names it: `text-embedding-3-small`, `BAAI/bge-m3`. */
  readonly model: string;
  /** Asked for where given; most models have one length only. Default: the model's own. */
  readonly dimensions?: number;
  /** Most texts of one request. Default: 256 at OpenAI; 32 elsewhere, which is what TEI takes. */
  readonly textsPerRequest?: number;
  /** Default: the one that everything in this process shares that uses this model at this address. */
  readonly pacer?: Pacer;
}

/** Source: https://platform.openai.com/docs/guides/embeddings and https://openai.com/api/pricing */
const ownModels: Readonly<Record<string, { readonly dimensions: number; readonly usdPerMillionTokens: number }>> = {
  'text-embedding-3-small': { dimensions: 1536, usdPerMillionTokens: 0.02 },
  'text-embedding-3-large': { dimensions: 3072, usdPerMillionTokens: 0.13 },
  'text-embedding-ada-002': { dimensions: 1536, usdPerMillionTokens: 0.1 },
};
const ownMaxTokens = 8191;
/** OpenAI refuses requests of more than 300,000 tokens; these are estimates. */
const ownBatchTokens = 200_000;
const defaultMaxTokens = 512;

/**
 * An embedding model behind OpenAI's API: OpenAI itself, or any server that speaks it.
 *
 * Nothing is sent before the first text where the number of dimensions is known or given; otherwise one word is embedded to find it. A server
 * that cuts long texts without saying so (Ollama under `/v1` does) must be told not to: only what is refused can be embedded in parts.
 *
 * ```ts
 * const embedder = await createOpenAiEmbedder({ model: 'BAAI/bge-m3', baseUrl: 'http://127.0.0.1:8080' });
 * const { vectors } = await embedder.embed(['How do I reset my password?'], { purpose: 'query' });
 * ```
 *
 * @throws `invalid-options`, and what an {@link Embedder} behind a network rejects with.
 */
export async function createOpenAiEmbedder(options: OpenAiEmbedderOptions): Promise<Embedder> {
  const { model } = options;
  if (model.trim() === '') throw new AquiferError('invalid-options', 'Name a model: openai:<model>.');
  const server = connectOpenAi(options, model);
  const own = ownModels[model];
  const isOpenAi = server.baseUrl === openAiUrl;
  const pacer = options.pacer ?? openAiPacer(server, model);
  const dimensions =
    options.dimensions ??
    own?.dimensions ??
    (await findDimensions(pacer, (signal) => requestEmbeddings(server, { model, input: ['dimensions'] }, signal)));
  const served = describeServedModel(model, options);
  const textsPerRequest = options.textsPerRequest ?? (isOpenAi ? 256 : 32);
  return createPacedEmbedder(
    {
      fingerprint: {
        provider: 'openai',
        model,
        dimensions,
        normalised: true,
        ...(served.prefixRevision && { revision: served.prefixRevision }),
      },
      dimensions,
      maxInputTokens: served.maxInputTokens ?? (own ? ownMaxTokens : defaultMaxTokens),
      fusionWeight: served.fusionWeight,
      fusionCandidates: served.fusionCandidates,
      maxBatch: textsPerRequest,
      ...(isOpenAi && { maxBatchTokens: ownBatchTokens }),
      terms: {
        textsPerRequest,
        ...(isOpenAi && own && { usdPerMillionTokens: own.usdPerMillionTokens }),
      },
      embedBatch: (texts, { purpose, signal }) =>
        requestEmbeddings(
          server,
          {
            model,
            input: served.withPrefix(texts, purpose),
            ...(options.dimensions !== undefined && { dimensions: options.dimensions }),
          },
          signal,
        ),
    },
    pacer,
  );
}

/** Source: https://platform.openai.com/docs/api-reference/embeddings/create */
async function requestEmbeddings(server: ModelServer, body: object, signal: AbortSignal): Promise<EmbeddedBatch> {
  const response = await server.json({ path: '/embeddings', body: { ...body, encoding_format: 'float' }, signal });
  return readEmbeddings(response, server.label);
}
