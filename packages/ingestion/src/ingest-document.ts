import { hash } from 'node:crypto';
import {
  AquiferError,
  type Chunker,
  type DocumentReader,
  type DocumentRecord,
  type DocumentStatus,
  type DocumentWrite,
  isAquiferError,
  type SourceContent,
  type SourceItem,
  throwIfAborted,
} from '@aquifer/contracts';
import type PQueue from 'p-queue';
import type { ChunkVectors } from './chunk-vectors.js';
import { attributesDigest, formatStamp, isSettled, parseStamp, isMadeBy, type Processing } from './document-stamp.js';
import { documentTitle, fileName, readableFileName } from './document-title.js';
import type { IngestionStore } from './dry-run.js';
import type { WorkItem } from './snapshot.js';
import { storableText } from './storable-text.js';
import { untilAborted } from './until-aborted.js';

/** What became of one file. */
export interface DocumentOutcome {
  readonly status: 'indexed' | 'partially-indexed' | 'ignored' | 'failed' | 'moved' | 'unchanged';
  readonly isNew: boolean;
  readonly reason?: string;
  /** Where a moved file was before. */
  readonly from?: string;
  /** Chunks that were written. */
  readonly chunks: number;
}

export interface DocumentContext {
  readonly sourceId: string;
  readonly store: IngestionStore;
  readonly reader: DocumentReader;
  readonly chunker: Chunker;
  readonly vectors: ChunkVectors;
  readonly passwords: readonly string[];
  readonly processing: Processing;
  readonly maxDocumentBytes: number;
  /** Bounds how many files are open at once. */
  readonly readQueue: PQueue;
  /** Takes a vanished document of this content, if there is one: its file has moved. */
  readonly claimMoved: (contentHash: string) => DocumentRecord | undefined;
  readonly newDocumentId: (path: string) => string;
  readonly signal: AbortSignal;
}

/** A reason why this document, and no other, cannot be indexed. */
class DocumentFailure extends Error {}

/**
 * Brings one document up to date: read, compare, extract, chunk, embed, commit.
 *
 * What is wrong with the file becomes a failed document. It rejects only for what concerns the whole run: `aborted`, an embedder
 * or a store that does not work.
 */
export async function ingestDocument(work: WorkItem, context: DocumentContext): Promise<DocumentOutcome> {
  const { item } = work;
  let content: SourceContent;
  try {
    content = await readContent(item, context);
  } catch (error) {
    return await failUnread(work, error, context);
  }

  const contentHash = hash('sha256', content.bytes, 'hex');
  const existing = work.existing ?? context.claimMoved(contentHash);
  const from = existing !== undefined && existing.source !== item.path ? existing.source : undefined;
  const attributes = attributesDigest(item, content.metadata);
  const stampOf = (processing: string) => formatStamp({ processing, attributes, item: content.stamp ?? item.stamp });
  const isNew = existing === undefined;
  const moved = from === undefined ? {} : { from };

  if (existing && isSameResult(existing, item, contentHash, attributes, context)) {
    const stamp = stampOf(parseStamp(existing.stamp)?.processing ?? context.processing.plain);
    await context.store.updateDocument(existing.id, { stamp, source: item.path, uri: item.uri });
    return { status: from === undefined ? 'unchanged' : 'moved', isNew, chunks: 0, ...moved };
  }

  const base = {
    ...describe(item, context),
    id: existing?.id ?? context.newDocumentId(item.path),
    stamp: stampOf(context.processing.plain),
    contentHash,
    bytes: content.bytes.byteLength,
    metadata: content.metadata,
  };
  try {
    const recognised = stampOf(context.processing.pictured);
    const written = await processContent(item, content, base, recognised, context);
    const { status, statusReason: reason, chunkCount: chunks } = written;
    return {
      status: status === 'indexed' && from !== undefined ? 'moved' : (status as DocumentOutcome['status']),
      isNew,
      chunks,
      ...moved,
      ...(reason === undefined ? {} : { reason }),
    };
  } catch (error) {
    if (!(error instanceof DocumentFailure)) throw error;
    // Without the attributes: they may be what is wrong.
    const record = { ...base, metadata: {}, status: 'failed', statusReason: error.message } as const;
    await commitWithoutText(record, context.store);
    return { status: 'failed', isNew, reason: error.message, chunks: 0, ...moved };
  }
}

async function readContent(item: SourceItem, context: DocumentContext): Promise<SourceContent> {
  const { maxDocumentBytes, readQueue, signal } = context;
  if (item.bytes > maxDocumentBytes) {
    const megabytes = (bytes: number) => Number((bytes / 2 ** 20).toPrecision(4));
    throw new AquiferError(
      'too-large',
      `${item.path} has ${megabytes(item.bytes)} MB, and at most ${megabytes(maxDocumentBytes)} MB are read: split it, or allow more with --max-file-mb.`,
    );
  }
  return await readQueue.add(async () => {
    throwIfAborted(signal);
    return await item.read(signal);
  });
}

