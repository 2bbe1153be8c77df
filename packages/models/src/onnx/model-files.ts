import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AquiferError } from '@aquifer/contracts';
import { readJson } from './model-tokenizer.js';
import type { OnnxDtype } from './onnx-options.js';

const weightFiles: Readonly<Record<OnnxDtype, string>> = {
  q8: 'model_quantized.onnx',
  int8: 'model_int8.onnx',
  uint8: 'model_uint8.onnx',
  fp32: 'model.onnx',
  fp16: 'model_fp16.onnx',
  q4: 'model_q4.onnx',
  q4f16: 'model_q4f16.onnx',
  bnb4: 'model_bnb4.onnx',
};

/** Of the weights, relative to the model folder, as hubs lay models out. */
export function weightPath(dtype: OnnxDtype): string {
  return `onnx/${weightFiles[dtype]}`;
}

/** What every model folder must have. */
export interface ModelFiles {
  /** Of `config.json`. */
  readonly config: Record<string, unknown>;
  /** Of the weights. */
  readonly path: string;
  readonly dtype: OnnxDtype;
  /** Where the weight file is inside the folder: `onnx`, or the empty string. */
  readonly subfolder: string;
}

/** @throws `model-not-found` naming what is missing. */
export function readModelFiles(folder: string, dtype: OnnxDtype | undefined): ModelFiles {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new AquiferError('model-not-found', `There is no model folder ${folder}.`);
  }
  const config = readJson(join(folder, 'config.json'));
  if (config === undefined) {
    throw new AquiferError('model-not-found', `The model folder ${folder} has no config.json.`);
  }
  if (!existsSync(join(folder, 'tokenizer.json'))) {
    throw new AquiferError('model-not-found', `The model folder ${folder} has no tokenizer.json.`);
  }
  return { config, ...findWeights(folder, dtype) };
}

function findWeights(folder: string, dtype: OnnxDtype | undefined): Omit<ModelFiles, 'config'> {
  const wanted: readonly OnnxDtype[] = dtype === undefined ? ['q8', 'fp32', 'fp16'] : [dtype];
  for (const candidate of wanted) {
    for (const subfolder of ['onnx', '']) {
      const path = join(folder, subfolder, weightFiles[candidate]);
      if (existsSync(path)) return { path, dtype: candidate, subfolder };
    }
  }
  const names = wanted.map(weightPath).join(', ');
  throw new AquiferError('model-not-found', `The model folder ${folder} has no weights: looked for ${names}.`);
}

/**
 * Tokens that the model takes: the smallest of what its files say and of what is known. Undefined where nothing does.
 */
export function readTokenLimit(folder: string, config: Record<string, unknown>, known?: number): number | undefined {
  const tokenizer = readJson(join(folder, 'tokenizer_config.json')) ?? {};
  const sentences = readJson(join(folder, 'sentence_bert_config.json')) ?? {};
  // RoBERTa counts positions from behind the padding id.
  const reserved = /roberta|camembert|mpnet/i.test(String(config.model_type))
    ? 1 + (isCount(config.pad_token_id) ? config.pad_token_id : 1)
    : 0;
  const positions = isCount(config.max_position_embeddings) ? config.max_position_embeddings - reserved : undefined;
  const limits = [known, sentences.max_seq_length, tokenizer.model_max_length, positions]
    .filter(isCount)
    .filter((limit) => limit < 1e6); // Tokenizers without a limit write 1e30.
  return limits.length > 0 ? Math.min(...limits) : undefined;
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
