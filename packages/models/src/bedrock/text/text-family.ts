import type { Prompt, StopReason } from '@aquifer/contracts';

/** What is sent, as plain JSON: `body` is the family's own format, or the input of Converse without the model's id. */
export interface TextRequest {
  readonly operation: 'InvokeModel' | 'InvokeModelWithResponseStream' | 'Converse' | 'ConverseStream';
  readonly body: object;
}

/** Settings of one request, checked and within the model's limits. */
export interface TextSettings {
  /** Without ARN and inference-profile prefix. */
  readonly baseId: string;
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly stopSequences: readonly string[];
  /** Whether the model cites passages by itself when it is given them as search results. */
  readonly citesNatively: boolean;
  /** Whether the model can send its answer piece by piece. */
  readonly streams: boolean;
}

/** What an answer's last pieces said. */
export interface AnswerEnd {
  /** Undefined as long as the model has not said that it is done: an answer without it is not whole. */
  reason?: StopReason;
  inputTokens?: number;
  outputTokens?: number;
}

/** Reads one answer. */
export interface AnswerReader {
  /**
   * The words of a piece of the response, with markers `[n]` where the model cites: a chunk or event of a stream, or the whole body. May
   * be empty. Throws an AquiferError where the piece says that the model failed.
   */
  push(piece: object): string;
  readonly end: Readonly<AnswerEnd>;
}

/** Models whose requests and responses have one form. */
export interface TextFamily {
  request(prompt: Prompt, settings: TextSettings): TextRequest;
  createReader(prompt: Prompt): AnswerReader;
}
