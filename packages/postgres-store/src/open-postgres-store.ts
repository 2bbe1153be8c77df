import {
  type Analyser,
  AquiferError,
  checkRecord,
  checkScope,
  checkTexts,
  checkVector,
  checkWholeNumber,
  checkWrite,
  isStorable,
  keywordRanking,
  type Store,
  throwIfAborted,
} from '@aquifer/contracts';
import { createDatabaseClock } from './database-clock.js';
import { createDenseSearch } from './dense-search.js';
import { createDocumentReads } from './document-reads.js';
import { createDocumentWriter } from './document-writes.js';
import { createEmbedderFence, lockWriting } from './embedder-fence.js';
import { createEmbeddingCache } from './embedding-cache.js';
import { createKeywordSearch } from './keyword-search.js';
import { createManifestStore } from './manifest-store.js';
import { migrate } from './migrations.js';
import { type PostgresLocation, parsePostgresLocation } from './postgres-location.js';
import { assertClaim, dropJobs, type JobClaim } from './queue/job-claim.js';
import { createReplicaReads } from './replica-reads.js';
import { readStats } from './stats.js';
import { describeMissingProtection } from './tenant-protection.js';
import { createTransactions, type Query } from './transactions.js';
import { checkGraphKind, createVectorGraph, type GraphKind } from './vector-graph.js';

