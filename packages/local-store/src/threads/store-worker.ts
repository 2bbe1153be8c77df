import {
  AquiferError,
  checkVector,
  collectGarbage,
  type DocumentRecord,
  type ListDocumentsQuery,
  type Manifest,
  type PlainError,
} from '@aquifer/contracts';
import {
  checkPages,
  inSnapshot,
  inTransaction,
  type OpenDatabaseOptions,
  openDatabase,
  settleDatabase,
} from '../database/database.js';
import { createDocumentReads } from '../database/document-reads.js';
import { createDocumentWriter, type DocumentPiece, type DocumentToWrite } from '../database/document-writes.js';
import { createEmbeddingCache } from '../database/embedding-cache.js';
import { guarded } from '../database/guarded.js';
import { createPresenceCheck } from '../database/presence.js';
import { assertCanEncrypt } from '../database/sqlite-driver.js';
import type { WriterLock } from '../database/writer-lock.js';
import { createKeywordSearch, type KeywordSearch } from '../keyword/keyword-search.js';
import { type PackedMatches, packMatches } from './packed-matches.js';
import { beginReplacement, type PiecewiseReplacement } from './piecewise-replacement.js';
import type { MethodsByName } from './worker-calls.js';

export interface StoreWorkerOptions extends OpenDatabaseOptions {
  readonly file: string;
  /** What this process runs: see `writer-lock.ts`. */
  readonly command: string;
}

/** A document of so many leaves some 10 MB of texts behind that were handed over. */
const manyChunks = 4_000;

/** The engine of the store thread: the writer's lock, one connection, and everything but vectors in memory. */
async function createStoreEngine(options: StoreWorkerOptions) {
  if (options.encryptionKey !== undefined) assertCanEncrypt(options.file);
  let lock: WriterLock | undefined;
  if (options.mode === 'write') {
    const { acquireWriterLock } = await import('../database/writer-lock.js');
    // What is indexed is as secret as what is in it.
    lock = acquireWriterLock(options.location, options.encryptionKey === undefined ? options.command : undefined);
  }
  try {
    return createLockedEngine(options, lock);
  } catch (error) {
    lock?.release();
    throw error;
  }
}

