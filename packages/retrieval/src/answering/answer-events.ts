import type { PassagePlace, Prompt, StopReason, TokenUsage } from '@aquifer/contracts';
import type { SearchResponse } from '../searching/retriever.js';
import type { DroppedMatch } from './passages.js';

/** Where in the sources a piece of the answer comes from. */
export interface Reference extends PassagePlace {
  /** The passage's number in the prompt, from 1 for the best. */
  readonly rank: number;
  /** The document's stored text from `start` to `end`. */
  readonly quote: string;
  /**
   * Whether the passage bears out the cited words: all their numbers, dates and quotations are in it (or in the others cited
   * at the same place), and enough of their other words.
   */
  readonly verified: boolean;
}

/** A piece of the answer and what it rests on. */
export interface Citation {
  /** UTF-16 offsets of the cited words in the answer. */
  readonly start: number;
  readonly end: number;
  /** By passage, as the model named them. */
  readonly references: readonly Reference[];
}

export interface AnswerTimes {
  /** Retrieval as a whole. */
  readonly search: number;
  /** Choosing, widening and packing passages. */
  readonly pack: number;
  /** From the request to the model to its last word. 0 where it was not asked. */
  readonly generate: number;
  /** From the question to the first word. */
  readonly firstText: number;
  readonly total: number;
}

export interface Answer {
  readonly question: string;
  /** What was searched for and answered, where the question leaned on a conversation. */
  readonly standaloneQuestion?: string;
  /** Without citation markers. */
  readonly answer: string;
  /** The documents do not answer the question; `answer` says so. */
  readonly abstained: boolean;
  /** In the order of the answer. */
  readonly citations: readonly Citation[];
  /** Offsets of sentences and clauses of the answer that no passage bears out: uncited, or with no verified reference. */
  readonly unsupported: readonly { readonly start: number; readonly end: number }[];
  readonly model: string;
  readonly modelDescription: string;
  /** `max-tokens`: the answer is cut off. `filtered`: the model's provider withheld the rest. */
  readonly stopReason: StopReason;
  /** Tokens of the model that answers; dollars with what the search cost. Without dollars where the answering model's price is not known. */
  readonly usage: TokenUsage;
  /** How many passages the model was given. */
  readonly considered: number;
  /** What people should know, from the search. */
  readonly notes?: readonly string[];
  /** The exact prompt, on request, and the body that its provider is sent where there is one. Absent where the model was not asked. */
  readonly prompt?: Prompt & { readonly request?: { readonly operation: string; readonly body: unknown } };
  readonly ms: AnswerTimes;
}

/** A passage that the model was given. */
export interface ConsideredPassage extends PassagePlace {
  readonly rank: number;
}

export type AnswerEvent =
  /** First: what was found, and what of it the model is given. */
  | {
      readonly type: 'search';
      readonly search: SearchResponse;
      readonly considered: readonly ConsideredPassage[];
      readonly dropped: readonly DroppedMatch[];
    }
  /** A piece of the answer, without citation markers. */
  | { readonly type: 'text'; readonly text: string }
  /** The words before this event are cited. */
  | { readonly type: 'citation'; readonly citation: Citation }
  /** The model failed in the middle: what came is not a whole answer. The error follows. */
  | {
      readonly type: 'interrupted';
      readonly answer: string;
      readonly citations: readonly Citation[];
      readonly reason: string;
    }
  /** Last: the whole answer. */
  | { readonly type: 'answer'; readonly answer: Answer };
