import { setMaxListeners } from 'node:events';
import {
  AquiferError,
  type Chunker,
  type DocumentReader,
  type DocumentRecord,
  type Embedder,
  type Source,
  throwIfAborted,
} from '@aquifer/contracts';
import PQueue from 'p-queue';
import { boundedWork, defaultMaxBytesInFlight, type WorkLimits } from './bounded-work.js';
import { bytesInFlight } from './byte-budget.js';
import { createChunkVectors, type EmbeddingCounts } from './chunk-vectors.js';
import { createDocumentIds } from './document-ids.js';
import { processingOf } from './document-stamp.js';
import { countChunkVectors, type IngestionStore, withoutWrites } from './dry-run.js';
import { chargesFor, embeddingWindow } from './embedding-terms.js';
import { handOver } from './hand-over.js';
import type { HandedResult, Handover } from './handover.js';
import { type DocumentContext, type DocumentOutcome, ingestDocument, mediaTypeOf } from './ingest-document.js';
import { createProgressFeed, type IngestionProgress } from './progress.js';
import { takeSnapshot, type WorkItem } from './snapshot.js';

export interface IngestorOptions {
  readonly store: IngestionStore;
  readonly reader: DocumentReader;
  readonly chunker: Chunker;
  readonly embedder: Embedder;
  /** Stands for everything in the reader that decides what it makes of a file. When it changes, all files are read again. */
  readonly readerFingerprint?: string;
  /** Stands for the languages of OCR, or for there being none. When it changes, the files that hold pictures of text are read again. */
  readonly recognitionFingerprint?: string;
  /** Tried on encrypted files. */
  readonly passwords?: readonly string[];
  /** Texts per call of the embedder, of one or many documents. Default 64; behind a network at least 16 or a request full. */
  readonly embedBatchSize?: number;
  /** Calls of the embedder at once. Default 2, so that one computes while the next is on its way; behind a network 16. */
  readonly embedConcurrency?: number;
  /** Documents in work at once. Default 128, behind a network as many as texts in flight: enough that small ones fill batches. */
  readonly documentConcurrency?: number;
  /** Bytes of files in work at once; one larger file is let in alone. Default 16 MiB: a text is some eight times as large with all that is made of it. */
  readonly maxBytesInFlight?: number;
  /** Larger files are failed documents and not read. Default 256 MiB. */
  readonly maxDocumentBytes?: number;
}

export interface IngestionRunOptions {
  readonly signal?: AbortSignal;
  /** One event per document that was written, moved, deleted or could not be; none for what did not change. */
  readonly onEvent?: (event: IngestionEvent) => void;
  /** Told of files and folders that could not be listed. They count as failed, as their events say, but the store has no document of them. */
  readonly onUnlisted?: (unlisted: { readonly source: string; readonly reason: string }) => void;
  readonly onProgress?: (progress: IngestionProgress) => void;
  /** Told as it happens, so that what a run took is known though it is aborted or fails. A dry run takes nothing. */
  readonly onEmbedded?: (usage: EmbeddingUsage) => void;
  /** Largest share of the documents in scope that may be deleted, 0 to 100. Default 50. */
  readonly maxDeletePercent?: number;
  /** Reads, chunks and counts as ever, but embeds and writes nothing. A store opened for reading will do. */
  readonly dryRun?: boolean;
  /** Whether documents that failed, and whose files are as they were then, are tried again. Default true. */
  readonly retryFailed?: boolean;
  /** Who does the work on single documents instead. What may be a moved file is done here, and so are the deletions. */
  readonly handover?: Handover;
}

/** What embedding took since it was told last; the numbers of all add up to those of the summary. */
export interface EmbeddingUsage extends Readonly<EmbeddingCounts> {
  /** In US dollars. Absent where nobody charges or the price is not known. */
  readonly costUsd?: number;
}

/** As `aquifer index --json` prints it. */
export interface IngestionEvent {
  readonly type: 'document';
  /** Path inside the source. */
  readonly source: string;
  /** `left-out`: asked for by name, but hidden, excluded, or of a kind that no reader takes. */
  readonly status: 'indexed' | 'partially-indexed' | 'ignored' | 'failed' | 'moved' | 'deleted' | 'left-out';
  /** For people: why it failed, was ignored or left out, is indexed in part, or was deleted although its file is there. */
  readonly reason?: string;
  /** Where a moved file was before. */
  readonly from?: string;
  /** Chunks that were written. */
  readonly chunks: number;
  readonly ms: number;
}

