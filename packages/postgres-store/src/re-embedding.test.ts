import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { isAquiferError, type Manifest, type Store } from '@aquifer/contracts';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { openPostgresKnowledgeBases } from './knowledge-bases.js';
import { openPostgresStore } from './open-postgres-store.js';
import { startTestDatabase } from './postgres.test-fixture.js';
import { nextName, parsePostgresLocation } from './postgres-location.js';
import { beginPostgresReEmbedding } from './re-embedding.js';
import { createTransactions } from './transactions.js';

const database = await startTestDatabase();
after(() => database.stop());
/** PGlite runs one statement at a time, and two transactions as one. */
const needsServer = { skip: database.kind === 'server' ? false : 'needs a server: scripts/test-postgres.sh' };

const analyser = suiteAnalyser;
const manifest = suiteManifest(4);
const nextManifest: Manifest = {
  ...manifest,
  embedder: { ...manifest.embedder, model: 'other numbers', dimensions: 3 },
};
const alike: Manifest = { ...manifest, embedder: { ...manifest.embedder, model: 'numbers of the same length' } };

const isReplaced = (error: unknown) =>
  isAquiferError(error, 'embedder-mismatch') && error.retryable && /open it again/.test(error.message);

const vectorOf = (dimensions: number, n: number) => Array.from({ length: dimensions }, (_, at) => 1 + ((n + at) % 5));
const documentOf = (id: string, dimensions: number, text = `text of ${id}`) =>
  sketchDocument(id, [
    { id: `${id}#0`, text, vector: vectorOf(dimensions, id.length), key: `${dimensions} ${text}` },
    { id: `${id}#1`, text: 'the same in all', vector: vectorOf(dimensions, 7), key: `${dimensions} the same` },
  ]);
const textOf = async (store: Store, id: string) => (await store.listChunks(id, { to: 1 }))[0]?.text;

/** What `reEmbed` does, with vectors that are made up. */
async function copyAll(from: Store, to: Store, dimensions: number): Promise<void> {
  const documents = await from.listDocuments();
  for (const { id } of documents) await to.replaceDocument(documentOf(id, dimensions, await textOf(from, id)));
  const kept = new Set(documents.map(({ id }) => id));
  const gone = (await to.listDocuments()).filter(({ id }) => !kept.has(id));
  await to.deleteDocuments(gone.map(({ id }) => id));
}

async function makeOld(location: string, ids: readonly string[] = ['a', 'bb', 'ccc']): Promise<Store> {
  const store = await openPostgresStore({ location, analyser });
  await store.writeManifest(manifest);
  for (const id of ids) await store.replaceDocument(documentOf(id, 4));
  await store.writeValue('of the old one', 1);
  return store;
}

/** Rows of the index that is built, in all tables. */
async function rowsOfNext(location: string): Promise<number> {
  const place = parsePostgresLocation(location);
  const transactions = createTransactions({ location: place });
  try {
    const [row] = await transactions.read((query) =>
      query(
        `SELECT (SELECT count(*) FROM aquifer.knowledge_bases WHERE knowledge_base = $1)::int
           + (SELECT count(*) FROM aquifer.documents WHERE knowledge_base = $1)::int
           + (SELECT count(*) FROM aquifer.embeddings WHERE knowledge_base = $1)::int
           + (SELECT count(*) FROM aquifer.postings WHERE knowledge_base = $1)::int AS rows`,
        [nextName(place.knowledgeBase)],
      ),
    );
    return row?.rows as number;
  } finally {
    await transactions.close();
  }
}

const dense = (store: Store, dimensions: number) =>
  store.searchDense({ vector: Float32Array.from(vectorOf(dimensions, 1)), limit: 10 });

