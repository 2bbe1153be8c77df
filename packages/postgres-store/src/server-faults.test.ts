import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ErrorCode, isAquiferError, type Store } from '@aquifer/contracts';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import pg from 'pg';
import { migrate } from './migrations.js';
import { openPostgresStore } from './open-postgres-store.js';
import { noOwnServer, type OwnServer, startOwnServer } from './own-server.test-fixture.js';

const open = (location: string, mode: 'read' | 'write' = 'write'): Promise<Store> =>
  openPostgresStore({ location, mode, analyser: suiteAnalyser });

const rejectsWith = (work: Promise<unknown>, code: ErrorCode, message: RegExp) =>
  assert.rejects(work, (error) => {
    assert.ok(isAquiferError(error, code), `${code} expected, not ${error}`);
    assert.match(error.message, message);
    return true;
  });

/** A knowledge base with a manifest, closed after the work. */
async function withStore(location: string, work: (store: Store) => Promise<void>): Promise<void> {
  const store = await open(location);
  try {
    await store.writeManifest(suiteManifest(4));
    await work(store);
  } finally {
    await store.close();
  }
}

/** Fails where the work has not ended by itself. */
const isPending = async (work: Promise<unknown>): Promise<boolean> => {
  const late = Symbol('late');
  const pause = new Promise((resolve) => setTimeout(() => resolve(late), 400));
  return (await Promise.race([work.catch(() => {}), pause])) === late;
};

