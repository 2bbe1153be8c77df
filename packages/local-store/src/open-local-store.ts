import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type Analyser,
  AquiferError,
  checkRecord,
  checkScope,
  checkTexts,
  checkVector,
  checkWholeNumber,
  checkWrite,
  type DocumentWrite,
  fromPlainError,
  isStorable,
  keywordRanking,
  type Store,
  type StoreStats,
  throwIfAborted,
} from '@aquifer/contracts';
import { databaseFileName } from './database/database.js';
import { type PreparedWrite, prepareWrite } from './prepare-write.js';
import { isForPieces, replaceInPieces } from './replace-in-pieces.js';
import { createReplacementGroup, type ReplacementGroup } from './replacement-group.js';
import { createDirectClient } from './threads/direct-calls.js';
import { unpackMatches } from './threads/packed-matches.js';
import type { StoreWorkerMethods } from './threads/store-worker.js';
import type { VectorWorkerMethods } from './threads/vector-worker.js';
import { createWorkerClient } from './threads/worker-calls.js';
import type { IndexKind } from './vectors/search-plan.js';

export interface LocalStoreOptions {
  /** The folder of the index. */
  readonly location: string;
  /** `write` (the default) makes the folder where there is none, and is the only writer while it is open. */
  readonly mode?: 'read' | 'write';
  /** The same one that the index was made with: its version is in the manifest. */
  readonly analyser: Analyser;
  /** Encrypts everything on disk. The same key opens the index again; there is no way to recover a lost one. */
  readonly encryptionKey?: string;
  /**
   * `hnsw` keeps a graph (where hnswlib-node is built, and the index is not encrypted), which takes 4 KB of memory a vector of
   * 1,024 dimensions and some 2 ms to build. `auto` (the default) builds none, and uses one that is there where there are so
   * many vectors that it answers sooner; `exact` looks at every vector.
   */
  readonly index?: IndexKind;
  /**
   * Whether the work is done on two threads of the store's own (the default). Without, a process that asks one question and
   * ends has its answer some 100 ms sooner; every call holds up the caller's thread.
   */
  readonly ownThreads?: boolean;
}

/**
 * Opens the index in a folder: SQLite for what must never be lost, vectors in memory beside it. All work but text
 * analysis happens on two threads of its own, so that neither writing nor searching holds up the caller.
 *
 * @throws `index-not-found` (mode `read`), `index-locked`, `index-too-new`, `index-corrupt`, `encryption-key-refused`,
 *   `encryption-unavailable`, `missing-dependency`
 * @example
 * const store = await openLocalStore({ location: '.aquifer', analyser: createAnalyser() });
 * const { matches } = await store.searchKeyword({ text: 'parental leave', limit: 5 });
 * await store.close();
 */
