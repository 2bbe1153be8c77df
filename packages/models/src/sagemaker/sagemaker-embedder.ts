import { AquiferError, type Embedder } from '@aquifer/contracts';
import { bedrockAddress } from '../bedrock/bedrock-client.js';
import { readEmbeddings } from '../openai/embeddings.js';
import { findDimensions } from '../pacing/find-dimensions.js';
import { createPacedEmbedder, type EmbeddedBatch } from '../pacing/paced-embedder.js';
import type { Pacer } from '../pacing/pacer.js';
import { sharedPacer } from '../pacing/shared-pacers.js';
import { describeServedModel, type ServedModelOptions } from '../served-model.js';
import { endpointLabel, invokeEndpoint } from './invoke-endpoint.js';
import { type SageMakerEndpoint, sageMakerClient } from './sagemaker-client.js';
import type { SageMakerRequestContext } from './sagemaker-errors.js';

export interface SageMakerEmbedderOptions extends SageMakerEndpoint, ServedModelOptions {
  /**
   * What the container takes. `inputs`: `{"inputs": […]}`, of Hugging Face's Text Embeddings Inference and of most inference.py. `openai`:
   * the body of OpenAI's embeddings, of vLLM. Default `inputs`.
   */
  readonly format?: 'inputs' | 'openai';
  /**
   * Which model it is, as hubs name it (`BAAI/bge-m3`): its prefixes and limits are then known, and another endpoint with the same model
   * continues the same index. Default: unknown, and the endpoint's name stands for it.
   */
  readonly model?: string;
  /** Default: found with the embedding of one word. */
  readonly dimensions?: number;
  /** Most texts of one request. Default 32, which is what Text Embeddings Inference takes. */
  readonly textsPerRequest?: number;
  /** Default: the one that all requests of this process to this endpoint share. */
  readonly pacer?: Pacer;
}

const defaultMaxTokens = 512;

/**
 * An embedding model on an Amazon SageMaker endpoint of one's own account.
 *
 * A container that cuts long texts is told not to (`"truncate": false`, which Text Embeddings Inference obeys): what it refuses is embedded in
 * parts. Containers do not count tokens; the counts are estimates.
 *
 * @throws `invalid-options`, and what an {@link Embedder} behind a network rejects with.
 *
 * @example
 * const embedder = await createSageMakerEmbedder({ endpoint: 'bge-m3', model: 'BAAI/bge-m3', connection: { region: 'eu-central-1' } });
 * const { vectors } = await embedder.embed(['How do I reset my password?'], { purpose: 'query' });
 */
export async function createSageMakerEmbedder(options: SageMakerEmbedderOptions): Promise<Embedder> {
  const { endpoint, inferenceComponent, format = 'inputs', connection } = options;
  if (endpoint.trim() === '') throw new AquiferError('invalid-options', 'Name an endpoint: sagemaker:<endpoint>.');
  const client = await sageMakerClient(connection);
  const { region, endpoint: address } = await bedrockAddress(client);
  const context: SageMakerRequestContext = {
    endpointName: endpoint,
    ...(region !== undefined && { region }),
    ...(address !== undefined && { address }),
  };
  const pacer =
    options.pacer ??
    sharedPacer(`sagemaker|${address ?? ''}|${endpoint}|${inferenceComponent ?? ''}`, { name: endpointLabel(context) });
  const served = describeServedModel(options.model ?? '', options);

  async function embed(texts: readonly string[], signal: AbortSignal): Promise<EmbeddedBatch> {
    const body =
      format === 'openai'
        ? { ...(options.model !== undefined && { model: options.model }), input: texts, encoding_format: 'float' }
        : { inputs: texts, truncate: false };
    const response = await invokeEndpoint(client, {
      endpoint,
      ...(inferenceComponent !== undefined && { inferenceComponent }),
      body,
      signal,
      context,
    });
    const label = endpointLabel(context);
    return format === 'openai' ? readEmbeddings(response, label) : { vectors: readVectors(response, label) };
  }

  const dimensions = options.dimensions ?? (await findDimensions(pacer, (signal) => embed(['dimensions'], signal)));
  const textsPerRequest = options.textsPerRequest ?? 32;
  return createPacedEmbedder(
    {
      fingerprint: {
        provider: 'sagemaker',
        model: options.model ?? (inferenceComponent === undefined ? endpoint : `${endpoint}/${inferenceComponent}`),
        dimensions,
        normalised: true,
        ...(served.prefixRevision && { revision: served.prefixRevision }),
      },
      dimensions,
      maxInputTokens: served.maxInputTokens ?? defaultMaxTokens,
      fusionWeight: served.fusionWeight,
      fusionCandidates: served.fusionCandidates,
      maxBatch: textsPerRequest,
      terms: { textsPerRequest },
      embedBatch: (texts, { purpose, signal }) => embed(served.withPrefix(texts, purpose), signal),
      close: async () => {
        if (!connection?.client) client.destroy();
      },
    },
    pacer,
  );
}

/** `[[…]]`, or the same under one of the names that containers give it. */
function readVectors(response: unknown, label: string): readonly (readonly number[])[] {
  const { embeddings, vectors, embedding } = Object(response) as Record<string, unknown>;
  const list = [response, embeddings, vectors, embedding].find(Array.isArray) as unknown[] | undefined;
  if (list === undefined || !list.every(Array.isArray)) {
    throw new AquiferError(
      'model-failed',
      `${label} gave no list of vectors: ${JSON.stringify(response)?.slice(0, 120)}. Is its format another one (option format)?`,
    );
  }
  if (list.some((vector) => Array.isArray((vector as unknown[])[0]))) {
    throw new AquiferError(
      'model-failed',
      `${label} gives a vector for every token instead of one for the text. Deploy the model with Text Embeddings Inference, or pool in its inference.py.`,
    );
  }
  return list as number[][];
}
