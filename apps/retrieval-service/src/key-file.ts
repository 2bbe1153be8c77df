import { readFile, stat } from 'node:fs/promises';
import type { AccessKey } from '@aquifer/bedrock-wire';
import { AquiferError } from '@aquifer/contracts';

/**
 * The keys of a file: `{"keys": [{"accessKeyId": "AQUIFER-TEAM", "secretAccessKey": "…"}]}`.
 *
 * @throws `invalid-options` when it cannot be read, others may read it too, or a key is malformed.
 */
export async function readKeyFile(path: string): Promise<readonly AccessKey[]> {
  const refuse = (problem: string, cause?: unknown): never => {
    throw new AquiferError('invalid-options', `The key file ${path} ${problem}`, { cause });
  };
  let text: string;
  try {
    const { mode } = await stat(path);
    // Windows has no such bits.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) refuse(`can be read by others: chmod 600 ${path}`);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof AquiferError) throw error;
    return refuse(`cannot be read: ${(error as Error).message}`, error);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which has secrets in it.
    return refuse('is not valid JSON.');
  }
  const keys = (parsed as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length === 0) {
    return refuse('must hold {"keys": [{"accessKeyId": "…", "secretAccessKey": "…"}]} with one key or more.');
  }
  const ids = new Set<string>();
  return keys.map((key: Partial<AccessKey> | null, index) => {
    const { accessKeyId, secretAccessKey } = key ?? {};
    if (typeof accessKeyId !== 'string' || !/^[\w-]{3,128}$/.test(accessKeyId)) {
      return refuse(`has no valid accessKeyId in key ${index + 1}: 3 to 128 letters, digits, - and _.`);
    }
    if (typeof secretAccessKey !== 'string' || secretAccessKey.length < 16) {
      return refuse(`has no secretAccessKey of at least 16 characters in key ${accessKeyId}.`);
    }
    if (ids.has(accessKeyId)) return refuse(`has the key ${accessKeyId} twice.`);
    ids.add(accessKeyId);
    return { accessKeyId, secretAccessKey };
  });
}
