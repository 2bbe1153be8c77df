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

/** Cosine of the question with a vector of the same dimensions. Several sums keep the processor's adders busy. */
export function cosine({ vector: query, inverseNorm }: PreparedQuery, vector: Float32Array): number {
  let productsA = 0;
  let productsB = 0;
  let squaresA = 0;
  let squaresB = 0;
  let index = 0;
  for (; index + 1 < vector.length; index += 2) {
    const a = vector[index] as number;
    const b = vector[index + 1] as number;
    productsA += (query[index] as number) * a;
    productsB += (query[index + 1] as number) * b;
    squaresA += a * a;
    squaresB += b * b;
  }
  if (index < vector.length) {
    const last = vector[index] as number;
    productsA += (query[index] as number) * last;
    squaresA += last * last;
  }
  const value = (productsA + productsB) * inverseNorm * (1 / Math.sqrt(squaresA + squaresB));
  // Rounding takes a vector's cosine with itself past 1.
  return Math.max(-1, Math.min(1, value));
}
