import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type ErrorCode, isAquiferError, type Store } from '@aquifer/contracts';
import {
  createClusteredVectors,
  createSeededRandom,
  sketchDocument,
  suiteAnalyser,
  suiteManifest,
} from '@aquifer/contracts/testing';
import pg from 'pg';
import { migrate } from './migrations.js';
import { openPostgresStore } from './open-postgres-store.js';
import { startTestDatabase } from './postgres.test-fixture.js';
import { parsePostgresLocation } from './postgres-location.js';
import { createTransactions } from './transactions.js';

const database = await startTestDatabase();
after(() => database.stop());

const open = (location: string, mode: 'read' | 'write' = 'write', index: 'auto' | 'hnsw' = 'auto'): Promise<Store> =>
  openPostgresStore({ location, mode, index, analyser: suiteAnalyser });

const rejectsWith = (work: Promise<unknown>, code: ErrorCode, message: RegExp) =>
  assert.rejects(work, (error) => {
    assert.ok(isAquiferError(error, code), `${code} expected, not ${error}`);
    assert.match(error.message, message);
    return true;
  });

async function withClient<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const url = new URL(database.location());
  url.search = '';
  const client = new pg.Client({ connectionString: url.href });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function withStore(
  location: string,
  work: (store: Store) => Promise<void>,
  index: 'auto' | 'hnsw' = 'auto',
): Promise<void> {
  const store = await open(location, 'write', index);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

describe('a shared index', () => {
  it('is made once by many who open it at the same time', async () => {
    const location = database.location();
    const stores = await Promise.all(Array.from({ length: database.kind === 'server' ? 6 : 1 }, () => open(location)));
    await stores[0]?.writeManifest(suiteManifest(4));
    for (const store of stores) assert.deepEqual(await store.readManifest(), suiteManifest(4));
    await Promise.all(stores.map((store) => store.close()));
    const versions = await withClient((client) =>
      client.query('SELECT version FROM aquifer.schema_versions ORDER BY version'),
    );
    assert.deepEqual(
      versions.rows,
      versions.rows.map((_, index) => ({ version: index + 1 })),
    );
    assert.ok(versions.rows.length > 1);
  });

  it('of a newer version is refused, and left alone', async () => {
    await withStore(database.location(), async () => {});
    const transactions = createTransactions({ location: parsePostgresLocation(database.location()) });
    const undone = new Error('undone');
    // In a transaction that is undone, because other tests have the same schema.
    const work = transactions.write(async (query) => {
      await query('INSERT INTO aquifer.schema_versions (version) VALUES (9999)');
      for (const mode of ['write', 'read'] as const) {
        await rejectsWith(
          migrate(query, mode, 'postgres://db'),
          'index-too-new',
          /postgres:..db has schema 9999.*update Aquifer/,
        );
      }
      throw undone;
    });
    await assert.rejects(work, (error: Error) => error.cause === undone);
    await transactions.close();
  });

  it('keeps vectors as they are, and beside their rows while they fit in a page', async () => {
    const location = database.location();
    const dimensions = 1_024;
    // Of few numbers, so that it would compress well.
    const vector = Float32Array.from({ length: dimensions }, (_, index) => index % 2);
    await withStore(location, async (store) => {
      await store.writeManifest(suiteManifest(dimensions));
      await store.replaceDocument(sketchDocument('a', [{ text: 'one', vector }]));
      assert.deepEqual(await store.getEmbeddings(['key of a#0']), [vector]);
    });
    const name = new URL(location).searchParams.get('name');
    await withClient(async (client) => {
      // For a transaction: with PGlite, all clients are one session.
      await client.query("BEGIN; SET LOCAL aquifer.tenant = 'default'");
      const { rows: sizes } = await client.query(
        'SELECT pg_column_size(vector) AS bytes FROM aquifer.embeddings WHERE knowledge_base = $1',
        [name],
      );
      await client.query('COMMIT');
      assert.deepEqual(sizes, [{ bytes: 4 * dimensions + 8 }]);
      const { rows: tables } = await client.query(
        "SELECT reloptions FROM pg_class WHERE oid = 'aquifer.embeddings'::regclass",
      );
      assert.deepEqual(tables, [{ reloptions: ['toast_tuple_target=8160'] }]);
    });
  });

  it('keeps knowledge bases and tenants apart, also where they have the same ids', async () => {
    const first = database.location({ tenant: 'acme' });
    const name = new URL(first).searchParams.get('name') as string;
    const others = [database.location({ tenant: 'acme' }), database.location({ tenant: 'other', name })];
    await withStore(first, async (store) => {
      await store.writeManifest(suiteManifest(4));
      await store.replaceDocument(sketchDocument('a', [{ text: 'secret' }]));
    });
    for (const location of others) {
      await withStore(location, async (store) => {
        assert.equal(await store.readManifest(), undefined);
        await store.writeManifest(suiteManifest(4));
        assert.deepEqual(await store.getChunks(['a#0']), []);
        assert.equal(await store.getDocument('a'), undefined);
        assert.deepEqual(await store.getEmbeddings(['key of a#0']), [undefined]);
        assert.equal(await store.deleteDocuments(['a']), 0);
        await store.replaceDocument(sketchDocument('a', [{ text: 'public words' }]));
        assert.deepEqual((await store.searchKeyword({ text: 'secret', limit: 5 })).matches, []);
        assert.equal((await store.searchDense({ vector: Float32Array.of(1, 1, 1, 1), limit: 5 })).matches.length, 1);
        assert.equal(await store.deleteDocuments(['a']), 1);
      });
    }
    await withStore(first, async (store) => {
      assert.equal((await store.searchKeyword({ text: 'secret', limit: 5 })).matches.length, 1);
      assert.equal((await store.stats()).chunks, 1);
    });
  });

  it('shows and takes rows of the tenant that a transaction names, by the database itself', async () => {
    await withStore(database.location({ tenant: 'acme' }), async (store) => {
      await store.writeManifest(suiteManifest(4));
      await store.replaceDocument(sketchDocument('a', [{ text: 'secret words' }]));
      await store.writeValue('v', 1);
    });
    await withClient(async (client) => {
      await client.query('BEGIN');
      try {
        // The tables' owner is held to the policies too; a superuser (PGlite has no other) is not, and becomes one who is.
        const { rows } = await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
        if (rows[0].rolsuper) {
          await client.query('CREATE ROLE someone; GRANT USAGE ON SCHEMA aquifer TO someone');
          await client.query('GRANT ALL ON ALL TABLES IN SCHEMA aquifer TO someone; SET LOCAL ROLE someone');
        }
        const tables = [
          'knowledge_bases',
          'stored_values',
          'documents',
          'contents',
          'embeddings',
          'chunks',
          'postings',
        ];
        const counts = async (): Promise<number[]> => {
          const found: number[] = [];
          for (const table of tables) {
            const counted = await client.query(`SELECT count(*)::int AS count FROM aquifer.${table}`);
            found.push(counted.rows[0].count);
          }
          return found;
        };
        const none = tables.map(() => 0);
        assert.deepEqual(await counts(), none);
        await client.query("SELECT set_config('aquifer.tenant', 'nobody', true)");
        assert.deepEqual(await counts(), none);
        await client.query("SELECT set_config('aquifer.tenant', 'acme', true)");
        assert.ok((await counts()).every((count) => count > 0));
        await assert.rejects(
          client.query(`INSERT INTO aquifer.stored_values VALUES ('other', 'x', 'k', '1')`),
          /row-level security/,
        );
      } finally {
        await client.query('ROLLBACK');
      }
    });
  });

  it('searches a graph, and scans where a filter leaves few', async () => {
    const dimensions = 16;
    await withStore(
      database.location(),
      async (store) => {
        await store.writeManifest(suiteManifest(dimensions));
        const draw = createClusteredVectors(createSeededRandom(5), dimensions, 8);
        for (let document = 0; document < 10; document++) {
          const chunks = Array.from({ length: 50 }, (_, n) => ({ id: `${document}.${n}`, text: 'x', vector: draw() }));
          await store.replaceDocument(sketchDocument(`d${document}`, chunks, { metadata: { document } }));
        }
        assert.equal((await store.stats()).index.kind, 'exact');
        const search = { vector: draw(), limit: 10 };
        const exact = await store.searchDense(search);
        assert.equal(exact.method, 'exact');
        await store.optimise();
        assert.equal((await store.stats()).index.kind, 'hnsw');
        const found = await store.searchDense(search);
        assert.equal(found.method, 'approximate');
        assert.deepEqual(found.matches, exact.matches);
        const filtered = await store.searchDense({ ...search, filter: { equals: { key: 'document', value: 3 } } });
        assert.equal(filtered.method, 'exact');
        assert.equal(filtered.matches.length, 10);
        assert.equal((await store.searchDense({ ...search, exact: true })).method, 'exact');
      },
      'hnsw',
    );
  });

  it('finds the nearest behind vectors that no chunk has any more, and the first ids among equally near ones', async () => {
    await withStore(database.location(), async (store) => {
      await store.writeManifest(suiteManifest(4));
      const at = (prefix: string, count: number, vector: number[]) =>
        Array.from({ length: count }, (_, n) => ({
          id: `${prefix}${String(n).padStart(3, '0')}`,
          text: `${prefix} ${n}`,
          vector,
        }));
      await store.replaceDocument(sketchDocument('left', at('left', 200, [1, 0, 0, 0])));
      await store.deleteDocuments(['left']);
      await store.replaceDocument(sketchDocument('equal', at('equal', 150, [1, 1, 0, 0]).reverse()));
      await store.replaceDocument(sketchDocument('far', at('far', 3, [0, 1, 0, 0])));
      const search = async (limit: number) => {
        const { matches, method } = await store.searchDense({ vector: Float32Array.of(1, 0, 0, 0), limit });
        assert.equal(method, 'exact');
        return matches.map(({ chunkId }) => chunkId);
      };
      assert.deepEqual(await search(3), ['equal000', 'equal001', 'equal002']);
      const all = await search(200);
      assert.equal(all.length, 153);
      assert.deepEqual(all.slice(149), ['equal149', 'far000', 'far001', 'far002']);
    });
  });

  it('finds the same with a filter that leaves very many documents', async () => {
    const location = database.location();
    const knowledgeBase = new URL(location).searchParams.get('name');
    await withStore(
      location,
      async (store) => {
        await store.writeManifest(suiteManifest(4));
        const random = createSeededRandom(9);
        for (let document = 0; document < 30; document++) {
          const chunks = Array.from({ length: 5 }, (_, n) => ({
            id: `${document}.${n}`,
            text: `word two ${'more '.repeat(random.below(5))}`,
            vector: Array.from({ length: 4 }, () => random.gaussian()),
          }));
          await store.replaceDocument(sketchDocument(`d${document}`, chunks, { metadata: { kept: document % 3 > 0 } }));
        }
        // Documents without chunks, which every filter below leaves in.
        await withClient(async (client) => {
          await client.query('BEGIN');
          await client.query("SELECT set_config('aquifer.tenant', 'default', true)");
          await client.query(
            `INSERT INTO aquifer.documents SELECT 'default', $1, 'empty ' || n, 's', 'indexed', NULL, '{}', '{"kept": true}'
             FROM generate_series(1, 2500) AS n`,
            [knowledgeBase],
          );
          await client.query('COMMIT');
        });
        const many = { filter: { equals: { key: 'kept', value: true } } } as const;
        const few = {
          documentIds: Array.from({ length: 30 }, (_, n) => n)
            .filter((n) => n % 3 > 0)
            .map((n) => `d${n}`),
        };
        const vector = Float32Array.of(1, 2, 3, 4);
        const dense = await store.searchDense({ vector, limit: 40, ...many });
        assert.deepEqual(dense, await store.searchDense({ vector, limit: 40, ...few }));
        assert.equal((await store.searchDense({ vector, limit: 1_000, ...many })).matches.length, 100);
        const keyword = await store.searchKeyword({ text: 'two more', limit: 40, ...many });
        assert.equal(keyword.matches.length, 40);
        for (const limit of [1, 7, 40, 99, 1_000]) {
          assert.deepEqual(
            await store.searchKeyword({ text: 'two more', limit, ...many }),
            await store.searchKeyword({ text: 'two more', limit, ...few }),
          );
        }
        await store.optimise();
        const byGraph = await store.searchDense({ vector, limit: 40, ...many });
        assert.equal(byGraph.method, 'approximate');
        assert.deepEqual(byGraph.matches, dense.matches);
        assert.equal((await store.searchDense({ vector, limit: 101, ...many })).matches.length, 100);
      },
      'hnsw',
    );
  });

  it('keeps vectors of more dimensions than a graph of whole floats takes', async () => {
    const dimensions = 3_072;
    const unit = (at: number) => Float32Array.from({ length: dimensions }, (_, index) => (index === at ? 1 : 0.001));
    await withStore(
      database.location(),
      async (store) => {
        await store.writeManifest(suiteManifest(dimensions));
        const chunks = Array.from({ length: 30 }, (_, n) => ({ id: `c${n}`, text: 'x', vector: unit(n) }));
        await store.replaceDocument(sketchDocument('a', chunks));
        await store.optimise();
        const { matches, method } = await store.searchDense({ vector: unit(7), limit: 1 });
        assert.deepEqual([matches[0]?.chunkId, method], ['c7', 'approximate']);
        assert.ok(Math.abs((matches[0]?.score ?? 0) - 1) < 1e-6);
      },
      'hnsw',
    );
  });

  it('is not changed by who opened it for reading', async () => {
    const location = database.location();
    await withStore(location, (store) => store.writeManifest(suiteManifest(4)));
    const reader = await open(location, 'read');
    await rejectsWith(reader.replaceDocument(sketchDocument('a', [])), 'index-read-only', /for reading only/);
    assert.deepEqual(await reader.listDocuments(), []);
    await reader.close();
  });

  it('goes on after its connections were cut', { skip: database.kind === 'pglite' && 'needs a server' }, async () => {
    // Other tests have connections to the same server.
    const location = database.location({ application_name: 'cut' });
    await withStore(location, async (store) => {
      await store.writeManifest(suiteManifest(4));
      for (let round = 0; round < 5; round++) {
        const writes = Array.from({ length: 10 }, (_, n) =>
          store.replaceDocument(sketchDocument(`d${n}`, [{ id: `${n}.${round}`, text: `round${round}` }])),
        );
        await withClient((client) =>
          client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut'"),
        );
        await Promise.all(writes);
        assert.equal((await store.searchKeyword({ text: `round${round}`, limit: 20 })).matches.length, 10);
      }
    });
  });

  it('says where nothing answers, without the password', async () => {
    const location = 'postgres://aquifer:hunter2@127.0.0.1:1/aquifer';
    await assert.rejects(open(location), (error) => {
      assert.ok(isAquiferError(error, 'index-unavailable'), String(error));
      assert.match(error.message, /127\.0\.0\.1:1.*server running/);
      assert.ok(!error.message.includes('hunter2'));
      assert.equal(error.retryable, true);
      return true;
    });
  });
});
