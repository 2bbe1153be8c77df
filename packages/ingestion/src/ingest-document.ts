import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  AquiferError,
  type Chunker,
  type ChunkInput,
  collectGarbage,
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
import type { ChunkVectors, ResolvedChunks } from './chunk-vectors.js';
import {
  attributesDigest,
  formatStamp,
  isMadeBy,
  isSettled,
  isUnfinished,
  type Processing,
  parseStamp,
  unfinishedStamp,
} from './document-stamp.js';
import { documentTitle, fileName, readableFileName } from './document-title.js';
import { type IngestionStore, timeIn } from './dry-run.js';
import {
  type AdmittedAttachments,
  admitAttachments,
  type InsideOf,
  ingestAttachments,
  keepAttachments,
} from './ingest-attachments.js';
import type { WorkItem } from './snapshot.js';
import { storableText } from './storable-text.js';
import type { StoredAttachments } from './stored-attachments.js';
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
  readonly newDocumentId: (path: string) => string | Promise<string>;
  /** The documents inside of others, as the run found them. */
  readonly stored: StoredAttachments;
  /** Present for a document that came inside of another. */
  readonly insideOf?: InsideOf;
  /** Told of every document inside of another that was met. */
  readonly onAttachment: (path: string, outcome: DocumentOutcome, ms: number) => void;
  readonly onAttachmentsGone: (paths: readonly string[]) => void;
  /** Told how many attachments there is no reader for. */
  readonly onSkippedAttachment: (count: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Characters from which what a step left behind is collected before the next one: it is as large as the document, and would wait
 * beside what the next step makes for as long as that takes.
 */
const longText = 4 * 2 ** 20;

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

  const isSame = existing !== undefined && isSameResult(existing, item, contentHash, attributes, context);
  if (isSame) {
    const place = { id: existing.id, source: item.path, uri: item.uri };
    const attachments = context.stored.within(existing.id).some(isUnfinished)
      ? await extract(item, content, context).then(
          (extracted) => extracted.attachments,
          // It could be read before, so it is still what it was.
          (error: unknown) => (error instanceof DocumentFailure ? undefined : Promise.reject(error)),
        )
      : undefined;
    if (attachments) await ingestAttachments(attachments, place, content.metadata, context, ingestDocument);
    else await keepAttachments(place, context);
    const stamp = stampOf(parseStamp(existing.stamp)?.processing ?? context.processing.plain);
    // While it waited it may have been `pending`.
    const { status: state } = existing;
    await context.store.updateDocument(existing.id, { stamp, source: item.path, uri: item.uri, status: state });
    return { status: from === undefined ? 'unchanged' : 'moved', isNew, chunks: 0, ...moved };
  }

  const base = {
    ...describe(item, context),
    id: existing?.id ?? work.id ?? (await context.newDocumentId(item.path)),
    stamp: stampOf(context.processing.plain),
    contentHash,
    bytes: content.bytes.byteLength,
    metadata: content.metadata,
  };
  try {
    const extracted = await extract(item, content, context);
    const { attachments } = extracted;
    if (extracted.dependsOnRecognition) base.stamp = stampOf(context.processing.pictured);
    // Until what is inside is committed too, the document is one that a next run reads again.
    const hasInside = attachments.length > 0 || context.stored.of(base.id).length > 0;
    const first = hasInside ? { ...base, stamp: unfinishedStamp } : base;
    const written = await processContent(item, content, extracted, first, context);
    if (hasInside) {
      await ingestAttachments(attachments, written, content.metadata, context, ingestDocument);
      await context.store.updateDocument(base.id, { stamp: base.stamp });
    }
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
    const inside = context.stored.within(base.id);
    if (inside.length > 0) {
      await context.store.deleteDocuments(inside.map(({ id }) => id));
      context.onAttachmentsGone(inside.map(({ source }) => source));
    }
    // Without the attributes: they may be what is wrong.
    const record = { ...base, metadata: {}, status: 'failed', statusReason: error.message } as const;
    await commitWithoutText(record, context.store);
    return { status: 'failed', isNew, reason: error.message, chunks: 0, ...moved };
  }
}

/** @throws `too-large` */
export function assertSize({ path, bytes }: Pick<SourceItem, 'path' | 'bytes'>, maxDocumentBytes: number): void {
  if (bytes <= maxDocumentBytes) return;
  const megabytes = (size: number) => Number((size / 2 ** 20).toPrecision(4));
  throw new AquiferError(
    'too-large',
    `${path} has ${megabytes(bytes)} MB, and at most ${megabytes(maxDocumentBytes)} MB are read: split it, or allow more with --max-file-mb.`,
  );
}

async function readContent(item: SourceItem, context: DocumentContext): Promise<SourceContent> {
  const { maxDocumentBytes, readQueue, signal } = context;
  assertSize(item, maxDocumentBytes);
  return await readQueue.add(async () => {
    throwIfAborted(signal);
    return await item.read(signal);
  });
}