/**
 * What a run did, in documents. `scanned` is the sum of `new`, `modified`, `moved`, `unchanged`, `ignored` and `failed`.
 */
export interface IngestionSummary {
  readonly scanned: number;
  readonly new: number;
  readonly modified: number;
  /** The same content under another path: kept with its chunks and vectors. */
  readonly moved: number;
  readonly unchanged: number;
  /** Read now and found to hold no text. */
  readonly ignored: number;
  readonly failed: number;
  readonly deleted: number;
  /** Files that no reader takes. */
  readonly skipped: number;
  /** Hidden files and folders, and those of tools. What is in such a folder is not counted. */
  readonly hidden: number;
  /** Files and folders that ignore files or globs leave out. What is in such a folder is not counted. */
  readonly excluded: number;
  /** Symbolic links that lead out of the folder. */
  readonly outside: number;
  /** Chunks that were written, */
  readonly chunks: number;
  /** of which these were embedded */
  readonly embedded: number;
  /** and these had their vectors already. */
  readonly cacheHits: number;
  /** Tokens that the embedder took. In a dry run: of the chunks that it would be given, by estimate where its tokenizer is not at hand. */
  readonly tokens: number;
  /** Requests to a provider; 0 where the embedder runs here. In a dry run: those that would be made. */
  readonly requests: number;
  /** What the tokens cost (in a dry run: would cost), in US dollars. Absent where nobody charges or the price is not known. */
  readonly costUsd?: number;
  /** Only in a dry run: how long the embedding takes at least at the provider's quota, where that is known. */
  readonly minutesAtQuota?: number;
  readonly ms: number;
  /** Documents that were left to workers, which are at it when the run ends: in none of the other numbers but `scanned`. */
  readonly enqueued?: number;
  /** Present after a dry run. */
  readonly dryRun?: true;
  /** Only in a dry run: why the run itself would delete nothing. */
  readonly deletionsRefused?: string;
}

export interface Ingestor {
  /**
   * Brings the store up to date with a source: reads what is new or changed, deletes what is gone.
   *
   * Every document is committed by itself, so a run that is cancelled, fails or is killed leaves a consistent index, and
   * the next one goes on from there. Documents that cannot be read are `failed`, with a reason, and do not stop the run.
   * Runs of one ingestor take turns.
   *
   * @throws `source-not-found`, `source-unreadable`: nothing was changed. `too-many-deletions`: all but the deletions was
   *   done. `aborted`, `model-not-found`, `model-failed`, `missing-dependency`, and what the store throws: everything
   *   committed until then stays.
   */
  run(source: Source, options?: IngestionRunOptions): Promise<IngestionSummary>;
}

const deletionBatch = 1_000;
/** Well below the 256 open files that macOS allows by default. */
const filesOpenAtOnce = 16;

/**
 * Creates the part that carries documents from sources into a store.
 *
 * @example
 * const ingestor = createIngestor({ store, reader, chunker, embedder });
 * const summary = await ingestor.run(createFolderSource({ root: './handbook', … }));
 */