export interface PostgresStoreOptions {
  /**
   * The database, the knowledge base in it and the tenant: `postgres://aquifer:secret@db.internal/aquifer?name=handbook&tenant=acme`. `max=20` is
   * the most connections at a time (default 10); what else stands behind the question mark is `pg`'s, such as `sslmode=verify-full` and
   * `statement_timeout=30000` (milliseconds).
   */
  readonly location: string;
  /** `write` (the default) makes the tables where there are none. Any number of processes may write at once. */
  readonly mode?: 'read' | 'write' | undefined;
  /** The same one that the index was made with: its version is in the manifest. */
  readonly analyser: Analyser;
  /** `auto` (the default) has `optimise` build an HNSW index for 20,000 chunks and more, `hnsw` for any number, `exact` none. */
  readonly index?: GraphKind | undefined;
  /** Told, in mode `write`, that the role that connects is not held to row-level security; and of a replica that cannot answer. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** A store that workers can share the writing of. */
export interface PostgresStore extends Store {
  /**
   * The same store for whoever works on a job. What it changes of documents commits only while the job is still his: it is refused with
   * `aborted` once the job was given to somebody else, or somebody brought the document up to date without it.
   */
  claimedBy(claim: JobClaim): Store;
}

/**
 * Opens a knowledge base in PostgreSQL (15 or newer, with pgvector 0.8 or newer), which any number of machines may share.
 *
 * @throws `index-unavailable`, `credentials-refused`, `missing-dependency` (no pgvector), `index-not-found` (mode `read`, or no such database),
 *   `index-outdated` (mode `read`), `index-too-new`, `index-read-only` (a replica, or a role that may not), `invalid-options`
 * @example
 * const store = await openPostgresStore({ location: 'postgres://aquifer@localhost/aquifer?name=handbook', analyser: createAnalyser() });
 * const { matches } = await store.searchKeyword({ text: 'parental leave', limit: 5 });
 * await store.close();
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  checkGraphKind(options.index ?? 'auto');
  return openStoreAt(parsePostgresLocation(options.location), options);
}

/** The same for a location that was read already. */
export async function openStoreAt(
  location: PostgresLocation,
  options: Omit<PostgresStoreOptions, 'location'>,
): Promise<PostgresStore> {
  const { analyser, mode = 'write', index: kind = 'auto', onWarning } = options;
  const { tenant, knowledgeBase, shown } = location;
  const transactions = createTransactions({ location });
  try {
    const within = mode === 'read' ? transactions.read : transactions.write;
    await within((query) => migrate(query, mode, shown));
    if (mode === 'write' && onWarning !== undefined) {
      const missing = await transactions.read((query) => describeMissingProtection(query, shown));
      if (missing !== undefined) onWarning(missing);
    }
  } catch (error) {
    await transactions.close();
    throw error;
  }

  const fence = createEmbedderFence(location);
  const cache = createEmbeddingCache(location);
  const reads = createDocumentReads(tenant, knowledgeBase);
  const writer = createDocumentWriter({ location, analyser, cache, fence });
  const manifests = createManifestStore(tenant, knowledgeBase, cache);
  const graph = createVectorGraph({ transactions, location, kind });
  const dense = createDenseSearch(tenant, knowledgeBase, graph);
  const searchKeyword = createKeywordSearch(tenant, knowledgeBase);
  let graphNote: string | undefined;
  const { read } = transactions;
  const replica = createReplicaReads({ primary: transactions, location, onWarning });
  const find = replica?.read ?? read;
  /** For what depends on the embedder. Both are sent at once, and the fence's answer comes first. */
  const fenced =
    <Result>(work: (query: Query) => Promise<Result>) =>
    async (query: Query): Promise<Result> => {
      const [, result] = await Promise.all([fence.assert(query), work(query)]);
      return result;
    };
  const write = async <Result>(work: (query: Query) => Promise<Result>): Promise<Result> => {
    if (mode === 'read') {
      throw new AquiferError('index-read-only', `The index at ${shown} was opened for reading only.`);
    }
    return (replica ?? transactions).write(async (query) => {
      const [, result] = await Promise.all([query(lockWriting(location, 'shared')), fenced(work)(query)]);
      return result;
    });
  };

  type DocumentWrites = Pick<Store, 'replaceDocument' | 'updateDocument' | 'deleteDocuments'>;
  /** Without a claim, what is replaced or deleted is nobody's job any more. */
  const documentWrites = (claim?: JobClaim): DocumentWrites => {
    const change = <Result>(ids: readonly string[], work: (query: Query) => Promise<Result>): Promise<Result> =>
      write(async (query) => {
        if (claim === undefined) {
          const [result] = await Promise.all([work(query), dropJobs(query, tenant, knowledgeBase, ids)]);
          return result;
        }
        const result = await work(query);
        await assertClaim(query, tenant, knowledgeBase, claim);
        return result;
      });
    return {
      async replaceDocument(document) {
        checkWrite(document);
        return change([document.document.id], (query) => writer.replace(query, document));
      },
      async updateDocument(id, changes) {
        checkTexts([id], 'The document id');
        return change([], async (query) => {
          const record = await reads.get(query, id);
          if (record !== undefined) checkRecord({ ...record, ...changes, id });
          return writer.update(query, id, changes);
        });
      },
      async deleteDocuments(ids) {
        checkTexts(ids, 'The ids of the documents to delete');
        if (ids.length === 0) return 0;
        const storable = ids.filter(isStorable);
        return change(storable, (query) => writer.remove(query, storable));
      },
    };
  };

  const store: Store = {
    ...documentWrites(),
    async readManifest() {
      const manifest = await read((query) => manifests.readManifest(query));
      fence.hold(manifest);
      return manifest;
    },
    async writeManifest(manifest, { unlessThere = false } = {}) {
      checkWholeNumber(manifest.embedder.dimensions, 'The number of dimensions', 1, 16_000);
      await write((query) => manifests.writeManifest(query, manifest, unlessThere));
      if (!unlessThere) fence.hold(manifest, true);
      dense.forget();
    },
    async getDocument(id) {
      checkTexts([id], 'The document id');
      return read((query) => reads.get(query, id));
    },
    async listDocuments(asked = {}) {
      if (asked.limit !== undefined) checkWholeNumber(asked.limit, 'limit', 1, Number.MAX_SAFE_INTEGER);
      return read((query) => reads.list(query, asked));
    },
    async getContent(documentId) {
      checkTexts([documentId], 'The document id');
      return read((query) => reads.content(query, documentId));
    },
    async getChunks(ids) {
      checkTexts(ids, 'The chunk ids');
      return find((query) => reads.chunks(query, ids));
    },
    async listChunks(documentId, { from = 0, to = Number.MAX_SAFE_INTEGER } = {}) {
      checkTexts([documentId], 'The document id');
      checkWholeNumber(from, 'from', 0, Number.MAX_SAFE_INTEGER);
      checkWholeNumber(to, 'to', 0, Number.MAX_SAFE_INTEGER);
      return read((query) => reads.chunksOf(query, documentId, from, to));
    },
    async searchDense(search, signal) {
      throwIfAborted(signal);
      checkScope(search);
      checkVector(search.vector, undefined, 'the query');
      const own = { ...search, vector: search.vector.slice() };
      return abortable(find(fenced((query) => dense.search(query, own))), signal);
    },
    async searchKeyword(search, signal) {
      throwIfAborted(signal);
      checkScope(search);
      checkTexts([search.text], 'The text of the query');
      const terms = analyser.terms(search.text);
      const pairs = terms.length <= keywordRanking.maxPairedTerms ? analyser.pairs(terms) : [];
      return abortable(
        find((query) => searchKeyword(query, { ...search, terms, pairs })),
        signal,
      );
    },
    async scoreDense(vector, chunkIds) {
      checkTexts(chunkIds, 'The chunk ids');
      checkVector(vector, undefined, 'the query');
      const own = vector.slice();
      return find(fenced((query) => dense.score(query, own, chunkIds)));
    },
    async getEmbeddings(keys) {
      checkTexts(keys, 'The embedding keys');
      return read((query) => cache.get(query, keys));
    },
    async listEmbeddingKeys({ after = '', limit = 1_000 } = {}) {
      checkTexts([after], 'after');
      checkWholeNumber(limit, 'limit', 1, Number.MAX_SAFE_INTEGER);
      return read((query) => cache.keys(query, after, limit));
    },
    async putEmbeddings(entries) {
      const own = entries.map(({ key, vector }) => {
        checkTexts([key], 'The embedding keys');
        checkVector(vector, undefined, `cache entry ${JSON.stringify(key)}`);
        return { key, vector: vector.slice() };
      });
      return write((query) => manifests.putEmbeddings(query, own));
    },
    async readValue(key) {
      checkTexts([key], 'The key of the value');
      return read((query) => manifests.readValue(query, key));
    },
    async writeValue(key, value) {
      checkTexts([key], 'The key of the value');
      const json = JSON.stringify(value) as string | undefined;
      if (json === undefined) throw new AquiferError('invalid-options', `The value ${key} cannot be written as JSON.`);
      return write((query) => manifests.writeValue(query, key, json));
    },
    now: createDatabaseClock(transactions),
    stats: () => read(fenced((query) => readStats(query, { tenant, knowledgeBase, graph, note: graphNote }))),
    async optimise({ signal, onProgress } = {}) {
      throwIfAborted(signal);
      await write((query) => manifests.pruneCache(query));
      const base = await read((query) => manifests.readSize(query));
      throwIfAborted(signal);
      if (base === undefined) return;
      onProgress?.({ done: 0, total: base.vectors });
      graphNote = await graph.bring({ ...base, signal, onProgress });
      dense.forget();
      onProgress?.({ done: base.vectors, total: base.vectors });
    },
    async close() {
      await Promise.all([replica?.close(), transactions.close()]);
    },
  };
  return { ...store, claimedBy: (claim) => ({ ...store, ...documentWrites(claim) }) };
}

/** The result, or the error `aborted` as soon as the signal fires; the server finishes the statement for nobody. */
async function abortable<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work;
  let stop: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop);
  });
  try {
    const result = await Promise.race([work, stopped]);
    throwIfAborted(signal);
    return result as Result;
  } finally {
    signal.removeEventListener('abort', stop);
    work.catch(() => {});
  }
}
