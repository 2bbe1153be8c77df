/**
 * A binary embedding as a vector of +1 and -1, whose inner products order texts as their Hamming distances do. It comes as one number a
 * dimension (Titan: 0 and 1), or as bytes of eight dimensions each, the highest bit first (Cohere).
 */
export function binaryVector(values: readonly number[], dimensions: number): number[] {
  if (values.length * 8 === dimensions) {
    return Array.from({ length: dimensions }, (_, index) => ((values[index >> 3]! >> (7 - (index & 7))) & 1 ? 1 : -1));
  }
  return values.map((value) => (value > 0 ? 1 : -1));
}