function createLockedEngine(options: StoreWorkerOptions, lock: WriterLock | undefined) {
  const database = openDatabase(options);
  if (lock?.diedHolding) {
    try {
      checkPages(database, options.file);
    } catch (error) {
      database.close();
      throw error;
    }
  }
  const assertPresent = createPresenceCheck(options.file);
  const isPresent = (): boolean => {
    try {
      assertPresent();
      return true;
    } catch {
      return false;
    }
  };
  const reads = createDocumentReads(database);
  const writer = createDocumentWriter(database);
  const cache = createEmbeddingCache(database);
  const searchKeyword = createKeywordSearch(database);
  const selectManifest = database.prepare('SELECT json FROM manifest');
  const putManifest = database.prepare('INSERT OR REPLACE INTO manifest (only, json) VALUES (1, ?)');
  const countCommit = database.prepare('UPDATE counters SET generation = generation + 1');
  const anyChunk = database.prepare('SELECT 1 FROM chunks LIMIT 1');
  const selectValue = database.prepare('SELECT json FROM stored_values WHERE key = ?');
  const putValue = database.prepare('INSERT OR REPLACE INTO stored_values (key, json) VALUES (?, ?)');

  const readManifest = (): Manifest | undefined => {
    const json = selectManifest.rows()[0]?.[0];
    return json === undefined ? undefined : (JSON.parse(json as string) as Manifest);
  };
  const dimensions = (): number | undefined => readManifest()?.embedder.dimensions;
  const dimensionsForWriting = (): number => {
    const value = dimensions();
    if (value === undefined) {
      throw new AquiferError(
        'invalid-options',
        `${options.file} has no manifest yet, and without it the dimensions of its vectors are not known. Call writeManifest first.`,
      );
    }
    return value;
  };

  let replacement: PiecewiseReplacement | undefined;
  const openReplacement = (): PiecewiseReplacement => {
    if (replacement === undefined)
      throw new AquiferError('internal', `No document of ${options.file} is being replaced.`);
    return replacement;
  };
  const endReplacement = (): void => {
    replacement?.close();
    replacement = undefined;
  };

  return {
    assertPresent,
    readManifest,
    writeManifest(manifest: Manifest): void {
      inTransaction(database, () => {
        const before = dimensions();
        const after = manifest.embedder.dimensions;
        if (before !== undefined && before !== after && anyChunk.rows().length > 0) {
          throw new AquiferError(
            'embedder-mismatch',
            `${options.file} holds vectors of ${before} dimensions, so its manifest cannot say ${after}. Delete its documents first, or index into another folder.`,
          );
        }
        putManifest.run(JSON.stringify(manifest));
        if (before !== after) cache.keepOnly(after);
        countCommit.run();
      });
    },
    keptChunks: (
      documents: readonly {
        readonly documentId: string;
        readonly chunks: readonly { readonly id: string; readonly embeddingKey: string }[];
      }[],
    ): string[][] => documents.map(({ documentId, chunks }) => writer.keptChunks(documentId, chunks)),
    replaceDocuments(writes: readonly DocumentToWrite[]): (PlainError | undefined)[] {
      const hasChunks = writes.some(({ chunks }) => chunks.length > 0);
      const errors = writer.replace(writes, hasChunks ? dimensionsForWriting() : dimensions());
      // When the message is answered, and what came with it is nobody's any more.
      if (writes.some(({ chunks }) => chunks.length > manyChunks)) setTimeout(collectGarbage, 0);
      return errors;
    },
    /** A document whose pieces come in calls of their own; what is asked in between is answered without it. */
    beginReplacement(document: DocumentRecord): PiecewiseReplacement['held'] {
      endReplacement();
      // The other connection has a cache as large.
      database.exec('PRAGMA shrink_memory');
      replacement = beginReplacement(options, document, dimensionsForWriting());
      return replacement.held;
    },
    addPiece: (piece: DocumentPiece): readonly ArrayBuffer[] => openReplacement().add(piece),
    commitReplacement(structure: Pick<DocumentToWrite, 'pages' | 'blocks'>): void {
      openReplacement().commit(structure);
      endReplacement();
      setTimeout(collectGarbage, 0);
    },
    abandonReplacement: endReplacement,
    updateDocument: (argument: { readonly id: string; readonly changes: Partial<Omit<DocumentRecord, 'id'>> }): void =>
      writer.update(argument.id, argument.changes),
    deleteDocuments: (ids: readonly string[]): number => writer.remove(ids),
    getDocument: (id: string) => reads.get(id),
    listDocuments: (query: ListDocumentsQuery) => reads.list(query),
    getContent: (id: string) => reads.content(id),
    getChunks: (ids: readonly string[]) => reads.chunks(ids),
    listChunks: (argument: { readonly documentId: string; readonly from: number; readonly to: number }) =>
      reads.chunksOf(argument.documentId, argument.from, argument.to),
    searchKeyword: (search: KeywordSearch): PackedMatches =>
      packMatches(inSnapshot(database, () => searchKeyword(search))),
    getEmbeddings: (keys: readonly string[]): (Float32Array | undefined)[] => keys.map((key) => cache.get(key)),
    listEmbeddingKeys: (argument: { readonly after: string; readonly limit: number }): string[] =>
      cache.keys(argument.after, argument.limit),
    putEmbeddings(entries: readonly { readonly key: string; readonly vector: Float32Array }[]): void {
      const wanted = dimensionsForWriting();
      for (const { key, vector } of entries) checkVector(vector, wanted, `cache entry ${JSON.stringify(key)}`);
      inTransaction(database, () => {
        for (const { key, vector } of entries) cache.add(key, vector);
        countCommit.run();
      });
    },
    readValue(key: string): string | undefined {
      return selectValue.rows(key)[0]?.[0] as string | undefined;
    },
    writeValue(argument: { readonly key: string; readonly json: string }): void {
      inTransaction(database, () => {
        putValue.run(argument.key, argument.json);
        countCommit.run();
      });
    },
    counts: () => reads.counts(),
    pruneCache(): void {
      inTransaction(database, () => {
        if (cache.prune() > 0) countCommit.run();
      });
    },
    close(): void {
      try {
        endReplacement();
        if (options.mode === 'write' && isPresent()) settleDatabase(database);
      } finally {
        database.close();
        lock?.release();
      }
    },
  };
}

type StoreEngine = Awaited<ReturnType<typeof createStoreEngine>>;

export type StoreWorkerMethods = {
  readonly open: (options: StoreWorkerOptions) => Promise<void>;
} & StoreEngine;

/** The methods of a store by name: `open` first. */
export function createStoreMethods(): MethodsByName {
  let engine: StoreEngine | undefined;
  let file = '';
  const open = async (options: StoreWorkerOptions): Promise<void> => {
    file = options.file;
    engine = await guarded(file, () => createStoreEngine(options));
  };
  return (name) => {
    if (name === 'open') return open;
    const method = engine?.[name as keyof StoreEngine] as ((argument: never) => unknown) | undefined;
    return (
      method &&
      ((argument: never) =>
        guarded(file, () => {
          if (name !== 'close') engine?.assertPresent();
          return method(argument);
        }))
    );
  };
}
