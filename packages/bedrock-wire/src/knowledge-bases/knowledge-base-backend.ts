import type { Filter, Metadata } from '@aquifer/contracts';

/** A passage as it is sent: see API_agent-runtime_KnowledgeBaseRetrievalResult.html. */
export interface RetrievedPassage {
  readonly text: string;
  /** Path inside of its source: what people see. */
  readonly source: string;
  /** Where the original is, such as `s3://handbook/leave.pdf`. */
  readonly uri?: string;
  readonly documentId: string;
  readonly chunkId?: string;
  readonly page?: number;
  readonly score?: number;
  readonly metadata: Metadata;
}

export interface RetrieveCall {
  readonly knowledgeBaseId: string;
  readonly query: string;
  /** How many, and how many better ones to leave out: an earlier page had them. */
  readonly limit: number;
  readonly offset: number;
  readonly mode?: 'hybrid' | 'dense';
  readonly filter?: Filter;
  readonly reranker?: { readonly modelId: string; readonly limit: number };
  readonly signal?: AbortSignal | undefined;
}

/** A question for a model, and how it is to answer. */
export interface AskCall {
  readonly query: string;
  readonly modelId: string;
  readonly temperature?: number;
  readonly topP?: number;
  readonly maxTokens?: number;
  /** At most 4. */
  readonly stopSequences?: readonly string[];
  /** A prompt of the caller's own, with `$search_results$` in it. */
  readonly promptTemplate?: string;
  /** The conversation that the question goes on with. Absent: a new one. */
  readonly sessionId?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface GroundedCall extends AskCall, Omit<RetrieveCall, 'offset' | 'query' | 'signal'> {}

/** A document that comes with the question instead of being in a knowledge base. */
export type ExternalDocument =
  | { readonly type: 's3'; readonly uri: string }
  | {
      readonly type: 'bytes';
      /** Its file name. */
      readonly identifier: string;
      /** Its MIME type. */
      readonly contentType: string;
      readonly bytes: Uint8Array;
    };

export interface ExternalCall extends AskCall {
  readonly document: ExternalDocument;
}

export type GroundedEvent =
  | { readonly type: 'text'; readonly text: string }
  /** UTF-16 offsets in the answer, the end exclusive, and what is cited there. */
  | {
      readonly type: 'citation';
      readonly start: number;
      readonly end: number;
      readonly passages: readonly RetrievedPassage[];
    };

/** An answer as it comes, and the conversation that it belongs to. */
export interface GroundedAnswer {
  readonly sessionId: string;
  /** The answer, piece by piece, with its citations. */
  readonly events: AsyncIterable<GroundedEvent>;
}

/** What finds and answers behind the API of Bedrock Knowledge Bases. Errors are `AquiferError`s. */
export interface KnowledgeBaseBackend {
  retrieve(call: RetrieveCall): Promise<readonly RetrievedPassage[]>;
  answer(call: GroundedCall): Promise<GroundedAnswer>;
  /** From the document of the call alone, of which nothing stays. */
  answerFrom(call: ExternalCall): Promise<GroundedAnswer>;
}
