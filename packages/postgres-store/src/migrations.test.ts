import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import type { Store } from '@aquifer/contracts';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import pg from 'pg';
import { openPostgresStore } from './open-postgres-store.js';
import { noOwnServer, type OwnServer, startOwnServer } from './own-server.test-fixture.js';

const folder = new URL('../sql/', import.meta.url);
const files = (await readdir(folder)).sort();

const chunksOf = {
  a: [
    { text: 'leave in japan leave', context: 'handbook', vector: [1, 2, 3, 4] },
    { text: 'leave in france', tableHeader: 'country days', vector: [4, 3, 2, 1] },
  ],
  'a inside': [{ text: 'an appendix of japan', vector: [0, 0, 0, 2] }],
};
const documents = [
  sketchDocument('a', chunksOf.a, { metadata: { country: 'JP', level: 3, tags: ['x', 'y'] } }),
  sketchDocument('a inside', chunksOf['a inside'], { parentId: 'a' }),
];
/** As every version until now has kept them: term, frequency, and positions, which are below −1 in context and table header. */
const postings: readonly (readonly [
  chunk: number,
  length: number,
  ...(readonly [string, number, readonly number[]])[],
])[] = [
  [1, 7, ['handbook', 3, [-2]], ['leave', 2, [0, 3]], ['in', 1, [1]], ['japan', 1, [2]]],
  [2, 9, ['country', 3, [-3]], ['days', 3, [-2]], ['leave', 1, [0]], ['in', 1, [1]], ['france', 1, [2]]],
  [3, 4, ['an', 1, [0]], ['appendix', 1, [1]], ['of', 1, [2]], ['japan', 1, [3]]],
];
const cached = { key: 'without a chunk', vector: Float32Array.of(1, 0, 0, 1) };

