import type { EmbedPurpose } from '@aquifer/contracts';
import type { EmbeddedBatch } from '../../pacing/paced-embedder.js';

/** How vectors are asked for: whole numbers with fractions, or one bit a dimension. */
export type BedrockEmbeddingType = 'float' | 'binary';

export interface EmbeddingSettings {
  /** Base id of the model. */
  readonly model: string;
  readonly dimensions: number;
  readonly normalise: boolean;
  readonly type: BedrockEmbeddingType;
}

/** How a family of embedding models is spoken with in InvokeModel. */
export interface EmbeddingFamily {
  /** Whether it can give one bit a dimension. */
  readonly hasBinary: boolean;
  /** Most characters of one text, where the model is known to refuse more. */
  maxCharacters?(model: string): number | undefined;
  /** The body of a request with as many texts as the model takes at once. */
  request(texts: readonly string[], purpose: EmbedPurpose, settings: EmbeddingSettings): unknown;
  /**
   * The vectors of a response, one a text. Tolerant: takes what it uses, wherever a version of the model puts it.
   *
   * @throws TypeError where there are none.
   */
  read(body: unknown, settings: EmbeddingSettings): EmbeddedBatch;
}
