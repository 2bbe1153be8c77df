import { AquiferError } from '@aquifer/contracts';

/** A text, or a part of one, as it was embedded. */
export interface EmbeddedPart {
  readonly vector: Float32Array;
  readonly tokens: number;
}

export interface ExpectedVector {
  /** Who made it, for messages. */
  readonly name: string;
  readonly dimensions: number;
  /** Give it the length 1. */
  readonly normalised: boolean;
}

/**
 * A vector from outside as an index may keep it.
 *
 * @throws `model-failed` for another number of dimensions, all zeros, or what is not a finite number.
 */
export function checkedVector(
  values: ArrayLike<number>,
  { name, dimensions, normalised }: ExpectedVector,
): Float32Array {
  const refuse = (what: string): AquiferError =>
    new AquiferError('model-failed', `${name} gave a vector ${what}. Nothing of it was kept.`);
  if (values.length !== dimensions) {
    throw refuse(
      `of ${values.length} numbers where ${dimensions} were expected: is it another model, or set to other dimensions?`,
    );
  }
  const vector = new Float32Array(dimensions);
  let squares = 0;
  for (let index = 0; index < dimensions; index++) {
    const value: unknown = values[index];
    if (typeof value !== 'number' || !Number.isFinite(value)) throw refuse(`whose number ${index} is ${String(value)}`);
    vector[index] = value;
    squares += value * value;
  }
  if (squares === 0) throw refuse('of nothing but zeros');
  // Also the single precision of a Float32Array must hold it.
  if (!Number.isFinite(Math.fround(Math.sqrt(squares)))) throw refuse('too long to compare');
  return normalised ? scaled(vector, 1 / Math.sqrt(squares)) : vector;
}

/** The mean of a text's parts, weighted by tokens; of length 1 where `normalised`. */
export function meanVector(parts: readonly EmbeddedPart[], normalised: boolean): Float32Array {
  const sum = new Float64Array(parts[0]!.vector.length);
  let weights = 0;
  for (const { vector, tokens } of parts) {
    const weight = Math.max(1, tokens);
    weights += weight;
    for (let index = 0; index < sum.length; index++) sum[index]! += vector[index]! * weight;
  }
  const length = Math.hypot(...sum);
  // Parts that cancel each other out to nothing do not occur in texts; the first one is then as good as any.
  if (length === 0) return parts[0]!.vector;
  return scaled(sum, 1 / (normalised ? length : weights));
}

function scaled(values: ArrayLike<number>, factor: number): Float32Array {
  const vector = new Float32Array(values.length);
  for (let index = 0; index < vector.length; index++) vector[index] = values[index]! * factor;
  return vector;
}
