import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Analyser, DocumentWrite, Store } from '@aquifer/contracts';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { canEncrypt } from './database/sqlite-driver.js';
import { type LocalStoreOptions, openLocalStore } from './open-local-store.js';
import { isForPieces } from './replace-in-pieces.js';

/** Long enough to go in many pieces, 120 chunks of one word of their own and of the version. */
function longDocument(version: string, edited: readonly number[] = []): DocumentWrite {
  const sketches = Array.from({ length: 120 }, (_, index) => ({
    id: edited.includes(index) ? `${version}-${index}` : `c${index}`,
    text: `word${index} ${edited.includes(index) ? version : 'first'} 東京 ${'and so on '.repeat(3_700)}`,
  }));
  return sketchDocument('long', sketches);
}

async function withStore(
  work: (store: Store) => Promise<void>,
  options: Partial<Omit<LocalStoreOptions, 'location'>> = {},
): Promise<void> {
  const location = await mkdtemp(join(tmpdir(), 'aquifer-pieces-'));
  const store = await openLocalStore({ location, analyser: suiteAnalyser, ...options });
  try {
    await store.writeManifest(suiteManifest(4));
    await work(store);
  } finally {
    await store.close();
    await rm(location, { recursive: true, force: true });
  }
}

const found = async (store: Store, text: string): Promise<number> =>
  (await store.searchKeyword({ text, limit: 1_000 })).matches.length;

async function assertHolds(store: Store, write: DocumentWrite): Promise<void> {
  const content = await store.getContent('long');
  assert.ok(content?.text === write.text, 'the text is another one');
  assert.deepEqual(content.blocks, write.blocks);
  assert.deepEqual(
    (await store.listChunks('long')).map(({ id }) => id),
    write.chunks.map(({ id }) => id),
  );
}

describe('a document that is written in pieces', () => {
  for (const [how, options] of [
    ['on threads', {}],
    ['without threads', { ownThreads: false }],
    ['encrypted', { encryptionKey: 'a key' }],
  ] as const) {
    const skip = 'encryptionKey' in options && !canEncrypt() && 'no encryption here';
    it(`is read back and found as it was given, ${how}`, { skip }, async () => {
      await withStore(async (store) => {
        const first = longDocument('first');
        assert.ok(isForPieces(first));
        await Promise.all([
          store.replaceDocument(first),
          store.replaceDocument(sketchDocument('short', [{ text: 'short' }])),
        ]);
        await assertHolds(store, first);
        assert.equal(await found(store, '東京'), 120);
        const edited = longDocument('second', [3, 119]);
        await store.replaceDocument(edited);
        await assertHolds(store, edited);
        assert.equal(await found(store, 'second'), 2);
        assert.equal(await found(store, 'first'), 118);
        const { matches } = await store.searchDense({ vector: Float32Array.of(1, 1, 1, 1), limit: 1_000 });
        assert.equal(matches.length, 121);
        assert.equal((await store.stats()).chunks, 121);
        assert.equal(await store.deleteDocuments(['long']), 1);
        assert.equal(await found(store, '東京'), 0);
      }, options);
    });
  }

  it('is not seen before it is whole, and what is asked meanwhile is answered by the version before', async () => {
    const asked: Promise<unknown>[] = [];
    let onTerms = (): void => {};
    const analyser: Analyser = {
      ...suiteAnalyser,
      terms(text) {
        onTerms();
        return suiteAnalyser.terms(text);
      },
    };
    await withStore(
      async (store) => {
        const first = longDocument('first');
        await store.replaceDocument(first);
        const everywhere = Array.from({ length: 120 }, (_, index) => index);
        const second = longDocument('second', everywhere);
        let calls = 0;
        onTerms = () => {
          calls += 1;
          if (calls !== 200) return;
          asked.push(
            store.getContent('long').then((content) => content?.text === first.text),
            store.listChunks('long').then((chunks) => chunks.every(({ id }) => id.startsWith('c'))),
            store.stats().then(({ chunks }) => chunks === 120),
            found(store, 'first').then((count) => count === 120),
            found(store, 'second').then((count) => count === 0),
          );
        };
        await store.replaceDocument(second);
        onTerms = () => {};
        assert.deepEqual(await Promise.all(asked), [true, true, true, true, true]);
        await assertHolds(store, second);
        assert.equal(await found(store, 'second'), 120);
        assert.equal(await found(store, 'first'), 0);
      },
      { analyser },
    );
  });

  it('stays as it was where the new version is refused, and can be written again', async () => {
    await withStore(async (store) => {
      const first = longDocument('first');
      await store.replaceDocument(first);
      await store.replaceDocument(sketchDocument('other', [{ id: 'taken', text: 'other' }]));
      const second = longDocument('second', [118, 119]);
      const [early, late] = [second.chunks.slice(0, -1), second.chunks.at(-1)!];
      const refused: [DocumentWrite, string][] = [
        [{ ...second, chunks: [...early, { ...late, id: 'taken' }] }, 'invalid-document'],
        [{ ...second, chunks: [...early, { ...late, vector: Float32Array.of(1, 2) }] }, 'invalid-vector'],
        [
          { ...second, chunks: [...early, (({ vector: _, ...rest }) => ({ ...rest, embeddingKey: 'none' }))(late)] },
          'invalid-vector',
        ],
      ];
      for (const [write, code] of refused) {
        await assert.rejects(store.replaceDocument(write), { code, message: /"(taken|second-119)"/ });
        await assertHolds(store, first);
        assert.equal(await found(store, 'second'), 0);
      }
      await store.replaceDocument(second);
      await assertHolds(store, second);
      assert.equal(await found(store, 'second'), 2);
    });
  });
});
