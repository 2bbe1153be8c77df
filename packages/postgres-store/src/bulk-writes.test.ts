import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { DocumentWrite, Store } from '@aquifer/contracts';
import { createSeededRandom, sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { openPostgresStore } from './open-postgres-store.js';
import { startTestDatabase } from './postgres.test-fixture.js';

const database = await startTestDatabase();
after(() => database.stop());

async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  const store = await openPostgresStore({ location: database.location(), analyser: suiteAnalyser });
  try {
    await store.writeManifest(suiteManifest(4));
    await work(store);
  } finally {
    await store.close();
  }
}

const words = [
  'leave',
  'Japan',
  '休暇',
  'naïve',
  '\\N',
  'tab\there',
  '"quoted"',
  '😀',
  '{1,2}',
  "o'neil",
  'x'.repeat(900),
];

/** So many chunks that they are copied, with and without pages, some of them with vectors that pgvector cannot calculate with. */
function largeDocument(id: string, seed: number, count: number): DocumentWrite {
  const random = createSeededRandom(seed);
  const sketch = sketchDocument(
    id,
    Array.from({ length: count }, (_, n) => ({
      id: `${id} 😀 ${n}`,
      text: Array.from({ length: 1 + random.below(60) }, () => random.pick(words)).join(' '),
      context: n % 3 === 0 ? '' : `Part of\n${random.pick(words)}`,
      tableHeader: n % 5 === 0 ? 'naïve | 休暇' : '',
      vector: Array.from({ length: 4 }, () => random.gaussian() * (n % 7 === 0 ? 1e-30 : n % 11 === 0 ? 1e30 : 1)),
    })),
  );
  return {
    ...sketch,
    chunks: sketch.chunks.map((chunk, n) => ({ ...chunk, ...(n % 2 === 0 && { pageStart: n, pageEnd: n + 1 }) })),
  };
}

async function assertHolds(store: Store, { document, chunks }: DocumentWrite): Promise<void> {
  assert.deepEqual(
    await store.listChunks(document.id),
    chunks.map(({ vector, embeddingKey, ...chunk }) => chunk),
  );
  assert.deepEqual(
    await store.getEmbeddings(chunks.map(({ embeddingKey }) => embeddingKey)),
    chunks.map(({ vector }) => vector),
  );
}

describe('bulk writes to a shared index', () => {
  it('keep every text, number and vector as it is', () =>
    withStore(async (store) => {
      const large = largeDocument('large', 1, 240);
      await store.replaceDocument(large);
      await assertHolds(store, large);
      // Kept, removed and added chunks in one replacement, each of them many.
      const edited = largeDocument('large', 1, 90);
      const other = largeDocument('more', 2, 40);
      const moved = edited.chunks.slice(30).map((chunk, ordinal) => ({ ...chunk, ordinal, tokens: ordinal }));
      const replaced = { ...edited, chunks: moved };
      await store.replaceDocument(replaced);
      await store.replaceDocument(other);
      await assertHolds(store, replaced);
      await assertHolds(store, other);
      assert.equal((await store.stats()).chunks, 100);
    }));

  it('are found by the same words, with the same scores, as chunks that came one by one', () =>
    withStore(async (bulk) => {
      const large = largeDocument('d', 3, 60);
      await bulk.replaceDocument(large);
      await withStore(async (single) => {
        // Each replacement adds one chunk.
        for (let count = 1; count <= large.chunks.length; count++) {
          await single.replaceDocument({ ...large, chunks: large.chunks.slice(0, count) });
        }
        for (const text of ['休暇 naïve leave', '\\N {1,2}', "o'neil 😀", 'x'.repeat(900)]) {
          const found = await bulk.searchKeyword({ text, limit: 100 });
          assert.ok(found.matches.length > 10);
          assert.deepEqual(await single.searchKeyword({ text, limit: 100 }), found);
        }
      });
    }));

  it('of several connections at once may bring the same vectors', () =>
    withStore(async (store) => {
      const keys = Array.from({ length: 60 }, (_, n) => `shared ${n}`);
      const documents = Array.from({ length: 8 }, (_, document) =>
        sketchDocument(
          `d${document}`,
          // In another order each.
          keys.map((_, n) => ({
            key: keys[(n * (2 * document + 1)) % 60] as string,
            text: 'word',
            vector: [1, 2, 3, 4],
          })),
        ),
      );
      await Promise.all(documents.map((document) => store.replaceDocument(document)));
      const { chunks, cachedEmbeddings } = await store.stats();
      assert.equal(chunks, 480);
      assert.ok(cachedEmbeddings <= 60);
      assert.equal((await store.searchDense({ vector: Float32Array.of(1, 2, 3, 4), limit: 480 })).matches.length, 480);
    }));
});
