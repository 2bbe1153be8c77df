import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isAquiferError, type Store } from '@aquifer/contracts';
import {
  createClusteredVectors,
  createSeededRandom,
  sketchDocument,
  suiteAnalyser,
  suiteManifest,
} from '@aquifer/contracts/testing';
import { openLocalStore } from './open-local-store.js';
import { loadHnswLibrary } from './vectors/hnsw-graph.js';
import { planSearch, wantsGraph } from './vectors/search-plan.js';

const dimensions = 32;
const documents = 100;
const chunksPerDocument = 20;
const random = createSeededRandom(5);
const draw = createClusteredVectors(random, dimensions, 20);
const query = draw();

const open = (location: string): Promise<Store> => openLocalStore({ location, analyser: suiteAnalyser, index: 'hnsw' });

async function fill(location: string): Promise<Store> {
  const store = await open(location);
  await store.writeManifest(suiteManifest(dimensions));
  for (let document = 0; document < documents; document++) {
    const sketches = Array.from({ length: chunksPerDocument }, () => ({ text: 'x', vector: draw() }));
    await store.replaceDocument(sketchDocument(`d${document}`, sketches));
  }
  await store.optimise();
  return store;
}

const graphFiles = async (location: string): Promise<string[]> =>
  (await readdir(location)).filter((name) => name.startsWith('graph')).sort();

