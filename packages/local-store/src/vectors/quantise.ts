// Scalar quantisation with a bound that is proven, not estimated. Write a vector x as its code s·c (whole numbers c between
// -127 and 127, a step s) plus what rounding left over, e, and a question q as t·r (whole numbers) plus f. Then
//
//   q·x = s·t·(r·c) + q·e + f·(s·c),  and by Cauchy and Schwarz  |q·e| ≤ |q|·|e|,  |f·(s·c)| ≤ |f|·(|x| + |e|).
//
// Divided by |q| and |x|, that bounds how far the cosine can lie from what the whole numbers give.

/** A stored vector in whole numbers; the numbers themselves are written elsewhere. */
export interface VectorCode {
  /** What turns an inner product with the code into one with the vector divided by its length. */
  readonly factor: number;
  /** Length of what rounding left over, as a share of the vector's length. */
  readonly error: number;
}

/** A question in whole numbers. */
export interface QuestionCode {
  readonly numbers: Int16Array;
  readonly factor: number;
  readonly error: number;
}

const largestCode = 127;

/** Codes are as long as the next multiple of this, filled with zeros. */
const codeGrain = 16;

/** Room for what 64-bit arithmetic itself rounds, many times over. */
const roundingSlack = 1e-9;

export function codeLength(dimensions: number): number {
  return Math.ceil(dimensions / codeGrain) * codeGrain;
}

/** Writes the code of `vector` to `target` from `offset`. */
export function quantiseVector(vector: Float32Array, target: Int8Array, offset: number): VectorCode {
  let largest = 0;
  let squares = 0;
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index] as number;
    largest = Math.max(largest, Math.abs(value));
    squares += value * value;
  }
  const step = largest / largestCode;
  let lostSquares = 0;
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index] as number;
    const code = Math.round(value / step);
    target[offset + index] = code;
    const lost = value - code * step;
    lostSquares += lost * lost;
  }
  target.fill(0, offset + vector.length, offset + codeLength(vector.length));
  return { factor: step / Math.sqrt(squares), error: Math.sqrt(lostSquares / squares) };
}

/** Such that its inner product with any code fits 32 bits. */
export function quantiseQuestion(vector: Float32Array): QuestionCode {
  const length = codeLength(vector.length);
  const limit = Math.min(32_767, Math.floor(0x7fff_ffff / (largestCode * length)));
  const numbers = new Int16Array(length);
  let largest = 0;
  let squares = 0;
  for (const value of vector) {
    largest = Math.max(largest, Math.abs(value));
    squares += value * value;
  }
  const step = largest / limit;
  let lostSquares = 0;
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index] as number;
    const code = Math.round(value / step);
    numbers[index] = code;
    const lost = value - code * step;
    lostSquares += lost * lost;
  }
  return { numbers, factor: step / Math.sqrt(squares), error: Math.sqrt(lostSquares / squares) };
}

/** How far a cosine can lie from `product · question.factor · factor`, either way. */
export function cosineError(question: QuestionCode, error: number): number {
  return error + question.error * (1 + error) + roundingSlack;
}
