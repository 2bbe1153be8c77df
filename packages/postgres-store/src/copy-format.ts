/**
 * PostgreSQL's binary format of COPY (postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4): rows without any text to be parsed, which is
 * what the server takes in fastest.
 */
export interface CopyRows {
  /** Begins a row of so many columns. */
  row(columns: number): void;
  empty(): void;
  text(value: string): void;
  integer(value: number): void;
  bigint(value: bigint): void;
  bytes(value: Buffer): void;
  /** Of 4-byte floats, as pgvector receives them (vector_recv in its vector.c). */
  vector(value: Float32Array): void;
  integers(values: readonly number[]): void;
  /** All of it, once the last row is there. */
  end(): Buffer;
}

const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const endBytes = 2;
const initialBytes = 65_536;
/** The number of the type `integer` in every PostgreSQL. */
const integerType = 23;

export function createCopyRows(): CopyRows {
  let buffer = Buffer.allocUnsafe(initialBytes);
  let length = signature.copy(buffer, 0);
  // Both may put another buffer in the place of this one, so what is written is written after they return.
  const room = (bytes: number): number => {
    const at = length;
    length += bytes;
    if (length + endBytes > buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * buffer.length, length + endBytes));
      buffer.copy(larger, 0, 0, at);
      buffer = larger;
    }
    return at;
  };
  const sized = (bytes: number): number => {
    const at = room(4 + bytes);
    buffer.writeInt32BE(bytes, at);
    return at + 4;
  };
  return {
    row(columns) {
      const at = room(2);
      buffer.writeInt16BE(columns, at);
    },
    empty() {
      const at = room(4);
      buffer.writeInt32BE(-1, at);
    },
    text(value) {
      // No UTF-16 unit takes more than three bytes of UTF-8.
      const at = room(4 + 3 * value.length);
      const bytes = buffer.write(value, at + 4);
      buffer.writeInt32BE(bytes, at);
      length = at + 4 + bytes;
    },
    integer(value) {
      const at = sized(4);
      buffer.writeInt32BE(value, at);
    },
    bigint(value) {
      const at = sized(8);
      buffer.writeBigInt64BE(value, at);
    },
    bytes(value) {
      const at = sized(value.length);
      value.copy(buffer, at);
    },
    vector(value) {
      const at = sized(4 + 4 * value.length);
      buffer.writeUInt16BE(value.length, at);
      buffer.writeUInt16BE(0, at + 2);
      const view = new DataView(buffer.buffer, buffer.byteOffset + at + 4, 4 * value.length);
      for (let index = 0; index < value.length; index++) view.setFloat32(4 * index, value[index] as number);
    },
    integers(values) {
      // array_send in PostgreSQL's arrayfuncs.c: dimensions, flags, type, then of the one dimension its length and first index.
      let at = sized(values.length === 0 ? 12 : 20 + 8 * values.length);
      for (const header of [values.length === 0 ? 0 : 1, 0, integerType]) at = buffer.writeInt32BE(header, at);
      if (values.length === 0) return;
      for (const bound of [values.length, 1]) at = buffer.writeInt32BE(bound, at);
      for (const value of values) at = buffer.writeInt32BE(value, buffer.writeInt32BE(4, at));
    },
    end() {
      buffer.writeInt16BE(-1, length);
      return buffer.subarray(0, length + endBytes);
    },
  };
}
