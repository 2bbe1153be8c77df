import { createProductMemory, type ProductMemory } from './inner-products.js';
import { codeLength } from './quantise.js';

/** Codes one after the other, by slot, and their inner products with a question. */
export interface CodeBlocks {
  /** Makes room for so many codes in all. */
  reserve(count: number): void;
  /** Calls `work` with where the code of `slot` is. */
  at<Result>(slot: number, work: (codes: Int8Array<ArrayBuffer>, offset: number) => Result): Result;
  /** The codes of slots `0` to `count`, in pieces. */
  pieces(count: number): Uint8Array<ArrayBuffer>[];
  ask(question: Int16Array): void;
  /** Inner products of the question with the codes from `slot`: some of `count`, at least one. Overwritten by the next call. */
  products(slot: number, count: number): Int32Array<ArrayBuffer>;
}

// WebAssembly addresses 4 GiB, and each memory takes address space, so there are few and large ones.
const defaultMaxBlockBytes = 2 ** 30;

/** Inner products that one call gives: enough that calling costs nothing beside them. */
const productsPerCall = 1_024;

const growth = 1.25;
const growthBytes = 2 ** 20;

/**
 * @param createMemory For tests, as is the next: how to get memory.
 * @param maxBlockBytes Where a block ends and the next begins.
 */
export function createCodeBlocks(
  dimensions: number,
  createMemory: (maxByteLength: number) => ProductMemory = createProductMemory,
  maxBlockBytes = defaultMaxBlockBytes,
): CodeBlocks {
  const length = codeLength(dimensions);
  // Each block begins with the question and the room for products.
  const productsAt = length * Int16Array.BYTES_PER_ELEMENT;
  const codesAt = productsAt + productsPerCall * Int32Array.BYTES_PER_ELEMENT;
  const codesPerBlock = Math.floor((maxBlockBytes - codesAt) / length);
  const blocks: { readonly memory: ProductMemory; codes: Int8Array<ArrayBuffer>; products: Int32Array<ArrayBuffer> }[] =
    [];
  let reserved = 0;
  let asked: Int16Array | undefined;

  const blockOf = (slot: number) => blocks[Math.floor(slot / codesPerBlock)] as (typeof blocks)[number];
  const placeOf = (slot: number): number => codesAt + (slot % codesPerBlock) * length;
  const writeQuestion = (memory: ProductMemory): void => {
    if (asked !== undefined) new Int16Array(memory.bytes().buffer, 0, length).set(asked);
  };

  return {
    reserve(count) {
      while (reserved < count) {
        let block = blocks[Math.floor(reserved / codesPerBlock)];
        if (block === undefined) {
          const memory = createMemory(maxBlockBytes);
          block = { memory, codes: new Int8Array(0), products: new Int32Array(0) };
          blocks.push(block);
        }
        const { memory } = block;
        const full = Math.min(count - (blocks.length - 1) * codesPerBlock, codesPerBlock);
        const grown = Math.max(codesAt + full * length, memory.bytes().length * growth + growthBytes);
        memory.grow(Math.min(maxBlockBytes, Math.ceil(grown)));
        const { buffer } = memory.bytes();
        block.codes = new Int8Array(buffer);
        block.products = new Int32Array(buffer, productsAt, productsPerCall);
        writeQuestion(memory);
        const held = Math.min(codesPerBlock, Math.floor((buffer.byteLength - codesAt) / length));
        reserved = (blocks.length - 1) * codesPerBlock + held;
      }
    },
    at: (slot, work) => work(blockOf(slot).codes, placeOf(slot)),
    pieces: (count) =>
      blocks.flatMap(({ memory }, index) => {
        const held = Math.min(count - index * codesPerBlock, codesPerBlock);
        return held > 0 ? [memory.bytes().subarray(codesAt, codesAt + held * length)] : [];
      }),
    ask(question) {
      asked = question;
      for (const { memory } of blocks) writeQuestion(memory);
    },
    products(slot, count) {
      const block = blockOf(slot);
      const some = Math.min(count, productsPerCall, codesPerBlock - (slot % codesPerBlock));
      block.memory.multiply(0, placeOf(slot), length, some, productsAt);
      return some === productsPerCall ? block.products : block.products.subarray(0, some);
    },
  };
}
