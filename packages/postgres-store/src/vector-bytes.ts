// pgvector's binary format: two bytes of dimensions, two that are zero, then 4-byte floats, all big-endian (vector_send in its vector.c).
const headerBytes = 4;
// Squares of more than 3e38 are infinite in a 4-byte float, and those below 1e-38 lose digits. Components of half-precision end at 65,504.
const shortest = 1e-2;
const longest = 1e4;

/** A vector as PostgreSQL receives it. */
export function vectorToBytes(vector: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + 4 * vector.length);
  bytes.writeUInt16BE(vector.length, 0);
  bytes.writeUInt16BE(0, 2);
  for (let index = 0; index < vector.length; index++) {
    bytes.writeFloatBE(vector[index] as number, headerBytes + 4 * index);
  }
  return bytes;
}

/** The inverse of {@link vectorToBytes}. */
export function vectorFromBytes(bytes: Buffer): Float32Array {
  const vector = new Float32Array((bytes.length - headerBytes) >> 2);
  for (let index = 0; index < vector.length; index++) vector[index] = bytes.readFloatBE(headerBytes + 4 * index);
  return vector;
}

/**
 * Vectors as one parameter of type `vector[]`: an array of one dimension whose first index is 1 (array_send in PostgreSQL's arrayfuncs.c).
 *
 * @param elementType The number of the type `vector` in this database.
 */
export function vectorsToBytes(vectors: readonly Float32Array[], elementType: number): Buffer {
  const header = Buffer.alloc(vectors.length === 0 ? 12 : 20);
  header.writeInt32BE(vectors.length === 0 ? 0 : 1, 0);
  header.writeUInt32BE(elementType, 8);
  if (vectors.length > 0) {
    header.writeInt32BE(vectors.length, 12);
    header.writeInt32BE(1, 16);
  }
  const parts: Buffer[] = [header];
  for (const vector of vectors) {
    const bytes = vectorToBytes(vector);
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

/** Euclidean. */
export function lengthOf(vector: Float32Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}

/** The same vector where pgvector can calculate with it, else one of length 1 in its direction. Cosines are the same. */
export function calculableVector(vector: Float32Array): Float32Array {
  const length = lengthOf(vector);
  return length >= shortest && length <= longest ? vector : vector.map((value) => value / length);
}
