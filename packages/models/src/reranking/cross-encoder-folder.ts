import { AquiferError } from '@aquifer/contracts';
import { readModelFiles, readTokenLimit } from '../onnx/model-files.js';
import { folderModelName } from '../onnx/model-folder.js';
import type { OnnxDtype } from '../onnx/onnx-options.js';

/** A cross-encoder on disk: everything that is known without loading the weights. */
export interface CrossEncoderFolder {
  readonly folder: string;
  readonly name: string;
  readonly dtype: OnnxDtype;
  readonly subfolder: string;
  /** Of query and text together, special tokens included. */
  readonly maxTokens: number;
}

const defaultMaxTokens = 512;

/**
 * @throws `model-not-found` naming what is missing; `model-failed` where the model gives more than one number.
 */
export function describeCrossEncoder(
  folder: string,
  dtype: OnnxDtype | undefined,
  maxTokens: number | undefined,
): CrossEncoderFolder {
  const { config, path: _path, ...weights } = readModelFiles(folder, dtype);
  const labels = Object.keys(Object(config.id2label)).length;
  if (labels > 1) {
    throw new AquiferError(
      'model-failed',
      `The model in ${folder} tells ${labels} classes apart (id2label in config.json). A reranker gives one score.`,
    );
  }
  const limit = readTokenLimit(folder, config) ?? defaultMaxTokens;
  return { folder, name: folderModelName(folder), ...weights, maxTokens: Math.min(limit, maxTokens ?? limit) };
}
