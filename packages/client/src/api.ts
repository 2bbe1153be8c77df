// Written by scripts/write-client-types.mjs from the service's OpenAPI document: change the service's schemas, not this.

export interface Answer {
  readonly question: string;
  /** What was searched for, where the question leaned on a conversation */
  readonly standaloneQuestion?: string;
  /** Where a session was asked for */
  readonly sessionId?: string;
  readonly answer: string;
  readonly abstained: boolean;
  readonly citations: readonly Citation[];
  readonly unsupported: readonly {
    readonly start: number;
    readonly end: number;
  }[];
  readonly model: string;
  readonly modelDescription: string;
  readonly stopReason: string;
  readonly considered: number;
  readonly notes?: readonly string[];
  /** Tokens of the model that answers */
  readonly usage: {
    readonly inputTokens: number;
    readonly outputTokens: number;
    /** With the search's; absent where the model's price is not known */
    readonly costUsd?: number;
  };
  readonly prompt?: { readonly [name: string]: unknown };
  /** Milliseconds by stage */
  readonly ms: { readonly [name: string]: number };
}

export type AnswerEvent =
  | {
      readonly event: 'search';
      readonly data: {
        readonly search: SearchResponse;
        readonly considered: readonly {
          readonly rank: number;
          readonly documentId: string;
          readonly source: string;
          readonly title: string;
          readonly headings: readonly string[];
          readonly pageStart?: number;
          readonly pageEnd?: number;
          /** UTF-16 offset in the extracted text */
          readonly start: number;
          /** UTF-16 offset in the extracted text, exclusive */
          readonly end: number;
        }[];
        readonly dropped: readonly {
          readonly source: string;
          readonly reason: string;
        }[];
      };
    }
  | {
      readonly event: 'text';
      readonly data: {
        readonly text: string;
      };
    }
  | {
      readonly event: 'citation';
      readonly data: Citation;
    }
  | {
      readonly event: 'answer';
      readonly data: Answer;
    }
  | {
      readonly event: 'interrupted';
      readonly data: {
        readonly answer: string;
        readonly citations: readonly Citation[];
        readonly reason: string;
      };
    }
  | {
      readonly event: 'error';
      readonly data: {
        readonly code: string;
        readonly message: string;
        readonly requestId: string;
      };
    };

export interface AskRequest {
  readonly question: string;
  /** Most passages that the model is given; default 8 */
  readonly limit?: number;
  readonly filter?: Filter;
  /** Which legs of the search run; default hybrid */
  readonly mode?: 'hybrid' | 'dense' | 'keyword';
  readonly fusion?: 'convex' | 'rrf';
  readonly denseWeight?: number;
  /** Another model than the knowledge base has */
  readonly model?: string;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  /** The answer ends before the first of these */
  readonly stopSequences?: readonly string[];
  /** Instead of the built-in instructions: `$search_results$`, which it must have, becomes the passages, `$query$` the question, `$output_format_instructions$` how to cite. The built-in answerer ignores it */
  readonly promptTemplate?: string;
  readonly includePrompt?: boolean;
  /** `new` begins a conversation; the `sessionId` of an answer goes on with it, and the question may lean on those before it */
  readonly session?: string;
}

export interface ChatRequest {
  /** A knowledge base, by name or id */
  readonly model: string;
  /** The last one of the user is the question, which may lean on the ones before it */
  readonly messages: readonly {
    readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool' | 'function';
    readonly content:
      | string
      | readonly {
          readonly type: string;
          readonly text?: string;
        }[]
      | null;
  }[];
  readonly stream?: boolean | null;
  readonly stream_options?: {
    readonly include_usage?: boolean;
  } | null;
  readonly max_tokens?: number | null;
  readonly max_completion_tokens?: number | null;
  readonly temperature?: number | null;
  readonly top_p?: number | null;
  readonly stop?: string | readonly string[] | null;
  /** One answer */
  readonly n?: 1;
}

