import type {
  Chunk,
  DocumentContent,
  DocumentRecord,
  Embedder,
  EmbedderFingerprint,
  Generator,
  ListDocumentsQuery,
  Reranker,
  Source,
  StoreStats,
} from '@aquifer/contracts';
import type {
  EmbeddingUsage,
  IngestionEvent,
  IngestionProgress,
  IngestionSummary,
  S3Connection,
} from '@aquifer/ingestion';
import type { QueueCounts } from '@aquifer/postgres-store/ingestion-queue';
import type {
  AnswerEvent,
  AskOptions as AnswererAskOptions,
  DocumentExplanation,
  SearchOptions,
  SearchResponse,
} from '@aquifer/retrieval';
import type { ModelOptions } from './model-options.js';

export interface KnowledgeBaseOptions {
  /**
   * The folder that holds the index, such as `./.aquifer`: made when it does not exist and `mode` is `write`. Or a database, such as
   * `postgres://aquifer:secret@db.internal/aquifer?name=handbook&tenant=acme`, which many machines may write at once.
   */
  readonly location: string;
  /** `read` never changes the index and may be open many times at once; `write` may be open once. Default `write`. */
  readonly mode?: 'read' | 'write';
  /** Name of a new knowledge base. Default `default`. */
  readonly name?: string;
  /**
   * Such as `builtin`, `onnx:./models/all-MiniLM-L6-v2` or `amazon.titan-embed-text-v2:0`; or an embedder of one's own, which stays open and has to be
   * given each time. Default: the one the index was built with, else `builtin`.
   */
  readonly embedder?: string | Embedder;
  /** Of an embedder that has a choice. Default: what the index was built with, else the model's own. */
  readonly dimensions?: number;
  /** Who answers: `builtin` (the default), an id of Bedrock, `ollama:…`, `openai:…`, `sagemaker:…`, or a generator of one's own. */
  readonly model?: string | Generator;
  /** Who puts the best passages in order: an id of Bedrock, `onnx:<folder>`, or a reranker of one's own. Default: nobody. */
  readonly reranker?: string | Reranker;
  readonly models?: ModelOptions;
  /** Most tokens of a chunk. Default: what the index was built with, else 512, never more than the embedder takes. */
  readonly chunkTokens?: number;
  readonly chunkOverlap?: number;
  /** Encrypts a new index; needed to open it again. */
  readonly encryptionKey?: string;
  readonly indexKind?: 'auto' | 'exact' | 'hnsw';
  /**
   * Whether the index works on threads of its own (the default). Without, a process that asks one question and ends has its
   * answer some 100 ms sooner, and every call holds up the caller's thread.
   */
  readonly ownThreads?: boolean;
  /** Threads that read files. Default: one a processor core. */
  readonly threads?: number;
  /** Longest time for reading one file; five times that for each picture that is recognised. Default 60,000. */
  readonly readTimeoutMs?: number;
  /** Most memory that reading one file may take: heap, buffers, WebAssembly. Default 512. */
  readonly readMemoryMb?: number;
  /** Larger files are failed documents and not read, in MiB. Default 256. */
  readonly maxFileMb?: number;
  /**
   * Whether pictures and scanned pages are read too. Needs the packages `tesseract.js` and `@tesseract.js-data/<language>`. Default: as the
   * index was built; else only where languages are given.
   */
  readonly ocr?: boolean;
  /** Of OCR, in Tesseract's names. Default: those that the index was built with, else `eng` and `jpn`. */
  readonly ocrLanguages?: readonly string[];
  /** Tried on encrypted documents, after the empty password. */
  readonly passwords?: readonly string[];
  /** How buckets are reached. Default: by the AWS SDK's own rules. */
  readonly s3?: S3Connection;
}

