import type { Chunk, DocumentRecord } from '@aquifer/contracts';
import type { Row } from './transactions.js';

// In the order in which the embedded index gives them: JSON of both is the same.
const recordKeys = [
  'id',
  'sourceId',
  'source',
  'uri',
  'mediaType',
  'title',
  'stamp',
  'contentHash',
  'bytes',
  'metadata',
  'status',
  'statusReason',
  'pageCount',
  'chunkCount',
  'tokenCount',
  'indexedAt',
  'parentId',
] as const satisfies readonly (keyof DocumentRecord)[];

/** The record as its column keeps it. */
export const recordText = (record: DocumentRecord): string =>
  JSON.stringify(Object.fromEntries(recordKeys.map((key) => [key, record[key]])));

/** The inverse of {@link recordText}. */
export const documentFromRow = (row: Row): DocumentRecord => JSON.parse(row.record as string);

/** Columns of `chunks` that {@link chunkFromRow} takes. */
export const chunkColumns =
  'id, document_id, ordinal, start_offset, end_offset, page_start, page_end, headings, text, context, table_header, tokens';

export function chunkFromRow(row: Row): Chunk {
  return {
    id: row.id as string,
    documentId: row.document_id as string,
    ordinal: row.ordinal as number,
    start: row.start_offset as number,
    end: row.end_offset as number,
    ...(row.page_start === null ? {} : { pageStart: row.page_start as number }),
    ...(row.page_end === null ? {} : { pageEnd: row.page_end as number }),
    headings: JSON.parse(row.headings as string),
    text: row.text as string,
    context: row.context as string,
    tableHeader: row.table_header as string,
    tokens: row.tokens as number,
  };
}
