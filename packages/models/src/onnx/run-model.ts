import { join } from 'node:path';
import { AquiferError, type EmbedPurpose, isAquiferError } from '@aquifer/contracts';
import type { Tensor } from '@huggingface/transformers';
import type { Pooling } from './known-models.js';
import { loadTransformers } from './load-transformers.js';
import type { ModelFolder } from './model-folder.js';
import type { ModelTokenizer } from './model-tokenizer.js';
import { sessionSettings } from './session-settings.js';

export interface LoadedModel {
  /** @throws `too-large`, `model-failed` */
  embed(text: string, purpose: EmbedPurpose): Promise<{ readonly vector: Float32Array; readonly tokens: number }>;
}

/**
 * Loads the weights of a described model. Blocks its thread while a model runs, so call it in a worker.
 *
 * One text goes through the model at a time. The usual int8 models quantise activations over the whole batch
 * (DynamicQuantizeLinear), so that a vector would depend on the texts beside it: against the text alone, the cosine of
 * all-MiniLM-L6-v2 falls to 0.988 in batches of 4 to 32 sorted by length, that of multilingual-e5-small to 0.995. Vectors
 * that are cached and compared must depend on nothing but the text. It costs nothing: 53 texts of 200 tokens a second alone, 54
 * in batches of 16, both with two threads, because nothing is padded.
 */
export async function loadModel(
  description: ModelFolder,
  tokenizer: ModelTokenizer,
  threads: number,
): Promise<LoadedModel> {
  const { folder, dtype, subfolder, traits, fingerprint } = description;
  const { AutoModel, Tensor, env } = await loadTransformers();
  // A folder is a folder: whatever it lacks is an error, never a download.
  env.allowRemoteModels = false;
  const failed = (what: string, cause?: unknown): AquiferError =>
    new AquiferError('model-failed', `The model in ${folder} ${what}`, { cause });

  const model = await AutoModel.from_pretrained(folder, {
    dtype,
    subfolder,
    ...sessionSettings(threads),
  }).catch((error: unknown) => {
    throw failed(
      `could not be loaded (${join(subfolder, '…')}, ${dtype}): ${messageOf(error)} Fetch or export it again.`,
      error,
    );
  });

  return {
    async embed(text, purpose) {
      const prefix = purpose === 'query' ? traits.queryPrefix : traits.documentPrefix;
      const ids = tokenizer.encode(prefix + text);
      const tokens = ids.length;
      if (tokens > traits.maxTokens) {
        throw new AquiferError(
          'too-large',
          `A text has ${tokens} tokens and ${fingerprint.model} takes ${traits.maxTokens}. Split it: it begins with ${JSON.stringify(text.slice(0, 60))}.`,
        );
      }
      if (tokens === 0) ids.push(tokenizer.unknownId);
      const shape = [1, ids.length];
      let output: Record<string, Tensor>;
      try {
        output = (await model({
          input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), shape),
          attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), shape),
          token_type_ids: new Tensor('int64', new BigInt64Array(ids.length), shape),
        })) as Record<string, Tensor>;
      } catch (error) {
        throw isAquiferError(error) ? error : failed(`could not run: ${messageOf(error)}`, error);
      }
      const vector = pool(output, traits.pooling);
      if (vector === undefined) throw failed(`gives ${Object.keys(output).join(', ')}, and no embeddings.`);
      if (vector.length !== fingerprint.dimensions) {
        throw failed(
          `gives vectors of ${vector.length} numbers, while its config.json says ${fingerprint.dimensions}.`,
        );
      }
      let squares = 0;
      for (const value of vector) squares += value * value;
      const norm = Math.sqrt(squares);
      if (!Number.isFinite(norm))
        throw failed(`gives numbers that are not finite for ${JSON.stringify(text.slice(0, 60))}.`);
      // A text of which the model knows no token (emoji in a static model) still needs a direction for the cosine.
      if (norm === 0) vector[0] = 1;
      else if (traits.normalise) for (let index = 0; index < vector.length; index++) vector[index]! /= norm;
      return { vector, tokens };
    },
  };
}

/** One vector out of what the model gives: its own sentence embedding, or its token vectors pooled. */
function pool(output: Record<string, Tensor>, pooling: Pooling): Float32Array | undefined {
  const ready = output.sentence_embedding;
  if (ready !== undefined) return Float32Array.from(ready.data as Float32Array);
  const states = output.last_hidden_state ?? output.token_embeddings ?? Object.values(output)[0];
  if (states === undefined || (states.dims.length !== 3 && states.dims.length !== 2)) return undefined;
  const data = states.data as Float32Array;
  const dimensions = states.dims.at(-1)!;
  const length = states.dims.length === 3 ? states.dims[1]! : 1;
  if (pooling === 'cls') return Float32Array.from(data.subarray(0, dimensions));
  if (pooling === 'last') return Float32Array.from(data.subarray((length - 1) * dimensions, length * dimensions));
  const sums = new Float64Array(dimensions);
  for (let token = 0; token < length; token++) {
    for (let index = 0; index < dimensions; index++) sums[index]! += data[token * dimensions + index]!;
  }
  return Float32Array.from(sums, (sum) => sum / length);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