export interface IndexOptions {
  readonly signal?: AbortSignal;
  /** Most percent of the documents in the given paths that may be deleted. Default 50. */
  readonly maxDeletePercent?: number;
  /**
   * Globs: only files that one of these matches, or that lie in a folder that one of these matches. The index remembers them for
   * each folder: left out, a run keeps to those of the run before; empty, all files are taken.
   */
  readonly include?: readonly string[];
  /** Globs: not these files and folders. Wins over `include`, and is remembered as well. */
  readonly exclude?: readonly string[];
  /** Reads, chunks and counts, but embeds and writes nothing; a knowledge base that is open for reading will do. */
  readonly dryRun?: boolean;
  /** Whether documents that failed, and whose files are as they were then, are tried again. Default true. */
  readonly retryFailed?: boolean;
  /** Whether documents of folders go to the workers of the database, where any are alive. Default true. A folder on disk has none. */
  readonly workers?: boolean;
  /** False: only leaves the work to the workers, whether any are alive or not, and returns. Default true. */
  readonly wait?: boolean;
  /** Told, for each folder that is indexed, of the folders that its listing looked into. */
  readonly onFolders?: (folders: readonly (string | Buffer)[]) => void;
  readonly onEvent?: (event: IngestionEvent) => void;
  readonly onProgress?: (progress: IngestionProgress) => void;
  /** Told as it happens what the embedder took and what the embedding cache had, so that it is known though a run is aborted or fails. */
  readonly onEmbedded?: (usage: IndexUsage) => void;
  /** After the last commit, while a graph (`indexKind: 'hnsw'`) is brought up to date. Searches work meanwhile. */
  readonly onOptimise?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** What embedding took since it was told last. */
export interface IndexUsage extends EmbeddingUsage {
  /** Name of the embedder. */
  readonly embedder: string;
}

/**
 * A folder or a prefix of a bucket as a source by itself, whatever other folders are indexed: it is not brought up to date with those around it, and
 * watching does not watch it.
 */
export interface SeparateFolder {
  /** A path, or `s3://bucket/prefix`. */
  readonly folder: string;
  /** Files and folders below it that this run covers. Default: all of it. */
  readonly paths?: readonly string[];
}

export interface KnowledgeBaseIdentity {
  /** Ten characters `[0-9A-Z]`. */
  readonly id: string;
  readonly name: string;
  readonly location: string;
}

export interface IndexSummary extends IngestionSummary {
  /** Name of the embedder. */
  readonly embedder: string;
  readonly knowledgeBase: KnowledgeBaseIdentity;
}

/** Passages to consider: 8 unless `limit` says another number. */
export interface AskOptions extends AnswererAskOptions {
  /** Another model than the knowledge base's own. */
  readonly model?: string | Generator;
  /** Another reranker than the knowledge base's own. One of a name is closed after the answer. */
  readonly reranker?: string | Reranker;
  /** Most chunks that the reranker looks at. Default 50, or as many as the answer needs. */
  readonly rerankedCandidates?: number;
}

export interface KnowledgeBaseStatus {
  readonly knowledgeBase: KnowledgeBaseIdentity;
  readonly documents: StoreStats['documents'];
  /** Documents that failed, at most 1,000, and the first 100 files and folders that the last run could not list. */
  readonly failures: readonly { readonly source: string; readonly reason: string }[];
  readonly chunks: number;
  readonly tokens: number;
  readonly embedder: EmbedderFingerprint & { readonly name: string };
  readonly index: StoreStats['index'];
  readonly bytes: number;
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Of a database: what its workers have to do for this knowledge base. */
  readonly queue?: QueueCounts;
  readonly lastRun?: IngestionSummary & { readonly finishedAt: number };
}

/** Documents, searched and asked. Made by {@link openKnowledgeBase}. */
export interface KnowledgeBase extends KnowledgeBaseIdentity {
  /**
   * Brings the index up to date with files, folders and buckets (`s3://bucket/prefix`), or with any source: new and changed documents are
   * read, the gone ones deleted. What was committed before an error or an abort stays.
   *
   * @throws `source-not-found`, `too-many-deletions`, `index-read-only`, `aborted`, or what the embedder fails with.
   */
  index(what: string | readonly string[] | Source | SeparateFolder, options?: IndexOptions): Promise<IndexSummary>;
  /**
   * The source that `index` would make of a folder, for programs that give it another id, or its documents attributes or other paths: the items say
   * their media types, so that names decide nothing. It is for `index` of this knowledge base, until that is closed.
   *
   * @throws `invalid-options`, `missing-dependency`
   */
  sourceOf(folder: SeparateFolder, options?: Pick<IndexOptions, 'include' | 'exclude'>): Promise<Source>;
  /** Ranked passages. @throws `invalid-query`, `invalid-filter`, `invalid-options` */
  search(query: string, options?: SearchOptions): Promise<SearchResponse>;
  /**
   * Why a document was found for a query, or was not: where its best chunk stood in each leg, fused and reranked, however deep.
   *
   * @throws `document-not-found`, and what `search` throws
   */
  explain(query: string, documentId: string, options?: SearchOptions): Promise<DocumentExplanation>;
  /** Streams an answer, its citations as they become certain, and last the whole answer. */
  ask(question: string, options?: AskOptions): AsyncIterable<AnswerEvent>;
  /**
   * Loads the code that answers and the one that speaks to the model, for which the first question would wait otherwise: for programs that go on
   * running. A model's own weights are still loaded when they are first needed.
   *
   * @throws `model-not-found`, `missing-dependency`: what the first question would fail with
   */
  prepareToAnswer(): Promise<void>;
  /** Vectors of the index's own embedder, one a text. @throws `too-large`, or what the embedder fails with. */
  embed(
    texts: readonly string[],
    options: { readonly purpose: 'query' | 'document'; readonly signal?: AbortSignal },
  ): Promise<{ readonly vectors: readonly Float32Array[]; readonly tokens: number; readonly model: string }>;
  documents(query?: ListDocumentsQuery): Promise<DocumentRecord[]>;
  /** @throws `document-not-found` */
  document(
    id: string,
  ): Promise<DocumentRecord & { readonly content: DocumentContent; readonly chunks: readonly Chunk[] }>;
  /**
   * Deletes documents from the index, not their files; returns how many there were.
   *
   * @throws `document-not-found` with `allOrNone`, where one of them is not there; then none is deleted.
   */
  delete(ids: readonly string[], options?: { readonly allOrNone?: boolean }): Promise<number>;
  /** Why files of this name are not read, for people. Undefined where they are: what is in them may still be of another kind. */
  whyUnread(name: string): Promise<string | undefined>;
  status(): Promise<KnowledgeBaseStatus>;
  /** Brings what searches use beside the database up to date: codes of vectors, a graph. `index` does it at its end. */
  optimise(options?: Pick<IndexOptions, 'signal' | 'onOptimise'>): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}
