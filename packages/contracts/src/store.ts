import type { Chunk } from './chunk.js';
import type { DocumentRecord, DocumentStatus, PageSpan } from './document.js';
import type { Filter } from './filter.js';
import type { Manifest } from './manifest.js';
import type { Block } from './reader.js';

/** A chunk to be written. Its vector may be left out when the embedding cache already holds `embeddingKey`. */
export interface ChunkWrite extends Chunk {
  /** Key of the embedding cache: see {@link Store.getEmbeddings}. */
  readonly embeddingKey: string;
  readonly vector?: Float32Array;
}

/** Everything of one document, committed in one transaction. */
export interface DocumentWrite {
  readonly document: DocumentRecord;
  readonly text: string;
  readonly pages: readonly PageSpan[];
  readonly blocks: readonly Block[];
  readonly chunks: readonly ChunkWrite[];
}

/** A document's extracted text and structure, as it was indexed. */
export interface DocumentContent {
  readonly text: string;
  readonly pages: readonly PageSpan[];
  readonly blocks: readonly Block[];
}

/** A chunk as it is found: with its document. */
export interface StoredChunk extends Chunk {
  readonly document: DocumentRecord;
}

export interface ScoredChunk {
  readonly chunkId: string;
  readonly documentId: string;
  /** Higher is better. */
  readonly score: number;
}

export interface SearchScope {
  /** At most this many results; 1 to {@link maxSearchLimit}. */
  readonly limit: number;
  readonly filter?: Filter;
  /** Only chunks of these documents. An empty list matches nothing. */
  readonly documentIds?: readonly string[];
}

export interface DenseQuery extends SearchScope {
  readonly vector: Float32Array;
  /** Look at every vector. Default: the store decides. */
  readonly exact?: boolean;
}

export interface KeywordQuery extends SearchScope {
  readonly text: string;
}

export interface SearchResult {
  /** Sorted by score, ties by chunk id (code units, ascending). */
  readonly matches: readonly ScoredChunk[];
  /** `exact`: these are the best there are. `approximate`: found by a graph, ordered by exact scores. */
  readonly method: 'exact' | 'approximate';
}

/** The largest `limit`. More results than this are a listing, not a search. */
export const maxSearchLimit = 10_000;

export interface ListDocumentsQuery {
  readonly sourceId?: string;
  readonly status?: DocumentStatus;
  /** Documents that came inside of this one. */
  readonly parentId?: string;
  /** Documents after this one, in order of id. */
  readonly after?: string;
  /** Default 1,000. */
  readonly limit?: number;
}

export interface StoreStats {
  readonly documents: Readonly<Partial<Record<DocumentStatus, number>>>;
  readonly chunks: number;
  readonly tokens: number;
  readonly cachedEmbeddings: number;
  readonly bytes: number;
  /** Grows with every commit. */
  readonly generation: number;
  readonly index: {
    readonly kind: 'exact' | 'hnsw' | 'pgvector';
    readonly vectors: number;
    /** Vectors that the graph does not hold yet; they are scanned. */
    readonly pending?: number;
    /** Why the index is not of the kind that was asked for. */
    readonly note?: string;
  };
}

/**
 * Documents, chunks, vectors, keyword postings and the embedding cache of one knowledge base.
 *
 * Scores. Dense: the cosine of query and chunk vector, −1 to 1. Keyword: BM25 (Robertson and Zaragoza 2009; k1 = 1.2,
 * b = 0.75) summed over the query's terms as often as the query says them: idf · tf · (k1 + 1)/(tf + k1 · (1 − b + b ·
 * length/average length)) with idf = ln(1 + (N − n + 0.5)/(n + 0.5)), N and n counted over all chunks whatever the filter,
 * tf counting a term in a chunk's context or table header three times as much as one in its text, and length the
 * number of terms of all three with those of context and header counted three times too. Queries of at most 64 terms add a quarter of the same for each of the analyser's pairs: n
 * counts the chunks where the second term follows the first at once, and tf how often it does, within context and table
 * header together or within the text. Only chunks with at least one of the query's terms match. Of a query with more than
 * 1,000 distinct terms a store may leave out the most common ones. `keywordRanking` has these numbers.
 *
 * A search returns exactly `min(limit, matching chunks)` results with any filter, never sees half of a document, and
 * sees everything that was committed by this store object before it began.
 *
 * Strings come back as they went in. Those that no database keeps (with a NUL, or half of a surrogate pair) are refused
 * with `invalid-document` in a document and `invalid-filter` in a filter, and as ids they exist nowhere.
 *
 * Every method rejects with `invalid-options` for arguments out of range (a limit of 0, for example), `invalid-filter`,
 * and `index-corrupt` where stored bytes are damaged. Methods that write reject with `index-read-only` on a store opened for reading.
 */
