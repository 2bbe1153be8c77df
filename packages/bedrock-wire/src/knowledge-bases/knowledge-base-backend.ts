import type { Filter, Metadata } from '@aquifer/contracts';

/** A passage as it is sent: see API_agent-runtime_KnowledgeBaseRetrievalResult.html. */
export interface RetrievedPassage {
  readonly text: string;
  /** Path inside of its source: what people see. */
  readonly source: string;
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

export interface GroundedCall extends Omit<RetrieveCall, 'offset'> {
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
}