/** Ids of the ten best, which must be the true ones whatever happened to the graph, and how the last search found them. */
async function search(store: Store): Promise<{ readonly method: string }> {
  const exact = await store.searchDense({ vector: query, limit: 10, exact: true });
  assert.equal(exact.method, 'exact');
  let method = '';
  // The graph is loaded behind the first searches.
  for (let round = 0; round < 100 && method !== 'approximate'; round++) {
    const found = await store.searchDense({ vector: query, limit: 10 });
    assert.deepEqual(found.matches, exact.matches);
    method = found.method;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { method };
}

const skip = loadHnswLibrary() === undefined ? { skip: 'hnswlib-node is not built here' } : {};

describe('graph', () => {
  const withFolder = (work: (location: string) => Promise<void>) => async () => {
    const location = await mkdtemp(join(tmpdir(), 'aquifer-graph-'));
    try {
      await work(location);
    } finally {
      await rm(location, { recursive: true, force: true });
    }
  };

  it(
    'answers after building, and after it is loaded again',
    skip,
    withFolder(async (location) => {
      const store = await fill(location);
      assert.equal((await search(store)).method, 'approximate');
      assert.deepEqual((await store.stats()).index, { kind: 'hnsw', vectors: 2_000, pending: 0 });
      await store.close();
      const again = await open(location);
      assert.deepEqual((await again.stats()).index, { kind: 'hnsw', vectors: 2_000, pending: 0 });
      assert.equal((await search(again)).method, 'approximate');
      await again.close();
    }),
  );

  it(
    'finds what came after it, and forgets what went, before it is brought up to date',
    skip,
    withFolder(async (location) => {
      const store = await fill(location);
      await store.replaceDocument(sketchDocument('new', [{ text: 'x', vector: query }]));
      const found = await store.searchDense({ vector: query, limit: 1 });
      assert.deepEqual([found.matches[0]?.chunkId, found.method], ['new#0', 'approximate']);
      assert.equal((await store.stats()).index.pending, 1);
      await store.close();

      const again = await open(location);
      assert.equal((await search(again)).method, 'approximate');
      assert.equal((await again.searchDense({ vector: query, limit: 1 })).matches[0]?.chunkId, 'new#0');
      await again.deleteDocuments(['new']);
      assert.notEqual((await again.searchDense({ vector: query, limit: 1 })).matches[0]?.chunkId, 'new#0');
      await again.optimise();
      assert.equal((await again.stats()).index.pending, 0);
      // Many removals: the scan serves until the graph is built anew.
      await again.deleteDocuments(Array.from({ length: 40 }, (_, document) => `d${document}`));
      assert.equal((await again.searchDense({ vector: query, limit: 5 })).method, 'exact');
      await again.optimise();
      assert.equal((await search(again)).method, 'approximate');
      assert.deepEqual((await again.stats()).index, { kind: 'hnsw', vectors: 1_200, pending: 0 });
      assert.equal((await graphFiles(location)).length, 2);
      await again.close();
    }),
  );

  it(
    'is alone again after a writer that was killed before it could remove the one before',
    skip,
    withFolder(async (location) => {
      const store = await fill(location);
      await store.close();
      const [payload] = await graphFiles(location);
      await copyFile(join(location, String(payload)), join(location, 'graph-0123456789abcdef.hnsw'));
      await writeFile(join(location, 'graph-0123456789abcdee.hnsw.graph-temporary'), 'half');
      const again = await open(location);
      await again.optimise();
      assert.deepEqual(await graphFiles(location), [payload, 'graph.header']);
      assert.equal((await search(again)).method, 'approximate');
      await again.close();
    }),
  );

  const damages: Readonly<Record<string, (location: string, names: readonly string[]) => Promise<void>>> = {
    'without its file': (location, [payload]) => rm(join(location, String(payload))),
    'without its header': (location, [, header]) => rm(join(location, String(header))),
    'cut short': (location, [payload]) => truncate(join(location, String(payload)), 5_000),
    'with a header cut short': (location, [, header]) => truncate(join(location, String(header)), 60),
    'with an empty header': (location, [, header]) => truncate(join(location, String(header)), 0),
    'with one bit turned': async (location, [payload]) => {
      const file = join(location, String(payload));
      const bytes = await readFile(file);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
      await writeFile(file, bytes);
    },
    'with rubbish for a header': (location, [, header]) => writeFile(join(location, String(header)), 'x'.repeat(5_000)),
  };
  for (const [name, damage] of Object.entries(damages)) {
    it(
      `is built again when it is ${name}`,
      skip,
      withFolder(async (location) => {
        await (await fill(location)).close();
        const names = await graphFiles(location);
        assert.equal(names.length, 2);
        assert.match(String(names[0]), /^graph-[0-9a-f]{16}\.hnsw$/);
        await damage(location, names);
        const store = await open(location);
        for (let round = 0; round < 8; round++) await store.searchDense({ vector: query, limit: 10 });
        assert.equal((await store.searchDense({ vector: query, limit: 10 })).method, 'exact');
        await store.optimise();
        assert.equal((await search(store)).method, 'approximate');
        await store.close();
        assert.equal((await graphFiles(location)).length, 2);
      }),
    );
  }

  it(
    'of another index is not used',
    skip,
    withFolder(async (location) => {
      const [here, there] = [join(location, 'here'), join(location, 'there')];
      await (await fill(here)).close();
      await (await fill(there)).close();
      for (const name of await graphFiles(here)) await rm(join(here, name));
      for (const name of await graphFiles(there)) await copyFile(join(there, name), join(here, name));
      const store = await open(here);
      assert.match((await store.stats()).index.note ?? '', /not built yet/);
      for (let round = 0; round < 8; round++) {
        assert.equal((await store.searchDense({ vector: query, limit: 10 })).method, 'exact');
      }
      await store.optimise();
      assert.equal((await search(store)).method, 'approximate');
      await store.close();
    }),
  );

  it(
    'can be built while searches go on, and stopped',
    skip,
    withFolder(async (location) => {
      const store = await fill(location);
      for (let document = 0; document < 150; document++) {
        const sketches = Array.from({ length: chunksPerDocument }, () => ({ text: 'x', vector: draw() }));
        await store.replaceDocument(sketchDocument(`later ${document}`, sketches));
      }
      const controller = new AbortController();
      let searched = 0;
      const progress: number[] = [];
      const optimising = store.optimise({
        signal: controller.signal,
        onProgress: ({ done, total }) => {
          assert.equal(total, 5_000);
          progress.push(done);
          if (searched >= 3) controller.abort();
        },
      });
      const searching = (async () => {
        for (; searched < 3; searched++) await store.searchDense({ vector: query, limit: 10 });
      })();
      await assert.rejects(optimising, (error: unknown) => isAquiferError(error, 'aborted'));
      await searching;
      assert.ok(progress.length > 1);
      assert.deepEqual(
        progress,
        [...progress].sort((left, right) => left - right),
      );
      assert.equal((await search(store)).method.length > 0, true);
      await store.optimise();
      assert.equal((await search(store)).method, 'approximate');
      // Closing stops it as well.
      await store.deleteDocuments(Array.from({ length: documents }, (_, document) => `d${document}`));
      const last = store.optimise();
      const rejected = assert.rejects(last, (error: unknown) => isAquiferError(error, 'aborted'));
      await store.close();
      await rejected;
    }),
  );
});

describe('search plan', () => {
  const graph = { pending: 0, removedShare: 0, ef: 96, worthwhile: true };
  const base = { vectors: 100_000, matching: 100_000, limit: 10, exact: false, graph };

  it('asks the graph where that is cheaper', () => {
    assert.deepEqual(planSearch(base), { method: 'graph', count: 96, ef: 96 });
    assert.deepEqual(planSearch({ ...base, limit: 100 }), { method: 'graph', count: 210, ef: 210 });
    assert.deepEqual(planSearch({ ...base, matching: 50_000 }), { method: 'graph', count: 192, ef: 192 });
  });

  it('scans otherwise', () => {
    const { graph: _, ...none } = base;
    const scanned = [
      none,
      { ...base, exact: true },
      { ...base, matching: 0 },
      { ...base, matching: 49_999 },
      { ...base, limit: 10_000 },
      { ...base, vectors: 500, matching: 500 },
      { ...base, graph: { ...graph, worthwhile: false } },
      { ...base, graph: { ...graph, pending: 20_001 } },
      { ...base, graph: { ...graph, removedShare: 0.31 } },
    ];
    for (const situation of scanned) assert.deepEqual(planSearch(situation), { method: 'exact' });
  });

  it('wants a graph where a scan takes long', () => {
    assert.equal(wantsGraph('auto', 100_000, 1_024), false);
    assert.equal(wantsGraph('auto', 300_000, 1_024), true);
    assert.equal(wantsGraph('exact', 10_000_000, 1_024), false);
    assert.equal(wantsGraph('hnsw', 1, 8), true);
    assert.equal(wantsGraph('hnsw', 0, 8), false);
  });
});
