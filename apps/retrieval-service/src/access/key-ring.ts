import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AccessKey } from '@aquifer/bedrock-wire';
import { AquiferError } from '@aquifer/contracts';

/**
 * - `read`: search, ask, look at documents. `write`: add and delete documents, make knowledge bases. `admin`: delete knowledge bases,
 *   and manage them and their data sources by Bedrock's own API.
 * - `model`: ask models directly, as with Bedrock's runtime.
 */
export const keyScopes = ['read', 'write', 'admin', 'model'] as const;
export type KeyScope = (typeof keyScopes)[number];

/** What is known of a key; never its secret. */
export interface KeyRecord {
  /** Its AWS access key id too. */
  readonly id: string;
  /** Whose knowledge bases it opens. Nothing in a request can say so. */
  readonly tenant: string;
  readonly scopes: readonly KeyScope[];
  /** For people. */
  readonly description?: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  readonly requestsPerMinute?: number;
  /** Of models, in and out. */
  readonly tokensPerMinute?: number;
  /** SHA-256 of the secret, hex. */
  readonly hash: string;
}

/** A key that may be used now. */
export type UsableKey = KeyRecord & AccessKey;

export interface NewKey extends Pick<KeyRecord, 'tenant' | 'scopes' | 'description' | 'expiresAt'> {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
}

export interface KeyRing {
  list(): readonly KeyRecord[];
  /** Those neither expired nor revoked, by what the file says at this moment. */
  usable(now: number): readonly UsableKey[];
  /** The secret is returned here, and never again. It is a bearer token, and the secret access key of Signature V4. */
  create(key: NewKey, now: number): { readonly record: KeyRecord; readonly secret: string };
  /** Takes effect with the next request of every service that uses the file. @throws `invalid-options` for an id that is not there. */
  revoke(id: string, now: number): KeyRecord;
}

const fileVersion = 1;
const mostKeys = 10_000;

/**
 * Keys in a file, of which only hashes are stored. Signature V4 needs the secret itself on both sides, so secrets are derived, from the key's id and a
 * root secret in the file `<path>.root`: whoever has the one file and not the other has no key.
 *
 * @throws `invalid-options` when a file cannot be read, is malformed, or others may read it too.
 */
export function openKeyRing(path: string, { mustExist = false }: { readonly mustExist?: boolean } = {}): KeyRing {
  const rootPath = `${path}.root`;
  let read: { readonly stamp: string; readonly records: readonly KeyRecord[] } | undefined;
  let root: Buffer | undefined;

  const secretOf = (id: string): string => {
    root ??= readRoot(rootPath);
    return createHmac('sha256', root).update(`aquifer key ${id}`).digest('base64url');
  };

  function records(): readonly KeyRecord[] {
    let stamp: string;
    try {
      const { mtimeMs, size, ino } = statSync(path);
      stamp = `${mtimeMs} ${size} ${ino}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !mustExist) return [];
      throw unreadable(path, (error as Error).message, error);
    }
    if (read?.stamp !== stamp) read = { stamp, records: parseRecords(readPrivate(path), path) };
    return read.records;
  }

  function write(changed: readonly KeyRecord[]): void {
    mkdirSync(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}.new`;
    writeFileSync(temporary, `${JSON.stringify({ version: fileVersion, keys: changed }, undefined, 2)}\n`, {
      mode: 0o600,
    });
    renameSync(temporary, path);
  }

  let ofStamp: { readonly records: readonly KeyRecord[]; readonly keys: readonly UsableKey[] } | undefined;
  return {
    list: records,
    usable(now) {
      const present = records();
      if (ofStamp?.records !== present) {
        const keys = present.map((record) => ({
          ...record,
          accessKeyId: record.id,
          secretAccessKey: secretOf(record.id),
        }));
        for (const { id, hash, secretAccessKey } of keys) {
          if (!timingSafeEqual(digest(secretAccessKey), Buffer.from(hash, 'hex'))) {
            throw new AquiferError(
              'invalid-options',
              `The key ${id} in ${path} was not made with the root secret in ${rootPath}: put back the one that belongs to it.`,
            );
          }
        }
        ofStamp = { records: present, keys };
      }
      return ofStamp.keys.filter(({ revokedAt, expiresAt }) => revokedAt === undefined && (expiresAt ?? now + 1) > now);
    },
    create(key, now) {
      const present = records();
      if (present.length >= mostKeys)
        throw new AquiferError('invalid-options', `${path} holds ${mostKeys} keys, the most there can be.`);
      makeRoot(rootPath);
      const id = `AQ${randomBytes(9).toString('hex').toUpperCase()}`;
      const secret = secretOf(id);
      const record: KeyRecord = { id, ...key, createdAt: now, hash: digest(secret).toString('hex') };
      write([...present, record]);
      return { record, secret };
    },
    revoke(id, now) {
      const present = records();
      const found = present.find((record) => record.id === id);
      if (found === undefined)
        throw new AquiferError('invalid-options', `There is no key ${id} in ${path}: aquifer keys list shows them.`);
      const revoked = { ...found, revokedAt: found.revokedAt ?? now };
      write(present.map((record) => (record === found ? revoked : record)));
      return revoked;
    },
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function unreadable(path: string, problem: string, cause?: unknown): AquiferError {
  return new AquiferError('invalid-options', `The key file ${path} cannot be used: ${problem}.`, { cause });
}

function readPrivate(path: string): string {
  try {
    const { mode } = statSync(path);
    // Windows has no such bits.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw unreadable(path, `others can read it (chmod 600 ${path})`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof AquiferError) throw error;
    throw unreadable(path, (error as Error).message, error);
  }
}

function readRoot(path: string): Buffer {
  const root = Buffer.from(readPrivate(path).trim(), 'base64url');
  if (root.length < 32) throw unreadable(path, 'it holds no root secret of 32 bytes or more');
  return root;
}

function makeRoot(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unreadable(path, (error as Error).message, error);
  }
}

function parseRecords(text: string, path: string): readonly KeyRecord[] {
  let parsed: { version?: unknown; keys?: unknown } | null;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw unreadable(path, 'it is not valid JSON', error);
  }
  if (parsed?.version !== fileVersion || !Array.isArray(parsed.keys)) {
    throw unreadable(path, 'it is not one that aquifer keys create makes');
  }
  const ids = new Set<string>();
  for (const key of parsed.keys as Partial<KeyRecord>[]) {
    const isRecord =
      typeof key?.id === 'string' &&
      typeof key.tenant === 'string' &&
      typeof key.hash === 'string' &&
      /^[0-9a-f]{64}$/.test(key.hash) &&
      Array.isArray(key.scopes) &&
      key.scopes.every((scope) => keyScopes.includes(scope));
    if (!isRecord || ids.has(key.id as string))
      throw unreadable(path, `key ${ids.size + 1} is malformed or there twice`);
    ids.add(key.id as string);
  }
  return parsed.keys as KeyRecord[];
}
