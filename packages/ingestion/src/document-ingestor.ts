import { AquiferError, type DocumentRecord, type SourceItem, throwIfAborted } from '@aquifer/contracts';
import PQueue from 'p-queue';
import { createChunkVectors, type EmbeddingCounts } from './chunk-vectors.js';
import { documentIdOf } from './document-ids.js';
import { isMadeBy, isSettled, parseStamp, processingOf } from './document-stamp.js';
import { embeddingWindow } from './embedding-terms.js';
import type { HandedOutcome, HandedResult, HandedWork } from './handover.js';
import { assertSize, type DocumentContext, type DocumentOutcome, ingestDocument } from './ingest-document.js';
import type { IngestorOptions } from './ingestor.js';
import { createStoredAttachments } from './stored-attachments.js';

/** Does what an ingestor handed over. */
export interface DocumentIngestor {
  /** Stands for readers and chunker; work that was handed over with another is for somebody else. */
  readonly processing: string;
  /**
   * Brings one document up to date; doing it again changes nothing. What is wrong with the document itself is its outcome.
   *
   * @throws `source-unreadable`, `source-changed`, `too-large`, `invalid-document` (its sidecar), where it cannot be read: then nothing was changed;
   *   `aborted`; what the embedder and the store throw
   */
  ingest(work: HandedWork, read: SourceItem['read'], signal: AbortSignal): Promise<HandedResult>;
}

export type DocumentIngestorOptions = Omit<
  IngestorOptions,
  'documentConcurrency' | 'maxBytesInFlight' | 'maxDocumentBytes'
>;

const filesOpenAtOnce = 16;

/**
 * Creates the part that does single documents, of any source, for one store.
 *
 * @example
 * const ingestor = createDocumentIngestor({ store, reader, chunker, embedder });
 * const { document } = await ingestor.ingest(work, read, signal);
 */
export function createDocumentIngestor(options: DocumentIngestorOptions): DocumentIngestor {
  const { store, reader, chunker, embedder, passwords = [] } = options;
  const processing = processingOf(options.readerFingerprint ?? '', options.recognitionFingerprint ?? '', chunker);
  const window = embeddingWindow(embedder);
  const readQueue = new PQueue({ concurrency: filesOpenAtOnce });

  /** What a worker that was killed before it could say so has made of the document already. */
  async function outcomeSoFar({ id, item, existing }: HandedWork): Promise<DocumentOutcome | undefined> {
    const record = await store.getDocument(id);
    if (record === undefined || !isSettled(record) || record.source !== item.path) return undefined;
    const stamp = parseStamp(record.stamp);
    if (stamp?.item !== item.stamp || !isMadeBy(processing, stamp)) return undefined;
    return {
      status: record.status as DocumentOutcome['status'],
      isNew: existing === undefined,
      chunks: record.chunkCount,
      ...(record.statusReason === undefined ? {} : { reason: record.statusReason }),
    };
  }

  async function newDocumentId(sourceId: string, path: string): Promise<string> {
    for (let attempt = 0; ; attempt += 1) {
      const id = documentIdOf(sourceId, path, attempt);
      const taken: DocumentRecord | undefined = await store.getDocument(id);
      if (taken === undefined || taken.source === path) return id;
    }
  }

  return {
    processing: processing.pictured,
    async ingest(work, read, signal) {
      const startedAt = performance.now();
      const attachments: HandedOutcome[] = [];
      const attachmentsGone: string[] = [];
      let skippedAttachments = 0;
      const resultOf = (outcome: DocumentOutcome, embedding: Readonly<EmbeddingCounts>): HandedResult => ({
        document: { path: work.item.path, outcome, ms: Math.round(performance.now() - startedAt) },
        attachments,
        attachmentsGone,
        skippedAttachments,
        embedding,
      });

      throwIfAborted(signal);
      const soFar = await outcomeSoFar(work);
      if (soFar !== undefined) return resultOf(soFar, { embedded: 0, cacheHits: 0, tokens: 0, requests: 0 });
      assertSize(work.item, work.maxDocumentBytes);
      const content = await readQueue.add(() => read(signal));
      const vectors = createChunkVectors({
        store,
        embedder,
        ...window,
        embedBatchSize: options.embedBatchSize ?? window.embedBatchSize,
        embedConcurrency: options.embedConcurrency ?? window.embedConcurrency,
        signal,
      });
      const context: DocumentContext = {
        sourceId: work.sourceId,
        store,
        reader,
        chunker,
        vectors,
        passwords,
        processing,
        maxDocumentBytes: work.maxDocumentBytes,
        readQueue,
        claimMoved: () => undefined,
        newDocumentId: (path) => newDocumentId(work.sourceId, path),
        stored: createStoredAttachments(work.inside),
        onAttachment: (path, outcome, ms) => attachments.push({ path, outcome, ms }),
        onAttachmentsGone: (paths) => attachmentsGone.push(...paths),
        onSkippedAttachment: (count) => {
          skippedAttachments += count;
        },
        signal,
      };
      const { existing } = work;
      const item: SourceItem = { ...work.item, read: async () => content };
      try {
        return resultOf(
          await ingestDocument(existing ? { item, existing } : { item, id: work.id }, context),
          vectors.counts,
        );
      } catch (error) {
        throwIfAborted(signal);
        throw error;
      }
    },
  };
}

/** @throws `invalid-options` for work that was planned with other readers or another chunker */
export function assertSameProcessing(work: HandedWork, ingestor: DocumentIngestor): void {
  if (work.processing === ingestor.processing) return;
  throw new AquiferError(
    'invalid-options',
    'The run that asked for this document reads or cuts documents in another way than this worker: use the same version of Aquifer for both.',
  );
}
