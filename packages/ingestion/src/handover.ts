import type { DocumentRecord, SourceItem } from '@aquifer/contracts';
import type { EmbeddingCounts } from './chunk-vectors.js';
import type { DocumentOutcome } from './ingest-document.js';

/** A document for others to bring up to date: everything that decides the result. Survives JSON. */
export interface HandedWork {
  readonly sourceId: string;
  readonly item: Omit<SourceItem, 'read'>;
  /** Of a document that is not there yet; else that of `existing`. */
  readonly id: string;
  /** As the store holds it. */
  readonly existing?: DocumentRecord;
  /** The documents inside of it, at any depth, as the store holds them. */
  readonly inside: readonly DocumentRecord[];
  /** Stands for readers and chunker: who has others would make something else of it. */
  readonly processing: string;
  /** Larger files are failed documents and not read. */
  readonly maxDocumentBytes: number;
}

/** What became of one file, or of one document inside of a file. */
export interface HandedOutcome {
  readonly path: string;
  readonly outcome: DocumentOutcome;
  readonly ms: number;
}

/** What others made of a document. Survives JSON. */
export interface HandedResult {
  readonly document: HandedOutcome;
  readonly attachments: readonly HandedOutcome[];
  /** Documents that were inside of it and are not any more. */
  readonly attachmentsGone: readonly string[];
  readonly skippedAttachments: number;
  readonly embedding: Readonly<EmbeddingCounts>;
}

/** How far the others are. */
export interface HandedProgress {
  readonly waiting: number;
  readonly running: number;
  readonly workers: number;
  /** Why a document was last given back or failed, where one that waits was. */
  readonly note?: string;
}

/** Others who bring documents up to date, such as workers behind a queue. */
export interface Handover {
  /** Whether to come back for the outcomes. */
  readonly waits: boolean;
  /** Records each document as `pending` together with the work on it, and returns. */
  give(
    works: readonly { readonly handed: HandedWork; readonly pending: DocumentRecord }[],
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Resolves when all that was given is done, with the ids of what nobody did: it is to be done here.
   *
   * @throws `aborted`: the others go on
   */
  wait(listeners: {
    readonly onResult: (id: string, result: HandedResult | { readonly failed: string }) => void;
    readonly onProgress: (progress: HandedProgress) => void;
    readonly signal: AbortSignal;
  }): Promise<readonly string[]>;
}
