import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { isAquiferError, type Store } from '@aquifer/contracts';
import { createSeededRandom, sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import pg from 'pg';
import { hostileText } from './hostile-text.test-fixture.js';
import { openPostgresStore } from './open-postgres-store.js';
import { startTestDatabase } from './postgres.test-fixture.js';

const database = await startTestDatabase();
after(() => database.stop());

const rounds = database.kind === 'server' ? 30 : 8;

/** What there is in the database beside the rows of tenants: names of everything, and who may do what. */
async function readCatalogue(): Promise<unknown> {
  const url = new URL(database.location());
  url.search = '';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  const { rows } = await client.query(
    `SELECT relname, relkind, relacl::text FROM pg_class WHERE relnamespace IN ('aquifer'::regnamespace, 'public'::regnamespace)
       AND relname NOT LIKE 'embeddings_graph_%'
     UNION ALL SELECT rolname, 'R', rolsuper::text FROM pg_roles ORDER BY 1, 2, 3`,
  );
  await client.end();
  return rows;
}

describe('SQL in every string', () => {
  it('is a name, an id or a text like any other', async () => {
    const random = createSeededRandom(77);
    const text = (): string => hostileText(random);
    // The one character that no name may have: it marks what an index is built under before it takes its place.
    const hostileName = (): string => hostileText(random, 80).replaceAll('\u0001', '\u0002');
    const bystander = await openPostgresStore({
      location: database.location({ tenant: 'bystander' }),
      analyser: suiteAnalyser,
    });
    await bystander.writeManifest(suiteManifest(4));
    await bystander.replaceDocument(sketchDocument('d', [{ text: 'kept' }]));
    const before = await readCatalogue();
    const checks: (() => Promise<void>)[] = [];
    for (let round = 0; round < rounds; round++) {
      // A number makes them different; the hostile part comes first.
      const [name, tenant] = [hostileName(), hostileName()].map((text) => `${text} ${round}`) as [string, string];
      const location = database.location({ name, tenant });
      const index = round % 4 === 0 ? 'hnsw' : 'auto';
      const store = await openPostgresStore({ location, analyser: suiteAnalyser, index });
      await store.writeManifest({ ...suiteManifest(4), knowledgeBase: { id: 'ABCDEFGHI0', name } });
      const id = `${hostileText(random, 200)} ${round}`;
      const chunks = [0, 1].map((n) => ({
        id: `${text()} ${n}`,
        text: `${text()} word${round}`,
        context: text(),
        tableHeader: text(),
        key: `${text()} ${n}`,
      }));
      const record = {
        sourceId: text(),
        source: `${text()}.pdf`,
        uri: text(),
        mediaType: text(),
        title: text(),
        stamp: text(),
        metadata: { [`${hostileText(random, 190)} k`]: text(), list: [text(), text()] },
        statusReason: text(),
        parentId: text(),
      };
      const write = sketchDocument(id, chunks, record);
      await store.replaceDocument(write);
      const value = text();
      await store.writeValue(id, { value });
      await store.updateDocument(id, { title: value });
      await store.optimise();
      const check = async (store: Store): Promise<void> => {
        const expected = { ...write.document, title: value };
        assert.deepEqual((await store.readManifest())?.knowledgeBase.name, name);
        assert.deepEqual(await store.listDocuments(), [expected]);
        assert.deepEqual(
          await store.listDocuments({ sourceId: record.sourceId, parentId: record.parentId, after: '' }),
          [expected],
        );
        assert.equal((await store.getContent(id))?.text, write.text);
        const ids = chunks.map((chunk) => chunk.id);
        assert.deepEqual(
          (await store.getChunks(ids)).map((chunk) => [chunk.id, chunk.text, chunk.context, chunk.tableHeader]),
          chunks.map((chunk) => [chunk.id, chunk.text, chunk.context, chunk.tableHeader]),
        );
        assert.deepEqual(await store.readValue(id), { value });
        const vectors = await store.getEmbeddings(chunks.map(({ key }) => key));
        assert.ok(vectors.every((vector) => vector?.length === 4));
        const [key, attribute] = Object.entries(record.metadata)[0] as [string, string];
        const found = await store.searchDense({
          vector: Float32Array.of(1, 1, 1, 1),
          limit: 100,
          filter: { equals: { key, value: attribute } },
        });
        assert.deepEqual(found.matches.map((match) => match.chunkId).sort(), [...ids].sort());
        for (const query of [`${text()} word${round}`, `'word${round}'; word${round}`]) {
          const matches = (await store.searchKeyword({ text: query, limit: 100 })).matches.map(
            (match) => match.documentId,
          );
          assert.ok(matches.every((documentId) => documentId === id));
        }
        assert.equal((await store.stats()).chunks, 2);
      };
      await check(store);
      await store.close();
      checks.push(async () => {
        const again = await openPostgresStore({ location, analyser: suiteAnalyser, index });
        await check(again);
        assert.equal(await again.deleteDocuments([hostileText(random), "' OR true --", id]), 1);
        await again.close();
      });
    }
    // None has changed another's.
    for (const check of checks) await check();
    assert.deepEqual(await readCatalogue(), before);
    assert.equal((await bystander.searchKeyword({ text: 'kept', limit: 5 })).matches.length, 1);
    await bystander.close();
  });

  it('is found nowhere or refused where no database keeps it', async () => {
    const store = await openPostgresStore({ location: database.location(), analyser: suiteAnalyser });
    await store.writeManifest(suiteManifest(4));
    for (const text of ["\0'; DROP TABLE aquifer.documents; --", "\ud800'", "'\udc00"]) {
      assert.equal(await store.getDocument(text), undefined);
      assert.equal(await store.deleteDocuments([text]), 0);
      assert.deepEqual(await store.getChunks([text]), []);
      assert.deepEqual(await store.listDocuments({ after: text, sourceId: text }), []);
      assert.deepEqual(await store.getEmbeddings([text]), [undefined]);
      assert.equal(await store.readValue(text), undefined);
      assert.deepEqual((await store.searchKeyword({ text, limit: 5 })).matches, []);
      assert.deepEqual(await store.scoreDense(Float32Array.of(1, 0, 0, 0), [text]), [undefined]);
      const refusals = [
        () => store.replaceDocument(sketchDocument(text, [])),
        () => store.replaceDocument(sketchDocument('a', [{ text }])),
        () => store.updateDocument(text, { title: 'x' }),
        () => store.writeValue(text, 1),
        () => store.putEmbeddings([{ key: text, vector: Float32Array.of(1, 0, 0, 0) }]),
      ];
      for (const refusal of refusals) {
        await assert.rejects(refusal, (error) => isAquiferError(error) && error.code !== 'internal', String(refusal));
      }
      await store.writeValue('value', text);
      assert.equal(await store.readValue('value'), text);
    }
    await store.close();
  });
});
