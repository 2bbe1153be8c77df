import { setMaxListeners } from 'node:events';
import {
  type Chunker,
  type DocumentRecord,
  type Embedder,
  embeddedText,
  type Store,
  throwIfAborted,
} from '@aquifer/contracts';
import { createChunkVectors, embeddingKeys } from './chunk-vectors.js';
import { formatStamp, parseStamp, processingDigest } from './document-stamp.js';

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
  readonly embedBatchSize?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

const pageSize = 200;

/**
 * Fills a store with the documents of another, chunked and embedded anew from their stored text: no original is read.
 * Vectors that the old store has of the same texts by the same embedder are taken over.
 *
 * @throws `aborted`, or what the embedder or a store fails with; every document committed until then stays.
 */
export async function reEmbed(options: ReEmbedOptions): Promise<void> {
  const { from, to, chunker, embedder, onProgress } = options;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  setMaxListeners(0, signal);
  const vectors = createChunkVectors({
    store: to,
    embedder,
    embedBatchSize: options.embedBatchSize ?? 64,
    embedConcurrency: 2,
    signal,
  });
  const processing = processingDigest(options.readerFingerprint ?? '', chunker);
  const processingBefore = processingDigest(options.readerFingerprint ?? '', { fingerprint: options.fromChunker });
  const keyOf = embeddingKeys(embedder);

  // Text that other readers made keeps its stamp, so that the next run reads those files again.
  const restamp = (record: DocumentRecord): string => {
    const stamp = parseStamp(record.stamp);
    return stamp?.processing === processingBefore ? formatStamp({ ...stamp, processing }) : record.stamp;
  };

  async function copy(record: DocumentRecord): Promise<void> {
    const stamp = restamp(record);
    const existing = await to.getDocument(record.id);
    if (existing?.stamp === stamp && existing.contentHash === record.contentHash) return;
    const content = (await from.getContent(record.id)) ?? { text: '', pages: [], blocks: [] };
    const chunks = chunker.chunk({ documentId: record.id, title: record.title, extracted: content });
    const keys = [...new Set(chunks.map((chunk) => keyOf(embeddedText(chunk))))];
    const known = await from.getEmbeddings(keys);
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
      await to.replaceDocument({ document, ...content, chunks: writes });
    } finally {
      release();
    }
  }

  const { documents } = await from.stats();
  const total = Object.values(documents).reduce((sum, number) => sum + number, 0);
  let done = 0;
  for (let after: string | undefined; ; ) {
    const page = await from.listDocuments({ limit: pageSize, ...(after === undefined ? {} : { after }) });
    for (const record of page) {
      throwIfAborted(options.signal);
      await copy(record);
      onProgress?.({ done: ++done, total });
    }
    after = page.at(-1)?.id;
    if (page.length < pageSize) return;
  }
}
