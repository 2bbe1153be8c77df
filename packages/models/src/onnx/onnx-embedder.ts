import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { AquiferError, type Embedder, fingerprintText } from '@aquifer/contracts';
import { createEmbedQueue } from './embed-queue.js';
import type { ModelFolder } from './model-folder.js';
import { createModelThread } from './model-thread.js';
import { type ModelTokenizer, readModelTokenizer } from './model-tokenizer.js';
import type { EmbeddedTexts } from './model-worker.js';
import type { OnnxEmbedderOptions } from './onnx-options.js';

/** `owner/name`, as hubs write it. */
const hubId = /^[\w-][\w.-]*\/[\w-][\w.-]*$/;
const maxThreads = 4;

/**
 * An embedding model on this machine: ONNX weights, run by transformers.js in a worker thread.
 *
 * The weights are loaded with the first text, so an embedder that is only asked for its fingerprint costs little. A
 * text's vector does not depend on the texts it is embedded with, nor on the number of threads.
 *
 * ```ts
 * const embedder = await createOnnxEmbedder({ model: 'Xenova/all-MiniLM-L6-v2' });
 * const { vectors } = await embedder.embed(['How do I reset my password?'], { purpose: 'query' });
 * await embedder.close?.();
 * ```
 *
 * @throws `model-not-found`: no such folder, a file missing in it, or no such model on the hub. `model-failed`: a damaged
 * file, or the network failed. `missing-dependency`: `@huggingface/transformers` is not installed. `invalid-options`.
 */
export async function createOnnxEmbedder(options: OnnxEmbedderOptions): Promise<Embedder> {
  const isFolder = isFolderName(options.model);
  const threads = options.threads ?? Math.min(maxThreads, availableParallelism());
  if (!Number.isInteger(threads) || threads < 1) {
    throw new AquiferError('invalid-options', `threads must be a whole number from 1 on, not ${options.threads}.`);
  }
  const thread = createModelThread();
  let model: ModelFolder;
  let documentTokenizer: ModelTokenizer | undefined;
  const tokenizer = (): ModelTokenizer => {
    documentTokenizer ??= readModelTokenizer(model.folder);
    return documentTokenizer;
  };
  try {
    const described = { ...options, model: isFolder ? resolve(options.model) : options.model };
    model = (await thread.run({ type: 'describe', options: described, isFolder })) as ModelFolder;
  } catch (error) {
    await thread.close();
    throw error;
  }
  const { traits, fingerprint } = model;
  const queue = createEmbedQueue(
    fingerprint.dimensions,
    async (texts, purpose) => (await thread.run({ type: 'embed', model, threads, texts, purpose })) as EmbeddedTexts,
  );
  return {
    fingerprint,
    dimensions: fingerprint.dimensions,
    maxInputTokens: model.maxInputTokens,
    fusionWeight: traits.fusionWeight,
    fusionCandidates: traits.fusionCandidates,
    tokenCounter: {
      id: fingerprintText(fingerprint),
      count: (text) => tokenizer().count(traits.documentPrefix + text),
    },
    embed: (texts, embedOptions) => queue.embed(texts, embedOptions),
    close: () => thread.close(),
  };
}

function isFolderName(model: string): boolean {
  if (model.trim() === '') throw new AquiferError('model-not-found', 'Name a model: onnx:<folder or hub id>.');
  if (isAbsolute(model) || model.includes('\\') || !hubId.test(model)) return true;
  return statSync(model, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
