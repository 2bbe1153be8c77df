import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AquiferError, type EmbedderFingerprint } from '@aquifer/contracts';
import { defaultTraits, knownTraits, type ModelTraits, type Pooling } from './known-models.js';
import { isCount, readModelFiles, readTokenLimit } from './model-files.js';
import { type ModelTokenizer, readJson } from './model-tokenizer.js';
import type { OnnxDtype } from './onnx-options.js';

/** A model on disk: everything that is known without loading the weights. */
export interface ModelFolder {
  readonly folder: string;
  readonly dtype: OnnxDtype;
  /** Where the weight file is inside the folder: `onnx`, or the empty string. */
  readonly subfolder: string;
  readonly traits: ModelTraits;
  /** See `Embedder.maxInputTokens`: a text of this many tokens as a document is not too long as a question either. */
  readonly maxInputTokens: number;
  readonly fingerprint: EmbedderFingerprint;
}

/**
 * Reads what a model folder says about itself and hashes its weights (some 400 MB a second).
 *
 * Precedence: `overrides`, the folder's own files, the table of known models, the defaults; of the token limits, the smallest.
 *
 * @param name The folder's base name or the hub id; part of the fingerprint.
 * @param readTokenizer Called where questions and documents have different prefixes, to compare their lengths.
 * @throws `model-not-found` naming what is missing, `model-failed` where a file is damaged.
 */
export async function describeModelFolder(
  folder: string,
  name: string,
  dtype: OnnxDtype | undefined,
  overrides: Partial<ModelTraits>,
  readTokenizer: (folder: string) => ModelTokenizer,
): Promise<ModelFolder> {
  const { config, ...weights } = readModelFiles(folder, dtype);
  const traits = readTraits(folder, name, config, overrides);
  const dimensions = [config.hidden_size, config.dim, config.n_embd, config.d_model].find(isCount);
  if (dimensions === undefined) {
    throw new AquiferError('model-failed', `${join(folder, 'config.json')} does not say how long its vectors are.`);
  }
  const { pooling, normalise, queryPrefix, documentPrefix } = traits;
  const revision = createHash('sha256').update(JSON.stringify([1, pooling, queryPrefix, documentPrefix]));
  for (const file of [weights.path, `${weights.path}_data`, join(folder, 'tokenizer.json')]) {
    if (existsSync(file)) revision.update(await hashFile(file));
  }
  return {
    folder,
    dtype: weights.dtype,
    subfolder: weights.subfolder,
    traits,
    maxInputTokens: traits.maxTokens - prefixDifference(queryPrefix, documentPrefix, () => readTokenizer(folder)),
    fingerprint: {
      provider: 'onnx',
      model: name,
      dimensions,
      normalised: normalise,
      revision: revision.digest('hex').slice(0, 16),
    },
  };
}

/** Tokens that a question takes more than the same text as a document. */
function prefixDifference(queryPrefix: string, documentPrefix: string, tokenizer: () => ModelTokenizer): number {
  if (queryPrefix === documentPrefix) return 0;
  return Math.max(0, tokenizer().count(`${queryPrefix}a`) - tokenizer().count(`${documentPrefix}a`));
}

/** What a model in this folder is called: its last part, so that moving the folder changes nothing. */
export function folderModelName(folder: string): string {
  return basename(folder);
}

/** Answers of sentence-transformers' own files, where a model folder carries them. */
function readTraits(
  folder: string,
  name: string,
  config: Record<string, unknown>,
  overrides: Partial<ModelTraits>,
): ModelTraits {
  const known = knownTraits(name);
  const prompts = readJson(join(folder, 'config_sentence_transformers.json'))?.prompts;
  const traits: ModelTraits = {
    pooling: readPooling(folder) ?? known.pooling ?? defaultTraits.pooling,
    normalise: known.normalise ?? defaultTraits.normalise,
    queryPrefix: promptOf(prompts, 'query') ?? known.queryPrefix ?? defaultTraits.queryPrefix,
    documentPrefix:
      promptOf(prompts, 'document') ??
      promptOf(prompts, 'passage') ??
      known.documentPrefix ??
      defaultTraits.documentPrefix,
    maxTokens: readTokenLimit(folder, config, known.maxTokens) ?? defaultTraits.maxTokens,
    fusionWeight: known.fusionWeight ?? defaultTraits.fusionWeight,
    fusionCandidates: known.fusionCandidates ?? defaultTraits.fusionCandidates,
  };
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  return { ...traits, ...given };
}

/** An empty prompt is what sentence-transformers writes when nobody said anything: it does not count. */
function promptOf(prompts: unknown, purpose: string): string | undefined {
  const prompt = typeof prompts === 'object' && prompts !== null ? (prompts as Record<string, unknown>)[purpose] : '';
  return typeof prompt === 'string' && prompt !== '' ? prompt : undefined;
}

function readPooling(folder: string): Pooling | undefined {
  const modes = readJson(join(folder, '1_Pooling', 'config.json')) ?? {};
  if (modes.pooling_mode_mean_tokens === true) return 'mean';
  if (modes.pooling_mode_cls_token === true) return 'cls';
  if (modes.pooling_mode_lasttoken === true) return 'last';
  return undefined;
}

async function hashFile(path: string): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(part as Buffer);
  return hash.digest();
}
