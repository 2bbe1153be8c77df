import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AquiferError } from '@aquifer/contracts';
import {
  type KnowledgeBase,
  type KnowledgeBaseOptions,
  openKnowledgeBase,
  type SharedKnowledgeBases,
  sharedKnowledgeBases,
} from 'aquifer';
import { createUploadFolder } from '../uploads/upload-folder.js';
import { defaultTenant } from './folder-host.js';
import { indexFolder } from './index-folder.js';
import type { KeptOpen } from './kept-open.js';
import type { HostedIdentity, HostedKnowledgeBase, KnowledgeBaseHost } from './knowledge-base-host.js';
import { keepReadable, readerOf } from './reader-of.js';
import { withWriter } from './with-writer.js';

export interface DatabaseHostOptions {
  /**
   * How each knowledge base is opened; `location` is the database: name and tenant in it count for nothing. `embedder` and `dimensions` are for new
   * ones that ask for no others: one that is there has its own.
   */
  readonly knowledgeBase: KnowledgeBaseOptions;
  /** Where originals that are sent are kept, in a folder for each tenant and knowledge base. Absent: nothing can be sent. */
  readonly uploadFolder?: string;
}

/** Each has connections of its own. */
const mostOpen = 32;
/** What others delete and make is noticed this late at the most. */
const listKeptMs = 1_000;

interface Opened {
  readonly kept: KeptOpen<KnowledgeBase>;
  readonly hosted: HostedKnowledgeBase;
}

/** Names of tenants may hold anything; as parts of a path they are written in a way that cannot lead elsewhere. */
const folderOf = (tenant: string): string => Buffer.from(tenant).toString('base64url');

/** Serves every knowledge base of a database, to each tenant its own. Those that were asked last stay open. */
export function createDatabaseHost({ knowledgeBase: options, uploadFolder }: DatabaseHostOptions): KnowledgeBaseHost {
  const { embedder: newEmbedder, dimensions: newDimensions, ...others } = options;
  // An embedder that a program passed in has no name by which it could be opened again.
  const opening = typeof newEmbedder === 'object' ? options : others;
  const directories = new Map<string, Promise<SharedKnowledgeBases>>();
  const lists = new Map<string, { readonly until: number; readonly found: Promise<readonly HostedIdentity[]> }>();
  /** Least recently used first. */
  const opened = new Map<string, Opened>();

  function locationOf(tenant: string, name?: string): string {
    const url = new URL(options.location);
    url.searchParams.set('tenant', tenant);
    if (name === undefined) url.searchParams.delete('name');
    else url.searchParams.set('name', name);
    return url.href;
  }

  function directoryOf(tenant: string): Promise<SharedKnowledgeBases> {
    const known = directories.get(tenant) ?? sharedKnowledgeBases(locationOf(tenant));
    directories.set(tenant, known);
    return known;
  }

  function listOf(tenant: string): Promise<readonly HostedIdentity[]> {
    const now = performance.now();
    const known = lists.get(tenant);
    if (known !== undefined && known.until > now) return known.found;
    const found = directoryOf(tenant).then((directory) => directory.list());
    lists.set(tenant, { until: now + listKeptMs, found });
    found.catch(() => lists.delete(tenant));
    return found;
  }

  function open(tenant: string, { id, name }: HostedIdentity): HostedKnowledgeBase {
    const key = JSON.stringify([tenant, id]);
    const known = opened.get(key) ?? make(tenant, { id, name });
    opened.delete(key);
    opened.set(key, known);
    for (const [oldest, { kept }] of opened) {
      if (opened.size <= mostOpen) break;
      opened.delete(oldest);
      // Those who use it finish first.
      void kept.close();
    }
    return known.hosted;
  }

  function make(tenant: string, identity: HostedIdentity): Opened {
    const location = locationOf(tenant, identity.name);
    const kept = keepReadable({ ...opening, location });
    const uploads =
      uploadFolder === undefined ? undefined : createUploadFolder(join(uploadFolder, folderOf(tenant), identity.id));
    /** Opened for writing, one that others have deleted would be made again. */
    const assertThere = async () => {
      lists.delete(tenant);
      await identityOf(tenant, identity.id);
    };
    const hosted: HostedKnowledgeBase = {
      ...identity,
      reader: readerOf(kept),
      ...(uploads && { uploads }),
      async write(use) {
        await assertThere();
        return withWriter({ ...opening, location }, use);
      },
      async indexFolder(run, listeners) {
        await assertThere();
        const { embedder } = await kept.use((reader) => reader.status());
        return indexFolder({ ...opening, location }, embedder.name, run, listeners);
      },
    };
    return { kept, hosted };
  }

  async function identityOf(tenant: string, idOrName: string): Promise<HostedIdentity> {
    const isIt = ({ id, name }: HostedIdentity) => id === idOrName || name === idOrName;
    const known = lists.get(tenant)?.found;
    let found = (await listOf(tenant)).find(isIt);
    // Another service may have made it since.
    if (found === undefined && lists.get(tenant)?.found === known) {
      lists.delete(tenant);
      found = (await listOf(tenant)).find(isIt);
    }
    if (found !== undefined) return found;
    throw new AquiferError('knowledge-base-not-found', `There is no knowledge base ${JSON.stringify(idOrName)}.`);
  }

  const get = async (tenant: string, idOrName: string): Promise<HostedKnowledgeBase> =>
    open(tenant, await identityOf(tenant, idOrName));

  return {
    list: listOf,
    get,
    async create(tenant, wanted) {
      lists.delete(tenant);
      if ((await listOf(tenant)).some(({ name }) => name === wanted.name)) {
        throw new AquiferError('invalid-options', `There is a knowledge base ${JSON.stringify(wanted.name)} already.`);
      }
      const { name, embedder = newEmbedder, dimensions = newDimensions } = wanted;
      const location = locationOf(tenant, name);
      await (await openKnowledgeBase({ ...opening, location, mode: 'write', name, embedder, dimensions })).close();
      lists.delete(tenant);
      return get(tenant, name);
    },
    async delete(tenant, idOrName) {
      const { id, name, uploads } = await get(tenant, idOrName);
      const key = JSON.stringify([tenant, id]);
      const reader = opened.get(key);
      opened.delete(key);
      await reader?.kept.close();
      await (await directoryOf(tenant)).remove(name);
      lists.delete(tenant);
      await uploads?.removeAll();
    },
    async tenantsWithUploads() {
      if (uploadFolder === undefined) return [];
      const folders = await readdir(uploadFolder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      const tenants = folders.filter((each) => each.isDirectory()).map(({ name }) => name);
      return tenants
        .map((name) => ({ name, tenant: Buffer.from(name, 'base64url').toString() }))
        .filter(({ name, tenant }) => folderOf(tenant) === name)
        .map(({ tenant }) => tenant);
    },
    queue: async () => (await directoryOf(defaultTenant)).queueDepth(),
    async close() {
      await Promise.all([...opened.values()].map(({ kept }) => kept.close()));
      opened.clear();
      for (const directory of directories.values()) await (await directory).close();
      directories.clear();
    },
  };
}
