import type { TokenUsage } from './generator.js';

export interface GenerateImageOptions {
  /** What the picture must not show. */
  readonly negativePrompt?: string;
  /** In pixels; models take only some sizes, and refuse others. */
  readonly width?: number;
  readonly height?: number;
  /** Equal seeds and options give equal pictures, where the model has seeds. */
  readonly seed?: number;
  /** Pictures to make. Default 1. */
  readonly count?: number;
  readonly signal?: AbortSignal;
}

export interface GeneratedImage {
  readonly bytes: Uint8Array;
  /** Such as `image/png`. */
  readonly mediaType: string;
  readonly seed?: number;
}

export interface GeneratedImages {
  readonly images: readonly GeneratedImage[];
  /** What it cost, where that is known. */
  readonly costUsd?: TokenUsage['costUsd'];
}

/**
 * Words in, pictures out.
 *
 * @throws `model-rejected` for a size or a text that the model does not take, `model-filtered` when the provider withheld the picture, and
 *   what every model fails with.
 */
export interface ImageGenerator {
  readonly id: string;
  generateImage(prompt: string, options?: GenerateImageOptions): Promise<GeneratedImages>;
}
