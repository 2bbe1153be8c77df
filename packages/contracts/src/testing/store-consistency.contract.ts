import assert from 'node:assert/strict';
import { sketchDocument } from './store-fixtures.js';
import { assertRejects, denseIds, keywordIds, type StoreTestContext } from './store-test-context.js';
import type { TestRunner } from './test-runner.js';

/** The embedding cache, and many calls at once. */
export function storeConsistencyContract({ describe, it }: TestRunner, { withStore }: StoreTestContext): void {
  describe('embedding cache', () => {
    it(
      'keeps vectors by key, and documents can use them',
      withStore(async (store, reopen) => {
        const vector = Float32Array.of(0.1, -2, 3e-20, 4e20);
        assert.deepEqual(await store.getEmbeddings(['k', 'l']), [undefined, undefined]);
        await store.putEmbeddings([{ key: 'k', vector }]);
        await store.putEmbeddings([]);
        assert.deepEqual(await store.getEmbeddings(['l', 'k', 'k']), [undefined, vector, vector]);
        // The caller's own array stays its own.
        assert.equal(vector.length, 4);
        await store.replaceDocument(sketchDocument('a', [{ text: 'cached', key: 'k', vector: null }]));
        const again = await reopen();
        assert.deepEqual(await again.getEmbeddings(['k']), [vector]);
        assert.deepEqual(await again.scoreDense(Float32Array.of(0, 0, 0, 1), ['a#0', 'absent']), [1, undefined]);
      }),
    );

    it(
      'holds the vectors of chunks, also after these are deleted',
      withStore(async (store) => {
        await store.replaceDocument(sketchDocument('a', [{ text: 'x', key: 'k', vector: [1, 2, 3, 4] }]));
        assert.deepEqual(await store.getEmbeddings(['k']), [Float32Array.of(1, 2, 3, 4)]);
        await store.deleteDocuments(['a']);
        assert.deepEqual(await store.getEmbeddings(['k']), [Float32Array.of(1, 2, 3, 4)]);
      }),
    );

    it(
      'lists its keys in order, page by page, with and without a chunk',
      withStore(async (store) => {
        const vector = Float32Array.of(1, 2, 3, 4);
        assert.deepEqual(await store.listEmbeddingKeys(), []);
        await store.putEmbeddings(['b', 'é', 'B', 'a'].map((key) => ({ key, vector })));
        await store.replaceDocument(sketchDocument('a', [{ text: 'x', key: 'c', vector: [1, 2, 3, 4] }]));
        assert.deepEqual(await store.listEmbeddingKeys(), ['B', 'a', 'b', 'c', 'é']);
        assert.deepEqual(await store.listEmbeddingKeys({ after: 'a', limit: 2 }), ['b', 'c']);
        assert.deepEqual(await store.listEmbeddingKeys({ after: 'é' }), []);
        await assertRejects(store.listEmbeddingKeys({ limit: 0 }), 'invalid-options');
      }),
    );

    it(
      'lets chunks of one text share a vector',
      withStore(async (store) => {
        await store.replaceDocument(
          sketchDocument('a', [
            { text: 'same', key: 'k', vector: null },
            { text: 'same', key: 'k', vector: [1, 2, 3, 4] },
          ]),
        );
        await store.replaceDocument(sketchDocument('b', [{ text: 'same', key: 'k', vector: null }]));
        assert.deepEqual(await denseIds(store, [1, 2, 3, 4]), ['a#0', 'a#1', 'b#0']);
        assert.equal((await store.stats()).cachedEmbeddings, 1);
        await store.deleteDocuments(['a']);
        assert.deepEqual(await denseIds(store, [1, 2, 3, 4]), ['b#0']);
      }),
    );

    it(
      'leaves unchanged chunks their vectors when their document is replaced',
      withStore(async (store) => {
        const first = { id: 'one', text: 'one', key: 'k1', vector: [1, 0, 0, 0] };
        const second = { id: 'two', text: 'two', key: 'k2', vector: [0, 1, 0, 0] };
        await store.replaceDocument(sketchDocument('a', [first, second]));
        const above = { id: 'zero', text: 'a new paragraph', key: 'k0', vector: [0, 0, 1, 0] };
        await store.replaceDocument(
          sketchDocument('a', [above, { ...first, vector: null }, { ...second, vector: null }]),
        );
        const query = Float32Array.of(1, 0, 0, 0);
        assert.deepEqual(await store.scoreDense(query, ['zero', 'one', 'two']), [0, 1, 0]);
        assert.deepEqual(
          (await store.listChunks('a')).map(({ id, ordinal, start }) => [id, ordinal, start]),
          [
            ['zero', 0, 0],
            ['one', 1, 16],
            ['two', 2, 20],
          ],
        );
        assert.deepEqual(await keywordIds(store, 'two'), ['two']);
        assert.deepEqual(
          (await store.getChunks(['two'])).map((chunk) => chunk.text),
          ['two'],
        );
        // Another key is another vector, under the same id.
        await store.replaceDocument(sketchDocument('a', [{ ...first, key: 'k9', vector: [0, 0, 0, 1] }]));
        assert.deepEqual(await store.scoreDense(query, ['one']), [0]);
      }),
    );
  });

  describe('many at once', () => {
    it(
      'shows a document before or after its replacement, never between',
      withStore(async (store) => {
        const version = (name: string, count: number) =>
          sketchDocument(
            'a',
            Array.from({ length: count }, (_, index) => ({ id: `${name}${index}`, text: `shared ${name}` })),
          );
        const versions = [version('alpha', 3), version('beta', 5)] as const;
        await store.replaceDocument(versions[0]);
        let writing = true;
        const write = async (): Promise<void> => {
          for (let round = 1; round <= 40; round++) await store.replaceDocument(versions[round % 2 === 0 ? 0 : 1]);
          writing = false;
        };
        const check = (ids: readonly string[]): void => {
          const names = new Set(ids.map((id) => id.replace(/\d+$/, '')));
          assert.equal(names.size, 1, `a mixture: ${ids.join(' ')}`);
          assert.equal(ids.length, names.has('alpha') ? 3 : 5);
        };
        const read = async (): Promise<number> => {
          let reads = 0;
          for (; writing; reads++) {
            check(await keywordIds(store, 'shared'));
            check(await denseIds(store, [1, 1, 1, 1]));
            check((await store.listChunks('a')).map((chunk) => chunk.id));
          }
          return reads;
        };
        const [, reads] = await Promise.all([write(), read(), read()]);
        assert.ok((reads as number) > 0);
      }),
    );

    it(
      'takes writes in parallel',
      withStore(async (store) => {
        const ids = Array.from({ length: 30 }, (_, index) => `doc ${String(index).padStart(2, '0')}`);
        await Promise.all(ids.map((id) => store.replaceDocument(sketchDocument(id, [{ text: 'a word' }]))));
        await Promise.all(ids.map((id) => store.updateDocument(id, { stamp: 'second' })));
        assert.deepEqual(
          (await store.listDocuments()).map(({ id, stamp }) => [id, stamp]),
          ids.map((id) => [id, 'second']),
        );
        assert.equal((await keywordIds(store, 'word')).length, 30);
        assert.equal((await denseIds(store, [1, 1, 1, 1])).length, 30);
        await Promise.all(ids.slice(0, 20).map((id) => store.deleteDocuments([id])));
        assert.equal((await keywordIds(store, 'word')).length, 10);
      }),
    );

    it(
      'sees at once what was just committed',
      withStore(async (store) => {
        for (let round = 0; round < 10; round++) {
          const id = `d${round}`;
          await store.replaceDocument(sketchDocument(id, [{ text: `unique${round}` }]));
          assert.deepEqual(await keywordIds(store, `unique${round}`), [`${id}#0`]);
          assert.equal((await denseIds(store, [1, 1, 1, 1])).length, round + 1);
        }
      }),
    );
  });
}
