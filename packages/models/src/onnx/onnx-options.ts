import type { ModelTraits } from './known-models.js';

/** Which of a model's weight files is used; the names are those of transformers.js. */
export type OnnxDtype = 'q8' | 'int8' | 'uint8' | 'fp32' | 'fp16' | 'q4' | 'q4f16' | 'bnb4';

export interface OnnxEmbedderOptions {
  /**
   * A folder with `config.json`, `tokenizer.json` and `onnx/model_quantized.onnx` (or another weight file), or a hub id
   * such as `Xenova/all-MiniLM-L6-v2`. Only a hub id is ever fetched from the network, and only once.
   */
  readonly model: string;
  /** Where models fetched by hub id are kept. Default `~/.cache/aquifer/models`. */
  readonly cacheFolder?: string;
  /** Whether a hub id that is not in the cache may be fetched. Default true. */
  readonly download?: boolean;
  /** A mirror of the hub, as an URL. Default: the one that transformers.js uses. */
  readonly hubUrl?: string;
  /** Default: the first of `q8`, `fp32`, `fp16` that the folder holds; `q8` for a hub id. */
  readonly dtype?: OnnxDtype;
  /** Default: the number of processor cores, at most 4. The vectors do not depend on it. */
  readonly threads?: number;
  /** What is known better than the table of known models and the model's own files do. */
  readonly traits?: Partial<ModelTraits>;
}
