import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isAquiferError, type Store } from '@aquifer/contracts';
import {
  createSeededRandom,
  generateFilter,
  generateMetadata,
  sketchDocument,
  suiteAnalyser,
  suiteManifest,
} from '@aquifer/contracts/testing';
import pg from 'pg';
import { openPostgresStore } from './open-postgres-store.js';
import { noOwnServer, type OwnServer, startOwnServer } from './own-server.test-fixture.js';
import { nextName } from './postgres-location.js';
import { beginPostgresReEmbedding } from './re-embedding.js';
import { examineTenantProtection } from './tenant-protection.js';

const page = readFileSync(new URL('../../../docs/scaling-out.md', import.meta.url), 'utf8');

/** The statements of docs/scaling-out.md whose first line says this. */
function statements(comment: string): string {
  const block = [...page.matchAll(/^ *```sql\n(.*?)^ *```/gms)].find(([, sql]) => sql?.includes(`-- ${comment}`));
  assert.ok(block?.[1], `the page has no statements for "${comment}"`);
  return block[1];
}

const knowledgeBases = ['acme', 'globex', 'initech', "it's"].flatMap((tenant) =>
  ['handbook', 'manuals'].map((name) => ({ tenant, name })),
);
const words = ['leave', 'japan', 'parental', 'expense', 'travel', 'vpn', 'office', 'two'];

