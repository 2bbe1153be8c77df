import type { TextPiece, TextRequest, TextStop } from './conversation.js';

export type EmbedInput =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly bytes: Uint8Array };

export interface EmbedCall {
  readonly modelId: string;
  readonly inputs: readonly EmbedInput[];
  /** Undefined where the family does not say: then questions and documents must be embedded alike, to be compared with each other. */
  readonly purpose: 'query' | 'document' | undefined;
  readonly dimensions: number;
  readonly signal?: AbortSignal;
}

export interface GenerateCall extends TextRequest {
  readonly modelId: string;
  readonly signal?: AbortSignal;
}

export type GenerateEvent =
  | ({ readonly type: 'text' } & TextPiece)
  | {
      readonly type: 'stop';
      readonly reason: TextStop;
      readonly stopSequence?: string;
      /** As the model counted them; estimated where it does not. */
      readonly inputTokens?: number;
      readonly outputTokens?: number;
    };

export interface ImageCall {
  readonly modelId: string;
  readonly prompt: string;
  readonly negativePrompt?: string;
  readonly width: number;
  readonly height: number;
  readonly count: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

export interface RerankCall {
  readonly modelId: string;
  readonly query: string;
  readonly texts: readonly string[];
  readonly signal?: AbortSignal;
}

/** What answers behind the formats. Whatever it throws goes to the caller under Bedrock's name for it. */
export interface ModelBackend {
  /** One vector of `dimensions` finite numbers and of length 1 per input, in order. */
  embed(call: EmbedCall): Promise<readonly Float32Array[]>;
  /** Text as it comes, then exactly one `stop`. */
  generate(call: GenerateCall): AsyncIterable<GenerateEvent>;
  /** PNG files. */
  image(call: ImageCall): Promise<readonly Uint8Array[]>;
  /** A score from 0 to 1 per text, in order. */
  rerank(call: RerankCall): Promise<readonly number[]>;
}