/** A file that could not be read: what was indexed of it stays, and the next run tries again. */
async function failUnread(work: WorkItem, error: unknown, context: DocumentContext): Promise<DocumentOutcome> {
  throwIfAborted(context.signal);
  // Credentials that ran out would fail every other file, too.
  if (isAquiferError(error, 'credentials-refused')) throw error;
  const { item, existing } = work;
  const reason = reasonOf(error);
  const keepsOldVersion = existing !== undefined && isSettled(existing);
  // A file that changed or vanished meanwhile is a matter of this run only; the next one will see what it is.
  if (!keepsOldVersion && !isAquiferError(error, 'source-changed')) {
    const record = {
      ...describe(item, context),
      id: existing?.id ?? work.id ?? (await context.newDocumentId(item.path)),
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
  if (existing) await keepAttachments(existing, context);
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

/** As its source says, or as its name does. */
export function mediaTypeOf({ path, mediaType }: Omit<SourceItem, 'read'>, reader: DocumentReader): string | undefined {
  return mediaType ?? reader.mediaType(fileName(path));
}

export function describe(item: Omit<SourceItem, 'read'>, { sourceId, reader, insideOf }: DocumentContext) {
  return {
    ...(insideOf === undefined ? {} : { parentId: insideOf.parentId }),
    sourceId,
    source: item.path,
    uri: item.uri,
    mediaType: mediaTypeOf(item, reader) ?? 'application/octet-stream',
    title: documentTitle(item, undefined),
  };
}

type Extracted = Awaited<ReturnType<DocumentReader['read']>> & AdmittedAttachments;

/** The text of a document, and those of its attachments that become documents. */
async function extract(item: SourceItem, content: SourceContent, context: DocumentContext): Promise<Extracted> {
  const { reader, signal } = context;
  const input = {
    bytes: content.bytes,
    name: fileName(item.path),
    ...(item.mediaType === undefined ? {} : { mediaType: item.mediaType }),
  };
  const extracted = await attempt(
    () => untilAborted(reader.read(input, { signal, passwords: context.passwords }), signal),
    signal,
  );
  if (extracted.text.length >= longText) {
    // The message that brought the text stays until the turn in which it came ends, and is as large.
    await nextTurn();
    collectGarbage();
  }
  const admitted = admitAttachments(extracted.attachments ?? [], context);
  // What is attached may be a scan, and can be read again only together with the document that it came in.
  const dependsOnRecognition = extracted.dependsOnRecognition || (extracted.attachments?.length ?? 0) > 0;
  return {
    ...extracted,
    ...admitted,
    dependsOnRecognition,
    omissions: [...extracted.omissions, ...admitted.omissions],
  };
}

async function processContent(
  item: SourceItem,
  content: SourceContent,
  extracted: Extracted,
  base: RecordBase,
  context: DocumentContext,
): Promise<DocumentRecord> {
  const { store, signal } = context;
  const { text, pages, blocks, omissions } = extracted;
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

  const resolved = await chunksWithVectors({ documentId: base.id, title, extracted: { text, pages, blocks } }, context);
  try {
    throwIfAborted(signal);
    const { writes: chunks } = resolved;
    const document: DocumentRecord = {
      ...record,
      ...(omissions.length > 0
        ? { status: 'partially-indexed', statusReason: storableText(omissions.join('; ')) }
        : { status: 'indexed', ...remarkOn(resolved.inParts, chunks.length) }),
      chunkCount: chunks.length,
      tokenCount: chunks.reduce((sum, chunk) => sum + chunk.tokens, 0),
      indexedAt: await timeIn(store),
    };
    if (text.length >= longText) collectGarbage();
    await commit({ document, text, pages, blocks, chunks }, store);
    return document;
  } finally {
    resolved.release();
  }
}

/** By itself, so that the chunks as they were cut are gone when they are written. */
async function chunksWithVectors(input: ChunkInput, context: DocumentContext): Promise<ResolvedChunks> {
  const { chunker, vectors, signal } = context;
  const chunks = await attempt(() => chunker.chunk(input), signal);
  if (input.extracted.text.length >= longText) collectGarbage();
  return await vectors.resolve(chunks).catch((error: unknown) => {
    // Any other error of the embedder would meet every document.
    const concernsText = isAquiferError(error, 'too-large') || isAquiferError(error, 'invalid-document');
    throw concernsText ? new DocumentFailure(reasonOf(error)) : error;
  });
}

/** What people should know of a document although nothing is wrong with it. */
function remarkOn(inParts: number, chunks: number): { readonly statusReason?: string } {
  if (inParts === 0) return {};
  const which = `${inParts} of ${chunks} ${chunks === 1 ? 'chunk' : 'chunks'}`;
  return {
    statusReason: `The embedder took ${which} in parts only, and their vectors are means: fewer --chunk-tokens avoid it.`,
  };
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
  const document: DocumentRecord = { ...record, chunkCount: 0, tokenCount: 0, indexedAt: await timeIn(store) };
  await commit({ document, text: '', pages: [], blocks: [], chunks: [] }, store);
  return document;
}

function reasonOf(error: unknown): string {
  if (isAquiferError(error)) return storableText(error.message);
  return storableText(`Unexpected error: ${error instanceof Error ? error.message : String(error)}`);
}