describe('tables spread over two servers by hash partitions', { skip: noOwnServer }, () => {
  const servers: OwnServer[] = [];
  const at = (server: number, database: string, parameters: Readonly<Record<string, string>> = {}): string => {
    const url = new URL(servers[server]?.location(parameters) as string);
    url.pathname = `/${database}`;
    return url.href;
  };
  const open = (location: string, index: 'auto' | 'hnsw' = 'auto') =>
    openPostgresStore({ location, index, analyser: suiteAnalyser });
  /** The same knowledge base behind the coordinator, and on one server. */
  const bothOf = async (parameters: {
    readonly tenant: string;
    readonly name: string;
  }): Promise<readonly [Store, Store]> => [
    await open(at(0, 'aquifer', parameters)),
    await open(at(1, 'single', parameters)),
  ];
  /** The partition that has this knowledge base, as the page says. */
  const partitionOf = async ({ tenant, name }: { readonly tenant: string; readonly name: string }): Promise<number> => {
    const sql = statements('On the coordinator: the number of')
      .replace("'acme'", pg.escapeLiteral(tenant))
      .replace("'handbook'", pg.escapeLiteral(name));
    return servers[0]?.administer(async (client) => (await client.query(sql)).rows[0].number) as Promise<number>;
  };

  before(async () => {
    servers.push(...(await Promise.all([startOwnServer(), startOwnServer()])));
    for (const [index, server] of servers.entries()) {
      const rules = join(server.data, 'pg_hba.conf');
      await writeFile(
        rules,
        `host all aquifer_coordinator 127.0.0.1/32 scram-sha-256\n${await readFile(rules, 'utf8')}`,
      );
      await server.run('SELECT pg_reload_conf()');
      const own = statements('On the servers of the partitions')
        .replaceAll('aquifer_0', `aquifer_${index}`)
        .replaceAll('aquifer_2', `aquifer_${index + 2}`);
      // CREATE DATABASE stands alone.
      for (const statement of own.split(/;\n/)) await server.run(statement, 'postgres');
      for (const database of [`aquifer_${index}`, `aquifer_${index + 2}`]) {
        await server.run('CREATE EXTENSION vector', database);
        await (await open(at(index, database))).close();
        await server.run(statements('In each partition'), database);
      }
    }
    await servers[1]?.run('CREATE DATABASE single OWNER aquifer', 'postgres');
    await servers[1]?.run('CREATE EXTENSION vector', 'single');
    await (await open(at(0, 'aquifer'))).close();
    const coordinator = statements('On the coordinator, as an administrator').replaceAll(
      /host 'db-(\d)\.internal', port '5432'/g,
      (_, n) => `host '127.0.0.1', port '${servers[n - 1]?.port}'`,
    );
    await servers[0]?.run(coordinator);
  });
  after(() => Promise.all(servers.map((server) => server.remove())));

  it('keep the same documents and give the same results as one server', async () => {
    const random = createSeededRandom(11);
    for (const parameters of knowledgeBases) {
      const both = await bothOf(parameters);
      for (const store of both) await store.writeManifest(suiteManifest(4));
      for (let n = 0; n < 10; n++) {
        const chunks = Array.from({ length: 3 }, (_, chunk) => ({
          id: `${n}.${chunk}`,
          text: Array.from({ length: 8 }, () => random.pick(words)).join(' '),
          context: random.pick(words),
          vector: Array.from({ length: 4 }, () => random.gaussian()),
        }));
        const document = sketchDocument(`d${n}`, chunks, { metadata: generateMetadata(random) });
        for (const store of both) await store.replaceDocument(document);
      }
      for (const store of both) {
        // What changes rows, moves none, and meets those that are there.
        await store.replaceDocument(
          sketchDocument('d1', [
            { id: '1.0', text: 'leave leave', key: 'key of 1.0' },
            { id: '1.9', text: 'two new' },
          ]),
        );
        await store.updateDocument('d2', { title: 'changed', metadata: { country: 'JP' } });
        assert.equal(await store.deleteDocuments(['d3', 'd4', 'unknown']), 2);
        await assert.rejects(store.replaceDocument(sketchDocument('other', [{ id: '5.0', text: 'taken' }])), (error) =>
          isAquiferError(error, 'invalid-document'),
        );
        for (const value of [1, 2]) await store.writeValue('run', value);
        await store.putEmbeddings([{ key: 'spare', vector: Float32Array.of(1, 2, 3, 4) }]);
        await store.optimise();
      }
      const [spread, single] = await Promise.all(both.map((store) => answersOf(store)));
      assert.deepEqual(spread, single, JSON.stringify(parameters));
      for (const store of both) await store.close();
    }
  });

  /** Everything that can be asked. */
  async function answersOf(store: Store): Promise<unknown> {
    const random = createSeededRandom(5);
    const documents = await store.listDocuments();
    const ids = Array.from({ length: 10 }, (_, n) => [`${n}.0`, `${n}.1`, `${n}.9`]).flat();
    const searches: unknown[] = [];
    for (let n = 0; n < 12; n++) {
      const scope = n < 2 ? {} : n === 2 ? { documentIds: ['d0', 'd1'] } : { filter: generateFilter(random) };
      const text = `${random.pick(words)} ${random.pick(words)} ${random.pick(words)}`;
      const vector = Float32Array.from({ length: 4 }, () => random.gaussian());
      searches.push(
        await store.searchKeyword({ text, limit: 1 + random.below(20), ...scope }),
        await store.searchDense({ vector, limit: 1 + random.below(20), ...scope }),
        await store.scoreDense(vector, ids),
      );
    }
    const { bytes, index, ...stats } = await store.stats();
    return JSON.parse(
      JSON.stringify({
        searches,
        documents,
        stats,
        manifest: await store.readManifest(),
        content: await store.getContent('d1'),
        chunks: [await store.getChunks(ids), await store.listChunks('d5')],
        embeddings: await store.getEmbeddings(['spare', 'key of 0.0', 'none']),
        value: await store.readValue('run'),
      }),
    );
  }

  it('have each knowledge base in one partition, of several', async () => {
    const used = new Set<number>();
    for (const { tenant, name } of knowledgeBases) {
      const partition = await partitionOf({ tenant, name });
      used.add(partition);
      for (let other = 0; other < 4; other++) {
        const counts = await servers[other % 2]?.administer(
          (client) =>
            client.query(
              `SELECT (SELECT count(*)::int FROM aquifer.documents WHERE tenant = $1 AND knowledge_base = $2) AS documents,
                 (SELECT count(*)::int FROM aquifer.chunks WHERE tenant = $1 AND knowledge_base = $2) AS chunks`,
              [tenant, name],
            ),
          `aquifer_${other}`,
        );
        assert.deepEqual(
          counts?.rows[0],
          other === partition ? { documents: 8, chunks: 23 } : { documents: 0, chunks: 0 },
        );
      }
    }
    assert.ok(used.has(0) || used.has(2), 'rows on the first server');
    assert.ok(used.has(1) || used.has(3), 'rows on the second server');
  });

  it('show what is written to a partition itself, which may have a graph', async () => {
    const parameters = { tenant: 'acme', name: 'written directly' };
    const partition = await partitionOf(parameters);
    const [behind, single] = await bothOf(parameters);
    const direct = await open(at(partition % 2, `aquifer_${partition}`, parameters), 'hnsw');
    const random = createSeededRandom(8);
    for (const store of [direct, single]) await store.writeManifest(suiteManifest(4));
    for (let n = 0; n < 20; n++) {
      const document = sketchDocument(`d${n}`, [
        { id: `${n}`, text: random.pick(words), vector: Array.from({ length: 4 }, () => random.gaussian()) },
      ]);
      for (const store of [direct, single]) await store.replaceDocument(document);
    }
    await direct.optimise();
    const search = { vector: Float32Array.of(1, 2, 3, 4), limit: 5 };
    const [found, expected, ofGraph] = await Promise.all(
      [behind, single, direct].map((store) => store.searchDense(search)),
    );
    assert.deepEqual(found, expected);
    assert.equal(ofGraph?.method, 'approximate');
    assert.deepEqual(await behind.listDocuments(), await single.listDocuments());
    for (const store of [behind, single, direct]) await store.close();
  });

  it('keep tenants apart, and let the application into no partition by another way', async () => {
    assert.equal(await examineTenantProtection(at(0, 'aquifer')), undefined);
    const client = new pg.Client({ connectionString: servers[0]?.location() });
    await client.connect();
    const count = async (table: string) =>
      (await client.query(`SELECT count(*)::int AS count FROM aquifer.${table}`)).rows[0].count;
    await client.query('BEGIN');
    assert.equal(await count('documents'), 0);
    await client.query("SET LOCAL aquifer.tenant = 'globex'");
    assert.equal(await count('documents'), 16);
    assert.equal(await count("documents WHERE tenant = 'acme'"), 0);
    assert.equal((await client.query("DELETE FROM aquifer.documents WHERE tenant = 'acme'")).rowCount, 0);
    for (const [sql, message] of [
      ["INSERT INTO aquifer.stored_values VALUES ('acme', 'handbook', 'key', '1')", /row-level security/],
      ["UPDATE aquifer.stored_values SET tenant = 'acme'", /row-level security/],
      ['SELECT FROM aquifer.documents_0', /permission denied/],
      [
        "CREATE FOREIGN TABLE mine (tenant text) SERVER partition_0 OPTIONS (schema_name 'aquifer', table_name 'documents')",
        /permission denied/,
      ],
    ] as const) {
      await client.query('SAVEPOINT before');
      await assert.rejects(client.query(sql), message, sql);
      await client.query('ROLLBACK TO before');
    }
    await client.end();
  });

  it('go on after a server of partitions restarted', async () => {
    const stores = await Promise.all(knowledgeBases.map((parameters) => open(at(0, 'aquifer', parameters))));
    const find = () => Promise.all(stores.map((store) => store.searchKeyword({ text: 'leave', limit: 10 })));
    const before = await find();
    await servers[1]?.restart('immediate');
    assert.deepEqual(await find(), before);
    const written = Promise.all(
      stores.map((store) => store.replaceDocument(sketchDocument('d0', [{ text: 'after' }]))),
    );
    await servers[1]?.restart('fast');
    await written;
    for (const store of stores) {
      assert.equal((await store.searchKeyword({ text: 'after', limit: 10 })).matches.length, 1);
      await store.close();
    }
  });

  it('give a knowledge base another embedder, wherever what is built for it lies', async () => {
    const manifest = suiteManifest(4);
    const nextManifest = { ...manifest, embedder: { ...manifest.embedder, model: 'others', dimensions: 3 } };
    const partitions = new Set<number>();
    for (const parameters of knowledgeBases.map(({ tenant, name }) => ({ tenant, name: `${name} again` }))) {
      partitions.add(await partitionOf({ ...parameters, name: nextName(parameters.name) }));
      const location = at(0, 'aquifer', parameters);
      const old = await open(location);
      await old.writeManifest(manifest);
      for (const id of ['a', 'b']) await old.replaceDocument(sketchDocument(id, [{ text: `of ${id}` }]));
      const { next, exchange, close } = await beginPostgresReEmbedding({
        location,
        analyser: suiteAnalyser,
        manifest,
        nextManifest,
      });
      await exchange(async () => {
        for (const id of ['a', 'b']) {
          await next.replaceDocument(sketchDocument(id, [{ text: `of ${id}`, key: id, vector: [1, 2, 3] }]));
        }
      });
      await close();
      await assert.rejects(old.searchDense({ vector: Float32Array.of(1, 2, 3, 4), limit: 1 }), (error) =>
        isAquiferError(error, 'embedder-mismatch'),
      );
      await old.close();
      const now = await open(location);
      assert.deepEqual(await now.readManifest(), nextManifest);
      assert.equal((await now.searchDense({ vector: Float32Array.of(1, 2, 3), limit: 9 })).matches.length, 2);
      assert.equal((await now.searchKeyword({ text: 'of', limit: 9 })).matches.length, 2);
      await now.replaceDocument(sketchDocument('a', [{ text: 'changed', key: 'c', vector: [3, 2, 1] }]));
      assert.deepEqual([(await now.stats()).chunks, (await now.stats()).cachedEmbeddings], [2, 3]);
      await now.close();
      const direct = await open(
        at((await partitionOf(parameters)) % 2, `aquifer_${await partitionOf(parameters)}`, parameters),
      );
      assert.equal((await direct.searchKeyword({ text: 'changed', limit: 9 })).matches.length, 1);
      await direct.close();
    }
    assert.ok(partitions.size > 1, 'what is built lies in several partitions');
  });
});
