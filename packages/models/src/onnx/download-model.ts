import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { AquiferError } from '@aquifer/contracts';
import { weightPath } from './model-files.js';
import type { OnnxDtype } from './onnx-options.js';

const requiredFiles = ['config.json', 'tokenizer.json'];
/** What a model may say about itself; most do not have all of them. */
const optionalFiles = [
  'tokenizer_config.json',
  '1_Pooling/config.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
];

/** Whether the folder holds a model that was fetched completely: the weights come last. */
export function isDownloaded(folder: string, dtype: OnnxDtype): boolean {
  return existsSync(join(folder, ...weightPath(dtype).split('/')));
}

/**
 * Fetches a model into a folder: each file under a temporary name first, the weights last, so that what is there is
 * complete.
 *
 * @param baseUrl Of the model's files, ending in a slash.
 * @throws `model-not-found` where the hub does not have it, `model-failed` (retryable) where the network fails.
 */
export async function downloadModel(id: string, baseUrl: string, folder: string, dtype: OnnxDtype): Promise<void> {
  for (const file of requiredFiles) {
    if (!(await downloadFile(id, baseUrl, file, folder))) throw notOnHub(id, file, baseUrl);
  }
  for (const file of optionalFiles) await downloadFile(id, baseUrl, file, folder);
  // Weights of more than 2 GB lie in a second file.
  await downloadFile(id, baseUrl, `${weightPath(dtype)}_data`, folder);
  if (!(await downloadFile(id, baseUrl, weightPath(dtype), folder))) throw notOnHub(id, weightPath(dtype), baseUrl);
}

function notOnHub(id: string, file: string, baseUrl: string): AquiferError {
  return new AquiferError(
    'model-not-found',
    `The model "${id}" is neither a folder here nor on the hub: ${baseUrl}${file} does not exist or may not be read.`,
  );
}

/** @returns false where the server says that there is no such file. */
async function downloadFile(id: string, baseUrl: string, file: string, folder: string): Promise<boolean> {
  const target = join(folder, ...file.split('/'));
  const partial = `${target}.${process.pid}.partial`;
  try {
    const response = await fetch(new URL(file, baseUrl));
    if ([401, 403, 404].includes(response.status)) {
      await response.body?.cancel();
      return false;
    }
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    await mkdir(dirname(target), { recursive: true });
    await pipeline(Readable.fromWeb(response.body as ReadableStream), createWriteStream(partial));
    await rename(partial, target);
    return true;
  } catch (error) {
    await rm(partial, { force: true });
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new AquiferError(
      'model-failed',
      `The model "${id}" is not a folder here, and ${baseUrl}${file} could not be fetched (${cause}). ` +
        'Check the network, or name the folder of a model that is on this machine.',
      { cause: error, retryable: true },
    );
  }
}
