/** Decimals of a component: with three digits to a table entry, and finer than a 32-bit float of a vector of length 1 can tell apart. */
const decimals = 9;
const scale = 10 ** decimals;
/** Smaller numbers would lose digits to the fixed point. */
const smallest = 1e-3;
const longestNumber = 32;

const openingBracket = 0x5b;
const closingBracket = 0x5d;
const comma = 0x2c;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;

/** The digits of 000 to 999, one after another. */
const triples = Uint8Array.from(
  { length: 3_000 },
  (_, index) => zero + (Math.floor(Math.floor(index / 3) / 10 ** (2 - (index % 3))) % 10),
);

/** Where bodies are put together: whatever is written is written at once. */
let scratch = Buffer.allocUnsafe(64 * 1024);

/**
 * JSON of text and vectors one after another, a vector as an array of its numbers. An answer of an embedding model is a thousand numbers and
 * little else, and `JSON.stringify` takes longer over them than the rest of a request; components between -1 and 1 are written
 * as fixed-point digits from a table, and a vector that comes twice is copied.
 *
 * A string, not a buffer: memory outside of the heap, tens of kilobytes an answer, makes V8 collect all of it every thousand answers.
 */
export function joinJson(...parts: readonly (string | Float32Array)[]): string {
  const places = new Map<Float32Array, readonly [start: number, end: number]>();
  let position = 0;
  for (const part of parts) {
    if (typeof part === 'string') {
      reserve(position, part.length * 3);
      position += scratch.write(part, position);
      continue;
    }
    const place = places.get(part);
    if (place) {
      reserve(position, place[1] - place[0]);
      position += scratch.copy(scratch, position, ...place);
      continue;
    }
    reserve(position, 2 + part.length * longestNumber);
    const start = position;
    position = putVector(part, position);
    places.set(part, [start, position]);
  }
  return scratch.toString('utf8', 0, position);
}

function reserve(position: number, bytes: number): void {
  if (position + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafe((position + bytes) * 2);
  scratch.copy(larger, 0, 0, position);
  scratch = larger;
}

function putVector(vector: Float32Array, start: number): number {
  const out = scratch;
  let position = start;
  out[position++] = openingBracket;
  for (let index = 0; index < vector.length; index++) {
    if (index > 0) out[position++] = comma;
    const value = vector[index]!;
    const size = Math.abs(value);
    if (size === 0) {
      out[position++] = zero;
    } else if (size >= smallest && size < 1) {
      // Rounding reaches 1 only from above 1 - 5e-10, which no 32-bit float below 1 is.
      const fixed = Math.round(size * scale);
      if (value < 0) out[position++] = minus;
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
  out[position++] = closingBracket;
  return position;
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
