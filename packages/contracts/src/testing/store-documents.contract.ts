import assert from 'node:assert/strict';
import type { Store } from '../store.js';
import { sketchDocument, suiteAnalyser, suiteManifest } from './store-fixtures.js';
import { assertRejects, denseIds, keywordIds, type StoreTestContext } from './store-test-context.js';
import type { TestRunner } from './test-runner.js';

/** What goes in comes out: manifest, values, documents and their chunks. */
export function storeDocumentContract({ describe, it }: TestRunner, { options, withStore }: StoreTestContext): void {
  describe('manifest and values', () => {
    it('has no manifest at first and keeps the one that is written', async () => {
      const under = await options.create({ analyser: suiteAnalyser });
      try {
        assert.equal(await under.store.readManifest(), undefined);
        await under.store.writeManifest(suiteManifest(4));
        assert.deepEqual(await under.store.readManifest(), suiteManifest(4));
        await under.store.writeManifest({ ...suiteManifest(4), chunker: 'another' });
        const store = await under.reopen();
        assert.deepEqual(await store.readManifest(), { ...suiteManifest(4), chunker: 'another' });
      } finally {
        await under.destroy();
      }
    });

    it(
      'refuses other dimensions while there are chunks',
      withStore(async (store) => {
        await store.replaceDocument(sketchDocument('a', [{ text: 'one' }]));
        await assertRejects(store.writeManifest(suiteManifest(5)), 'embedder-mismatch');
        assert.deepEqual(await store.readManifest(), suiteManifest(4));
        await store.deleteDocuments(['a']);
        await store.writeManifest(suiteManifest(5));
        await store.replaceDocument(sketchDocument('a', [{ text: 'one', key: 'new', vector: [1, 2, 3, 4, 5] }]));
        assert.deepEqual(await denseIds(store, [1, 2, 3, 4, 5]), ['a#0']);
      }),
    );

    it(
      'keeps JSON values',
      withStore(async (store, reopen) => {
        assert.equal(await store.readValue('last-run'), undefined);
        const value = { scanned: 3, list: [1, 'zwei', null], nested: { 日本: true }, half: '\ud800' };
        await store.writeValue('last-run', value);
        await store.writeValue('nothing', null);
        await store.writeValue('last-run', { ...value, scanned: 4 });
        const again = await reopen();
        assert.deepEqual(await again.readValue('last-run'), { ...value, scanned: 4 });
        assert.equal(await again.readValue('nothing'), null);
        await assertRejects(
          again.writeValue('function', () => 1),
          'invalid-options',
        );
      }),
    );
  });

  describe('documents', () => {
    it(
      'gives back what was written',
      withStore(async (store, reopen) => {
        const metadata = {
          country: 'JP',
          year: 2024,
          draft: false,
          tags: ['a', 'b'],
          ratio: 0.1,
          empty: [],
          "it's": '',
        };
        const write = sketchDocument(
          'docs/日本.md',
          [
            { text: 'First 😀 part.', context: 'Handbook\nLeave', tableHeader: 'name | days' },
            { text: '第二部。' },
            { text: '' },
          ],
          { metadata, status: 'partially-indexed', statusReason: '2 of 3 pages are scans', pageCount: 3 },
        );
        await store.replaceDocument(write);
        const plain = sketchDocument('plain', []);
        await store.replaceDocument(plain);
        const check = async (current: Store): Promise<void> => {
          assert.deepEqual(await current.getDocument('docs/日本.md'), write.document);
          assert.deepEqual(await current.getDocument('plain'), plain.document);
          assert.equal(await current.getDocument('absent'), undefined);
          const { text, pages, blocks } = write;
          assert.deepEqual(await current.getContent('docs/日本.md'), { text, pages, blocks });
          assert.equal(await current.getContent('absent'), undefined);
          const chunks = write.chunks.map(({ vector: _, embeddingKey: __, ...chunk }) => chunk);
          assert.deepEqual(await current.listChunks('docs/日本.md'), chunks);
          assert.deepEqual(await current.listChunks('docs/日本.md', { from: 1 }), chunks.slice(1));
          assert.deepEqual(await current.listChunks('docs/日本.md', { from: 1, to: 2 }), chunks.slice(1, 2));
          assert.deepEqual(await current.listChunks('absent'), []);
          const ids = ['docs/日本.md#2', 'absent', 'docs/日本.md#0'];
          const expected = [chunks[2], chunks[0]].map((chunk) => ({ ...chunk, document: write.document }));
          assert.deepEqual(await current.getChunks(ids), expected);
          assert.deepEqual(await current.getChunks([]), []);
        };
        await check(store);
        await check(await reopen());
      }),
    );

    it(
      'keeps page ranges of chunks',
      withStore(async (store) => {
        const write = sketchDocument('a', [{ text: 'one' }]);
        const chunks = write.chunks.map((chunk) => ({ ...chunk, pageStart: 2, pageEnd: 4 }));
        await store.replaceDocument({ ...write, chunks });
        const [chunk] = await store.listChunks('a');
        assert.equal(chunk?.pageStart, 2);
        assert.equal(chunk?.pageEnd, 4);
      }),
    );

    it(
      'replaces a document whole',
      withStore(async (store) => {
        await store.replaceDocument(sketchDocument('a', [{ text: 'apple' }, { text: 'banana' }, { text: 'cherry' }]));
        await store.replaceDocument(
          sketchDocument(
            'a',
            [
              { id: 'new', text: 'date' },
              { id: 'a#1', text: 'banana' },
            ],
            { metadata: { v: 2 } },
          ),
        );
        assert.deepEqual(
          (await store.listChunks('a')).map(({ id, text, ordinal }) => [id, text, ordinal]),
          [
            ['new', 'date', 0],
            ['a#1', 'banana', 1],
          ],
        );
        assert.deepEqual(await keywordIds(store, 'apple cherry'), []);
        assert.deepEqual(await keywordIds(store, 'date'), ['new']);
        assert.deepEqual(await keywordIds(store, 'banana'), ['a#1']);
        assert.deepEqual((await denseIds(store, [1, 1, 1, 1])).sort(), ['a#1', 'new']);
        assert.deepEqual((await store.getDocument('a'))?.metadata, { v: 2 });
        assert.equal((await store.stats()).chunks, 2);
      }),
    );

    it(
      'lists in order of id, a page at a time',
      withStore(async (store) => {
        const ids = ['b', 'a', 'é', 'Z', 'a/b', '日'];
        for (const [index, id] of ids.entries()) {
          await store.replaceDocument(
            sketchDocument(id, [], {
              sourceId: index % 2 === 0 ? 'even' : 'odd',
              status: index < 2 ? 'failed' : 'indexed',
              ...(index < 2 ? { statusReason: 'damaged' } : {}),
            }),
          );
        }
        const list = async (query?: Parameters<Store['listDocuments']>[0]) =>
          (await store.listDocuments(query)).map((document) => document.id);
        const sorted = [...ids].sort();
        assert.deepEqual(await list(), sorted);
        assert.deepEqual(await list({ limit: 2 }), sorted.slice(0, 2));
        assert.deepEqual(await list({ limit: 2, after: sorted[1] as string }), sorted.slice(2, 4));
        assert.deepEqual(await list({ after: '日' }), []);
        assert.deepEqual(await list({ sourceId: 'even' }), ['a/b', 'b', 'é']);
        assert.deepEqual(await list({ status: 'failed' }), ['a', 'b']);
        assert.deepEqual(await list({ sourceId: 'odd', status: 'failed' }), ['a']);
        assert.deepEqual(await list({ sourceId: 'absent' }), []);
        for (const limit of [0, -1, 1.5, Number.NaN])
          await assertRejects(store.listDocuments({ limit }), 'invalid-options');
      }),
    );

    it(
      'changes a record and nothing else',
      withStore(async (store) => {
        const write = sketchDocument('a', [{ text: 'apple' }], { metadata: { country: 'JP' } });
        await store.replaceDocument(write);
        const changes = { status: 'failed', statusReason: 'gone', stamp: 'new', metadata: { country: 'US' } } as const;
        await store.updateDocument('a', changes);
        assert.deepEqual(await store.getDocument('a'), { ...write.document, ...changes });
        assert.deepEqual(await keywordIds(store, 'apple'), ['a#0']);
        const scope = { text: 'apple', limit: 5 };
        const found = async (country: string) =>
          (await store.searchKeyword({ ...scope, filter: { equals: { key: 'country', value: country } } })).matches
            .length;
        assert.equal(await found('US'), 1);
        assert.equal(await found('JP'), 0);
        await assertRejects(store.updateDocument('absent', { stamp: 'x' }), 'document-not-found');
      }),
    );

    it(
      'deletes documents with all that is theirs',
      withStore(async (store) => {
        for (const id of ['a', 'b', 'c']) await store.replaceDocument(sketchDocument(id, [{ text: `fruit ${id}x` }]));
        assert.equal(await store.deleteDocuments([]), 0);
        assert.equal((await store.listDocuments()).length, 3);
        assert.equal(await store.deleteDocuments(['a', 'absent', 'c', 'a']), 2);
        assert.deepEqual(
          (await store.listDocuments()).map((document) => document.id),
          ['b'],
        );
        assert.deepEqual(await keywordIds(store, 'fruit ax cx'), ['b#0']);
        assert.deepEqual(await denseIds(store, [1, 1, 1, 1]), ['b#0']);
        assert.equal(await store.getContent('a'), undefined);
        assert.deepEqual(await store.getChunks(['a#0', 'c#0']), []);
        // The same ids may come back.
        await store.replaceDocument(sketchDocument('a', [{ text: 'again' }]));
        assert.deepEqual(await keywordIds(store, 'again fruit'), ['a#0', 'b#0']);
      }),
    );

    it(
      'deletes what came inside of a document with it, at any depth',
      withStore(async (store, reopen) => {
        const write = (current: Store, id: string, parentId?: string) =>
          current.replaceDocument(
            sketchDocument(id, [{ text: `fruit ${id}` }], parentId === undefined ? {} : { parentId }),
          );
        await write(store, 'mail');
        await write(store, 'mail/forwarded', 'mail');
        await write(store, 'mail/forwarded/report', 'mail/forwarded');
        await write(store, 'mail/notes', 'mail');
        await write(store, 'mail.txt');
        const again = await reopen();
        const list = async (query?: Parameters<Store['listDocuments']>[0]) =>
          (await again.listDocuments(query)).map((document) => document.id);
        assert.equal((await again.getDocument('mail/notes'))?.parentId, 'mail');
        assert.equal((await again.getDocument('mail'))?.parentId, undefined);
        assert.deepEqual(await list({ parentId: 'mail' }), ['mail/forwarded', 'mail/notes']);
        assert.deepEqual(await list({ parentId: 'absent' }), []);
        await again.updateDocument('mail/notes', { stamp: 'new' });
        assert.equal((await again.getDocument('mail/notes'))?.parentId, 'mail');
        assert.equal(await again.deleteDocuments(['mail', 'mail/notes']), 4);
        assert.deepEqual(await list(), ['mail.txt']);
        assert.deepEqual(await keywordIds(again, 'fruit'), ['mail.txt#0']);
        // One that came inside of another can go by itself.
        await write(again, 'mail/notes', 'mail');
        await write(again, 'mail');
        assert.equal(await again.deleteDocuments(['mail/notes']), 1);
        assert.deepEqual(await list(), ['mail', 'mail.txt']);
      }),
    );

    it(
      'counts',
      withStore(async (store) => {
        const empty = await store.stats();
        assert.deepEqual([empty.chunks, empty.tokens, empty.cachedEmbeddings, empty.index.vectors], [0, 0, 0, 0]);
        assert.deepEqual(empty.documents, {});
        await store.replaceDocument(sketchDocument('a', [{ text: 'one' }, { text: 'two' }]));
        await store.replaceDocument(sketchDocument('b', [], { status: 'failed', statusReason: 'damaged' }));
        const stats = await store.stats();
        assert.deepEqual([stats.chunks, stats.tokens, stats.cachedEmbeddings, stats.index.vectors], [2, 14, 2, 2]);
        assert.deepEqual(stats.documents, { indexed: 1, failed: 1 });
        assert.ok(stats.bytes > 0);
        assert.ok(stats.generation > empty.generation);
      }),
    );
  });
}