export interface Store {
  /** Undefined in an index that was just created. */
  readManifest(): Promise<Manifest | undefined>;
  /** With `unlessThere`, one that is there already stays: where many may write, somebody else may have made the index at the same moment. */
  writeManifest(manifest: Manifest, options?: { readonly unlessThere?: boolean }): Promise<void>;

  /**
   * Inserts or replaces a document with its text and chunks, atomically. Chunks whose ids the document already has, under
   * the same embedding key, keep their vectors. Nothing is written when anything is wrong.
   *
   * @throws `invalid-document`: a chunk that is not a slice of the text, or an id that another document's chunk has.
   * @throws `invalid-vector`: wrong dimension, NaN or infinity, all zero, or no vector given and none cached.
   */
  replaceDocument(write: DocumentWrite): Promise<void>;
  /** Changes a document's record and nothing else. @throws `document-not-found` */
  updateDocument(id: string, changes: Partial<Omit<DocumentRecord, 'id'>>): Promise<void>;
  /**
   * Deletes documents with their chunks, and with the documents that came inside of them at any depth, atomically; returns how
   * many there were in all. An empty list deletes nothing.
   */
  deleteDocuments(ids: readonly string[]): Promise<number>;
  getDocument(id: string): Promise<DocumentRecord | undefined>;
  /** In order of id. */
  listDocuments(query?: ListDocumentsQuery): Promise<DocumentRecord[]>;
  getContent(documentId: string): Promise<DocumentContent | undefined>;

  /** In the order of `ids`; ids that do not exist are left out. */
  getChunks(ids: readonly string[]): Promise<StoredChunk[]>;
  /** By ordinal, from `from` (default 0) up to but not including `to` (default all). */
  listChunks(documentId: string, range?: { readonly from?: number; readonly to?: number }): Promise<Chunk[]>;

  searchDense(query: DenseQuery, signal?: AbortSignal): Promise<SearchResult>;
  searchKeyword(query: KeywordQuery, signal?: AbortSignal): Promise<SearchResult>;
  /** Cosine of `vector` with each of these chunks, in order; undefined for ids that do not exist. For tracing. */
  scoreDense(vector: Float32Array, chunkIds: readonly string[]): Promise<(number | undefined)[]>;

  /** Cached vectors by key (hex SHA-256 of fingerprint and exact text), in order. */
  getEmbeddings(keys: readonly string[]): Promise<(Float32Array | undefined)[]>;
  /** Keys of the embedding cache, with and without a chunk, in order of their UTF-8 bytes: those after `after`, at most `limit` (default 1,000). */
  listEmbeddingKeys(query?: { readonly after?: string; readonly limit?: number }): Promise<string[]>;
  putEmbeddings(entries: readonly { readonly key: string; readonly vector: Float32Array }[]): Promise<void>;

  /** Small JSON values of the layers above, such as the last run's summary. */
  readValue(key: string): Promise<unknown>;
  writeValue(key: string, value: unknown): Promise<void>;

  /**
   * The time, in milliseconds since 1970, by the clock that all who write this knowledge base share: `indexedAt` comes from it. Absent: the clock of
   * this process is the only one.
   */
  now?(): Promise<number>;

  stats(): Promise<StoreStats>;
  /** Brings derived data (codes of vectors, a graph) up to date. May take minutes; searches go on meanwhile. */
  optimise(options?: {
    readonly signal?: AbortSignal;
    readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  }): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}