/** A file that could not be read: what was indexed of it stays, and the next run tries again. */
async function failUnread(work: WorkItem, error: unknown, context: DocumentContext): Promise<DocumentOutcome> {
  throwIfAborted(context.signal);
  const { item, existing } = work;
  const reason = reasonOf(error);
  const keepsOldVersion = existing !== undefined && isSettled(existing);
  // A file that changed or vanished meanwhile is a matter of this run only; the next one will see what it is.
  if (!keepsOldVersion && !isAquiferError(error, 'source-changed')) {
    const record = {
      ...describe(item, context),
      id: existing?.id ?? context.newDocumentId(item.path),
      stamp: formatStamp({
        processing: context.processing.plain,
        attributes: attributesDigest(item, {}),
        item: item.stamp,
      }),
      contentHash: '',
      bytes: item.bytes,
      metadata: {},
    };
    await commitWithoutText({ ...record, status: 'failed', statusReason: reason }, context.store);
  }
  return { status: 'failed', isNew: existing === undefined, reason, chunks: 0 };
}

/** Whether processing these bytes again would give what the store holds. */
function isSameResult(
  existing: DocumentRecord,
  item: SourceItem,
  contentHash: string,
  attributes: string,
  { processing, reader }: DocumentContext,
): boolean {
  const stamp = parseStamp(existing.stamp);
  if (!isSettled(existing) || existing.contentHash !== contentHash) return false;
  if (stamp?.attributes !== attributes || !isMadeBy(processing, stamp)) return false;
  if (existing.source === item.path) return true;
  // A moved file: its name chose the reader, and may be its title, which is part of every embedded text.
  const [nameBefore, nameNow] = [fileName(existing.source), fileName(item.path)];
  const titleBefore = readableFileName(nameBefore);
  const sameTitle = existing.title !== titleBefore || titleBefore === readableFileName(nameNow);
  return sameTitle && reader.mediaType(nameBefore) === reader.mediaType(nameNow);
}

type RecordBase = Omit<DocumentRecord, 'status' | 'chunkCount' | 'tokenCount' | 'indexedAt'>;

function describe(item: SourceItem, { sourceId, reader }: DocumentContext) {
  return {
    sourceId,
    source: item.path,
    uri: item.uri,
    mediaType: item.mediaType ?? reader.mediaType(fileName(item.path)) ?? 'application/octet-stream',
    title: documentTitle(item, undefined),
  };
}

async function processContent(
  item: SourceItem,
  content: SourceContent,
  base: RecordBase & { stamp: string },
  stampIfRecognised: string,
  context: DocumentContext,
): Promise<DocumentRecord> {
  const { reader, chunker, vectors, store, signal } = context;
  const input = {
    bytes: content.bytes,
    name: fileName(item.path),
    ...(item.mediaType === undefined ? {} : { mediaType: item.mediaType }),
  };
  const extracted = await attempt(
    () => untilAborted(reader.read(input, { signal, passwords: context.passwords }), signal),
    signal,
  );
  const { text, pages, blocks, omissions } = extracted;
  if (extracted.dependsOnRecognition) base.stamp = stampIfRecognised;
  const title = documentTitle(item, extracted.title);
  const record = {
    ...base,
    title,
    mediaType: extracted.mediaType,
    metadata: { ...extracted.metadata, ...content.metadata },
    ...(pages.length > 0 ? { pageCount: pages.length } : {}),
  };

  if (text.trim() === '') {
    if (omissions.length > 0) throw new DocumentFailure(storableText(omissions.join('; ')));
    return commitWithoutText({ ...record, status: 'ignored', statusReason: 'The file holds no text.' }, store);
  }

  const chunks = await attempt(
    () => chunker.chunk({ documentId: base.id, title, extracted: { text, pages, blocks } }),
    signal,
  );
  const resolved = await vectors.resolve(chunks).catch((error: unknown) => {
    // Any other error of the embedder would meet every document.
    throw isAquiferError(error, 'too-large') ? new DocumentFailure(reasonOf(error)) : error;
  });
  try {
    throwIfAborted(signal);
    const document: DocumentRecord = {
      ...record,
      ...(omissions.length > 0
        ? { status: 'partially-indexed', statusReason: storableText(omissions.join('; ')) }
        : { status: 'indexed' }),
      chunkCount: chunks.length,
      tokenCount: chunks.reduce((sum, chunk) => sum + chunk.tokens, 0),
      indexedAt: Date.now(),
    };
    await commit({ document, text, pages, blocks, chunks: resolved.writes }, store);
    return document;
  } finally {
    resolved.release();
  }
}

/** Runs one of the steps in which any error but a cancelled run is the fault of the document. */
async function attempt<Result>(step: () => Result | Promise<Result>, signal: AbortSignal): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    throwIfAborted(signal);
    throw new DocumentFailure(reasonOf(error), { cause: error });
  }
}

async function commit(write: DocumentWrite, store: IngestionStore): Promise<void> {
  try {
    await store.replaceDocument(write);
  } catch (error) {
    // What the store refuses to hold, such as half of a surrogate pair in an attribute, is wrong with this document.
    const isRefused = isAquiferError(error, 'invalid-document') || isAquiferError(error, 'invalid-vector');
    throw isRefused ? new DocumentFailure(reasonOf(error), { cause: error }) : error;
  }
}

async function commitWithoutText(
  record: RecordBase & { readonly status: DocumentStatus; readonly statusReason: string },
  store: IngestionStore,
): Promise<DocumentRecord> {
  const document: DocumentRecord = { ...record, chunkCount: 0, tokenCount: 0, indexedAt: Date.now() };
  await commit({ document, text: '', pages: [], blocks: [], chunks: [] }, store);
  return document;
}

function reasonOf(error: unknown): string {
  if (isAquiferError(error)) return storableText(error.message);
  return storableText(`Unexpected error: ${error instanceof Error ? error.message : String(error)}`);
}