describe('a shared index on a server in trouble', { skip: noOwnServer }, () => {
  let server: OwnServer;
  before(async () => {
    server = await startOwnServer(['max_connections = 12', 'superuser_reserved_connections = 3']);
    await (await open(server.location())).close();
  });
  after(() => server?.remove());

  it('waits for a connection where all are taken, and says so where none becomes free', async () => {
    const clients = Array.from({ length: 9 }, () => new pg.Client({ connectionString: server.location() }));
    for (const client of clients) await client.connect();
    const opened = open(server.location({ name: 'full' }));
    assert.ok(await isPending(opened));
    await clients.pop()?.end();
    await (await opened).close();
    await server.run('ALTER ROLE aquifer CONNECTION LIMIT 8');
    await rejectsWith(open(server.location()), 'index-unavailable', /too many connections for role.*max=/s);
    await server.run('ALTER ROLE aquifer CONNECTION LIMIT -1');
    await Promise.all(clients.map((client) => client.end()));
  });

  it('shares few connections among many callers, and says where they are all kept busy', async () => {
    await withStore(server.location({ name: 'pool', max: '2' }), async (store) => {
      const writes = Array.from({ length: 40 }, (_, n) =>
        store.replaceDocument(sketchDocument(`d${n}`, [{ text: 'word' }])),
      );
      await Promise.all(writes);
      assert.equal((await store.searchKeyword({ text: 'word', limit: 100 })).matches.length, 40);
      await server.administer(async (client) => {
        await client.query('BEGIN; LOCK TABLE aquifer.documents');
        const waiting = [0, 1].map(() => store.listDocuments());
        await rejectsWith(store.listDocuments(), 'index-unavailable', /All 2 connections of this process.*busy.*max=/s);
        await client.query('ROLLBACK');
        await Promise.all(waiting);
      });
    });
  });

  it('waits for a lock, tries again after lock_timeout, and says who is in the way where it stays', async () => {
    await withStore(server.location({ name: 'locks', lock_timeout: '200' }), async (store) => {
      await store.replaceDocument(sketchDocument('a', [{ id: 'before', text: 'old' }]));
      await server.administer(async (client) => {
        for (const [n, lock] of [
          'LOCK TABLE aquifer.documents',
          'SELECT FROM aquifer.documents FOR UPDATE',
        ].entries()) {
          await client.query(`BEGIN; ${lock}`);
          const written = store.replaceDocument(sketchDocument('a', [{ id: `after ${n}`, text: 'new' }]));
          // Twice as long as lock_timeout.
          assert.ok(await isPending(written));
          await client.query('ROLLBACK');
          await written;
        }
        await client.query('BEGIN; LOCK TABLE aquifer.documents');
        const started = performance.now();
        await rejectsWith(store.listDocuments(), 'index-locked', /lock timeout.*Another transaction holds a lock/s);
        assert.ok(performance.now() - started > 10_000, 'it was patient');
        await client.query('ROLLBACK');
      });
      assert.equal((await store.searchKeyword({ text: 'new', limit: 5 })).matches.length, 1);
      assert.equal((await store.searchKeyword({ text: 'old', limit: 5 })).matches.length, 0);
    });
  });

  it('gives up a statement after statement_timeout', async () => {
    await withStore(server.location({ name: 'slow', statement_timeout: '300' }), async (store) => {
      await server.administer(async (client) => {
        await client.query('BEGIN; LOCK TABLE aquifer.documents');
        await rejectsWith(store.listDocuments(), 'index-unavailable', /statement timeout.*statement_timeout/s);
        await client.query('ROLLBACK');
      });
      assert.deepEqual(await store.listDocuments(), []);
    });
  });

  it('goes on after the server ended a transaction that waited for it', async () => {
    await server.run('ALTER ROLE aquifer SET idle_session_timeout = 100');
    await withStore(server.location({ name: 'idle' }), async (store) => {
      for (let round = 0; round < 3; round++) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        await store.replaceDocument(sketchDocument('a', [{ text: `round${round}` }]));
      }
      assert.equal((await store.stats()).chunks, 1);
    });
    await server.run('ALTER ROLE aquifer RESET idle_session_timeout');
  });

  it('is only read where transactions are read-only, and on a replica', async () => {
    const location = server.location({ name: 'read-only' });
    await withStore(location, (store) => store.replaceDocument(sketchDocument('a', [{ text: 'kept' }])));
    const reads = async () => {
      const store = await open(location);
      assert.equal((await store.searchKeyword({ text: 'kept', limit: 5 })).matches.length, 1);
      await rejectsWith(store.deleteDocuments(['a']), 'index-read-only', /read-only.*primary/s);
      await rejectsWith(store.replaceDocument(sketchDocument('b', [])), 'index-read-only', /primary/);
      await store.close();
    };
    await server.run('ALTER ROLE aquifer SET default_transaction_read_only = on');
    await reads();
    await server.run('ALTER ROLE aquifer RESET default_transaction_read_only');
    await server.halt('fast');
    await writeFile(join(server.data, 'standby.signal'), '');
    await server.start();
    await reads();
    await server.run('SELECT pg_promote()');
    await withStore(location, async (store) => assert.equal(await store.deleteDocuments(['a']), 1));
  });

  it('says what is wrong with a password, a role, a database', async () => {
    await server.run("CREATE ROLE keeper LOGIN PASSWORD 'right'");
    const rules = join(server.data, 'pg_hba.conf');
    const before = await readFile(rules, 'utf8');
    await writeFile(rules, `host all keeper 127.0.0.1/32 scram-sha-256\n${before}`);
    await server.run('SELECT pg_reload_conf()');
    const as = (user: string, database = 'aquifer') => `postgres://${user}@127.0.0.1:${server.port}/${database}`;
    for (const [location, code, message] of [
      [as('keeper:wrong'), 'credentials-refused', /password authentication failed.*PGPASSWORD/s],
      [as('keeper'), 'credentials-refused', /password.*PGPASSWORD/s],
      [as('nobody'), 'credentials-refused', /role "nobody" does not exist/],
      [as('aquifer', 'missing'), 'index-not-found', /database "missing" does not exist.*CREATE DATABASE/s],
      [as('keeper:right'), 'index-read-only', /permission denied for schema aquifer.*owner/s],
    ] as const) {
      await rejectsWith(open(location), code, message);
      await assert.rejects(open(location), (error: Error) => !/wrong|right/.test(error.message));
    }
  });

  it('serves a role that has the rights that docs/tenants.md gives it', async () => {
    const page = await readFile(new URL('../../../docs/tenants.md', import.meta.url), 'utf8');
    await server.run(/```sql\n(.*?)```/s.exec(page)?.[1] as string);
    const url = new URL(server.location({ name: 'fewer rights' }));
    url.username = 'aquifer_application';
    await withStore(url.href, async (store) => {
      await store.replaceDocument(sketchDocument('a', [{ text: 'word' }]));
      await store.optimise();
      assert.equal((await store.searchKeyword({ text: 'word', limit: 5 })).matches.length, 1);
      assert.equal(await store.deleteDocuments(['a']), 1);
    });
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    for (const sql of ['DROP TABLE aquifer.chunks', 'TRUNCATE aquifer.chunks', 'DELETE FROM aquifer.schema_versions']) {
      await assert.rejects(client.query(sql), /must be owner|permission denied/);
    }
    await assert.rejects(client.query('ALTER TABLE aquifer.chunks DISABLE ROW LEVEL SECURITY'), /must be owner/);
    await client.end();
  });

  it('says that pgvector is missing, and who can mend it', async () => {
    await server.run('CREATE DATABASE bare');
    const location = `postgres://aquifer@127.0.0.1:${server.port}/bare`;
    await rejectsWith(open(location), 'missing-dependency', /no pgvector.*administrator.*CREATE EXTENSION vector/s);
    await rejectsWith(open(location, 'read'), 'index-not-found', /no index/);
    const database = await PGlite.create();
    const socket = new PGLiteSocketServer({ db: database, port: 0 });
    await socket.start();
    const without = `postgres://postgres@${socket.getServerConn()}/postgres?max=1`;
    await rejectsWith(open(without), 'missing-dependency', /Install pgvector 0\.8 or newer on the server/);
    await socket.stop();
    await database.close();
  });

  it('makes its tables after migrations that were interrupted', async () => {
    await server.run('CREATE DATABASE halves OWNER aquifer');
    // The first three attempts lose their connection in the middle of the tables. Sequences are not rolled back.
    await server.run(
      `CREATE EXTENSION vector;
       CREATE SEQUENCE attempts; GRANT USAGE ON SEQUENCE attempts TO aquifer;
       CREATE FUNCTION interrupt() RETURNS event_trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF to_regclass('aquifer.contents') IS NOT NULL AND to_regclass('aquifer.postings') IS NULL AND nextval('public.attempts') <= 3 THEN
           PERFORM pg_terminate_backend(pg_backend_pid());
         END IF;
       END $$;
       CREATE EVENT TRIGGER interrupt ON ddl_command_end EXECUTE FUNCTION interrupt();`,
      'halves',
    );
    const location = `postgres://aquifer@127.0.0.1:${server.port}/halves`;
    // A starter that does not come back.
    const client = new pg.Client({ connectionString: location });
    client.on('error', () => {});
    await client.connect();
    await client.query('BEGIN');
    const once = migrate(
      async (sql, parameters) => (await client.query(sql, parameters as unknown[])).rows,
      'write',
      'db',
    );
    await assert.rejects(once, /terminat/);
    const left = await server.administer(
      (administrator) => administrator.query("SELECT nspname FROM pg_namespace WHERE nspname = 'aquifer'"),
      'halves',
    );
    assert.deepEqual(left.rows, [], 'nothing is left of it');
    // The next ones, who are many, and lose two more.
    const stores = await Promise.all([0, 1, 2].map((n) => open(`${location}?name=${n}`)));
    for (const store of stores) {
      await store.writeManifest(suiteManifest(4));
      await store.replaceDocument(sketchDocument('a', [{ text: 'word' }]));
      await store.close();
    }
    await server.administer(async (administrator) => {
      const attempts = await administrator.query('SELECT last_value::int AS count FROM attempts');
      assert.ok(attempts.rows[0].count > 3, 'it was interrupted');
      const versions = await administrator.query(
        'SELECT count(*) = max(version) AS complete FROM aquifer.schema_versions',
      );
      assert.equal(versions.rows[0].complete, true);
    }, 'halves');
  });
});
