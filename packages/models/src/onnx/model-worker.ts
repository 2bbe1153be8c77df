import { homedir } from 'node:os';
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { AquiferError, type EmbedPurpose, type PlainError, toPlainError } from '@aquifer/contracts';
import { downloadModel, isDownloaded } from './download-model.js';
import { loadTransformers } from './load-transformers.js';
import { describeModelFolder, folderModelName, type ModelFolder } from './model-folder.js';
import { type ModelTokenizer, readModelTokenizer } from './model-tokenizer.js';
import type { OnnxEmbedderOptions } from './onnx-options.js';
import { type LoadedModel, loadModel } from './run-model.js';

/** What the worker is asked. It keeps the loaded model and nothing else. */
export type WorkerTask =
  | { readonly type: 'describe'; readonly options: OnnxEmbedderOptions; readonly isFolder: boolean }
  | {
      readonly type: 'embed';
      readonly model: ModelFolder;
      readonly threads: number;
      readonly texts: readonly string[];
      readonly purpose: EmbedPurpose;
    };

export interface WorkerRequest {
  readonly id: number;
  readonly task: WorkerTask;
}

/** Vectors one after the other in one array, so that it can be handed over without copying. */
export interface EmbeddedTexts {
  readonly vectors: Float32Array;
  readonly tokens: readonly number[];
}

export type WorkerReply =
  | { readonly id: number; readonly result: ModelFolder | EmbeddedTexts }
  | { readonly id: number; readonly error: PlainError };

let tokenizer: ModelTokenizer | undefined;
let loaded: Promise<LoadedModel> | undefined;

/** A worker has one model, hence one tokenizer. */
function tokenizerOf(folder: string): ModelTokenizer {
  tokenizer ??= readModelTokenizer(folder);
  return tokenizer;
}

async function describe(options: OnnxEmbedderOptions, isFolder: boolean): Promise<ModelFolder> {
  const { model, dtype, traits = {} } = options;
  if (isFolder) return describeModelFolder(model, folderModelName(model), dtype, traits, tokenizerOf);
  const cacheFolder = options.cacheFolder ?? join(homedir(), '.cache', 'aquifer', 'models');
  const folder = join(cacheFolder, ...model.split('/'));
  const wanted = dtype ?? 'q8';
  if (!isDownloaded(folder, wanted)) {
    if (options.download === false) {
      throw new AquiferError(
        'model-not-found',
        `There is no folder "${model}", and no model of this name in ${cacheFolder}; fetching models is switched off.`,
      );
    }
    await downloadModel(model, await hubFiles(model, options.hubUrl), folder, wanted);
  }
  return describeModelFolder(folder, model, wanted, traits, tokenizerOf);
}

async function hubFiles(model: string, hubUrl: string | undefined): Promise<string> {
  const { env } = await loadTransformers();
  const host = hubUrl ?? env.remoteHost;
  const path = env.remotePathTemplate.replaceAll('{model}', model).replaceAll('{revision}', 'main');
  return `${host.replace(/\/*$/, '/')}${path.replace(/\/*$/, '/')}`;
}

async function embed(task: WorkerTask & { type: 'embed' }): Promise<EmbeddedTexts> {
  loaded ??= loadModel(task.model, tokenizerOf(task.model.folder), task.threads);
  let model: LoadedModel;
  try {
    model = await loaded;
  } catch (error) {
    loaded = undefined;
    throw error;
  }
  const { dimensions } = task.model.fingerprint;
  const vectors = new Float32Array(task.texts.length * dimensions);
  const tokens: number[] = [];
  for (const [index, text] of task.texts.entries()) {
    const embedded = await model.embed(text, task.purpose);
    vectors.set(embedded.vector, index * dimensions);
    tokens.push(embedded.tokens);
  }
  return { vectors, tokens };
}

parentPort?.on('message', async ({ id, task }: WorkerRequest) => {
  let reply: WorkerReply;
  try {
    reply = { id, result: task.type === 'embed' ? await embed(task) : await describe(task.options, task.isFolder) };
  } catch (error) {
    reply = { id, error: toPlainError(error) };
  }
  const transfer = 'result' in reply && 'vectors' in reply.result ? [reply.result.vectors.buffer as ArrayBuffer] : [];
  parentPort?.postMessage(reply, transfer);
});
