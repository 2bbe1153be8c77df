import { rm } from 'node:fs/promises';
import { AquiferError, isAquiferError } from '@aquifer/contracts';
import { type KnowledgeBase, type KnowledgeBaseOptions, openKnowledgeBase } from 'aquifer';
import { createUploadFolder } from '../uploads/upload-folder.js';
import { indexFolder } from './index-folder.js';
import type { HostedKnowledgeBase, KnowledgeBaseHost } from './knowledge-base-host.js';
import { keepReadable, readerOf } from './reader-of.js';
import { createTurns } from './turns.js';
import { withWriter } from './with-writer.js';

/** A folder belongs to this tenant, and to no other. */
export const defaultTenant = 'default';

export interface FolderHostOptions {
  /** How the knowledge base is opened; `location` is the folder. */
  readonly knowledgeBase: KnowledgeBaseOptions;
  /** Where originals that are sent are kept. Absent: nothing can be sent. */
  readonly uploadFolder?: string;
}

/**
 * Serves the one knowledge base of a folder. It is read by a handle that stays open and sees what others commit; to write, it is opened
 * for as long as that takes, so that `aquifer index` can be run beside the service.
 */
export function createFolderHost({ knowledgeBase: options, uploadFolder }: FolderHostOptions): KnowledgeBaseHost {
  const takeTurn = createTurns();
  const kept = keepReadable(options);
  const uploads = uploadFolder === undefined ? undefined : createUploadFolder(uploadFolder);

  const hosted = ({ id, name }: KnowledgeBase): HostedKnowledgeBase => ({
    id,
    name,
    reader: readerOf(kept),
    // It may have been deleted while its turn was waited for, and opening it to write would make another.
    write: (use) =>
      takeTurn(async () => {
        await get(defaultTenant, id);
        return await withWriter(options, use);
      }),
    indexFolder: (run, listeners) =>
      takeTurn(async () => {
        await get(defaultTenant, id);
        const { embedder } = await kept.use((reader) => reader.status());
        return indexFolder(options, embedder.name, run, listeners);
      }),
    ...(uploads !== undefined && { uploads }),
  });

  /** Undefined where there is no index yet, or it belongs to somebody else. */
  async function find(tenant: string): Promise<HostedKnowledgeBase | undefined> {
    if (tenant !== defaultTenant) return undefined;
    try {
      return await kept.use(async (reader) => hosted(reader));
    } catch (error) {
      if (isAquiferError(error, 'index-not-found')) return undefined;
      throw error;
    }
  }

  async function get(tenant: string, idOrName: string): Promise<HostedKnowledgeBase> {
    const found = await find(tenant);
    if (found !== undefined && (found.id === idOrName || found.name === idOrName)) return found;
    throw new AquiferError('knowledge-base-not-found', `There is no knowledge base ${JSON.stringify(idOrName)}.`);
  }

  return {
    most: 1,
    async list(tenant) {
      const found = await find(tenant);
      return found === undefined ? [] : [{ id: found.id, name: found.name }];
    },
    get,
    async create(tenant, wanted) {
      const found = await find(tenant);
      if (tenant !== defaultTenant || found !== undefined) {
        throw new AquiferError(
          'invalid-options',
          'A folder holds one knowledge base, and this one has it already: serve a database (--kb postgres://…) to have several.',
        );
      }
      const { name, embedder = options.embedder, dimensions = options.dimensions } = wanted;
      await takeTurn(async () => {
        await (await openKnowledgeBase({ ...options, mode: 'write', name, embedder, dimensions })).close();
      });
      return get(tenant, name);
    },
    async delete(tenant, idOrName) {
      await get(tenant, idOrName);
      await takeTurn(async () => {
        // Whoever has the lock is not writing into what goes away.
        const opened = await openKnowledgeBase({ ...options, mode: 'write' });
        await kept.close();
        await opened.close();
        await uploads?.removeAll();
        await rm(options.location, { recursive: true, force: true });
      });
    },
    tenantsWithUploads: async () => ((await uploads?.exists()) ? [defaultTenant] : []),
    async close() {
      await takeTurn(() => kept.close());
    },
  };
}