export interface Citation {
  readonly start: number;
  readonly end: number;
  readonly references: readonly {
    readonly rank: number;
    readonly documentId: string;
    readonly source: string;
    readonly title: string;
    readonly headings: readonly string[];
    readonly pageStart?: number;
    readonly pageEnd?: number;
    /** UTF-16 offset in the extracted text */
    readonly start: number;
    /** UTF-16 offset in the extracted text, exclusive */
    readonly end: number;
    readonly quote: string;
    readonly verified: boolean;
  }[];
}

export interface Document {
  readonly id: string;
  readonly source: string;
  readonly uri: string;
  readonly mediaType: string;
  readonly title: string;
  readonly status: 'pending' | 'indexed' | 'partially-indexed' | 'failed' | 'ignored' | 'deleting';
  readonly statusReason?: string;
  readonly pageCount?: number;
  readonly chunkCount: number;
  readonly bytes: number;
  readonly metadata: Metadata;
  readonly indexedAt: number;
}

export interface DocumentEvent {
  readonly type: 'document';
  readonly source: string;
  readonly status: 'indexed' | 'partially-indexed' | 'ignored' | 'failed' | 'moved' | 'deleted' | 'left-out';
  readonly reason?: string;
  /** Where a moved file was before */
  readonly from?: string;
  readonly chunks: number;
  readonly ms: number;
}

export interface DocumentList {
  readonly documents: readonly Document[];
  readonly nextCursor?: string;
}

export interface EmbeddingsRequest {
  /** A knowledge base, by name or id */
  readonly model: string;
  readonly input: string | readonly string[];
  readonly encoding_format?: 'float' | 'base64' | null;
  /** Those of the knowledge base, or nothing */
  readonly dimensions?: number | null;
  /** Default document */
  readonly input_type?: 'query' | 'document' | null;
}

export interface ExplainRequest {
  readonly query: string;
  readonly documentId: string;
  /** That of the search; default 10 */
  readonly limit?: number;
  readonly filter?: Filter;
  /** Which legs of the search run; default hybrid */
  readonly mode?: 'hybrid' | 'dense' | 'keyword';
  readonly fusion?: 'convex' | 'rrf';
  readonly denseWeight?: number;
}

export interface Explanation {
  readonly query: string;
  readonly documentId: string;
  readonly source: string;
  readonly title: string;
  readonly outcome: 'returned' | 'below-limit' | 'not-a-candidate' | 'filtered-out' | 'not-searchable';
  /** The outcome as a sentence for people */
  readonly reason: string;
  /** By model; absent where nobody took anything: words alone were searched for, or the query is remembered */
  readonly usage?: readonly {
    readonly model: string;
    readonly tokens: number;
    readonly costUsd?: number;
  }[];
  /** The document's best chunk, and where it stood in each leg */
  readonly best?: {
    readonly chunkId: string;
    readonly ordinal: number;
    /** UTF-16 offset in the extracted text */
    readonly start: number;
    /** UTF-16 offset in the extracted text, exclusive */
    readonly end: number;
    readonly pageStart?: number;
    readonly pageEnd?: number;
    readonly headings: readonly string[];
    readonly text: string;
    readonly dense?: {
      readonly rank?: number;
      readonly score: number;
    };
    readonly keyword?: {
      readonly rank?: number;
      readonly score: number;
    };
    readonly fused?: {
      readonly rank?: number;
      readonly score: number;
    };
    readonly rerank?: {
      readonly rank?: number;
      readonly score: number;
    };
    /** Rank among the matches */
    readonly returned?: number;
  };
}

