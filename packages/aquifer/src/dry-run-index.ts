import { isAquiferError } from '@aquifer/contracts';
import { planBuild } from './index-manifest.js';
import type { IndexerStore } from './indexer.js';
import type { IndexOptions, IndexSummary, KnowledgeBaseOptions } from './knowledge-base.js';
import { embedderFor } from './models-by-name.js';
import { openKnowledgeBase } from './open-knowledge-base.js';
import { placeOf } from './open-store.js';

/**
 * What `index` would do, without an index or beside somebody who is writing it: nothing is locked, made or written.
 *
 * @throws `source-not-found`, `embedder-mismatch`, `model-not-found`, `aborted`
 * @example
 * const { new: added, tokens } = await dryRunIndex({ location: './.aquifer' }, './handbook');
 */
export async function dryRunIndex(
  options: KnowledgeBaseOptions,
  paths: string | readonly string[],
  indexOptions: IndexOptions = {},
): Promise<IndexSummary> {
  try {
    const knowledgeBase = await openKnowledgeBase({ ...options, mode: 'read' });
    try {
      return await knowledgeBase.index(paths, { ...indexOptions, dryRun: true });
    } finally {
      await knowledgeBase.close();
    }
  } catch (error) {
    if (!isAquiferError(error, 'index-not-found')) throw error;
    return await dryRunNewIndex(options, paths, indexOptions);
  }
}

async function dryRunNewIndex(
  options: KnowledgeBaseOptions,
  paths: string | readonly string[],
  { onEmbedded: _, ...indexOptions }: IndexOptions,
): Promise<IndexSummary> {
  const [{ chunkerFor }, { createIndexer }] = await Promise.all([import('./chunker-for.js'), import('./indexer.js')]);
  const location = placeOf(options.location).shown;
  const builtWith = planBuild(options, undefined);
  const { embedder, close } = await embedderFor(options, builtWith);
  try {
    const chunker = await chunkerFor(embedder, builtWith);
    const indexer = createIndexer({ ...options, store: emptyStore, location, embedder, chunker });
    try {
      const summary = await indexer.index(paths, { ...indexOptions, dryRun: true });
      const knowledgeBase = { id: '', name: options.name ?? 'default', location };
      return { ...summary, embedder: builtWith.embedderName, knowledgeBase };
    } finally {
      await indexer.close();
    }
  } finally {
    await close();
  }
}

const emptyStore: IndexerStore = {
  getDocument: async () => undefined,
  listDocuments: async () => [],
  getEmbeddings: async (keys) => keys.map(() => undefined),
  readValue: async () => undefined,
  async putEmbeddings() {},
  async replaceDocument() {},
  async updateDocument() {},
  deleteDocuments: async () => 0,
  async writeValue() {},
};
