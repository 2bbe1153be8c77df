import { AquiferError } from '@aquifer/contracts';
import type { EmbeddedBatch } from '../pacing/paced-embedder.js';

interface EmbeddingsResponse {
  readonly data?: readonly { readonly index?: number; readonly embedding?: unknown }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly total_tokens?: number };
}

/**
 * The vectors of a response in OpenAI's format, in the order of the request whatever the order of the response.
 *
 * @param server As messages name it.
 * @throws `model-failed` for what is no such response.
 */
export function readEmbeddings(response: unknown, server: string): EmbeddedBatch {
  const { data, usage } = Object(response) as EmbeddingsResponse;
  if (!Array.isArray(data)) throw unreadable(server, response);
  const vectors: number[][] = [];
  for (const [place, item] of (data as NonNullable<EmbeddingsResponse['data']>).entries()) {
    const { index = place, embedding } = Object(item) as { index?: number; embedding?: unknown };
    if (!Array.isArray(embedding) || vectors[index] !== undefined) throw unreadable(server, response);
    vectors[index] = embedding;
  }
  if (vectors.length !== data.length) throw unreadable(server, response);
  const tokens = usage?.prompt_tokens ?? usage?.total_tokens;
  return { vectors, ...(typeof tokens === 'number' && tokens > 0 && { tokens }) };
}

function unreadable(server: string, response: unknown): AquiferError {
  const start = JSON.stringify(response)?.slice(0, 120);
  return new AquiferError('model-failed', `${server} gave no list of embeddings as OpenAI's API has it: ${start}`);
}
