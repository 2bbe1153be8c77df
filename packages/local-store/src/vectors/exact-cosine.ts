/** Of a vector: what turns an inner product with it into one with the vector of length 1. */
export function inverseNorm(vector: Float32Array): number {
  let squaresA = 0;
  let squaresB = 0;
  let index = 0;
  for (; index + 1 < vector.length; index += 2) {
    const a = vector[index] as number;
    const b = vector[index + 1] as number;
    squaresA += a * a;
    squaresB += b * b;
  }
  if (index < vector.length) squaresA += (vector[index] as number) ** 2;
  return 1 / Math.sqrt(squaresA + squaresB);
}

/** Several sums keep the processor's adders busy. */
export function innerProduct(question: Float32Array | Float64Array, vector: Float32Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let index = 0;
  for (; index + 3 < vector.length; index += 4) {
    a += (question[index] as number) * (vector[index] as number);
    b += (question[index + 1] as number) * (vector[index + 1] as number);
    c += (question[index + 2] as number) * (vector[index + 2] as number);
    d += (question[index + 3] as number) * (vector[index + 3] as number);
  }
  // As if there were zeros behind the last number.
  if (index < vector.length) a += (question[index] as number) * (vector[index] as number);
  if (index + 1 < vector.length) b += (question[index + 1] as number) * (vector[index + 1] as number);
  if (index + 2 < vector.length) c += (question[index + 2] as number) * (vector[index + 2] as number);
  return a + b + c + d;
}

/** Rounding takes a vector's cosine with itself past 1. */
export function cosineOf(product: number, inverseNormOfQuestion: number, inverseNormOfVector: number): number {
  return Math.max(-1, Math.min(1, product * inverseNormOfQuestion * inverseNormOfVector));
}