/** Tables of a version with the rows that it would have written, by statements alone: today's code has no part in them. */
async function makeVersion(location: string, version: number): Promise<void> {
  const client = new pg.Client({ connectionString: location });
  await client.connect();
  const own = ['acme', 'handbook'];
  const insert = async (table: string, columns: string, ...values: unknown[]) => {
    const row = [...own, ...values];
    await client.query(
      `INSERT INTO aquifer.${table} (tenant, knowledge_base, ${columns}) VALUES (${row.map((_, index) => `$${index + 1}`)})`,
      row,
    );
  };
  try {
    await client.query("BEGIN; CREATE SCHEMA aquifer; SET LOCAL aquifer.tenant = 'acme'");
    await client.query(
      'CREATE TABLE aquifer.schema_versions (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    for (const file of files.slice(0, version)) {
      await client.query(await readFile(new URL(file, folder), 'utf8'));
      await client.query('INSERT INTO aquifer.schema_versions (version) VALUES ($1)', [Number(file.slice(0, 4))]);
    }
    const manifest = JSON.stringify(suiteManifest(4));
    await insert('knowledge_bases', 'manifest, dimensions, chunks, terms, tokens', manifest, 4, 3, 20, 21);
    await insert('stored_values', 'key, value', 'last-run', '{"new":2}');
    let number = 0;
    for (const { document, text, pages, blocks, chunks } of documents) {
      const { id, sourceId, status, parentId = null, metadata } = document;
      const kept = [id, sourceId, status, parentId, JSON.stringify(document), JSON.stringify(metadata)];
      await insert('documents', 'id, source_id, status, parent_id, record, attributes', ...kept);
      const content = [id, text, JSON.stringify(pages), JSON.stringify(blocks)];
      await insert('contents', 'document_id, text, pages, blocks', ...content);
      for (const chunk of chunks) {
        number += 1;
        await insert('embeddings', 'key, vector', chunk.embeddingKey, `[${chunk.vector}]`);
        await insert(
          'chunks',
          'number, id, document_id, embedding_key, ordinal, start_offset, end_offset, headings, text, context, table_header, tokens, terms',
          number,
          chunk.id,
          id,
          chunk.embeddingKey,
          chunk.ordinal,
          chunk.start,
          chunk.end,
          JSON.stringify(chunk.headings),
          chunk.text,
          chunk.context,
          chunk.tableHeader,
          chunk.tokens,
          postings[number - 1]?.[1],
        );
      }
    }
    await client.query("SELECT setval(pg_get_serial_sequence('aquifer.chunks', 'number'), 3)");
    for (const [chunk, length, ...terms] of postings) {
      for (const [term, frequency, positions] of terms) {
        await insert(
          'postings',
          'term, chunk, frequency, chunk_terms, positions',
          term,
          chunk,
          frequency,
          length,
          positions,
        );
      }
    }
    await insert('embeddings', 'key, vector', cached.key, `[${cached.vector}]`);
    if (version >= 2) {
      await insert('ingestion_jobs', 'document_id, runs, work, attempts', 'a', ['run'], '{"handed":{}}', 2);
      await client.query("INSERT INTO aquifer.workers VALUES ('worker-1', 'host', 7, 4, now(), now())");
    }
    if (version >= 4) await client.query("INSERT INTO aquifer.quotas VALUES ('key', now())");
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

/** All that can be asked of a knowledge base, but how many bytes and commits it has. */
async function everythingOf(store: Store): Promise<unknown> {
  const ids = documents.map(({ document }) => document.id);
  const keys = documents.flatMap(({ chunks }) => chunks.map(({ embeddingKey }) => embeddingKey));
  const { bytes: _, generation: __, ...stats } = await store.stats();
  const filter = { equals: { key: 'country', value: 'JP' } };
  const questions = ['leave', 'japan leave', 'country', 'leave in', 'nothing'];
  return {
    manifest: await store.readManifest(),
    lastRun: await store.readValue('last-run'),
    documents: await store.listDocuments(),
    inside: await store.listDocuments({ parentId: 'a' }),
    contents: await Promise.all(ids.map((id) => store.getContent(id))),
    chunks: await Promise.all(ids.map((id) => store.listChunks(id))),
    vectors: await store.getEmbeddings([...keys, cached.key, 'none']),
    keys: await store.listEmbeddingKeys(),
    words: await Promise.all(questions.map((text) => store.searchKeyword({ text, limit: 5 }))),
    near: await store.searchDense({ vector: Float32Array.of(1, 2, 3, 4), limit: 5 }),
    filtered: await store.searchDense({ vector: Float32Array.of(1, 2, 3, 4), limit: 5, filter }),
    stats,
  };
}

describe('the schema of a shared index', { skip: noOwnServer }, () => {
  let server: OwnServer;
  let expected: unknown;
  const open = (database: string) =>
    openPostgresStore({
      location: `postgres://aquifer@127.0.0.1:${server.port}/${database}?tenant=acme&name=handbook`,
      analyser: suiteAnalyser,
    });
  before(async () => {
    server = await startOwnServer();
    const store = await open('aquifer');
    await store.writeManifest(suiteManifest(4));
    for (const document of documents) await store.replaceDocument(document);
    await store.putEmbeddings([cached]);
    await store.writeValue('last-run', { new: 2 });
    expected = await everythingOf(store);
    await store.close();
  });
  after(() => server?.remove());

  it('is numbered from 1 without gaps', () => {
    assert.deepEqual(
      files.map((file) => Number(/^(\d{4})-[a-z-]+\.sql$/.exec(file)?.[1])),
      files.map((_, index) => index + 1),
    );
  });

  for (let version = 1; version <= files.length; version += 1) {
    it(`goes up from version ${version} with all that is in it, whoever starts first`, async () => {
      const database = `version_${version}`;
      await server.run(`CREATE DATABASE ${database} OWNER aquifer`);
      await server.run('CREATE EXTENSION vector', database);
      await makeVersion(`postgres://aquifer@127.0.0.1:${server.port}/${database}`, version);
      if (version < files.length) {
        const location = `postgres://aquifer@127.0.0.1:${server.port}/${database}`;
        await assert.rejects(
          openPostgresStore({ location, mode: 'read', analyser: suiteAnalyser }),
          new RegExp(`has schema ${version}, which this version of Aquifer reads after bringing it to ${files.length}`),
        );
      }
      const stores = await Promise.all(Array.from({ length: 6 }, () => open(database)));
      try {
        for (const store of stores.slice(0, 2)) assert.deepEqual(await everythingOf(store), expected);
        // What is written from now on stands beside it.
        const [first, second] = stores as unknown as [Store, Store];
        await first.replaceDocument(sketchDocument('b', [{ text: 'leave in spain' }]));
        const found = await second.searchKeyword({ text: 'leave', limit: 5 });
        assert.deepEqual(found.matches.map(({ documentId }) => documentId).sort(), ['a', 'a', 'b']);
        assert.equal(await second.deleteDocuments(['a', 'b']), 3);
        assert.equal((await first.stats()).chunks, 0);
      } finally {
        await Promise.all(stores.map((store) => store.close()));
      }
      await server.administer(async (client) => {
        const rowsOf = async (sql: string) => (await client.query(sql)).rows;
        assert.deepEqual(
          await rowsOf('SELECT version FROM aquifer.schema_versions ORDER BY version'),
          files.map((_, index) => ({ version: index + 1 })),
        );
        assert.deepEqual(await rowsOf('SELECT chunks::int, terms::int, tokens::int FROM aquifer.knowledge_bases'), [
          { chunks: 0, terms: 0, tokens: 0 },
        ]);
        // Left to nobody: its document is deleted.
        assert.deepEqual(await rowsOf('SELECT document_id FROM aquifer.ingestion_jobs'), []);
        // What every database has that was made by the newest version alone.
        const shape = `SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
          WHERE table_schema = 'aquifer' ORDER BY table_name, ordinal_position`;
        const keys = `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'aquifer' ORDER BY indexname`;
        const made = await server.administer(async (other) => [
          (await other.query(shape)).rows,
          (await other.query(keys)).rows,
        ]);
        assert.deepEqual([await rowsOf(shape), await rowsOf(keys)], made);
      }, database);
    });
  }
});