export function createIngestor(options: IngestorOptions): Ingestor {
  const { reader, chunker, embedder } = options;
  const passwords = options.passwords ?? [];
  const maxDocumentBytes = options.maxDocumentBytes ?? 256 * 2 ** 20;
  // Two runs at once would each believe the store to be as it was when they began.
  const runs = new PQueue({ concurrency: 1 });
  const processing = processingOf(options.readerFingerprint ?? '', options.recognitionFingerprint ?? '', chunker);

  async function runAlone(source: Source, runOptions: IngestionRunOptions): Promise<IngestionSummary> {
    const startedAt = performance.now();
    const { signal: userSignal, onEvent, maxDeletePercent = 50, dryRun = false } = runOptions;
    const store = dryRun ? withoutWrites(options.store) : options.store;
    if (!(maxDeletePercent >= 0 && maxDeletePercent <= 100)) {
      throw new AquiferError('invalid-options', `--max-delete must be 0 to 100 percent, not ${maxDeletePercent}.`);
    }
    throwIfAborted(userSignal);
    const progress = createProgressFeed(runOptions.onProgress);
    progress.phase('listing');
    const snapshot = await takeSnapshot(source, store, processing, runOptions);

    // Stops the whole run, for the user or for an error that would meet every document.
    const stop = new AbortController();
    const signal = userSignal ? AbortSignal.any([userSignal, stop.signal]) : stop.signal;
    setMaxListeners(0, signal);
    const { onEmbedded } = runOptions;
    const tellUsage =
      onEmbedded &&
      ((counted: Readonly<EmbeddingCounts>) =>
        onEmbedded({ ...counted, ...chargesFor(embedder.terms, counted, false) }));
    const window = embeddingWindow(embedder);
    const embedBatchSize = options.embedBatchSize ?? window.embedBatchSize;
    const embedConcurrency = options.embedConcurrency ?? window.embedConcurrency;
    const vectors = dryRun
      ? countChunkVectors(options.store, embedder)
      : createChunkVectors({
          store,
          embedder,
          ...window,
          embedBatchSize,
          embedConcurrency,
          signal,
          onCounted: tellUsage,
        });
    const vanished = createVanished(snapshot.vanished);
    const context: DocumentContext = {
      sourceId: source.id,
      store,
      reader,
      chunker,
      vectors,
      passwords,
      processing,
      maxDocumentBytes,
      readQueue: new PQueue({ concurrency: filesOpenAtOnce }),
      claimMoved: vanished.claim,
      newDocumentId: createDocumentIds(source.id, snapshot.documentIds),
      stored: snapshot.attachments,
      onAttachment: (path, outcome, ms) => {
        attachments += 1;
        report(path, outcome, ms);
      },
      onAttachmentsGone: (paths) => {
        counts.deleted += paths.length;
        for (const path of paths) onEvent?.({ type: 'document', source: path, status: 'deleted', chunks: 0, ms: 0 });
      },
      onSkippedAttachment: (count) => {
        skippedAttachments += count;
      },
      signal,
    };

    const counts = {
      new: 0,
      modified: 0,
      moved: 0,
      unchanged: snapshot.unchanged,
      ignored: 0,
      failed: snapshot.stillFailed,
      deleted: 0,
    };
    let [chunks, attachments, skippedAttachments] = [0, 0, 0];
    const report = (source: string, outcome: DocumentOutcome, ms: number) => {
      const { status, isNew, ...rest } = outcome;
      if (status === 'indexed' || status === 'partially-indexed') counts[isNew ? 'new' : 'modified'] += 1;
      else counts[status] += 1;
      chunks += outcome.chunks;
      if (status !== 'unchanged') onEvent?.({ type: 'document', source, status, ...rest, ms });
    };

    const processFile = async (work: WorkItem) => {
      const fileStartedAt = performance.now();
      const outcome = await ingestDocument(work, context);
      report(work.item.path, outcome, Math.round(performance.now() - fileStartedAt));
      progress.finished({ bytes: work.item.bytes, chunks: outcome.chunks });
    };

    const embedding = { embedded: 0, cacheHits: 0, tokens: 0, requests: 0 };
    /** What others made of a document, as if it had been done here. */
    const take = ({ item }: WorkItem, result: HandedResult) => {
      for (const { path, outcome, ms } of result.attachments) context.onAttachment(path, outcome, ms);
      context.onAttachmentsGone(result.attachmentsGone);
      context.onSkippedAttachment(result.skippedAttachments);
      for (const name of ['embedded', 'cacheHits', 'tokens', 'requests'] as const)
        embedding[name] += result.embedding[name];
      tellUsage?.(result.embedding);
      report(item.path, result.document.outcome, result.document.ms);
      progress.finished({ bytes: item.bytes, chunks: result.document.outcome.chunks });
    };

    for (const { path, reason } of snapshot.askedButLeftOut) {
      onEvent?.({ type: 'document', source: path, status: 'left-out', reason, chunks: 0, ms: 0 });
    }
    for (const { path, reason } of snapshot.unreadable) {
      counts.failed += 1;
      runOptions.onUnlisted?.({ source: path, reason });
      onEvent?.({ type: 'document', source: path, status: 'failed', reason, chunks: 0, ms: 0 });
    }
    const doneAlready = snapshot.unchanged + snapshot.stillFailed + snapshot.unreadable.length;
    const scanned = snapshot.work.length + doneAlready;
    progress.start({
      total: scanned,
      done: doneAlready,
      bytes: snapshot.work.reduce((sum, { item }) => sum + item.bytes, 0),
    });
    progress.phase('reading');
    const sizeOf = ({ item }: WorkItem) => bytesInFlight(item.bytes, mediaTypeOf(item, reader));
    const limits: WorkLimits<WorkItem> = {
      concurrency: options.documentConcurrency ?? window.documentConcurrency,
      maxBytes: options.maxBytesInFlight ?? defaultMaxBytesInFlight,
      // A file that is too large is not read, so it takes no room.
      bytesOf: (next) => (next.item.bytes > maxDocumentBytes ? 0 : sizeOf(next)),
      signal,
      stop,
    };
    const processHere = (work: readonly WorkItem[]) => boundedWork(work, processFile, limits);
    const { handover } = runOptions;
    const work = largestFirst(snapshot.work, sizeOf);
    let enqueued = 0;
    if (handover === undefined || dryRun) {
      await processHere(work);
    } else {
      const onProgress = progress.workers;
      enqueued = await handOver({
        handover,
        snapshot,
        work,
        context,
        processing,
        processHere,
        onResult: take,
        onProgress,
      });
    }
    throwIfAborted(userSignal);

    const gone = vanished.left();
    const leftOut = gone.filter(({ source: path }) => snapshot.leftOutReason(path) !== undefined).length;
    const refusal = refusedDeletions(gone.length, leftOut, snapshot.storedInScope, maxDeletePercent, source);
    if (refusal !== undefined && !dryRun) throw new AquiferError('too-many-deletions', refusal);
    if (gone.length > 0) progress.phase('deleting');
    for (let start = 0; start < gone.length; start += deletionBatch) {
      throwIfAborted(userSignal);
      const batch = gone.slice(start, start + deletionBatch);
      const attached = batch.flatMap(({ id }) => snapshot.attachments.within(id));
      const deleted = await store.deleteDocuments(batch.map(({ id }) => id));
      counts.deleted += dryRun ? batch.length + attached.length : deleted;
      for (const { source: path } of [...batch, ...attached]) {
        const reason = snapshot.leftOutReason(path);
        const why = reason === undefined ? {} : { reason };
        onEvent?.({ type: 'document', source: path, status: 'deleted', ...why, chunks: 0, ms: 0 });
      }
    }
    progress.flush();

    for (const name of ['embedded', 'cacheHits', 'tokens', 'requests'] as const)
      embedding[name] += vectors.counts[name];
    const { unsupported, hidden, excluded, outside } = snapshot.leftOut;
    const skipped = unsupported + skippedAttachments;
    const ms = Math.round(performance.now() - startedAt);
    const dry = dryRun
      ? ({ dryRun: true, ...(refusal === undefined ? {} : { deletionsRefused: refusal }) } as const)
      : {};
    return {
      scanned: scanned + attachments,
      ...counts,
      skipped,
      hidden,
      excluded,
      outside,
      chunks,
      ...embedding,
      ...chargesFor(embedder.terms, embedding, dryRun),
      ms,
      ...(enqueued > 0 && { enqueued }),
      ...dry,
    };
  }

  return { run: (source, runOptions = {}) => runs.add(() => runAlone(source, runOptions)) };
}

