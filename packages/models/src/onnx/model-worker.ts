import { homedir } from 'node:os';
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { AquiferError, type EmbedPurpose, type PlainError, toPlainError } from '@aquifer/contracts';
import { type CrossEncoderFolder, describeCrossEncoder } from '../reranking/cross-encoder-folder.js';
import type { OnnxRerankerOptions } from '../reranking/onnx-reranker.js';
import { type LoadedCrossEncoder, loadCrossEncoder } from '../reranking/run-cross-encoder.js';
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
    }
  | { readonly type: 'describe-cross-encoder'; readonly options: OnnxRerankerOptions }
  | {
      readonly type: 'score';
      readonly model: CrossEncoderFolder;
      readonly threads: number;
      readonly query: string;
      readonly text: string;
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

export type WorkerResult = ModelFolder | EmbeddedTexts | CrossEncoderFolder | number;

export type WorkerReply =
  | { readonly id: number; readonly result: WorkerResult }
  | { readonly id: number; readonly error: PlainError };

let tokenizer: ModelTokenizer | undefined;
let loaded: Promise<LoadedModel | LoadedCrossEncoder> | undefined;

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

/** A worker has one model. What could not be loaded is tried again with the next task. */
async function load<Model extends LoadedModel | LoadedCrossEncoder>(start: () => Promise<Model>): Promise<Model> {
  loaded ??= start();
  try {
    return (await loaded) as Model;
  } catch (error) {
    loaded = undefined;
    throw error;
  }
}

async function embed(task: WorkerTask & { type: 'embed' }): Promise<EmbeddedTexts> {
  const model = await load(() => loadModel(task.model, tokenizerOf(task.model.folder), task.threads));
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

async function run(task: WorkerTask): Promise<WorkerResult> {
  switch (task.type) {
    case 'describe':
      return describe(task.options, task.isFolder);
    case 'embed':
      return embed(task);
    case 'describe-cross-encoder': {
      const { model, dtype, maxTokens } = task.options;
      return describeCrossEncoder(model, dtype, maxTokens);
    }
    case 'score': {
      const { model, threads, query, text } = task;
      return (await load(() => loadCrossEncoder(model, tokenizerOf(model.folder), threads))).score(query, text);
    }
  }
}

parentPort?.on('message', async ({ id, task }: WorkerRequest) => {
  let reply: WorkerReply;
  try {
    reply = { id, result: await run(task) };
  } catch (error) {
    reply = { id, error: toPlainError(error) };
  }
  const result = 'result' in reply ? reply.result : undefined;
  const hasVectors = typeof result === 'object' && 'vectors' in result;
  parentPort?.postMessage(reply, hasVectors ? [result.vectors.buffer as ArrayBuffer] : []);
});
