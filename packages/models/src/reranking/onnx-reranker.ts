import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { AquiferError, type Reranker, throwIfAborted } from '@aquifer/contracts';
import { createModelThread } from '../onnx/model-thread.js';
import type { OnnxDtype } from '../onnx/onnx-options.js';
import type { CrossEncoderFolder } from './cross-encoder-folder.js';

export interface OnnxRerankerOptions {
  /**
   * A folder with `config.json`, `tokenizer.json` and `onnx/model_quantized.onnx` (or another weight file) of a cross-encoder with one output,
   * such as an ONNX export of `ms-marco-MiniLM-L-6-v2` or `bge-reranker-base`. Nothing is ever fetched.
   */
  readonly model: string;
  /** Default: the first of `q8`, `fp32`, `fp16` that the folder holds. */
  readonly dtype?: OnnxDtype;
  /** Default: the number of processor cores, at most 4. The scores do not depend on it. */
  readonly threads?: number;
  /** Tokens of query and text together. Default, and most: what the model's files say. */
  readonly maxTokens?: number;
}

const maxThreads = 4;

/**
 * A cross-encoder on this machine: ONNX weights, run by transformers.js in a worker thread, one text after the other. It reads query and text
 * together, which ranks better than comparing vectors and takes a run of the model for each text.
 *
 * Scores are 0 to 1. A text that is longer than the model takes is scored in parts, and its best part counts; nothing is cut off.
 *
 * ```ts
 * const reranker = await createOnnxReranker({ model: './models/ms-marco-MiniLM-L-6-v2' });
 * const scores = await reranker.rerank('How long is parental leave?', passages);
 * await reranker.close?.();
 * ```
 *
 * @throws `model-not-found`: no such folder, or a file missing in it. `model-failed`: it is no cross-encoder, or damaged.
 * `missing-dependency`: `@huggingface/transformers` is not installed. `invalid-options`. Calls also reject with `too-large` for a query that
 * leaves no room for a text, and with `aborted`.
 */
export async function createOnnxReranker(options: OnnxRerankerOptions): Promise<Reranker> {
  const threads = options.threads ?? Math.min(maxThreads, availableParallelism());
  for (const [key, value] of Object.entries({ threads, maxTokens: options.maxTokens })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      throw new AquiferError('invalid-options', `${key} must be a whole number from 1 on, not ${value}.`);
    }
  }
  if (options.model.trim() === '') throw new AquiferError('model-not-found', 'Name the folder of a model.');
  const thread = createModelThread();
  let model: CrossEncoderFolder;
  try {
    const described = { ...options, model: resolve(options.model) };
    model = (await thread.run({ type: 'describe-cross-encoder', options: described })) as CrossEncoderFolder;
  } catch (error) {
    await thread.close();
    throw error;
  }
  return {
    id: `onnx:${model.name}`,
    async rerank(query, texts, { signal } = {}) {
      const scores: number[] = [];
      for (const text of texts) {
        throwIfAborted(signal);
        // A message a text, so that calls take turns and a cancelled one holds up nobody.
        scores.push((await thread.run({ type: 'score', model, threads, query, text })) as number);
      }
      throwIfAborted(signal);
      return scores;
    },
    close: () => thread.close(),
  };
}