describe('another embedder for a shared index', () => {
  it('takes its place in one step, and searches go on until then', async () => {
    // Nobody else's are listed.
    const location = database.location({ tenant: `one step ${process.pid}` });
    const old = await makeOld(location);
    const before = await dense(old, 4);
    const { generation } = await old.stats();
    const reEmbedding = await beginPostgresReEmbedding({ location, analyser, manifest, nextManifest });
    const bases = openPostgresKnowledgeBases(location);
    await reEmbedding.exchange(async () => {
      await copyAll(old, reEmbedding.next, 3);
      assert.deepEqual(await dense(old, 4), before);
      const places = (await bases.list()).filter(({ name }) => name === 'suite');
      assert.equal(places.length, 1, 'what is built is not listed');
      await reEmbedding.next.writeValue('of the next one', 2);
    });
    await reEmbedding.close();
    await bases.close();
    await old.close();

    const now = await openPostgresStore({ location, analyser });
    assert.deepEqual(await now.readManifest(), nextManifest);
    assert.equal((await dense(now, 3)).matches.length, 6);
    assert.deepEqual(
      (await now.listDocuments()).map(({ id }) => id),
      ['a', 'bb', 'ccc'],
    );
    assert.equal((await now.searchKeyword({ text: 'the same', limit: 10 })).matches.length, 3);
    assert.deepEqual([await now.readValue('of the old one'), await now.readValue('of the next one')], [undefined, 2]);
    const stats = await now.stats();
    assert.deepEqual([stats.chunks, stats.tokens, stats.cachedEmbeddings], [6, 42, 4]);
    assert.ok(stats.generation > generation);
    assert.equal(await rowsOfNext(location), 0);
    // It is written like any other, chunks included that were there before.
    await now.replaceDocument(documentOf('a', 3, 'changed'));
    assert.equal(await now.deleteDocuments(['bb']), 1);
    assert.equal((await dense(now, 3)).matches.length, 4);
    await now.close();
  });

  it('is told to those who have the old one open, and no vectors are mixed, be they of the same length', async () => {
    for (const next of [nextManifest, alike]) {
      const { dimensions } = next.embedder;
      const location = database.location();
      const old = await makeOld(location);
      await old.readManifest();
      await dense(old, 4);
      const reEmbedding = await beginPostgresReEmbedding({ location, analyser, manifest, nextManifest: next });
      await reEmbedding.exchange(() => copyAll(old, reEmbedding.next, dimensions));
      await reEmbedding.close();
      for (const work of [
        () => dense(old, 4),
        () => old.scoreDense(Float32Array.of(1, 2, 3, 4), ['a#0']),
        () => old.stats(),
        () => old.replaceDocument(documentOf('new', 4)),
        () => old.putEmbeddings([{ key: 'key', vector: Float32Array.of(1, 2, 3, 4) }]),
        () => old.updateDocument('a', { title: 'changed' }),
        () => old.deleteDocuments(['a']),
        () => old.writeValue('key', 1),
        () => old.writeManifest(manifest),
        () => old.optimise(),
      ]) {
        await assert.rejects(work, isReplaced, String(work));
      }
      // What has nothing to do with vectors is the new one's.
      assert.equal((await old.searchKeyword({ text: 'same', limit: 10 })).matches.length, 3);
      assert.equal((await old.listDocuments()).length, 3);
      await old.close();
      const now = await openPostgresStore({ location, analyser });
      assert.equal((await now.getDocument('a'))?.title, 'Title of a');
      assert.equal((await now.listDocuments()).length, 3);
      assert.equal((await dense(now, dimensions)).matches.length, 6);
      await now.close();
    }
  });

  it('goes on where a run with the same embedder was interrupted, and begins anew after another embedder', async () => {
    const location = database.location();
    const old = await makeOld(location);
    const first = await beginPostgresReEmbedding({ location, analyser, manifest, nextManifest });
    await first.next.replaceDocument(documentOf('a', 3));
    const second = await beginPostgresReEmbedding({ location, analyser, manifest, nextManifest });
    assert.deepEqual(
      (await second.next.listDocuments()).map(({ id }) => id),
      ['a'],
    );
    // The first one is no longer the one that builds it.
    await assert.rejects(first.next.replaceDocument(documentOf('bb', 3)), isReplaced);
    await assert.rejects(
      first.exchange(async () => {}),
      (error) => isAquiferError(error, 'embedder-mismatch'),
    );
    assert.deepEqual(await old.readManifest(), manifest);
    assert.equal((await dense(old, 4)).matches.length, 6);
    await first.close();
    await second.close();
    const third = await beginPostgresReEmbedding({ location, analyser, manifest, nextManifest: alike });
    assert.deepEqual(await third.next.listDocuments(), []);
    await third.exchange(() => copyAll(old, third.next, 4));
    await third.close();
    await old.close();
    const now = await openPostgresStore({ location, analyser });
    assert.deepEqual(await now.readManifest(), alike);
    await now.close();
  });

  it('is gone with the knowledge base that it was built for', async () => {
    const location = database.location();
    const old = await makeOld(location);
    const reEmbedding = await beginPostgresReEmbedding({ location, analyser, manifest, nextManifest });
    await reEmbedding.next.replaceDocument(documentOf('a', 3));
    assert.ok((await rowsOfNext(location)) > 0);
    const bases = openPostgresKnowledgeBases(location);
    assert.equal(await bases.remove(parsePostgresLocation(location).knowledgeBase), true);
    await assert.rejects(
      reEmbedding.exchange(async () => {}),
      (error) => isAquiferError(error, 'index-not-found'),
    );
    assert.equal(await rowsOfNext(location), 0);
    await Promise.all([old.close(), bases.close(), reEmbedding.close()]);
  });

  it('does not touch what other tenants have under the same name', async () => {
    const location = database.location({ tenant: 'acme', name: 'shared name' });
    const elsewhere = database.location({ tenant: 'globex', name: 'shared name' });
    const [old, other] = [await makeOld(location), await makeOld(elsewhere)];
    const reEmbedding = await beginPostgresReEmbedding({ location, analyser, manifest, nextManifest });
    await reEmbedding.exchange(() => copyAll(old, reEmbedding.next, 3));
    await reEmbedding.close();
    assert.equal((await dense(other, 4)).matches.length, 6);
    await other.replaceDocument(documentOf('d', 4));
    assert.deepEqual(await other.readManifest(), manifest);
    await Promise.all([old.close(), other.close()]);
  });

  it('has no name that anybody can give', async () => {
    const url = new URL(database.location());
    url.searchParams.set('name', nextName('handbook'));
    await assert.rejects(openPostgresStore({ location: url.href, analyser }), (error) =>
      isAquiferError(error, 'invalid-options'),
    );
  });

  it('has what others write meanwhile, or they are told that they wrote nothing', needsServer, async () => {
    const location = database.location();
    const old = await makeOld(location);
    const writers = await Promise.all([1, 2, 3].map(() => openPostgresStore({ location, analyser })));
    for (const writer of writers) await writer.readManifest();
    const written = new Map<string, string>();
    let isOver = false;
    const writing = writers.map(async (writer, of) => {
      for (let round = 0; !isOver; round += 1) {
        const [id, text] = [`of ${of} ${round % 20}`, `round ${round}`];
        try {
          await writer.replaceDocument(documentOf(id, 4, text));
          written.set(id, text);
        } catch (error) {
          assert.ok(isReplaced(error), String(error));
          return 'told';
        }
      }
      return 'not told';
    });
    let passes = 0;
    const reEmbedding = await beginPostgresReEmbedding({ location, analyser, manifest, nextManifest });
    await reEmbedding.exchange(async () => {
      passes += 1;
      await copyAll(old, reEmbedding.next, 3);
    });
    await reEmbedding.close();
    assert.deepEqual(await Promise.all(writing), ['told', 'told', 'told']);
    isOver = true;
    assert.ok(passes >= 2 && passes <= 4, `${passes} passes`);
    assert.ok(written.size > 0);
    const now = await openPostgresStore({ location, analyser });
    for (const [id, text] of written) assert.equal(await textOf(now, id), text, id);
    const { chunks, documents } = await now.stats();
    assert.deepEqual([chunks, documents.indexed], [2 * (written.size + 3), written.size + 3]);
    assert.equal((await dense(now, 3)).method, 'exact');
    await Promise.all([now, old, ...writers].map((store) => store.close()));
  });

  it('drops the graph of the old one, and gets one of its own', needsServer, async () => {
    for (const next of [nextManifest, alike]) {
      const { dimensions } = next.embedder;
      const location = database.location();
      const ids = Array.from({ length: 30 }, (_, n) => `document ${n}`);
      await (await makeOld(location, ids)).close();
      const old = await openPostgresStore({ location, analyser, index: 'hnsw' });
      await old.optimise();
      assert.equal((await dense(old, 4)).method, 'approximate');
      const reEmbedding = await beginPostgresReEmbedding({ location, analyser, manifest, nextManifest: next });
      await reEmbedding.exchange(() => copyAll(old, reEmbedding.next, dimensions));
      await reEmbedding.close();
      await old.close();
      const now = await openPostgresStore({ location, analyser, index: 'hnsw' });
      assert.equal((await dense(now, dimensions)).method, 'exact');
      await now.optimise();
      assert.equal((await dense(now, dimensions)).method, 'approximate');
      await now.close();
    }
  });
});