export async function openLocalStore(options: LocalStoreOptions): Promise<Store> {
  const { analyser, mode = 'write', encryptionKey, index: kind = 'auto', ownThreads = true } = options;
  const location = resolve(options.location);
  const file = join(location, databaseFileName);
  if (encryptionKey === '') throw new AquiferError('invalid-options', 'The encryption key must not be empty.');
  if (!['auto', 'exact', 'hnsw'].includes(kind)) {
    throw new AquiferError('invalid-options', `The index must be auto, exact or hnsw, not ${JSON.stringify(kind)}.`);
  }
  const shared = { location, file, ...(encryptionKey === undefined ? {} : { encryptionKey }) };

  const encrypted = encryptionKey !== undefined;
  const vectorOptions = { ...shared, kind, encrypted, savesGraph: mode === 'write' && !encrypted };

  // Threads take some 30 ms to start, so they start at the same time, and a writer's vectors only when somebody searches.
  const store = ownThreads
    ? createWorkerClient<StoreWorkerMethods>(new URL('./threads/store-thread.js', import.meta.url), 'store')
    : createDirectClient<StoreWorkerMethods>(async () =>
        (await import('./threads/store-worker.js')).createStoreMethods(),
      );
  const vectors = ownThreads
    ? createWorkerClient<VectorWorkerMethods>(new URL('./threads/vector-thread.js', import.meta.url), 'vector')
    : createDirectClient<VectorWorkerMethods>(async () =>
        (await import('./threads/vector-worker.js')).createVectorMethods(),
      );
  let vectorsOpen: Promise<void> | undefined;
  const dispose = async (): Promise<void> => {
    await Promise.all([store.terminate(), vectors.terminate()]);
  };
  try {
    // A reader's vectors load while the rest opens. A writer's wait, for the schema may only just be made; and on one thread
    // nothing is gained by loading what no search may want.
    if (mode === 'read' && ownThreads) {
      vectorsOpen = vectors.call('open', vectorOptions);
      vectorsOpen.then(() => vectors.call('warm', undefined)).catch(() => {});
    }
    await store.call('open', { ...shared, mode, command: process.argv.slice(1, 4).join(' ') });
  } catch (error) {
    await dispose();
    throw error;
  }

  let closing: Promise<void> | undefined;
  const refuseClosed = (): void => {
    if (closing !== undefined) throw new AquiferError('invalid-options', `The index in ${location} is closed.`);
  };
  const refuseReadOnly = (): void => {
    refuseClosed();
    if (mode === 'read') {
      throw new AquiferError('index-read-only', `The index in ${location} was opened for reading only.`);
    }
  };
  const openVectors = async (): Promise<typeof vectors> => {
    refuseClosed();
    vectorsOpen ??= vectors.call('open', vectorOptions);
    await vectorsOpen;
    return vectors;
  };

  let openGroup: ReplacementGroup | undefined;
  // One write at a time, in the order of the calls, so that a replacement sees its document unchanged between its steps.
  let lastWrite: Promise<unknown> = Promise.resolve();
  const inOrder = <Result>(work: () => Promise<Result>): Promise<Result> => {
    openGroup = undefined;
    const result = lastWrite.then(work);
    lastWrite = result.catch(() => {});
    return result;
  };

  // Two at once would build the same graph twice.
  let optimising: Promise<void> = Promise.resolve();
  const closed = new AbortController();

  // Replacements that wait for earlier writes share a transaction, in the order of the calls.
  const replaceDocument = (write: DocumentWrite): Promise<void> =>
    new Promise((resolve, reject) => {
      if (openGroup === undefined || openGroup.isFullFor(write)) {
        const group = createReplacementGroup();
        inOrder(() => {
          if (openGroup === group) openGroup = undefined;
          return replaceGroup(group);
        });
        openGroup = group;
      }
      openGroup.add({ write, resolve, reject });
    });

  const replaceGroup = async ({ replacements }: ReplacementGroup): Promise<void> => {
    const [only] = replacements;
    if (only !== undefined && replacements.length === 1 && isForPieces(only.write)) {
      await replaceInPieces(only.write, store, analyser).then(only.resolve, only.reject);
      return;
    }
    try {
      const identities = replacements.map(({ write }) => ({
        documentId: write.document.id,
        chunks: write.chunks.map(({ id, embeddingKey }) => ({ id, embeddingKey })),
      }));
      const kept = await store.call('keptChunks', identities);
      const prepared: PreparedWrite[] = [];
      for (const [index, { write }] of replacements.entries()) {
        prepared.push(await prepareWrite(write, new Set(kept[index]), analyser));
      }
      const writes = prepared.map(({ write }) => write);
      const transfer = prepared.flatMap((each) => each.transfer);
      const errors = await store.call('replaceDocuments', writes, { transfer });
      for (const [index, { resolve, reject }] of replacements.entries()) {
        const error = errors[index];
        if (error === undefined) resolve();
        else reject(fromPlainError(error));
      }
    } catch (error) {
      for (const { reject } of replacements) reject(error);
    }
  };

  const close = async (): Promise<void> => {
    closed.abort();
    await Promise.all([lastWrite, optimising.catch(() => {})]);
    try {
      // The vectors' connection first: the last one to close writes the log back into the database.
      if (vectorsOpen !== undefined) {
        await vectorsOpen.then(
          () => vectors.call('close', undefined),
          () => {},
        );
      }
      await store.call('close', undefined);
    } finally {
      await dispose();
    }
  };

  return {
    async readManifest() {
      refuseClosed();
      return store.call('readManifest', undefined);
    },
    async writeManifest(manifest, { unlessThere = false } = {}) {
      refuseReadOnly();
      checkWholeNumber(manifest.embedder.dimensions, 'The number of dimensions', 1, 65_536);
      return inOrder(async () => {
        // Nobody else writes: what is not there now is not there below.
        if (unlessThere && (await store.call('readManifest', undefined)) !== undefined) return;
        await store.call('writeManifest', manifest);
      });
    },
    async replaceDocument(write) {
      refuseReadOnly();
      checkWrite(write);
      return replaceDocument(write);
    },
    async updateDocument(id, changes) {
      refuseReadOnly();
      checkTexts([id], 'The document id');
      return inOrder(async () => {
        const record = await store.call('getDocument', id);
        if (record !== undefined) checkRecord({ ...record, ...changes, id });
        return store.call('updateDocument', { id, changes });
      });
    },
    async deleteDocuments(ids) {
      refuseReadOnly();
      checkTexts(ids, 'The ids of the documents to delete');
      if (ids.length === 0) return 0;
      return inOrder(() => store.call('deleteDocuments', ids.filter(isStorable)));
    },
    async getDocument(id) {
      refuseClosed();
      checkTexts([id], 'The document id');
      return store.call('getDocument', id);
    },
    async listDocuments(query = {}) {
      refuseClosed();
      if (query.limit !== undefined) checkWholeNumber(query.limit, 'limit', 1, Number.MAX_SAFE_INTEGER);
      return store.call('listDocuments', query);
    },
    async getContent(documentId) {
      refuseClosed();
      checkTexts([documentId], 'The document id');
      return store.call('getContent', documentId);
    },
    async getChunks(ids) {
      refuseClosed();
      checkTexts(ids, 'The chunk ids');
      return store.call('getChunks', ids);
    },
    async listChunks(documentId, { from = 0, to = Number.MAX_SAFE_INTEGER } = {}) {
      refuseClosed();
      checkTexts([documentId], 'The document id');
      checkWholeNumber(from, 'from', 0, Number.MAX_SAFE_INTEGER);
      checkWholeNumber(to, 'to', 0, Number.MAX_SAFE_INTEGER);
      return store.call('listChunks', { documentId, from, to });
    },
    async searchDense({ vector, limit, exact, filter, documentIds }, signal) {
      throwIfAborted(signal);
      checkScope({ limit, ...(filter && { filter }), ...(documentIds && { documentIds }) });
      checkVector(vector, undefined, 'the query');
      const search = { vector: vector.slice(), limit, exact, filter, documentIds };
      return unpackMatches(await (await openVectors()).call('search', search, { signal }));
    },
    async searchKeyword({ text, limit, filter, documentIds }, signal) {
      refuseClosed();
      throwIfAborted(signal);
      checkScope({ limit, ...(filter && { filter }), ...(documentIds && { documentIds }) });
      checkTexts([text], 'The text of the query');
      const terms = analyser.terms(text);
      const pairs = terms.length <= keywordRanking.maxPairedTerms ? analyser.pairs(terms) : [];
      return unpackMatches(await store.call('searchKeyword', { terms, pairs, limit, filter, documentIds }, { signal }));
    },
    async scoreDense(vector, chunkIds) {
      checkTexts(chunkIds, 'The chunk ids');
      checkVector(vector, undefined, 'the query');
      return (await openVectors()).call('score', { vector: vector.slice(), chunkIds });
    },
    async getEmbeddings(keys) {
      refuseClosed();
      checkTexts(keys, 'The embedding keys');
      return store.call('getEmbeddings', keys);
    },
    async listEmbeddingKeys({ after = '', limit = 1_000 } = {}) {
      refuseClosed();
      checkTexts([after], 'after');
      checkWholeNumber(limit, 'limit', 1, Number.MAX_SAFE_INTEGER);
      return store.call('listEmbeddingKeys', { after, limit });
    },
    async putEmbeddings(entries) {
      refuseReadOnly();
      for (const { key, vector } of entries) {
        checkTexts([key], 'The embedding keys');
        checkVector(vector, undefined, `cache entry ${JSON.stringify(key)}`);
      }
      // One piece of memory: one for each vector would leave as many holes behind, and they are freed late.
      const memory = new Float32Array(entries.reduce((sum, { vector }) => sum + vector.length, 0));
      let end = 0;
      const own = entries.map(({ key, vector }) => {
        memory.set(vector, end);
        end += vector.length;
        return { key, vector: memory.subarray(end - vector.length, end) };
      });
      const transfer = [memory.buffer];
      return inOrder(() => store.call('putEmbeddings', own, { transfer }));
    },
    async readValue(key) {
      refuseClosed();
      checkTexts([key], 'The key of the value');
      const json = await store.call('readValue', key);
      return json === undefined ? undefined : JSON.parse(json);
    },
    async writeValue(key, value) {
      refuseReadOnly();
      checkTexts([key], 'The key of the value');
      const json = JSON.stringify(value) as string | undefined;
      if (json === undefined) throw new AquiferError('invalid-options', `The value ${key} cannot be written as JSON.`);
      return inOrder(() => store.call('writeValue', { key, json }));
    },
    async stats(): Promise<StoreStats> {
      refuseClosed();
      const counts = await store.call('counts', undefined);
      const index = await (await openVectors()).call('stats', undefined);
      return { ...counts, bytes: folderBytes(location), index };
    },
    async optimise({ signal, onProgress } = {}) {
      refuseReadOnly();
      throwIfAborted(signal);
      await inOrder(() => store.call('pruneCache', undefined));
      // Outside the order of writes, which go on while the graph is built.
      optimising = optimising
        .catch(() => {})
        .then(async () => {
          const stop = signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);
          throwIfAborted(stop);
          const voucher = await (await openVectors()).call('optimise', undefined, { signal: stop, onProgress });
          if (voucher !== undefined) await inOrder(() => store.call('writeValue', voucher));
        });
      return optimising;
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function folderBytes(location: string): number {
  let bytes = 0;
  for (const name of readdirSync(location)) {
    // A file may vanish between the two calls: a log that is written back, a graph that is replaced.
    bytes += statSync(join(location, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
