import type { TextAnswer, TextEnd, TextPiece, TextRequest } from '../conversation.js';
import type { ModelBackend } from '../model-backend.js';

/** One InvokeModel request. */
export interface InvokeCall {
  readonly modelId: string;
  /** Without ARN and inference profile. */
  readonly baseId: string;
  readonly requestId: string;
  /** The parsed body. */
  readonly body: unknown;
  readonly backend: ModelBackend;
  readonly signal?: AbortSignal;
}

export interface InvokeResult {
  /** JSON. */
  readonly body: Uint8Array | string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

/** A family that answers at once: vectors, scores, pictures. */
export interface WholeFamily {
  readonly kind: 'whole';
  invoke(call: InvokeCall): Promise<InvokeResult>;
}

/** What the formats of an answer may name. */
export interface AnswerContext {
  readonly baseId: string;
  readonly requestId: string;
  readonly request: TextRequest;
}

/** The model's own chunks of a streamed answer, as plain JSON. The last one is given the invocation metrics by whoever sends it. */
export interface ChunkWriter {
  start(inputTokens: number): readonly object[];
  piece(piece: TextPiece): readonly object[];
  end(end: TextEnd): readonly object[];
}

/** A family that answers in text. */
export interface TextFamily {
  readonly kind: 'text';
  /** @throws ValidationException */
  parse(body: unknown, baseId: string): TextRequest;
  answer(answer: TextAnswer, context: AnswerContext): object;
  /** Absent where the models do not stream. */
  chunks?(context: AnswerContext): ChunkWriter;
}

export type WireFamily = WholeFamily | TextFamily;
