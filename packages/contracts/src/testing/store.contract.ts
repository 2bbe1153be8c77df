import assert from 'node:assert/strict';
import type { Analyser } from '../analyser.js';
import { type ErrorCode, isAquiferError } from '../errors.js';
import type { Store } from '../store.js';
import { sketchDocument, suiteAnalyser, suiteManifest } from './store-fixtures.js';
import { storeSearchContract } from './store-search.contract.js';
import type { TestRunner } from './test-runner.js';

/** One knowledge base under test. */
export interface StoreUnderTest {
  /** Open for writing, and empty at first. */
  readonly store: Store;
  /** Closes `store` and opens the same knowledge base again; what it returns replaces `store`. */
  reopen(): Promise<Store>;
  /** Closes whatever is open and removes everything. */
  destroy(): Promise<void>;
}

export interface StoreContractOptions {
  /** Names the store in the report. */
  readonly name: string;
  /** Makes an empty knowledge base without a manifest, whose keyword index uses this analyser. */
  create(options: { readonly analyser: Analyser }): Promise<StoreUnderTest>;
  /** Default 2,500. */
  readonly generatedFilters?: number;
  /** Vectors of the recall tests: default 3,000. */
  readonly recallVectors?: number;
  /** Default 64. */
  readonly recallDimensions?: number;
}

/** What a test works with. */
export interface StoreTestContext {
  readonly options: StoreContractOptions;
  /** Runs a test on an empty knowledge base with a manifest, and removes it afterwards. */
  withStore(
    work: (store: Store, reopen: () => Promise<Store>) => Promise<void>,
    dimensions?: number,
  ): () => Promise<void>;
}

export async function assertRejects(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(
      isAquiferError(error, code),
      `expected ${code}, got ${String((error as { code?: unknown }).code)}: ${error}`,
    );
    assert.ok(error.message.length > 10);
    return true;
  });
}

/**
 * Everything that a {@link Store} promises. Assumes nothing of where the data lives: neither one process nor one file.
 *
 * @example
 * storeContract({ describe, it }, { name: 'mine', create: async ({ analyser }) => … });
 */
export function storeContract(runner: TestRunner, options: StoreContractOptions): void {
  const context: StoreTestContext = {
    options,
    withStore:
      (work, dimensions = 4) =>
      async () => {
        const under = await options.create({ analyser: suiteAnalyser });
        try {
          await under.store.writeManifest(suiteManifest(dimensions));
          await work(under.store, () => under.reopen());
        } finally {
          await under.destroy();
        }
      },
  };
  runner.describe(`Store contract: ${options.name}`, () => {
    storeDocumentContract(runner, context);
    storeSearchContract(runner, context);
  });
}

const keywordIds = async (store: Store, text: string): Promise<string[]> =>
  (await store.searchKeyword({ text, limit: 10_000 })).matches.map((match) => match.chunkId);
const denseIds = async (store: Store, vector: readonly number[]): Promise<string[]> =>
  (await store.searchDense({ vector: Float32Array.from(vector), limit: 10_000 })).matches.map((match) => match.chunkId);

function storeDocumentContract({ describe, it }: TestRunner, { options, withStore }: StoreTestContext): void {
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
