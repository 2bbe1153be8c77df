import { setMaxListeners } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import {
  type Chunker,
  type DocumentRecord,
  type Embedder,
  embeddedText,
  isAquiferError,
  type Store,
  throwIfAborted,
} from '@aquifer/contracts';
import { boundedWork, defaultMaxBytesInFlight } from './bounded-work.js';
import { createChunkVectors, embeddingKeys } from './chunk-vectors.js';
import { formatStamp, parseStamp, processingOf } from './document-stamp.js';
import { embeddingWindow } from './embedding-terms.js';

export interface ReEmbedOptions {
  readonly from: Store;
  /** Another store, open for writing. What an earlier, interrupted run put there is kept. */
  readonly to: Store;
  readonly chunker: Chunker;
  readonly embedder: Embedder;
  /** The fingerprint of the chunker that `from` was built with. */
  readonly fromChunker: string;
  /** As `createIngestor` will be given it. */
  readonly readerFingerprint?: string;
  readonly recognitionFingerprint?: string;
  readonly embedBatchSize?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

const pageSize = 200;

/** What a damaged store still has of something: undefined where the disk has changed it. */
async function undamaged<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isAquiferError(error, 'index-corrupt')) return undefined;
    throw error;
  }
}

/**
 * Fills a store with the documents of another, chunked and embedded anew from their stored text: no original is read.
 * Vectors that the old store has of the same texts by the same embedder are taken over. Documents whose text is damaged are left
 * out. Done again, it brings over what has changed since.
 *
 * @throws `aborted`, or what the embedder or a store fails with; every document committed until then stays.
 */
export async function reEmbed(options: ReEmbedOptions): Promise<void> {
  const { from, to, chunker, embedder, onProgress } = options;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  setMaxListeners(0, signal);
  const window = embeddingWindow(embedder);
  const vectors = createChunkVectors({
    store: to,
    embedder,
    ...window,
    ...(options.embedBatchSize !== undefined && { embedBatchSize: options.embedBatchSize }),
    signal,
  });
  const { readerFingerprint = '', recognitionFingerprint = '' } = options;
  const before = processingOf(readerFingerprint, recognitionFingerprint, { fingerprint: options.fromChunker });
  const after = processingOf(readerFingerprint, recognitionFingerprint, chunker);
  const keyOf = embeddingKeys(embedder);

  // Text that other readers made keeps its stamp, so that the next run reads those files again.
  const restamp = (record: DocumentRecord): string => {
    const stamp = parseStamp(record.stamp);
    if (stamp?.processing === before.plain) return formatStamp({ ...stamp, processing: after.plain });
    if (stamp?.processing === before.pictured) return formatStamp({ ...stamp, processing: after.pictured });
    return record.stamp;
  };

  async function copy(record: DocumentRecord): Promise<void> {
    const stamp = restamp(record);
    const existing = await to.getDocument(record.id);
    const { chunkCount, tokenCount } = existing ?? record;
    if (isDeepStrictEqual(existing, { ...record, stamp, chunkCount, tokenCount })) return;
    const content = await undamaged(() => from.getContent(record.id));
    // Left out, it is a new file to the next run, which reads it again.
    if (content === undefined && record.chunkCount > 0) return;
    const { text, pages, blocks } = content ?? { text: '', pages: [], blocks: [] };
    const chunks = chunker.chunk({ documentId: record.id, title: record.title, extracted: { text, pages, blocks } });
    const keys = [...new Set(chunks.map((chunk) => keyOf(embeddedText(chunk))))];
    const known = (await undamaged(() => from.getEmbeddings(keys))) ?? [];
    await to.putEmbeddings(
      keys.flatMap((key, index) => {
        const vector = known[index];
        return vector === undefined ? [] : [{ key, vector }];
      }),
    );
    const { writes, release } = await vectors.resolve(chunks);
    try {
      const document = {
        ...record,
        stamp,
        chunkCount: chunks.length,
        tokenCount: chunks.reduce((sum, chunk) => sum + chunk.tokens, 0),
      };
      await to.replaceDocument({ document, text, pages, blocks, chunks: writes });
    } finally {
      release();
    }
  }

  const { documents } = await from.stats();
  const total = Object.values(documents).reduce((sum, number) => sum + number, 0);
  let done = 0;
  const copied = new Set<string>();
  const act = async (record: DocumentRecord) => {
    await copy(record);
    copied.add(record.id);
    onProgress?.({ done: ++done, total });
  };
  await boundedWork(documentsOf(from), act, {
    concurrency: window.documentConcurrency,
    maxBytes: defaultMaxBytesInFlight,
    bytesOf: ({ bytes }) => bytes,
    signal,
    stop,
  });
  throwIfAborted(options.signal);
  await deleteOthers(to, copied);
}

async function* documentsOf(store: Store): AsyncIterable<DocumentRecord> {
  for (let after: string | undefined; ; ) {
    const page = await store.listDocuments({ limit: pageSize, ...(after === undefined ? {} : { after }) });
    yield* page;
    after = page.at(-1)?.id;
    if (page.length < pageSize) return;
  }
}

/** Deletes what was there when an earlier run copied it, and is not any more. */
async function deleteOthers(store: Store, kept: ReadonlySet<string>): Promise<void> {
  for (let after: string | undefined; ; ) {
    const page = await store.listDocuments({ limit: pageSize, ...(after === undefined ? {} : { after }) });
    await store.deleteDocuments(page.flatMap(({ id }) => (kept.has(id) ? [] : [id])));
    after = page.at(-1)?.id;
    if (page.length < pageSize) return;
  }
}