/** From this size on, files differ much in the time that they take. */
const largeBytes = 256 * 2 ** 10;

/** Large files first, so that no thread is left alone with one when all others are done; then the small ones as they were listed. */
function largestFirst(work: readonly WorkItem[], sizeOf: (work: WorkItem) => number): readonly WorkItem[] {
  const rank = (next: WorkItem) => (next.item.bytes < largeBytes ? 0 : sizeOf(next));
  return work.toSorted((a, b) => rank(b) - rank(a));
}

/** The documents whose files are gone from the listing, until a file of the same content turns up elsewhere. */
function createVanished(records: readonly DocumentRecord[]) {
  const byHash = new Map<string, DocumentRecord[]>();
  const left = new Set(records);
  for (const record of records) {
    if (record.contentHash === '') continue;
    const same = byHash.get(record.contentHash);
    if (same) same.push(record);
    else byHash.set(record.contentHash, [record]);
  }
  return {
    claim(contentHash: string): DocumentRecord | undefined {
      const record = byHash.get(contentHash)?.shift();
      if (record) left.delete(record);
      return record;
    },
    left: () => [...left].sort((a, b) => (a.source < b.source ? -1 : 1)),
  };
}

function refusedDeletions(
  deletions: number,
  leftOut: number,
  documents: number,
  maxDeletePercent: number,
  source: Source,
): string | undefined {
  const percent = (deletions * 100) / documents;
  if (deletions === 0 || percent <= maxDeletePercent) return undefined;
  const why = leftOut === 0 ? 'gone' : leftOut === deletions ? 'left out now' : `gone or (${leftOut}) left out now`;
  return (
    `${deletions} of ${documents} documents of ${source.description} are ${why} (${Math.floor(percent)} %), more than ` +
    `--max-delete ${maxDeletePercent} allows. None was deleted; everything else is up to date. If they are meant to go, ` +
    `run again with --max-delete ${Math.ceil(percent)}.`
  );
}
