import { setTimeout as wait } from 'node:timers/promises';
import { AquiferError, type DocumentRecord, type Generator, type Reranker, type Store } from '@aquifer/contracts';
import type { Answerer, Retriever } from '@aquifer/retrieval';
import { createAnalyser } from '@aquifer/text-analysis';
import {
  assertReadableManifest,
  assertSameEmbedder,
  createManifest,
  planBuild,
  readBuiltWith,
  writeBuiltWith,
} from './index-manifest.js';
import type { Indexer } from './indexer.js';
import type { IndexOptions, KnowledgeBase, KnowledgeBaseOptions } from './knowledge-base.js';
import { embedderFor, generatorFor, type OpenedEmbedder, rerankerFor } from './models-by-name.js';
import { type IndexPlace, openStore, placeOf } from './open-store.js';
import { statusOf, writeLastRun } from './status.js';

/**
 * Opens the knowledge base at a location, or makes it.
 *
 * @throws `index-not-found` (mode `read`), `index-locked` (another process writes), `embedder-mismatch`, `index-outdated`,
 *   `index-too-new`, `encryption-key-refused`, `model-not-found`; of a database also `index-unavailable`, `credentials-refused`,
 *   `missing-dependency`
 * @example
 * const knowledgeBase = await openKnowledgeBase({ location: './.aquifer' });
 * await knowledgeBase.index('./handbook');
 * const { matches } = await knowledgeBase.search('parental leave', { limit: 5 });
 * await knowledgeBase.close();
 */
