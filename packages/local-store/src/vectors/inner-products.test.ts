import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { createSeededRandom } from '@aquifer/contracts/testing';
import { innerProduct } from './exact-cosine.js';
import { createPlainMemory, createProductMemory, hasVectorInstructions, type ProductMemory } from './inner-products.js';
import { innerProductsBase64 } from './inner-products-bytes.js';

interface Wabt {
  parseWat(
    name: string,
    source: string,
    features: { simd: boolean },
  ): { toBinary(options: object): { buffer: Uint8Array } };
}
const load = createRequire(import.meta.url);

describe('inner products in WebAssembly', () => {
  it('are compiled from the source beside them', async () => {
    const wabt = await (load('wabt') as () => Promise<Wabt>)();
    // Tests run from dist, and the source stays in src.
    const source = await readFile(new URL('../../src/vectors/inner-products.wat', import.meta.url), 'utf8');
    const compiled = wabt.parseWat('inner-products.wat', source, { simd: true }).toBinary({}).buffer;
    assert.equal(
      innerProductsBase64,
      Buffer.from(compiled).toString('base64'),
      'run: node scripts/write-inner-products.mjs',
    );
  });

  it('are those of a plain loop, to the last unit, at the edges of the numbers too', {
    skip: hasVectorInstructions() ? false : 'no vector instructions here',
  }, () => {
    const random = createSeededRandom(3);
    const whole = (limit: number): number => Math.floor(random.next() * (2 * limit + 1)) - limit;
    for (const [stride, count] of [
      [16, 1],
      [16, 100],
      [32, 7],
      [1_024, 33],
      [4_112, 3],
    ] as const) {
      for (const edge of [false, true]) {
        const limit = Math.min(32_767, Math.floor(0x7fff_ffff / (127 * stride)));
        const question = Int16Array.from({ length: stride }, () => (edge ? limit : whole(limit)));
        const codes = Int8Array.from({ length: stride * count }, () => (edge ? -127 : whole(127)));
        const run = (memory: ProductMemory): number[] => {
          const codesAt = stride * 2;
          const productsAt = codesAt + codes.length;
          memory.grow(productsAt + 4 * count);
          const { buffer } = memory.bytes();
          new Int16Array(buffer, 0, stride).set(question);
          new Int8Array(buffer, codesAt).set(codes);
          memory.multiply(0, codesAt, stride, count, productsAt);
          return [...new Int32Array(buffer, productsAt, count)];
        };
        /** The question, itself twice, backwards, and nothing. */
        const runFour = (memory: ProductMemory): number[][] => {
          const codesAt = 4 * stride * 2;
          const productsAt = codesAt + codes.length;
          memory.grow(productsAt + 4 * 4 * count);
          const { buffer } = memory.bytes();
          for (const [index, each] of [question, question, question.toReversed()].entries()) {
            new Int16Array(buffer, index * stride * 2, stride).set(each);
          }
          new Int8Array(buffer, codesAt).set(codes);
          memory.multiplyFour(0, codesAt, stride, count, productsAt, 4 * count);
          return [0, 1, 2, 3].map((index) => [...new Int32Array(buffer, productsAt + index * 4 * count, count)]);
        };
        const expectedOf = (asked: Int16Array): number[] =>
          Array.from({ length: count }, (_, row) =>
            asked.reduce((sum, value, at) => sum + value * (codes[row * stride + at] as number), 0),
          );
        const expected = expectedOf(question);
        assert.deepEqual(run(createPlainMemory()), expected);
        assert.deepEqual(run(createProductMemory(2 ** 24)), expected);
        const expectedFour = [expected, expected, expectedOf(question.toReversed()), Array(count).fill(0)];
        assert.deepEqual(runFour(createPlainMemory()), expectedFour);
        assert.deepEqual(runFour(createProductMemory(2 ** 24)), expectedFour);
      }
    }
  });

  it('of floating-point numbers are those of the same additions in a plain loop, to the last bit', {
    skip: hasVectorInstructions() ? false : 'no vector instructions here',
  }, () => {
    const random = createSeededRandom(5);
    for (const length of [4, 8, 1_024, 1_028]) {
      for (const scale of [1, 1e-30, 1e30]) {
        const question = Float64Array.from({ length }, () => Math.fround(random.gaussian() * scale));
        const vector = Float32Array.from({ length }, () => random.gaussian() * scale);
        const run = (memory: ProductMemory): number => {
          memory.grow(length * 12);
          const { buffer } = memory.bytes();
          new Float64Array(buffer, 0, length).set(question);
          new Float32Array(buffer, length * 8, length).set(vector);
          return memory.product(0, length * 8, length * 12);
        };
        const expected = innerProduct(question, vector);
        assert.equal(run(createProductMemory(2 ** 24)), expected);
        assert.equal(run(createPlainMemory()), expected);
      }
    }
  });
});
