import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { isAquiferError, type Store } from '@aquifer/contracts';
import {
  createClusteredVectors,
  createSeededRandom,
  sketchDocument,
  suiteAnalyser,
  suiteManifest,
} from '@aquifer/contracts/testing';
import { openPostgresStore } from './open-postgres-store.js';
import { startTestDatabase } from './postgres.test-fixture.js';

const database = await startTestDatabase();
/** What takes PGlite half a minute, or needs a second connection. */
const onServer = database.kind === 'pglite' && 'needs a server';
after(() => database.stop());

async function withStore(
  parameters: Record<string, string>,
  dimensions: number,
  count: number,
  work: (store: Store, draw: () => Float32Array) => Promise<void>,
) {
  const store = await openPostgresStore({
    location: database.location(parameters),
    analyser: suiteAnalyser,
    index: 'hnsw',
  });
  try {
    await store.writeManifest(suiteManifest(dimensions));
    const draw = createClusteredVectors(createSeededRandom(7), dimensions, 10);
    for (let from = 0; from < count; from += 200) {
      const chunks = Array.from({ length: Math.min(200, count - from) }, (_, n) => ({
        id: `${from + n}`,
        text: 'x',
        vector: draw(),
      }));
      await store.replaceDocument(sketchDocument(`d${from}`, chunks));
    }
    await work(store, draw);
  } finally {
    await store.close();
  }
}

describe('the graph of a shared index', () => {
  for (const graph of ['halfvec', 'bit', 'prefix']) {
    it(`of ${graph} finds what an exact search finds, with exact scores, and never fewer`, () =>
      withStore({ graph }, 300, 600, async (store, draw) => {
        await store.optimise();
        assert.equal((await store.stats()).index.kind, 'hnsw');
        let hits = 0;
        for (let query = 0; query < 20; query++) {
          const search = { vector: draw(), limit: 10 };
          const exact = await store.searchDense({ ...search, exact: true });
          const found = await store.searchDense(search);
          assert.equal(found.method, 'approximate');
          assert.equal(found.matches.length, 10);
          const scores = new Map(exact.matches.map(({ chunkId, score }) => [chunkId, score]));
          for (const { chunkId, score } of found.matches) {
            if (scores.get(chunkId) === undefined) continue;
            assert.ok(Math.abs((scores.get(chunkId) as number) - score) < 1e-9);
            hits++;
          }
        }
        assert.ok(hits >= 190, `${hits} of 200`);
        assert.equal((await store.searchDense({ vector: draw(), limit: 1_000 })).matches.length, 600);
      }));
  }

  it('is dropped where it finds too little however much it is asked, and not built again', { skip: onServer }, () =>
    // Four bits say little of where a vector points.
    withStore({ graph: 'bit' }, 4, 0, async (store) => {
      const random = createSeededRandom(3);
      const draw = () => Float32Array.from({ length: 4 }, () => random.next() - 0.5);
      for (let from = 0; from < 4_000; from += 500) {
        const chunks = Array.from({ length: 500 }, (_, n) => ({ id: `${from + n}`, text: 'x', vector: draw() }));
        await store.replaceDocument(sketchDocument(`d${from}`, chunks));
      }
      for (let run = 0; run < 2; run++) {
        await store.optimise();
        const { index } = await store.stats();
        assert.equal(index.kind, 'exact');
        assert.match(index.note ?? '', /so little structure/);
      }
      assert.equal((await store.searchDense({ vector: draw(), limit: 10 })).method, 'exact');
    }),
  );

  it('shows how far it is, can be stopped, and is built by the next run', { skip: onServer }, () =>
    withStore({}, 256, 6_000, async (store) => {
      const stop = new AbortController();
      const progress: number[] = [];
      const stopped = store.optimise({
        signal: stop.signal,
        onProgress({ done, total }) {
          assert.equal(total, 6_000);
          progress.push(done);
          if (done > 0) stop.abort();
        },
      });
      await assert.rejects(stopped, (error) => isAquiferError(error, 'aborted'));
      assert.ok(
        progress.some((done) => done > 0 && done < 6_000),
        progress.join(),
      );
      assert.equal((await store.stats()).index.kind, 'exact');
      await store.optimise();
      assert.equal((await store.stats()).index.kind, 'hnsw');
    }),
  );
});