export async function openKnowledgeBase(options: KnowledgeBaseOptions): Promise<KnowledgeBase> {
  const place = placeOf(options.location);
  const analyser = createAnalyser();
  // The store's threads start while the modules of a search load here.
  const opening = openStore(options, analyser);
  import('@aquifer/retrieval/retriever').catch(() => {});
  const store = await opening;
  try {
    return await assemble(store, place, analyser.version, options);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function assemble(
  store: Store,
  place: IndexPlace,
  analyserVersion: string,
  options: KnowledgeBaseOptions,
): Promise<KnowledgeBase> {
  const location = place.shown;
  const known = await store.readManifest();
  if (known === undefined && options.mode === 'read') {
    throw new AquiferError('index-not-found', `The index at ${location} is empty. Fill it: npx aquifer index <folder>`);
  }
  if (known !== undefined) assertReadableManifest(known, analyserVersion, location);
  const recorded = await readBuiltWith(store);
  const builtWith = planBuild(options, recorded);
  const changesOcr = String(recorded?.ocrLanguages) !== String(builtWith.ocrLanguages);
  if (options.mode !== 'read' && changesOcr && builtWith.ocrLanguages !== undefined) {
    // What cannot be done must not be remembered for later runs.
    (await import('@aquifer/documents')).findTesseract(builtWith.ocrLanguages);
  }

  // Opened when first needed: listing documents must not load a model, nor a search the readers.
  const quota = lazy(async () => {
    const { openPostgresQuota } = await import('@aquifer/postgres-store/postgres-quota');
    return openPostgresQuota(options.location);
  });
  /** Who writes a shared index is seldom alone with the embedder's quota. */
  const sharedQuota = async () => {
    if (place.kind === 'folder' || options.mode === 'read') return {};
    return { sharedQuota: await quota.get() };
  };
  const embedder = lazy(async (): Promise<OpenedEmbedder> => {
    const models = { ...(await sharedQuota()), ...options.models };
    const opened = await embedderFor({ ...options, models }, builtWith);
    if (known !== undefined) assertSameEmbedder(known, opened.embedder, builtWith.embedderName, location);
    return opened;
  });
  const reranker = lazy(async (): Promise<Reranker | undefined> => {
    return options.reranker === undefined ? undefined : await rerankerFor(options.reranker, options.models);
  });
  const retriever = lazy(async (): Promise<Retriever> => {
    const { createRetriever } = await import('@aquifer/retrieval/retriever');
    return createRetriever({
      store,
      embedder: (await embedder.get()).embedder,
      embedderName: builtWith.embedderName,
      reranker: await reranker.get(),
    });
  });
  const generator = lazy((): Promise<Generator> => generatorFor(options.model ?? 'builtin', options.models));
  const answererWith = async (retriever: Retriever, generator: Generator): Promise<Answerer> => {
    const { createAnswerer } = await import('@aquifer/retrieval/answerer');
    return createAnswerer({ retriever, store, generator });
  };
  const answerer = lazy(async () => answererWith(await retriever.get(), await generator.get()));
  const queue = lazy(async () => {
    if (place.kind === 'folder') return undefined;
    const { createIngestionQueue } = await import('@aquifer/postgres-store/ingestion-queue');
    return createIngestionQueue(options.location);
  });
  const openHandover = async ({ workers = true, wait = true }: IndexOptions) => {
    const opened = await queue.get();
    if (opened === undefined) {
      if (wait) return undefined;
      throw new AquiferError(
        'invalid-options',
        `${location} is a folder, which has no workers: leave --no-wait out, or keep the knowledge base in PostgreSQL (--kb postgres://…).`,
      );
    }
    if (wait && (!workers || (await opened.workersAlive()) === 0)) return undefined;
    const { createQueueHandover } = await import('./queue-handover.js');
    const { readTimeoutMs, readMemoryMb, maxFileMb } = options;
    return createQueueHandover({ queue: opened, waits: wait, reading: { readTimeoutMs, readMemoryMb, maxFileMb } });
  };
  const indexer = lazy(async (): Promise<Indexer> => {
    const [{ chunkerFor }, { createIndexer }] = await Promise.all([import('./chunker-for.js'), import('./indexer.js')]);
    const model = (await embedder.get()).embedder;
    const chunker = await chunkerFor(model, builtWith);
    if (options.mode !== 'read' && chunker.fingerprint !== manifest.chunker) {
      await store.writeManifest({ ...manifest, chunker: chunker.fingerprint });
      await writeBuiltWith(store, builtWith);
    }
    const indexer = createIndexer({
      ...options,
      openHandover,
      ocrLanguages: builtWith.ocrLanguages,
      store,
      location,
      embedder: model,
      chunker,
    });
    if (options.mode !== 'read' && changesOcr) await writeBuiltWith(store, builtWith);
    return indexer;
  });
  const closeAll = async () => {
    await (await indexer.opened())?.close();
    await (await queue.opened())?.close();
    await (await quota.opened())?.close();
    await (await embedder.opened())?.close();
    if (typeof options.reranker === 'string') await (await reranker.opened())?.close?.();
    await store.close();
  };

  // A name that somebody asked for is checked now, not at the first search.
  if (options.embedder !== undefined) await embedder.get();
  const manifest =
    known ??
    (await createManifest(store, {
      embedder: (await embedder.get()).embedder,
      analyser: analyserVersion,
      name: options.name ?? place.name ?? 'default',
    }));
  if (known === undefined) {
    const { knowledgeBase } = (await store.readManifest()) ?? manifest;
    if (knowledgeBase.id !== manifest.knowledgeBase.id) {
      // Somebody else made it at the same moment, maybe with another embedder.
      await (await embedder.opened())?.close();
      await (await quota.opened())?.close();
      await untilBuiltWith(store);
      return assemble(store, place, analyserVersion, options);
    }
    await writeBuiltWith(store, builtWith);
  }

  const identity = { ...manifest.knowledgeBase, location };
  const optimise: KnowledgeBase['optimise'] = ({ signal, onOptimise } = {}) =>
    store.optimise({ signal, onProgress: onOptimise });

  const existing = async (id: string): Promise<DocumentRecord> => {
    const document = await store.getDocument(id);
    if (document !== undefined) return document;
    throw new AquiferError('document-not-found', `There is no document "${id}": npx aquifer documents lists them.`);
  };

  return {
    ...identity,
    async index(what, indexOptions = {}) {
      if (options.mode === 'read' && !indexOptions.dryRun) {
        throw new AquiferError('index-read-only', `The index in ${location} was opened for reading only.`);
      }
      const { onEmbedded, ...others } = indexOptions;
      const unlisted: { source: string; reason: string }[] = [];
      const summary = await (await indexer.get()).index(what, {
        ...others,
        onUnlisted: (failure) => unlisted.push(failure),
        ...(onEmbedded && { onEmbedded: (usage) => onEmbedded({ embedder: builtWith.embedderName, ...usage }) }),
      });
      if (!indexOptions.dryRun) {
        await optimise(indexOptions);
        await writeLastRun(store, summary, unlisted);
      }
      return { ...summary, embedder: builtWith.embedderName, knowledgeBase: identity };
    },
    sourceOf: async (folder, sourceOptions) => (await indexer.get()).sourceOf(folder, sourceOptions),
    async search(query, searchOptions = {}) {
      return (await retriever.get()).search(query, searchOptions);
    },
    async explain(query, documentId, searchOptions = {}) {
      return (await retriever.get()).explain(query, documentId, searchOptions);
    },
    async *ask(question, { model, reranker: name, rerankedCandidates, ...askOptions } = {}) {
      if (model === undefined && name === undefined) {
        yield* (await answerer.get()).ask(question, askOptions);
        return;
      }
      const answering = model === undefined ? await generator.get() : await generatorFor(model, options.models);
      const otherReranker = name === undefined ? undefined : await rerankerFor(name, options.models);
      const retrieverWith = async (reranker: Reranker): Promise<Retriever> => {
        const { createRetriever } = await import('@aquifer/retrieval/retriever');
        return createRetriever({
          store,
          embedder: (await embedder.get()).embedder,
          embedderName: builtWith.embedderName,
          reranker,
          rerankedCandidates,
        });
      };
      try {
        const asked = otherReranker === undefined ? await retriever.get() : await retrieverWith(otherReranker);
        yield* (await answererWith(asked, answering)).ask(question, askOptions);
      } finally {
        if (typeof name === 'string') await otherReranker?.close?.();
      }
    },
    async prepareToAnswer() {
      await Promise.all([import('@aquifer/retrieval/answerer'), generator.get()]);
    },
    async embed(texts, embedOptions) {
      const { vectors, tokens } = await (await embedder.get()).embedder.embed(texts, embedOptions);
      return { vectors, tokens: tokens.reduce((sum, each) => sum + each, 0), model: builtWith.embedderName };
    },
    documents: (query) => store.listDocuments(query),
    async document(id) {
      return {
        ...(await existing(id)),
        content: (await store.getContent(id)) ?? { text: '', pages: [], blocks: [] },
        chunks: await store.listChunks(id),
      };
    },
    async delete(ids, { allOrNone = false } = {}) {
      if (allOrNone) for (const id of ids) await existing(id);
      for (const id of ids) {
        // An attachment comes back when its message is read again, which the next run does.
        const parentId = (await store.getDocument(id))?.parentId;
        if (parentId !== undefined) await store.updateDocument(parentId, { stamp: '' });
      }
      return store.deleteDocuments(ids);
    },
    async whyUnread(name) {
      const { whyUnread } = await import('@aquifer/documents');
      return whyUnread(name, { recognises: builtWith.ocrLanguages !== undefined });
    },
    status: async () => statusOf(store, manifest, identity, builtWith.embedderName, await queue.get()),
    optimise,
    close: closeAll,
  };
}

/** Whoever makes an index records what it is built with right after its manifest, unless he is killed in between. */
async function untilBuiltWith(store: Store): Promise<void> {
  for (let attempt = 0; attempt < 50 && (await readBuiltWith(store)) === undefined; attempt += 1) await wait(100);
}

/** A value made once, when it is first asked for. A failed attempt is not remembered. */
function lazy<Value>(make: () => Promise<Value>) {
  let made: Promise<Value> | undefined;
  return {
    get: (): Promise<Value> => {
      made ??= make().catch((error: unknown) => {
        made = undefined;
        throw error;
      });
      return made;
    },
    /** The value, where somebody asked for it and it could be made. */
    opened: async (): Promise<Value | undefined> => made?.catch(() => undefined),
  };
}