export interface Filter {
  readonly equals?: {
    readonly key: string;
    readonly value: unknown;
  };
  readonly notEquals?: {
    readonly key: string;
    readonly value: unknown;
  };
  readonly greaterThan?: {
    readonly key: string;
    readonly value: unknown;
  };
  readonly greaterThanOrEquals?: {
    readonly key: string;
    readonly value: unknown;
  };
  readonly lessThan?: {
    readonly key: string;
    readonly value: unknown;
  };
  readonly lessThanOrEquals?: {
    readonly key: string;
    readonly value: unknown;
  };
  readonly in?: {
    readonly key: string;
    readonly value: unknown;
  };
  readonly notIn?: {
    readonly key: string;
    readonly value: unknown;
  };
  readonly startsWith?: {
    readonly key: string;
    readonly value: unknown;
  };
  readonly listContains?: {
    readonly key: string;
    readonly value: unknown;
  };
  readonly stringContains?: {
    readonly key: string;
    readonly value: unknown;
  };
  readonly andAll?: readonly Filter[];
  readonly orAll?: readonly Filter[];
}

export interface IndexProgress {
  readonly phase: 'listing' | 'reading' | 'deleting';
  /** Files that are done */
  readonly done: number;
  /** All files of the run; 0 while listing */
  readonly total: number;
  readonly chunks: number;
  readonly chunksPerSecond: number;
  readonly msLeft?: number;
  /** Where workers do the work */
  readonly workers?: {
    readonly waiting: number;
    readonly running: number;
    readonly workers: number;
    readonly note?: string;
  };
}

export interface InlineDocuments {
  readonly documents: readonly {
    /** A file name, whose ending says what it is; it may have folders */
    readonly name: string;
    readonly text: string;
    readonly metadata?: Metadata;
  }[];
}

export interface Job {
  readonly id: string;
  readonly knowledgeBaseId: string;
  readonly status: 'queued' | 'running' | 'succeeded' | 'partially-succeeded' | 'failed';
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly progress?: IndexProgress;
  readonly failures: readonly {
    readonly source: string;
    readonly reason: string;
  }[];
  readonly summary?: RunSummary;
  readonly reason?: string;
}

export type JobEvent =
  | {
      readonly event: 'job';
      readonly data: Job;
    }
  | {
      readonly event: 'progress';
      readonly data: IndexProgress;
    }
  | {
      readonly event: 'document';
      readonly data: DocumentEvent;
    };

export interface JobList {
  /** Newest first */
  readonly jobs: readonly Job[];
  readonly nextCursor?: string;
}

export interface KnowledgeBaseIdentity {
  readonly id: string;
  readonly name: string;
}

export interface KnowledgeBaseList {
  readonly knowledgeBases: readonly KnowledgeBaseIdentity[];
  readonly nextCursor?: string;
}

export interface KnowledgeBaseStatus {
  readonly knowledgeBase: KnowledgeBaseIdentity;
  readonly documents: {
    readonly pending?: number;
    readonly indexed?: number;
    readonly 'partially-indexed'?: number;
    readonly failed?: number;
    readonly ignored?: number;
    readonly deleting?: number;
  };
  readonly failures: readonly {
    readonly source: string;
    readonly reason: string;
  }[];
  readonly chunks: number;
  readonly tokens: number;
  readonly embedder: {
    readonly name: string;
    readonly provider: string;
    readonly model: string;
    readonly dimensions: number;
    readonly normalised: boolean;
    readonly revision?: string;
  };
  readonly index: {
    readonly kind: 'exact' | 'hnsw' | 'pgvector';
    readonly vectors: number;
    readonly pending?: number;
    readonly note?: string;
  };
  readonly bytes: number;
  readonly generation: number;
  readonly createdAt: number;
  readonly queue?: Queue;
  readonly lastRun?: RunSummary & {
    readonly finishedAt: number;
  };
}

export type Metadata = { readonly [name: string]: string | number | boolean | readonly string[] };

export interface NewKnowledgeBase {
  readonly name: string;
  readonly embedder?: string;
  readonly dimensions?: number;
}

export interface Problem {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly requestId: string;
  };
}

export interface Queue {
  readonly waiting: number;
  readonly running: number;
  readonly failed: number;
  readonly workers: number;
  readonly note?: string;
}

