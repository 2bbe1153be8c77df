/** A question with what its cosines need. */
export interface PreparedQuery {
  readonly vector: Float32Array;
  readonly inverseNorm: number;
}

export function prepareQuery(vector: Float32Array): PreparedQuery {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return { vector, inverseNorm: 1 / Math.sqrt(squares) };
}

/** A stored vector with what its cosines need. */
export interface PreparedVector {
  readonly vector: Float32Array;
  readonly inverseNorm: number;
}

export function prepareVector(vector: Float32Array): PreparedVector {
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
  return { vector, inverseNorm: 1 / Math.sqrt(squaresA + squaresB) };
}

/** Cosine of the question with a vector of the same dimensions. Several sums keep the processor's adders busy. */
export function cosine(query: PreparedQuery, { vector, inverseNorm }: PreparedVector): number {
  const question = query.vector;
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
  for (; index < vector.length; index++) a += (question[index] as number) * (vector[index] as number);
  const value = (a + b + c + d) * query.inverseNorm * inverseNorm;
  // Rounding takes a vector's cosine with itself past 1.
  return Math.max(-1, Math.min(1, value));
}
