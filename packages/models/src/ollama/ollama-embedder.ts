import { AquiferError, type Embedder } from '@aquifer/contracts';
import { findDimensions } from '../pacing/find-dimensions.js';
import { createPacedEmbedder, type EmbeddedBatch } from '../pacing/paced-embedder.js';
import type { Pacer } from '../pacing/pacer.js';
import { describeServedModel, type ServedModelOptions } from '../served-model.js';
import { connectOllama, describeOllamaModel, type OllamaConnection, ollamaPacer } from './ollama-server.js';

export interface OllamaEmbedderOptions extends OllamaConnection, ServedModelOptions {
  /** As `ollama list` names it: `nomic-embed-text`. */
  readonly model: string;
  /** Asked for where given, of models that can give shorter vectors. Default: the model's own. */
  readonly dimensions?: number;
  /** Default: the one that everything in this process shares that uses this server. */
  readonly pacer?: Pacer;
}

const textsPerRequest = 32;
const defaultMaxTokens = 2048;
/** Ollama reserves memory for the context, and embedding models that take more are rare. */
const largestContext = 8192;

interface EmbedResponse {
  readonly embeddings?: readonly (readonly number[])[];
  readonly prompt_eval_count?: number;
}

/**
 * An embedding model of an Ollama server. Asks it about the model at once: dimensions, context and digest, which is in the fingerprint, so
 * that a model that was pulled again in another version is another model.
 *
 * Ollama cuts long texts without a word by default. Here it is told to refuse them, and they are embedded in parts.
 *
 * ```ts
 * const embedder = await createOllamaEmbedder({ model: 'nomic-embed-text' });
 * const { vectors } = await embedder.embed(['How do I reset my password?'], { purpose: 'query' });
 * ```
 *
 * @throws `model-not-found` with the command that fetches the model, `model-unavailable` where Ollama does not run, `invalid-options` for a
 *   model that only chats.
 */
export async function createOllamaEmbedder(options: OllamaEmbedderOptions): Promise<Embedder> {
  const server = connectOllama(options, options.model);
  const pacer = options.pacer ?? ollamaPacer(server);
  const described = await describeOllamaModel(server, options.model);
  const { name, digest, capabilities } = described;
  // Older versions do not list capabilities.
  if (capabilities.length > 0 && !capabilities.includes('embedding')) {
    throw new AquiferError('invalid-options', `${name} of ${server.label} is no embedding model (${capabilities}).`);
  }
  const served = describeServedModel(name, options);
  const known = [served.maxInputTokens, described.contextTokens].filter((limit) => limit !== undefined);
  const maxInputTokens = Math.min(largestContext, ...(known.length > 0 ? known : [defaultMaxTokens]));

  async function embed(input: readonly string[], signal: AbortSignal): Promise<EmbeddedBatch> {
    const body = {
      model: options.model,
      input,
      truncate: false,
      ...(options.dimensions !== undefined && { dimensions: options.dimensions }),
      ...(options.keepAlive !== undefined && { keep_alive: options.keepAlive }),
      options: { num_ctx: maxInputTokens },
    };
    const response = Object(await server.json({ path: '/api/embed', body, signal })) as EmbedResponse;
    const { embeddings, prompt_eval_count: tokens } = response;
    if (!Array.isArray(embeddings) || !embeddings.every(Array.isArray)) {
      const start = JSON.stringify(response).slice(0, 120);
      throw new AquiferError('model-failed', `${server.label} gave no list of embeddings: ${start}`);
    }
    return { vectors: embeddings, ...(tokens !== undefined && tokens > 0 && { tokens }) };
  }

  const dimensions =
    options.dimensions ??
    described.dimensions ??
    (await findDimensions(pacer, (signal) => embed(['dimensions'], signal)));
  const revision = [digest?.slice(0, 16), served.prefixRevision].filter(Boolean).join('-');
  return createPacedEmbedder(
    {
      fingerprint: { provider: 'ollama', model: name, dimensions, normalised: true, ...(revision && { revision }) },
      dimensions,
      maxInputTokens,
      fusionWeight: served.fusionWeight,
      fusionCandidates: served.fusionCandidates,
      terms: { usdPerMillionTokens: 0, textsPerRequest },
      maxBatch: textsPerRequest,
      embedBatch: (texts, { purpose, signal }) => embed(served.withPrefix(texts, purpose), signal),
    },
    pacer,
  );
}
