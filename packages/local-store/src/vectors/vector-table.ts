/** Vectors in memory, by chunk number: what exact scans run over. */
export interface VectorTable {
  readonly dimensions: number;
  size(): number;
  /** Grows with every change. */
  revision(): number;
  has(number: number): boolean;
  /** @param bytes The vector's numbers, 32 bits each, little endian. Copied. */
  add(number: number, document: number, bytes: Uint8Array): void;
  remove(number: number): void;
  numbers(): Iterable<number>;
  /** A copy of the vector. */
  vector(number: number): Float32Array | undefined;
  /** Cosine of `query` with the vector of `number`; undefined where there is none. */
  cosine(query: PreparedQuery, number: number): number | undefined;
  /** Cosine of `query` with every vector whose document is allowed. The arrays are reused by the next scan. */
  scan(query: PreparedQuery, allowed: AllowedDocuments | undefined): Scan;
  /** How many vectors belong to allowed documents. */
  count(allowed: AllowedDocuments | undefined): number;
  isAllowed(number: number, allowed: AllowedDocuments): boolean;
}

/** One byte for each document number: 1 where a search may look. */
export type AllowedDocuments = Uint8Array;

export interface Scan {
  readonly numbers: Float64Array;
  readonly scores: Float64Array;
  readonly length: number;
}

export interface PreparedQuery {
  readonly vector: Float32Array;
  readonly inverseNorm: number;
}

export function prepareQuery(vector: Float32Array): PreparedQuery {
  return { vector, inverseNorm: 1 / Math.sqrt(sumOfSquares(vector, 0, vector.length)) };
}

// Vectors live in blocks, so that growing never copies or needs twice the memory.
const vectorsPerBlock = 2_048;

export function createVectorTable(dimensions: number): VectorTable {
  const blocks: Float32Array[] = [];
  const slots = new Map<number, number>();
  let numbers = new Float64Array(vectorsPerBlock);
  let documents = new Float64Array(vectorsPerBlock);
  let inverseNorms = new Float64Array(vectorsPerBlock);
  let scanNumbers = new Float64Array(0);
  let scanScores = new Float64Array(0);
  let size = 0;
  let revision = 0;

  const blockOf = (slot: number): Float32Array => blocks[Math.floor(slot / vectorsPerBlock)] as Float32Array;
  const offsetOf = (slot: number): number => (slot % vectorsPerBlock) * dimensions;
  const grow = (array: Float64Array): Float64Array<ArrayBuffer> => {
    const larger = new Float64Array(array.length * 2);
    larger.set(array);
    return larger;
  };
  const cosineAt = (query: PreparedQuery, slot: number): number => {
    const inner = dot(query.vector, blockOf(slot), offsetOf(slot), dimensions);
    // Rounding takes a vector's cosine with itself past 1.
    return Math.max(-1, Math.min(1, inner * query.inverseNorm * (inverseNorms[slot] as number)));
  };

  return {
    dimensions,
    size: () => size,
    revision: () => revision,
    has: (number) => slots.has(number),
    add(number, document, bytes) {
      revision++;
      if (size === numbers.length) {
        numbers = grow(numbers);
        documents = grow(documents);
        inverseNorms = grow(inverseNorms);
      }
      if (size === blocks.length * vectorsPerBlock) blocks.push(new Float32Array(vectorsPerBlock * dimensions));
      const slot = size++;
      const block = blockOf(slot);
      const offset = offsetOf(slot);
      // Straight into its place: an index of 10,000 vectors opens a third sooner than by way of a Float32Array.
      new Uint8Array(block.buffer).set(bytes, offset * Float32Array.BYTES_PER_ELEMENT);
      numbers[slot] = number;
      documents[slot] = document;
      inverseNorms[slot] = 1 / Math.sqrt(sumOfSquares(block, offset, dimensions));
      slots.set(number, slot);
    },
    remove(number) {
      const slot = slots.get(number);
      if (slot === undefined) return;
      slots.delete(number);
      revision++;
      const last = --size;
      if (slot === last) return;
      // The last vector moves into the gap.
      const start = offsetOf(last);
      blockOf(slot).set(blockOf(last).subarray(start, start + dimensions), offsetOf(slot));
      const moved = numbers[last] as number;
      numbers[slot] = moved;
      documents[slot] = documents[last] as number;
      inverseNorms[slot] = inverseNorms[last] as number;
      slots.set(moved, slot);
    },
    numbers: () => slots.keys(),
    vector(number) {
      const slot = slots.get(number);
      return slot === undefined ? undefined : blockOf(slot).slice(offsetOf(slot), offsetOf(slot) + dimensions);
    },
    cosine(query, number) {
      const slot = slots.get(number);
      return slot === undefined ? undefined : cosineAt(query, slot);
    },
    scan(query, allowed) {
      if (scanNumbers.length < size) {
        scanNumbers = new Float64Array(numbers.length);
        scanScores = new Float64Array(numbers.length);
      }
      let length = 0;
      for (let slot = 0; slot < size; slot++) {
        if (allowed !== undefined && allowed[documents[slot] as number] !== 1) continue;
        scanNumbers[length] = numbers[slot] as number;
        scanScores[length++] = cosineAt(query, slot);
      }
      return { numbers: scanNumbers, scores: scanScores, length };
    },
    count(allowed) {
      if (allowed === undefined) return size;
      let count = 0;
      for (let slot = 0; slot < size; slot++) count += allowed[documents[slot] as number] ?? 0;
      return count;
    },
    isAllowed(number, allowed) {
      const slot = slots.get(number);
      return slot !== undefined && allowed[documents[slot] as number] === 1;
    },
  };
}

/** Inner product of `left` with `count` numbers of `right` from `offset`. Four sums keep the processor's adders busy. */
function dot(left: Float32Array, right: Float32Array, offset: number, count: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let index = 0;
  for (; index + 3 < count; index += 4) {
    a += (left[index] as number) * (right[offset + index] as number);
    b += (left[index + 1] as number) * (right[offset + index + 1] as number);
    c += (left[index + 2] as number) * (right[offset + index + 2] as number);
    d += (left[index + 3] as number) * (right[offset + index + 3] as number);
  }
  for (; index < count; index++) a += (left[index] as number) * (right[offset + index] as number);
  return a + b + (c + d);
}

function sumOfSquares(numbers: Float32Array, offset: number, count: number): number {
  let a = 0;
  let b = 0;
  let index = offset;
  const end = offset + count;
  for (; index + 1 < end; index += 2) {
    a += (numbers[index] as number) * (numbers[index] as number);
    b += (numbers[index + 1] as number) * (numbers[index + 1] as number);
  }
  if (index < end) a += (numbers[index] as number) * (numbers[index] as number);
  return a + b;
}
