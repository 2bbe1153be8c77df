import type { KnowledgeBaseOptions } from '../knowledge-base.js';

/** Of a knowledge base that is exported, or made by an import. */
export type MovedKnowledgeBase = Pick<KnowledgeBaseOptions, 'location' | 'encryptionKey' | 'indexKind'>;

export interface MoveOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: MoveProgress) => void;
}

export interface MoveProgress {
  readonly phase: 'checking' | 'vectors' | 'documents' | 'indexing';
  readonly done: number;
  /** 0 where it is not known. */
  readonly total: number;
}

export interface MoveSummary {
  readonly documents: number;
  readonly chunks: number;
  /** Vectors, those of the cache alone included. */
  readonly embeddings: number;
  /** Of the content, hex: the same for the same knowledge base, wherever it is. */
  readonly sha256: string;
  readonly knowledgeBase: { readonly id: string; readonly name: string; readonly location: string };
}
