import { innerProduct } from './exact-cosine.js';
import { innerProductsBase64 } from './inner-products-bytes.js';

/** Codes or vectors and the question they are compared with, in memory that the machine's vector instructions can reach. */
export interface ProductMemory {
  /** All of it. Another object after {@link ProductMemory.grow}. */
  bytes(): Uint8Array<ArrayBuffer>;
  grow(byteLength: number): void;
  /**
   * Inner products of the question, 16-bit numbers at byte `question`, with `count` codes of `stride` 8-bit numbers from
   * byte `code`, one after the other, as 32-bit numbers from byte `products`. `stride` is a multiple of 16, as are the
   * places; no sum leaves 32 bits.
   */
  multiply(question: number, code: number, stride: number, count: number, products: number): void;
  /**
   * The same for four questions, one after the other from byte `question`. Their products lie `apart` bytes from each other. A search that waits for memory
   * takes 1.7 ms for 16,254 codes of 1,024 numbers, four together 3.0.
   */
  multiplyFour(question: number, code: number, stride: number, count: number, products: number, apart: number): void;
  /**
   * Inner product of the question, 64-bit floating-point numbers at byte `question`, with a vector of 32-bit ones from byte `vector` to
   * byte `end`: a multiple of four of them, added up in the order of `exact-cosine.ts`.
   */
  product(question: number, vector: number, end: number): number;
}

// The little of WebAssembly that is used; its types come with those of browsers, which are not wanted here.
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
interface Wasm {
  readonly Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { aquifer: { memory: WasmMemory } },
  ) => {
    readonly exports: {
      readonly products: ProductMemory['multiply'];
      readonly productsOfFour: ProductMemory['multiplyFour'];
      readonly product: ProductMemory['product'];
    };
  };
}

const pageBytes = 65_536;

/** Whether the machine multiplies with WebAssembly's vector instructions; else a plain loop does, some ten times slower. */
export function hasVectorInstructions(): boolean {
  return compile() !== undefined;
}

/** Memory of at most `maxByteLength` bytes, at most 4 GiB. */
export function createProductMemory(maxByteLength: number): ProductMemory {
  const compiled = compile();
  if (compiled === undefined) return createPlainMemory();
  try {
    return createWasmMemory(compiled, maxByteLength);
  } catch {
    // It reserves address space, and a process may have a limit on that.
    return createPlainMemory();
  }
}

/** Undefined where WebAssembly is missing (`--jitless`) or the processor has no vector instructions. */
function compile(): { readonly wasm: Wasm; readonly module: object } | undefined {
  const wasm = (globalThis as { readonly WebAssembly?: Wasm }).WebAssembly;
  if (wasm === undefined) return undefined;
  try {
    return { wasm, module: new wasm.Module(Buffer.from(innerProductsBase64, 'base64')) };
  } catch {
    return undefined;
  }
}

function createWasmMemory(
  compiled: { readonly wasm: Wasm; readonly module: object },
  maxByteLength: number,
): ProductMemory {
  const { wasm, module } = compiled;
  const memory = new wasm.Memory({ initial: 1, maximum: Math.ceil(maxByteLength / pageBytes) });
  const { products, productsOfFour, product } = new wasm.Instance(module, { aquifer: { memory } }).exports;
  let bytes = new Uint8Array(memory.buffer);
  return {
    bytes: () => bytes,
    grow(byteLength) {
      if (byteLength <= bytes.length) return;
      memory.grow(Math.ceil((byteLength - bytes.length) / pageBytes));
      bytes = new Uint8Array(memory.buffer);
    },
    multiply: products,
    multiplyFour: productsOfFour,
    product,
  };
}

/** The same without WebAssembly: the oracle of the tests, and the way out where there is none. */
export function createPlainMemory(): ProductMemory {
  let bytes = new Uint8Array(pageBytes);
  const multiply: ProductMemory['multiply'] = (question, code, stride, count, products) => {
    const left = new Int16Array(bytes.buffer, question, stride);
    const right = new Int8Array(bytes.buffer, code, stride * count);
    const sums = new Int32Array(bytes.buffer, products, count);
    for (let row = 0; row < count; row++) {
      const start = row * stride;
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let index = 0; index < stride; index += 4) {
        const at = start + index;
        a = (a + (left[index] as number) * (right[at] as number)) | 0;
        b = (b + (left[index + 1] as number) * (right[at + 1] as number)) | 0;
        c = (c + (left[index + 2] as number) * (right[at + 2] as number)) | 0;
        d = (d + (left[index + 3] as number) * (right[at + 3] as number)) | 0;
      }
      sums[row] = a + b + c + d;
    }
  };
  return {
    bytes: () => bytes,
    grow(byteLength) {
      if (byteLength <= bytes.length) return;
      const larger = new Uint8Array(byteLength);
      larger.set(bytes);
      bytes = larger;
    },
    multiply,
    multiplyFour(question, code, stride, count, products, apart) {
      for (let index = 0; index < 4; index++) {
        const at = question + index * stride * Int16Array.BYTES_PER_ELEMENT;
        multiply(at, code, stride, count, products + index * apart);
      }
    },
    product: (question, vector, end) =>
      innerProduct(
        new Float64Array(bytes.buffer, question, (end - vector) / Float32Array.BYTES_PER_ELEMENT),
        new Float32Array(bytes.buffer, vector, (end - vector) / Float32Array.BYTES_PER_ELEMENT),
      ),
  };
}
