import { hash } from 'node:crypto';
import type { Chunker, DocumentRecord, Metadata, SourceItem } from '@aquifer/contracts';

const digestCharacters = 12;

/**
 * What a document's record remembers about its making, in the field `stamp`: `<processing>:<attributes>:<item stamp>`.
 *
 * `processing` stands for everything but the file that decides the result (readers, chunker); `attributes` for what
 * came from beside the file (title, media type, sidecar). When all three are equal the file need not be read.
 */
export interface DocumentStamp {
  readonly processing: string;
  readonly attributes: string;
  readonly item: string;
}

/** Version of what this package does to a file: raised when old documents should be made again. */
const ingestionVersion = 'ingestion-1';

/** What stands for the making of documents in a run: the `processing` part of their stamps. */
export interface Processing {
  readonly plain: string;
  /** Of documents that OCR would read, or has read, other than without it: only they are read again when it is switched on or off. */
  readonly pictured: string;
}

/** The `processing` parts of stamps. `recognition` stands for the languages of OCR, or for there being none. */
export function processingOf(
  readerFingerprint: string,
  recognition: string,
  chunker: Pick<Chunker, 'fingerprint'>,
): Processing {
  const plain = digest([ingestionVersion, readerFingerprint, chunker.fingerprint]);
  return { plain, pictured: digest([plain, recognition]) };
}

/** Whether a document with this stamp was made as one would be in this run. */
export function isMadeBy(processing: Processing, stamp: DocumentStamp | undefined): boolean {
  return stamp?.processing === processing.plain || stamp?.processing === processing.pictured;
}

export function digest(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex').slice(0, digestCharacters);
}

/** Fingerprint of the attributes that a source gives to a file. The order of metadata keys does not matter. */
export function attributesDigest(item: Pick<SourceItem, 'title' | 'mediaType'>, metadata: Metadata): string {
  const entries = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return digest([item.title ?? '', item.mediaType ?? '', JSON.stringify(entries)]);
}

/** The stamp of a document whose attachments are not all committed yet: no file is ever up to date with it. */
export const unfinishedStamp = 'unfinished';

/** Whether the record is of an attachment that reading its file again may mend: it failed, or a run was stopped in the middle of it. */
export function isUnfinished(record: DocumentRecord): boolean {
  return record.status === 'failed' || record.stamp === unfinishedStamp;
}

export function formatStamp(stamp: DocumentStamp): string {
  return `${stamp.processing}:${stamp.attributes}:${stamp.item}`;
}

/** Undefined for a stamp that this module did not write. */
export function parseStamp(stamp: string): DocumentStamp | undefined {
  const second = digestCharacters + 1;
  const third = second + digestCharacters + 1;
  if (stamp[digestCharacters] !== ':' || stamp[third - 1] !== ':') return undefined;
  return {
    processing: stamp.slice(0, digestCharacters),
    attributes: stamp.slice(second, third - 1),
    item: stamp.slice(third),
  };
}

/** Whether the file need not be read: the same file, made into a document by the same readers and chunker, successfully. */
export function isUpToDate(record: DocumentRecord, item: SourceItem, processing: Processing): boolean {
  const stamp = parseStamp(record.stamp);
  return stamp?.item === item.stamp && isMadeBy(processing, stamp) && isSettled(record);
}

/** Whether reading the file again would fail as before. One whose bytes could not be read at all may be readable by now. */
export function isFailedAlready(record: DocumentRecord, item: SourceItem, processing: Processing): boolean {
  const stamp = parseStamp(record.stamp);
  const isSameFile = stamp?.item === item.stamp && isMadeBy(processing, stamp);
  return isSameFile && record.status === 'failed' && record.contentHash !== '';
}

/** Whether the record is the outcome of a complete reading. What failed or was interrupted is tried again on every run. */
export function isSettled(record: DocumentRecord): boolean {
  return record.status === 'indexed' || record.status === 'partially-indexed' || record.status === 'ignored';
}