export interface RunSummary {
  readonly scanned: number;
  readonly new: number;
  readonly modified: number;
  readonly moved: number;
  readonly unchanged: number;
  readonly ignored: number;
  readonly failed: number;
  readonly deleted: number;
  readonly skipped: number;
  readonly hidden: number;
  readonly excluded: number;
  readonly outside: number;
  readonly chunks: number;
  readonly embedded: number;
  readonly cacheHits: number;
  readonly tokens: number;
  readonly requests: number;
  /** Absent where nobody charges or the price is not known */
  readonly costUsd?: number;
  readonly ms: number;
  /** Documents that were left to workers */
  readonly enqueued?: number;
}

export interface SearchMatch {
  readonly rank: number;
  readonly score: number;
  readonly scores: {
    readonly dense?: number;
    readonly keyword?: number;
    readonly fused: number;
    readonly rerank?: number;
  };
  readonly documentId: string;
  readonly source: string;
  readonly title: string;
  readonly headings: readonly string[];
  readonly pageStart?: number;
  readonly pageEnd?: number;
  /** UTF-16 offset in the extracted text */
  readonly start: number;
  /** UTF-16 offset in the extracted text, exclusive */
  readonly end: number;
  readonly chunkId: string;
  readonly text: string;
  /** Where the original is */
  readonly uri: string;
  readonly metadata: Metadata;
}

export interface SearchRequest {
  readonly query: string;
  /** Most matches; default 10 */
  readonly limit?: number;
  readonly filter?: Filter;
  /** Which legs of the search run; default hybrid */
  readonly mode?: 'hybrid' | 'dense' | 'keyword';
  readonly fusion?: 'convex' | 'rrf';
  readonly denseWeight?: number;
  /** Adds where each candidate stood */
  readonly trace?: boolean;
}

export interface SearchResponse {
  readonly query: string;
  readonly plan: {
    readonly dense: 'exact' | 'approximate' | 'off';
    readonly keyword: 'on' | 'off';
  };
  readonly matches: readonly SearchMatch[];
  readonly notes?: readonly string[];
  readonly trace?: { readonly [name: string]: unknown };
  /** Of the query's embedding and the reranker; absent where nobody charges or no price is known */
  readonly costUsd?: number;
  /** By model; absent where nobody took anything: words alone were searched for, or the query is remembered */
  readonly usage?: readonly {
    readonly model: string;
    readonly tokens: number;
    readonly costUsd?: number;
  }[];
  /** Milliseconds by stage */
  readonly ms: { readonly [name: string]: number };
}

export interface Uploaded {
  readonly job: Job;
  /** Names of the documents, as they are in their "source" */
  readonly kept: readonly string[];
  readonly refused: readonly {
    readonly name: string;
    readonly reason: string;
  }[];
}

export type WholeDocument = Document & {
  readonly content: {
    readonly text: string;
    readonly pages: readonly {
      readonly page: number;
      readonly start: number;
      readonly end: number;
    }[];
  };
  readonly chunks: readonly {
    readonly id: string;
    readonly ordinal: number;
    /** UTF-16 offset in the extracted text */
    readonly start: number;
    /** UTF-16 offset in the extracted text, exclusive */
    readonly end: number;
    readonly pageStart?: number;
    readonly pageEnd?: number;
    readonly headings: readonly string[];
    readonly text: string;
    readonly tokens: number;
  }[];
};

/** What the service can be asked for. */
export type Operation =
  | 'addDocuments'
  | 'ask'
  | 'createKnowledgeBase'
  | 'deleteDocument'
  | 'deleteKnowledgeBase'
  | 'explain'
  | 'followJob'
  | 'getContent'
  | 'getDocument'
  | 'getJob'
  | 'getKnowledgeBase'
  | 'listDocuments'
  | 'listJobs'
  | 'listKnowledgeBases'
  | 'search';
