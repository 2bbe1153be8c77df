import { resolve } from 'node:path';
import { type Analyser, AquiferError, type Store } from '@aquifer/contracts';
import { openLocalStore } from '@aquifer/local-store';
import { isPostgresLocation, parsePostgresLocation } from '@aquifer/postgres-store/postgres-location';
import type { KnowledgeBaseOptions } from './knowledge-base.js';
import { finishReplacement } from './replace-index.js';

/** Where a knowledge base is: `shown` is the folder's full path, or the database's address without its password. */
export interface IndexPlace {
  readonly kind: 'folder' | 'database';
  readonly shown: string;
  /** The name that the location itself gives. */
  readonly name?: string;
}

/** @throws `invalid-options` for an address that cannot be read */
export function placeOf(location: string): IndexPlace {
  if (!isPostgresLocation(location)) return { kind: 'folder', shown: resolve(location) };
  const { shown, knowledgeBase } = parsePostgresLocation(location);
  return { kind: 'database', shown, name: knowledgeBase };
}

/** The setting `kb` as it may be printed. */
export const withoutPassword = (kb: string): string => (isPostgresLocation(kb) ? parsePostgresLocation(kb).shown : kb);

/** Opens the store that the location names: a folder, or a database. */
export async function openStore(options: KnowledgeBaseOptions, analyser: Analyser): Promise<Store> {
  const { location, mode, indexKind: index, encryptionKey, ownThreads } = options;
  const { kind, shown } = placeOf(location);
  if (kind === 'folder') {
    finishReplacement(shown);
    return openLocalStore({ location: shown, mode: mode ?? 'write', analyser, encryptionKey, index, ownThreads });
  }
  if (encryptionKey !== undefined) {
    throw new AquiferError(
      'invalid-options',
      `The index at ${shown} cannot be encrypted by Aquifer: leave the key out, and encrypt the disk of the database and the connection (sslmode=verify-full).`,
    );
  }
  const { openPostgresStore } = await import('@aquifer/postgres-store');
  return openPostgresStore({ location, mode, analyser, index, onWarning: options.models?.onWarning });
}
