/** Decimals of a component: with three digits to a table entry, and finer than a 32-bit float of a vector of length 1 can tell apart. */
const decimals = 9;
const scale = 10 ** decimals;
/** Smaller numbers would lose digits to the fixed point. */
const smallest = 1e-3;
const longestNumber = 32;

const comma = 0x2c;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;

/** The digits of 000 to 999, one after another. */
const triples = Uint8Array.from(
  { length: 3_000 },
  (_, index) => zero + (Math.floor(Math.floor(index / 3) / 10 ** (2 - (index % 3))) % 10),
);

/**
 * A vector as a JSON array. An answer of an embedding model is a thousand numbers and little else, and `JSON.stringify` takes longer over
 * them than the rest of a request; components between -1 and 1 are written as fixed-point digits from a table.
 */
export function vectorJson(vector: Float32Array): Buffer {
  const out = Buffer.allocUnsafe(2 + vector.length * longestNumber);
  let position = 0;
  out[position++] = 0x5b;
  for (let index = 0; index < vector.length; index++) {
    if (index > 0) out[position++] = comma;
    const value = vector[index]!;
    const size = Math.abs(value);
    if (size === 0) {
      out[position++] = zero;
    } else if (size >= smallest && size < 1) {
      const fixed = Math.round(size * scale);
      if (value < 0) out[position++] = minus;
      // Rounding may reach 1 only from above 1 - 5e-10, which no 32-bit float below 1 is.
      out[position++] = zero;
      out[position++] = point;
      const high = Math.floor(fixed / 1_000_000);
      const rest = fixed - high * 1_000_000;
      const middle = Math.floor(rest / 1_000);
      position = putTriple(out, position, high);
      position = putTriple(out, position, middle);
      position = putTriple(out, position, rest - middle * 1_000);
    } else {
      position += out.write(String(Number(value.toPrecision(9))), position, 'latin1');
    }
  }
  out[position++] = 0x5d;
  return out.subarray(0, position);
}

function putTriple(out: Buffer, position: number, value: number): number {
  const digit = value * 3;
  out[position] = triples[digit]!;
  out[position + 1] = triples[digit + 1]!;
  out[position + 2] = triples[digit + 2]!;
  return position + 3;
}

/** One bit per component, whether it is above zero, as embeddings of type `binary` are: a number 0 or 1 each. */
export function binaryComponents(vector: Float32Array): number[] {
  return Array.from(vector, (value) => (value > 0 ? 1 : 0));
}

/** JSON text with vectors in it. */
export function joinJson(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}
