import { readFile } from 'node:fs/promises';
import { AquiferError } from '@aquifer/contracts';
import { isPostgresLocation } from '@aquifer/postgres-store/postgres-location';
import type { KnowledgeBaseOptions } from '../knowledge-base.js';
import type { ModelOptions } from '../model-options.js';
import type { SettingValues } from './settings.js';

/**
 * The settings as options of `openKnowledgeBase`; reads the files that hold passwords and keys.
 *
 * @throws `invalid-options` when such a file cannot be read, or both a key and a key file are given.
 */
export async function knowledgeBaseOptions(values: SettingValues): Promise<KnowledgeBaseOptions> {
  const { kb = '.aquifer', kbPasswordFile, encryptionKey, encryptionKeyFile, passwordFile } = values;
  const [place, name] = splitLocation(kb);
  const location = kbPasswordFile === undefined ? place : await withPassword(place, kbPasswordFile);
  if (encryptionKey !== undefined && encryptionKeyFile !== undefined) {
    throw new AquiferError('invalid-options', 'Give encryptionKey or encryptionKeyFile, not both.');
  }
  return {
    location,
    name,
    embedder: values.embedder,
    dimensions: values.dimensions,
    model: values.model,
    reranker: values.reranker,
    models: modelOptions(values),
    chunkTokens: values.chunkTokens,
    chunkOverlap: values.chunkOverlap,
    indexKind: values.indexKind,
    threads: values.threads,
    readTimeoutMs: values.readTimeoutSeconds === undefined ? undefined : values.readTimeoutSeconds * 1000,
    readMemoryMb: values.readMemoryMb,
    maxFileMb: values.maxFileMb,
    ocr: values.ocr,
    ocrLanguages: values.ocrLanguages,
    encryptionKey:
      encryptionKeyFile === undefined ? encryptionKey : (await linesOf(encryptionKeyFile, 'encryptionKeyFile'))[0],
    passwords: passwordFile === undefined ? undefined : await linesOf(passwordFile, 'passwordFile'),
  };
}

/** How models that run elsewhere are reached. */
export function modelOptions(values: SettingValues): ModelOptions {
  const { openaiBaseUrl, openaiApiKey, ollamaUrl, modelTimeoutSeconds } = values;
  return {
    openai: { baseUrl: openaiBaseUrl, apiKey: openaiApiKey },
    ollama: { baseUrl: ollamaUrl },
    contextTokens: values.modelContextTokens,
    requestsPerMinute: values.requestsPerMinute,
    tokensPerMinute: values.tokensPerMinute,
    deadlineMs: modelTimeoutSeconds === undefined ? undefined : modelTimeoutSeconds * 1000,
  };
}

async function withPassword(location: string, file: string): Promise<string> {
  if (!isPostgresLocation(location)) {
    throw new AquiferError('invalid-options', `kbPasswordFile is for a database, and ${location} is a folder.`);
  }
  const address = new URL(location);
  if (address.password !== '') {
    throw new AquiferError(
      'invalid-options',
      'The password of the database is in kb and in kbPasswordFile: leave it out of kb.',
    );
  }
  const [password = ''] = await linesOf(file, 'kbPasswordFile');
  address.password = encodeURIComponent(password);
  return address.href;
}

/** `.aquifer?name=team` → the folder and the name. */
function splitLocation(kb: string): [location: string, name: string | undefined] {
  // The address of a database keeps its name.
  if (isPostgresLocation(kb)) return [kb, undefined];
  const match = /^(.*)\?name=([^?&]+)$/s.exec(kb);
  if (match === null) return [kb, undefined];
  const [, folder, name = ''] = match;
  try {
    return [folder || '.aquifer', decodeURIComponent(name)];
  } catch (error) {
    throw new AquiferError(
      'invalid-options',
      `kb: the name in ${JSON.stringify(kb)} is not percent-encoded UTF-8. A percent sign is written %25, as in .aquifer?name=100%25`,
      { cause: error },
    );
  }
}

async function linesOf(path: string, setting: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new AquiferError('invalid-options', `${setting}: cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const lines = text.split(/\r?\n/).filter((line) => line.length > 0);
  if (lines.length === 0) throw new AquiferError('invalid-options', `${setting}: ${path} is empty.`);
  return lines;
}
