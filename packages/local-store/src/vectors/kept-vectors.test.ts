import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSeededRandom } from '@aquifer/contracts/testing';
import { cosineOf, innerProduct, inverseNorm } from './exact-cosine.js';
import { createPlainMemory, createProductMemory } from './inner-products.js';
import { createKeptVectors } from './kept-vectors.js';

const random = createSeededRandom(7);
const draw = (dimensions: number) => Float32Array.from({ length: dimensions }, () => random.gaussian());

for (const [memory, createMemory] of Object.entries({ createProductMemory, createPlainMemory })) {
  describe(`kept vectors, ${memory}`, () => {
    it('give exact cosines, and read again only what had no more room', () => {
      for (const dimensions of [1, 6, 256]) {
        const vectors = Array.from({ length: 20 }, () => draw(dimensions));
        const read: number[] = [];
        const readEmbedding = (embedding: number): Uint8Array | undefined => {
          read.push(embedding);
          const vector = vectors[embedding];
          return vector && new Uint8Array(vector.buffer);
        };
        const bytes = 10 * Math.ceil(dimensions / 4) * 16;
        const kept = createKeptVectors(dimensions, readEmbedding, { createMemory, bytes });
        const ask = (embeddings: readonly number[]): void => {
          const query = draw(dimensions);
          const cosine = kept.cosinesOf(query);
          for (const embedding of embeddings) {
            const vector = vectors[embedding] as Float32Array;
            const expected = cosineOf(innerProduct(query, vector), inverseNorm(query), inverseNorm(vector));
            assert.equal(cosine(embedding), expected);
          }
        };
        const first = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        ask(first);
        ask(first);
        assert.deepEqual(read, first);
        // All were asked for since, so the hand goes round once and takes the place of the first.
        ask([10, 1, 2]);
        ask([10, 11]);
        assert.deepEqual(read.slice(10), [10, 11]);
        // 1 and 2 were asked for after the hand had passed them.
        ask([1, 2, 10, 11]);
        assert.deepEqual(read.slice(12), []);
        ask(Array.from({ length: 20 }, (_, at) => at));
      }
    });

    it('pass over one that has gone, or is of another length', () => {
      const kept = createKeptVectors(4, (embedding) => (embedding === 1 ? new Uint8Array(8) : undefined), {
        createMemory,
      });
      const cosine = kept.cosinesOf(Float32Array.of(1, 0, 0, 0));
      assert.equal(cosine(0), undefined);
      assert.equal(cosine(1), undefined);
    });
  });
}
