import type { Chunk, DocumentRecord, DocumentStatus } from '@aquifer/contracts';
import type { SqlValue } from './sqlite-driver.js';

/** Columns of `documents` after `number`, in the order of {@link documentValues}. */
export const documentColumns = [
  'id',
  'source_id',
  'source',
  'uri',
  'media_type',
  'title',
  'stamp',
  'content_hash',
  'bytes',
  'metadata',
  'status',
  'status_reason',
  'page_count',
  'chunk_count',
  'token_count',
  'indexed_at',
  'parent_id',
] as const;

export function documentValues(record: DocumentRecord): SqlValue[] {
  return [
    record.id,
    record.sourceId,
    record.source,
    record.uri,
    record.mediaType,
    record.title,
    record.stamp,
    record.contentHash,
    record.bytes,
    JSON.stringify(record.metadata),
    record.status,
    record.statusReason ?? null,
    record.pageCount ?? null,
    record.chunkCount,
    record.tokenCount,
    record.indexedAt,
    record.parentId ?? null,
  ];
}

/** The inverse of {@link documentValues}, from a row that begins with `number`. */
export function documentFromRow(row: readonly SqlValue[]): DocumentRecord {
  const [, id, sourceId, source, uri, mediaType, title, stamp, contentHash, bytes, metadata, status, reason, pages] =
    row;
  const [chunkCount, tokenCount, indexedAt, parentId] = row.slice(14);
  return {
    id: id as string,
    sourceId: sourceId as string,
    source: source as string,
    uri: uri as string,
    mediaType: mediaType as string,
    title: title as string,
    stamp: stamp as string,
    contentHash: contentHash as string,
    bytes: bytes as number,
    metadata: JSON.parse(metadata as string),
    status: status as DocumentStatus,
    ...(reason === null ? {} : { statusReason: reason as string }),
    ...(pages === null ? {} : { pageCount: pages as number }),
    chunkCount: chunkCount as number,
    tokenCount: tokenCount as number,
    indexedAt: indexedAt as number,
    ...(parentId === null ? {} : { parentId: parentId as string }),
  };
}

/** Columns of `chunks` in the order that {@link chunkFromRow} takes them. */
export const chunkColumns =
  'chunks.id, ordinal, "start", "end", page_start, page_end, headings, context, table_header, tokens';

/** @param text The whole text of the document. */
export function chunkFromRow(row: readonly SqlValue[], documentId: string, text: string): Chunk {
  const [id, ordinal, start, end, pageStart, pageEnd, headings, context, tableHeader, tokens] = row;
  return {
    id: id as string,
    documentId,
    ordinal: ordinal as number,
    start: start as number,
    end: end as number,
    ...(pageStart === null ? {} : { pageStart: pageStart as number }),
    ...(pageEnd === null ? {} : { pageEnd: pageEnd as number }),
    headings: JSON.parse(headings as string),
    text: text.slice(start as number, end as number),
    context: context as string,
    tableHeader: tableHeader as string,
    tokens: tokens as number,
  };
}

/** Everything of a chunk but its place, ids and text, as columns. */
export function chunkValues(chunk: Omit<Chunk, 'text'>): SqlValue[] {
  return [
    chunk.ordinal,
    chunk.start,
    chunk.end,
    chunk.pageStart ?? null,
    chunk.pageEnd ?? null,
    JSON.stringify(chunk.headings),
    chunk.context,
    chunk.tableHeader,
    chunk.tokens,
  ];
}
