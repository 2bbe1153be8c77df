import { AquiferError, type GenerateImageOptions } from '@aquifer/contracts';

/** What one request is about: pictures of one prompt. */
export interface ImageRequest extends Pick<GenerateImageOptions, 'negativePrompt' | 'width' | 'height' | 'seed'> {
  readonly modelId: string;
  readonly prompt: string;
  /** At most the family's `maxImages`. */
  readonly count: number;
}

/** A picture as a family's response has it, or why there is none. */
export type ReceivedImage =
  | { readonly base64: string; readonly seed?: number }
  | { readonly withheld: string; readonly isFiltered: boolean };

/** How a family of image models is spoken with. */
export interface ImageFamily {
  /** Most pictures of one request. */
  readonly maxImages: number;
  /** @throws `model-rejected` for a size that the model cannot have. */
  request(request: ImageRequest): object;
  /** @throws TypeError for what is no response of the family. */
  read(body: unknown): readonly ReceivedImage[];
}

/** Width and height as given, or the error that there must be both. */
export function sizeOf({ width, height, modelId }: ImageRequest): { width: number; height: number } | undefined {
  if (width === undefined && height === undefined) return undefined;
  if (width !== undefined && height !== undefined) return { width, height };
  throw new AquiferError('invalid-options', `A picture of ${modelId} needs width and height, or neither.`);
}

export function textOf(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`${name} is ${value === null ? 'null' : typeof value}`);
}

export function listOf(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`${name} is no list`);
}
