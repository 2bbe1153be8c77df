import { createProductMemory, type ProductMemory } from './inner-products.js';
import { codeLength } from './quantise.js';

/** How many questions one pass over the codes answers. */
export const mostQuestions = 4;

/** Codes one after the other, by slot, and their inner products with questions. */
export interface CodeBlocks {
  /** Makes room for so many codes in all. */
  reserve(count: number): void;
  /** Calls `work` with where the code of `slot` is. */
  at<Result>(slot: number, work: (codes: Int8Array<ArrayBuffer>, offset: number) => Result): Result;
  /** The codes of slots `0` to `count`, in pieces. */
  pieces(count: number): Uint8Array<ArrayBuffer>[];
  /** @param questions At least one, at most {@link mostQuestions}. */
  ask(questions: readonly Int16Array[]): void;
  /** Inner products of each question with the codes from `slot`: some of `count`, at least one. Overwritten by the next call. */
  products(slot: number, count: number): readonly Int32Array<ArrayBuffer>[];
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
  // Each block begins with the questions and the room for products.
  const productsAt = mostQuestions * length * Int16Array.BYTES_PER_ELEMENT;
  const productBytes = productsPerCall * Int32Array.BYTES_PER_ELEMENT;
  const codesAt = productsAt + mostQuestions * productBytes;
  const codesPerBlock = Math.floor((maxBlockBytes - codesAt) / length);
  const blocks: { readonly memory: ProductMemory; codes: Int8Array<ArrayBuffer> }[] = [];
  let reserved = 0;
  let asked: readonly Int16Array[] = [];

  const blockOf = (slot: number) => blocks[Math.floor(slot / codesPerBlock)] as (typeof blocks)[number];
  const placeOf = (slot: number): number => codesAt + (slot % codesPerBlock) * length;
  const writeQuestions = (memory: ProductMemory): void => {
    const { buffer } = memory.bytes();
    for (const [index, question] of asked.entries()) {
      new Int16Array(buffer, index * length * Int16Array.BYTES_PER_ELEMENT, length).set(question);
    }
  };

  return {
    reserve(count) {
      while (reserved < count) {
        let block = blocks[Math.floor(reserved / codesPerBlock)];
        if (block === undefined) {
          const memory = createMemory(maxBlockBytes);
          block = { memory, codes: new Int8Array(0) };
          blocks.push(block);
        }
        const { memory } = block;
        const full = Math.min(count - (blocks.length - 1) * codesPerBlock, codesPerBlock);
        const grown = Math.max(codesAt + full * length, memory.bytes().length * growth + growthBytes);
        memory.grow(Math.min(maxBlockBytes, Math.ceil(grown)));
        const { buffer } = memory.bytes();
        block.codes = new Int8Array(buffer);
        writeQuestions(memory);
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
    ask(questions) {
      asked = questions;
      for (const { memory } of blocks) writeQuestions(memory);
    },
    products(slot, count) {
      const { memory } = blockOf(slot);
      const some = Math.min(count, productsPerCall, codesPerBlock - (slot % codesPerBlock));
      if (asked.length === 1) memory.multiply(0, placeOf(slot), length, some, productsAt);
      // What is left in the places of questions that are not asked is multiplied too.
      else memory.multiplyFour(0, placeOf(slot), length, some, productsAt, productBytes);
      const { buffer } = memory.bytes();
      return asked.map((_, index) => new Int32Array(buffer, productsAt + index * productBytes, some));
    },
  };
}
