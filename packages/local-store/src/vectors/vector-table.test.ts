import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSeededRandom } from '@aquifer/contracts/testing';
import { createCodeBlocks } from './code-blocks.js';
import { cosineOf, innerProduct, inverseNorm } from './exact-cosine.js';
import { createPlainMemory } from './inner-products.js';
import { codeLength, cosineError, quantiseQuestion, quantiseVector } from './quantise.js';
import { createVectorTable, type VectorTable } from './vector-table.js';

const random = createSeededRandom(11);
const bytesOf = (vector: Float32Array): Uint8Array =>
  new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);

/** Vectors as embedders make them, and as they should not. */
const shapes: Readonly<Record<string, (dimensions: number) => Float32Array>> = {
  'without structure': (dimensions) => Float32Array.from({ length: dimensions }, () => random.gaussian()),
  'all alike': (dimensions) => Float32Array.from({ length: dimensions }, () => 1 + random.gaussian() * 1e-4),
  'with one number far above the others': (dimensions) =>
    Float32Array.from({ length: dimensions }, (_, at) => (at === 0 ? 50 + random.next() : random.gaussian())),
  sparse: (dimensions) =>
    Float32Array.from({ length: dimensions }, (_, at) => (random.next() < 0.05 || at === 0 ? random.gaussian() : 0)),
  tiny: (dimensions) => Float32Array.from({ length: dimensions }, () => random.gaussian() * 1e-30),
  huge: (dimensions) => Float32Array.from({ length: dimensions }, () => random.gaussian() * 1e30),
};

describe('codes of vectors', () => {
  for (const [name, draw] of Object.entries(shapes)) {
    it(`bound every cosine: vectors ${name}`, () => {
      for (const dimensions of [1, 2, 17, 384, 1_024, 5_000]) {
        const codes = new Int8Array(codeLength(dimensions));
        for (let round = 0; round < 40; round++) {
          const [query, vector] = [draw(dimensions), draw(dimensions)];
          const question = quantiseQuestion(query);
          const { factor, error } = quantiseVector(vector, codes, 0);
          const product = question.numbers.reduce((sum, value, at) => sum + value * (codes[at] as number), 0);
          assert.ok(Math.abs(product) <= 0x7fff_ffff);
          const exact = cosineOf(innerProduct(query, vector), inverseNorm(query), inverseNorm(vector));
          const bound = cosineError(question, error);
          assert.ok(
            Math.abs(exact - product * question.factor * factor) <= bound,
            `${dimensions}: ${exact}, ± ${bound}`,
          );
          // A bound that excludes nothing would hold too.
          assert.ok(dimensions === 1 || bound < 0.1, `${dimensions}: ± ${bound}`);
        }
      }
    });
  }
});

for (const [memory, createBlocks] of Object.entries({
  'as the machine allows': createCodeBlocks,
  // Memory comes in pages of 64 KiB: each block holds some hundreds of vectors or some tens.
  'in many blocks': (dimensions: number) => createCodeBlocks(dimensions, undefined, 2 ** 14 + 2 ** 13),
  'without vector instructions': (dimensions: number) => createCodeBlocks(dimensions, createPlainMemory),
})) {
  describe(`vector table, ${memory}`, () => {
    const fill = (dimensions: number, draw: (dimensions: number) => Float32Array, count: number) => {
      const vectors = Array.from({ length: count }, () => draw(dimensions));
      // Some are there twice, under an embedding of their own or the same one.
      for (let copy = 0; copy < count; copy += 10) vectors[copy + 1] = vectors[copy] as Float32Array;
      const table = createVectorTable({
        dimensions,
        createBlocks,
        readEmbedding: (embedding) => bytesOf(vectors[embedding] as Float32Array),
      });
      const documentOf = (number: number): number => number % 7;
      for (let number = 0; number < count; number++) {
        const embedding = number % 20 === 1 ? number - 1 : number;
        table.add(number, documentOf(number), embedding, bytesOf(vectors[embedding] as Float32Array));
      }
      return { vectors, table, documentOf };
    };
    /** The best of the table must be the best of all, whatever else it returns. */
    const assertBest = (
      table: VectorTable,
      query: Float32Array,
      limit: number,
      truth: readonly (readonly [number, number])[],
      allowed?: Uint8Array,
    ): void => {
      const found = table.nearest(query, limit, { allowed });
      const scores = new Map(Array.from({ length: found.length }, (_, at) => [found.numbers[at], found.scores[at]]));
      const sorted = [...truth].sort((left, right) => right[1] - left[1]);
      const last = sorted[Math.min(limit, sorted.length) - 1]?.[1] ?? Number.POSITIVE_INFINITY;
      for (const [number, score] of sorted) {
        if (score >= last) assert.equal(scores.get(number), score);
        else if (scores.has(number)) assert.equal(scores.get(number), score);
      }
    };

    for (const [name, draw] of Object.entries(shapes)) {
      it(`finds what a comparison of all finds, ties included: vectors ${name}`, () => {
        for (const dimensions of [1, 16, 33, 256]) {
          const { vectors, table, documentOf } = fill(dimensions, draw, 300);
          const allowed = Uint8Array.from({ length: 7 }, (_, document) => (document % 2 === 0 ? 1 : 0));
          const check = (): void => {
            for (let round = 0; round < 5; round++) {
              const query = round === 0 ? (vectors[40] as Float32Array) : draw(dimensions);
              const truth = [...table.numbers()].map(
                (number) => [number, table.cosine(query, number) as number] as const,
              );
              const allowedTruth = truth.filter(([number]) => allowed[documentOf(number)] === 1);
              for (const limit of [1, 10, 100, 1_000]) {
                assertBest(table, query, limit, truth);
                assertBest(table, query, limit, allowedTruth, allowed);
              }
            }
          };
          check();
          for (let number = 0; number < 300; number += 3) table.remove(number);
          assert.equal(table.size(), 200);
          check();
        }
      });
    }

    it('finds for several queries at once what it finds for each', () => {
      const draw = shapes['without structure'] as (dimensions: number) => Float32Array;
      const { table } = fill(33, draw, 300);
      for (const count of [0, 1, 2, 3, 4, 5, 9]) {
        const queries = Array.from({ length: count }, (_, at) => ({
          vector: draw(33),
          limit: [1, 10, 1_000][at % 3] as number,
        }));
        const alone = queries.map(({ vector, limit }) => table.nearest(vector, limit));
        assert.deepEqual(table.nearestOfAll(queries), alone);
      }
    });

    it('computes few more scores exactly than are wanted', () => {
      const { vectors } = fill(256, shapes['without structure'] as (dimensions: number) => Float32Array, 2_000);
      let read = 0;
      const table = createVectorTable({
        dimensions: 256,
        createBlocks,
        readEmbedding: (embedding) => {
          read++;
          return bytesOf(vectors[embedding] as Float32Array);
        },
      });
      for (const [number, vector] of vectors.entries()) table.add(number, 0, number, bytesOf(vector));
      table.nearest(vectors[7] as Float32Array, 10);
      assert.ok(read >= 10 && read < 200, `${read} read`);
    });

    it('answers from no vectors, and passes over those that have gone from the database', () => {
      const table = createVectorTable({ dimensions: 2, createBlocks, readEmbedding: () => undefined });
      const query = Float32Array.of(1, 0);
      assert.equal(table.nearest(query, 5).length, 0);
      table.add(1, 0, 1, bytesOf(Float32Array.of(0, 1)));
      assert.equal(table.nearest(query, 5).length, 0);
      assert.equal(table.vector(1), undefined);
      assert.equal(table.cosine(query, 1), undefined);
    });
  });
}
