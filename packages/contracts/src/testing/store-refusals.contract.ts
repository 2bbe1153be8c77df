import assert from 'node:assert/strict';
import type { Store } from '../store.js';
import { sketchDocument, suiteAnalyser } from './store-fixtures.js';
import { assertRejects, denseIds, keywordIds, type StoreTestContext } from './store-test-context.js';
import type { TestRunner } from './test-runner.js';

/** What a store must not take, and that nothing of it is kept. */
export function storeRefusalContract({ describe, it }: TestRunner, { options, withStore }: StoreTestContext): void {
  describe('what is refused', () => {
    const old = [{ text: 'old text' }, { text: 'more of it' }];
    const assertUntouched = async (store: Store, generation: number): Promise<void> => {
      assert.deepEqual((await store.getContent('a'))?.text, 'old text\nmore of it');
      assert.deepEqual((await keywordIds(store, 'old more new')).sort(), ['a#0', 'a#1']);
      assert.deepEqual((await denseIds(store, [1, 1, 1, 1])).sort(), ['a#0', 'a#1']);
      const stats = await store.stats();
      assert.deepEqual([stats.generation, stats.chunks, stats.cachedEmbeddings], [generation, 2, 2]);
    };

    it(
      'invalid vectors, before anything is written',
      withStore(async (store) => {
        await store.replaceDocument(sketchDocument('a', old));
        const { generation } = await store.stats();
        const invalid: readonly (readonly number[] | null)[] = [
          [1, 2, 3],
          [1, 2, 3, 4, 5],
          [],
          [1, Number.NaN, 3, 4],
          [1, Number.POSITIVE_INFINITY, 3, 4],
          [0, 0, 0, 0],
          [-0, 0, 0, 0],
          null,
        ];
        for (const vector of invalid) {
          const write = sketchDocument('a', [
            { id: 'new', text: 'new' },
            { id: 'newer', text: 'new', key: 'unknown', vector },
          ]);
          await assertRejects(store.replaceDocument(write), 'invalid-vector');
          if (vector === null) continue;
          const given = Float32Array.from(vector);
          const entries = [
            { key: 'good', vector: Float32Array.of(1, 2, 3, 4) },
            { key: 'bad', vector: given },
          ];
          await assertRejects(store.putEmbeddings(entries), 'invalid-vector');
          await assertRejects(store.searchDense({ vector: given, limit: 1 }), 'invalid-vector');
          await assertRejects(store.scoreDense(given, ['a#0']), 'invalid-vector');
        }
        assert.deepEqual(await store.getEmbeddings(['good']), [undefined]);
        await assertUntouched(store, generation);
      }),
    );

    it(
      'documents that contradict themselves, and nothing of them is kept',
      withStore(async (store) => {
        await store.replaceDocument(sketchDocument('a', old));
        await store.replaceDocument(sketchDocument('other', [], {}));
        const { generation } = await store.stats();
        const write = sketchDocument('a', [{ id: 'new', text: 'new' }]);
        const chunk = write.chunks[0];
        assert.ok(chunk);
        const contradictions = [
          { ...write, chunks: [chunk, chunk] },
          { ...write, chunks: [{ ...chunk, documentId: 'other' }] },
          { ...write, chunks: [{ ...chunk, text: 'something else' }] },
          { ...write, chunks: [{ ...chunk, end: 99 }] },
          { ...write, chunks: [{ ...chunk, start: -1 }] },
          { ...write, document: { ...write.document, metadata: { nested: { a: 1 } } as never } },
          { ...write, document: { ...write.document, status: 'lost' as never } },
        ];
        for (const contradiction of contradictions) {
          await assertRejects(store.replaceDocument(contradiction), 'invalid-document');
        }
        const stolen = sketchDocument('other', [{ id: 'a#0', text: 'new' }]);
        await assertRejects(store.replaceDocument(stolen), 'invalid-document');
        await assertUntouched(store, generation);
      }),
    );

    it(
      'strings that no database keeps',
      withStore(async (store) => {
        for (const bad of ['half \ud83d', '\ude00 half', 'nul \0 byte']) {
          await assertRejects(store.replaceDocument(sketchDocument(bad, [])), 'invalid-document');
          await assertRejects(store.replaceDocument(sketchDocument('a', [{ text: bad }])), 'invalid-document');
          await assertRejects(store.replaceDocument(sketchDocument('a', [{ id: bad, text: 'x' }])), 'invalid-document');
          await assertRejects(
            store.replaceDocument(sketchDocument('a', [], { metadata: { key: bad } })),
            'invalid-document',
          );
          await assertRejects(
            store.replaceDocument(sketchDocument('a', [], { metadata: { key: ['fine', bad] } })),
            'invalid-document',
          );
          await assertRejects(
            store.replaceDocument(sketchDocument('a', [], { metadata: { [bad]: 1 } })),
            'invalid-document',
          );
          const filter = { equals: { key: 'key', value: bad } };
          await assertRejects(store.searchKeyword({ text: 'x', limit: 1, filter }), 'invalid-filter');
          assert.equal(await store.getDocument(bad), undefined);
          assert.equal(await store.getContent(bad), undefined);
          assert.deepEqual(await store.getChunks([bad]), []);
          assert.equal(await store.deleteDocuments([bad]), 0);
        }
        // What half a pair is often turned into is an id of its own.
        await store.replaceDocument(sketchDocument('half \ufffd', [{ text: 'word' }]));
        assert.equal(await store.getDocument('half \ud83d'), undefined);
        assert.equal(await store.deleteDocuments(['half \ud83d']), 0);
        const scoped = await store.searchKeyword({ text: 'word', limit: 5, documentIds: ['half \ud83d'] });
        assert.deepEqual(scoped.matches, []);
        // An emoji is no half of anything.
        await store.replaceDocument(
          sketchDocument('😀', [{ id: '😀#0', text: 'smile 😀' }], { metadata: { '😀': '😀' } }),
        );
        assert.equal((await store.getChunks(['😀#0']))[0]?.text, 'smile 😀');
      }),
    );

    it('chunks before the manifest', async () => {
      const under = await options.create({ analyser: suiteAnalyser });
      try {
        await assertRejects(under.store.replaceDocument(sketchDocument('a', [{ text: 'x' }])), 'invalid-options');
        assert.deepEqual(await under.store.listDocuments(), []);
        const { matches } = await under.store.searchDense({ vector: Float32Array.of(1, 2), limit: 3 });
        assert.deepEqual(matches, []);
      } finally {
        await under.destroy();
      }
    });

    it(
      'everything after close, which may be called again',
      withStore(async (store) => {
        await store.close();
        await store.close();
        await assertRejects(store.listDocuments(), 'invalid-options');
        await assertRejects(store.writeValue('a', 1), 'invalid-options');
      }),
    );
  });
}
