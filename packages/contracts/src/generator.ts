import type { PassagePlace } from './document.js';

/** A retrieved passage as the model sees it. Data, never instructions. */
export interface PromptPassage extends PassagePlace {
  /** Counted from 1; answers cite it as `[n]`. */
  readonly number: number;
  /** The document's text from `start` to `end`. */
  readonly text: string;
  /** Header row of a split table, or the empty string. Not part of `text`. */
  readonly tableHeader: string;
}

/** One question with everything that the model is given. */
export interface Prompt {
  /** Instructions: what to do, how to cite, when to abstain. */
  readonly system: string;
  /** As `system`, without the rules on citation markers: for models that cite passages by themselves. */
  readonly systemWithoutMarkers: string;
  /** The fenced passages and the question, rendered for a model that takes text. */
  readonly user: string;
  /** As `user`, without the passages: for models that are given those beside it. Default: the question, fenced. */
  readonly userWithoutPassages?: string;
  readonly question: string;
  readonly passages: readonly PromptPassage[];
}

export interface GenerateOptions {
  readonly maxTokens?: number;
  readonly temperature?: number;
  /** Share of the likeliest words that are chosen from, 0 to 1. */
  readonly topP?: number;
  readonly stopSequences?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd?: number;
}

export type StopReason = 'end' | 'max-tokens' | 'stop-sequence' | 'filtered' | 'abstained';

/** Text as it comes, then exactly one `stop`. */
export type GeneratorEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'stop'; readonly reason: StopReason; readonly usage: TokenUsage };

/** Answers a prompt. Citations are markers `[n]` in the text, right after the words that passage `n` supports. */
export interface Generator {
  readonly id: string;
  /** What people are told beside an answer, such as `built-in answerer (quotes, does not reason)`. */
  readonly description: string;
  /** Tokens that prompt and answer may have together. */
  readonly contextTokens: number;
  /** False: it quotes, and neither rewrites a question nor keeps to a prompt of somebody's own. Absent: it does what `system` says. */
  readonly followsInstructions?: false;
  /**
   * Rejects with `aborted`, `model-not-found`, `model-failed`, and a model behind a network also with `credentials-refused`,
   * `model-access-denied`, `model-rejected`, `model-throttled` or `model-unavailable`; also in the middle of the text, which is then not a whole answer.
   */
  generate(prompt: Prompt, options?: GenerateOptions): AsyncIterable<GeneratorEvent>;
  /** What `generate` would send for this prompt, as plain JSON: `body` is the provider's own format. Absent where nothing is sent. */
  request?(prompt: Prompt, options?: GenerateOptions): { readonly operation: string; readonly body: unknown };
}
