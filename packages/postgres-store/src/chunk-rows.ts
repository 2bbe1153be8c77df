import type { ChunkWrite } from '@aquifer/contracts';
import { type Column, createBulkRows, integerColumn, textColumn } from './bulk-rows.js';
import type { ChunkTerms, Posting } from './keyword-terms.js';

export interface AddedChunk {
  readonly chunk: ChunkWrite;
  readonly terms: ChunkTerms;
}

export interface KeptChunk {
  readonly chunk: ChunkWrite;
  /** As the server gave it. */
  readonly number: string;
}

export interface WrittenPosting {
  readonly posting: Posting;
  readonly chunk: bigint;
  readonly chunkTerms: number;
}

/**
 * Measured (bench/postgres-rows.mjs): 8 chunks take 0.84 ms as arrays and 0.97 ms by COPY, 16 as long either way, 256 take 5.6 and 4.4 ms. Postings
 * take the same until 1,600 (11.2 and 10.9 ms); 6,400 take 47 and 35 ms.
 */
const leastCopiedChunks = 16;
const leastCopiedPostings = 1_600;

const chunkColumns: readonly Column<{ readonly chunk: ChunkWrite }>[] = [
  textColumn('id', ({ chunk }) => chunk.id),
  textColumn('embedding_key', ({ chunk }) => chunk.embeddingKey),
  integerColumn('ordinal', ({ chunk }) => chunk.ordinal),
  integerColumn('start_offset', ({ chunk }) => chunk.start),
  integerColumn('end_offset', ({ chunk }) => chunk.end),
  integerColumn('page_start', ({ chunk }) => chunk.pageStart),
  integerColumn('page_end', ({ chunk }) => chunk.pageEnd),
  textColumn('headings', ({ chunk }) => JSON.stringify(chunk.headings)),
  textColumn('text', ({ chunk }) => chunk.text),
  textColumn('context', ({ chunk }) => chunk.context),
  textColumn('table_header', ({ chunk }) => chunk.tableHeader),
  integerColumn('tokens', ({ chunk }) => chunk.tokens),
];

const addedColumns: readonly Column<AddedChunk>[] = [
  ...chunkColumns,
  integerColumn('terms', ({ terms }) => terms.length),
];
export const addedNames = addedColumns.map(({ name }) => name).join(', ');

/** How chunks and postings go to the server. */
export const createChunkRows = (mayCopy: boolean) => ({
  added: createBulkRows('added_chunks', addedColumns, { leastCopied: leastCopiedChunks, mayCopy }),
  kept: createBulkRows<KeptChunk>(
    'kept_chunks',
    [
      ...chunkColumns,
      {
        name: 'number',
        type: 'bigint',
        array: (items) => items.map(({ number }) => number),
        copy: (rows, { number }) => rows.bigint(BigInt(number)),
      },
    ],
    { leastCopied: leastCopiedChunks, mayCopy },
  ),
  postings: createBulkRows<WrittenPosting>(
    'postings',
    [
      textColumn('term', ({ posting }) => posting.term),
      {
        name: 'chunk',
        type: 'bigint',
        array: (items) => items.map(({ chunk }) => String(chunk)),
        copy: (rows, { chunk }) => rows.bigint(chunk),
      },
      integerColumn('frequency', ({ posting }) => posting.frequency),
      integerColumn('chunk_terms', ({ chunkTerms }) => chunkTerms),
      {
        name: 'positions',
        type: 'int[]',
        arrayType: 'text',
        array: (items) => items.map(({ posting }) => `{${posting.positions.join(',')}}`),
        copy: (rows, { posting }) => rows.integers(posting.positions),
      },
    ],
    { leastCopied: leastCopiedPostings, mayCopy },
  ),
});
