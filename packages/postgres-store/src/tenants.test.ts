import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isAquiferError, type Store } from '@aquifer/contracts';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import pg from 'pg';
import { openPostgresStore } from './open-postgres-store.js';
import { startTestDatabase } from './postgres.test-fixture.js';
import { parsePostgresLocation } from './postgres-location.js';
import { describeMissingProtection, examineTenantProtection } from './tenant-protection.js';

const database = await startTestDatabase();
after(() => database.stop());

const open = (location: string, onWarning?: (message: string) => void) =>
  openPostgresStore({ location, analyser: suiteAnalyser, onWarning });

/** Whose rows the others are after. */
const victim = `victim ${process.pid}`;
const intruder = `intruder ${process.pid}`;
const knowledgeBase = 'handbook';
const at = (tenant: string, name = knowledgeBase) => database.location({ tenant, name });
const secret = 'confidential';
const theirs = {
  document: 'their document',
  attachment: 'their document!attachment',
  chunk: 'their document#0',
  key: 'key of their document#0',
  value: 'last run',
  vector: Float32Array.of(1, 1, 1, 1),
};

async function withClient<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const url = new URL(database.location());
  url.search = '';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A transaction of a role that is held to row-level security, undone afterwards. */
async function asTenant(tenant: string | undefined, work: (client: pg.Client) => Promise<void>): Promise<void> {
  await withClient(async (client) => {
    await client.query('BEGIN');
    try {
      const { rows } = await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
      // PGlite has no other role.
      if (rows[0].rolsuper) {
        await client.query('CREATE ROLE held; GRANT USAGE ON SCHEMA aquifer TO held');
        await client.query('GRANT ALL ON ALL TABLES IN SCHEMA aquifer TO held; SET LOCAL ROLE held');
      }
      if (tenant !== undefined) await client.query("SELECT set_config('aquifer.tenant', $1, true)", [tenant]);
      await work(client);
    } finally {
      await client.query('ROLLBACK');
    }
  });
}

/** What fails leaves the transaction usable. */
async function refused(client: pg.Client, sql: string, message: RegExp): Promise<void> {
  await client.query('SAVEPOINT before');
  await assert.rejects(client.query(sql), message, sql);
  await client.query('ROLLBACK TO before');
}

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

const tenantTables = (client: pg.Client): Promise<Table[]> =>
  client
    .query(
      `SELECT table_name AS name, array_agg(column_name::text ORDER BY ordinal_position) AS columns FROM information_schema.columns
       JOIN information_schema.tables USING (table_schema, table_name)
       WHERE table_schema = 'aquifer' AND table_type = 'BASE TABLE' GROUP BY table_name ORDER BY table_name`,
    )
    .then(({ rows }) => rows.filter(({ columns }) => columns.includes('tenant')));

/** Every row of the victim. */
async function victimRows(): Promise<string> {
  const found: unknown[] = [];
  await asTenant(victim, async (client) => {
    for (const { name } of await tenantTables(client)) {
      const { rows } = await client.query(
        `SELECT to_jsonb(each)::text AS row FROM aquifer.${name} AS each WHERE tenant = $1 ORDER BY 1`,
        [victim],
      );
      found.push([name, rows.map(({ row }) => row)]);
    }
  });
  return JSON.stringify(found, null, 1);
}

async function fill(location: string, word: string): Promise<void> {
  const store = await open(location);
  await store.writeManifest(suiteManifest(4));
  const chunks = [
    { text: `${word} merger of two companies`, vector: [1, 1, 1, 1] },
    { text: `${word} price of shares`, vector: [1, 2, 1, 1] },
  ];
  const { document, attachment, value } = theirs;
  await store.replaceDocument(sketchDocument(document, chunks, { title: word, metadata: { [word]: word, level: 3 } }));
  await store.replaceDocument(sketchDocument(attachment, [{ text: `${word} appendix` }], { parentId: document }));
  await store.putEmbeddings([{ key: `${theirs.key} unused`, vector: theirs.vector }]);
  await store.writeValue(value, { word });
  await store.close();
  // A store has no jobs.
  await withClient(async (client) => {
    const { tenant, knowledgeBase: name } = parsePostgresLocation(location);
    await client.query('BEGIN');
    await client.query("SELECT set_config('aquifer.tenant', $1, true)", [tenant]);
    await client.query(
      'INSERT INTO aquifer.ingestion_jobs (tenant, knowledge_base, document_id, runs, work) VALUES ($1, $2, $3, $4, $5)',
      [tenant, name, document, [], word],
    );
    await client.query('COMMIT');
  });
}

const unreachable = (work: Promise<unknown>, code: 'document-not-found' | 'invalid-vector') =>
  assert.rejects(work, (error) => isAquiferError(error, code) && !error.message.includes(secret));

/**
 * What somebody does who knows every id of the victim's: one attempt for each method there is, so that a new method needs one too. Each asserts
 * that nothing came of it, and returns what did come.
 */
const attempts: { readonly [Method in keyof Store]-?: (store: Store) => Promise<unknown> } = {
  readManifest: (store) => store.readManifest(),
  writeManifest: (store) => store.writeManifest(suiteManifest(4)),
  async replaceDocument(store) {
    // With the victim's embedding key, but no vector: that is in the victim's cache only.
    const chunk = { id: theirs.chunk, text: 'mine', key: theirs.key };
    await unreachable(
      store.replaceDocument(sketchDocument(theirs.document, [{ ...chunk, vector: null }])),
      'invalid-vector',
    );
    await store.replaceDocument(sketchDocument(theirs.document, [{ ...chunk, vector: [0, 0, 0, 1] }]));
    await store.replaceDocument(sketchDocument('mine', [{ text: 'mine' }], { parentId: theirs.document }));
    return store.listDocuments();
  },
  async updateDocument(store) {
    await unreachable(store.updateDocument(theirs.attachment, { title: 'mine' }), 'document-not-found');
    return store.updateDocument(theirs.document, { title: 'mine', parentId: theirs.attachment });
  },
  async deleteDocuments(store) {
    // Its own document of that name, and its own "inside" of it.
    assert.equal(await store.deleteDocuments([theirs.document, theirs.attachment]), 2);
    assert.equal(await store.deleteDocuments([theirs.document, theirs.attachment]), 0);
  },
  async getDocument(store) {
    assert.equal(await store.getDocument(theirs.attachment), undefined);
    return store.getDocument(theirs.document);
  },
  async listDocuments(store) {
    assert.deepEqual(await store.listDocuments({ parentId: theirs.document }), []);
    const pages = [
      {},
      { after: '' },
      { after: 'their' },
      { after: theirs.document },
      { sourceId: 'source-1' },
    ] as const;
    return Promise.all(pages.map((page) => store.listDocuments(page)));
  },
  async getContent(store) {
    assert.equal(await store.getContent(theirs.attachment), undefined);
    return store.getContent(theirs.document);
  },
  async getChunks(store) {
    const found = await store.getChunks([theirs.chunk, `${theirs.document}#1`, `${theirs.attachment}#0`]);
    assert.deepEqual(found, []);
  },
  async listChunks(store) {
    assert.deepEqual(await store.listChunks(theirs.attachment), []);
    assert.deepEqual(await store.listChunks(theirs.document, { from: 0, to: 100 }), []);
  },
  async searchDense(store) {
    const search = { vector: theirs.vector, limit: 10_000 };
    const scopes = [
      { documentIds: [theirs.document, theirs.attachment] },
      { filter: { equals: { key: secret, value: secret } } },
      {
        filter: { orAll: [{ notEquals: { key: 'tenant', value: intruder } }, { equals: { key: 'level', value: 3 } }] },
      },
      { exact: true },
      {},
    ];
    const found = await Promise.all(scopes.map((scope) => store.searchDense({ ...search, ...scope })));
    assert.deepEqual(
      found.flatMap(({ matches }) => matches),
      [],
    );
  },
  async searchKeyword(store) {
    for (const text of [secret, 'merger', `${secret} merger of two companies`]) {
      const searches = [{}, { documentIds: [theirs.document] }, { filter: { equals: { key: secret, value: secret } } }];
      for (const scope of searches) {
        assert.deepEqual((await store.searchKeyword({ text, limit: 100, ...scope })).matches, []);
      }
    }
  },
  async scoreDense(store) {
    const ids = [theirs.chunk, `${theirs.document}#1`, `${theirs.attachment}#0`];
    assert.deepEqual(await store.scoreDense(theirs.vector, ids), [undefined, undefined, undefined]);
  },
  async getEmbeddings(store) {
    assert.deepEqual(await store.getEmbeddings([`${theirs.key} unused`, `key of ${theirs.document}#1`]), [
      undefined,
      undefined,
    ]);
  },
  async listEmbeddingKeys(store) {
    for (const after of ['', theirs.key]) {
      const keys = await store.listEmbeddingKeys({ after });
      assert.ok(!keys.includes(`${theirs.key} unused`));
    }
  },
  async putEmbeddings(store) {
    const vector = Float32Array.of(9, 9, 9, 9);
    await store.putEmbeddings([{ key: `${theirs.key} unused`, vector }]);
    assert.deepEqual(await store.getEmbeddings([`${theirs.key} unused`]), [vector]);
  },
  async readValue(store) {
    assert.equal(await store.readValue(theirs.value), undefined);
  },
  writeValue: (store) => store.writeValue(theirs.value, 'mine'),
  async stats(store) {
    const { documents, chunks, tokens } = await store.stats();
    assert.deepEqual([documents, chunks, tokens], [{}, 0, 0]);
  },
  now: async (store) => store.now?.(),
  optimise: (store) => store.optimise(),
  close: (store) => store.close(),
};

describe('tenants of a shared index', () => {
  before(async () => {
    await fill(at(victim), secret);
    await fill(at(intruder, 'of the intruder'), 'own');
  });

  it('have row-level security on every table, which nothing goes around', async () => {
    await withClient(async (client) => {
      const all = async (sql: string) => (await client.query(sql)).rows;
      const inSchema = "relnamespace = 'aquifer'::regnamespace";
      const tables = await all(
        `SELECT oid, relname AS name, relrowsecurity AS enabled, relforcerowsecurity AS forced,
           ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS columns
         FROM pg_class WHERE ${inSchema} AND relkind IN ('r', 'p') ORDER BY relname`,
      );
      const own = tables.filter(({ columns }) => columns.includes('tenant'));
      assert.ok(own.length >= 7);
      // What belongs to nobody: which migrations there were, and the processes that take jobs of all tenants.
      const shared = tables.filter((table) => !own.includes(table)).map(({ name }) => name);
      assert.deepEqual(shared, ['quotas', 'schema_versions', 'workers']);
      const isOwn = "(tenant = current_setting('aquifer.tenant'::text, true))";
      for (const { oid, name, enabled, forced, columns } of own) {
        assert.deepEqual([name, enabled, forced], [name, true, true]);
        assert.equal(columns[0], 'tenant', `${name} begins with the tenant`);
        const policies = await all(
          `SELECT polcmd AS command, polpermissive AS permissive, polroles::text AS roles, pg_get_expr(polqual, polrelid) AS using,
             pg_get_expr(polwithcheck, polrelid) AS check FROM pg_policy WHERE polrelid = ${oid}`,
        );
        // Permissive policies add up, so each of them must hold the tenant; and every command must have one, of every role.
        for (const command of ['r', 'a', 'w', 'd']) {
          const applied = policies.filter((policy) => policy.permissive && ['*', command].includes(policy.command));
          assert.ok(applied.length > 0, `${name} has a policy for ${command}`);
          for (const policy of applied) {
            assert.equal(policy.roles, '{0}', name);
            if (command !== 'a') assert.equal(policy.using, isOwn, name);
            if (command !== 'r' && command !== 'd') assert.equal(policy.check, isOwn, name);
          }
        }
        // A key without the tenant would tell one tenant what another has, by refusing it.
        const keys = await all(
          `SELECT indexrelid::regclass::text AS index, (SELECT attname FROM pg_attribute WHERE attrelid = indrelid AND attnum = indkey[0]) AS first
           FROM pg_index WHERE indrelid = ${oid} AND indisunique`,
        );
        for (const { index, first } of keys) assert.equal(first, 'tenant', index);
      }
      const none = async (what: string, sql: string) => assert.deepEqual(await all(sql), [], what);
      await none(
        'views that see with the rights of their owner',
        `SELECT relname FROM pg_class WHERE ${inSchema} AND (relkind = 'm'
           OR relkind = 'v' AND NOT coalesce(reloptions @> '{security_invoker=true}' OR reloptions @> '{security_invoker=on}', false))`,
      );
      await none(
        'functions with the rights of their owner',
        "SELECT proname FROM pg_proc WHERE pronamespace = 'aquifer'::regnamespace AND prosecdef",
      );
      await none(
        'sequences that are not the numbers of a column',
        `SELECT relname FROM pg_class WHERE ${inSchema} AND relkind = 'S' AND NOT EXISTS (
           SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype IN ('i', 'a'))`,
      );
      await none(
        'rights of everybody',
        `SELECT relname FROM pg_class WHERE ${inSchema} AND relacl::text ~ '[{,]=[a-zA-Z]'`,
      );
      await none(
        // Checks of a foreign key see every row.
        'references that may lead to another tenant',
        `SELECT conname FROM pg_constraint WHERE connamespace = 'aquifer'::regnamespace AND contype = 'f' AND NOT EXISTS (
           SELECT FROM pg_attribute WHERE attrelid = conrelid AND attname = 'tenant' AND attnum = ANY(conkey))`,
      );
    });
  });

  it('see no row of each other, and cannot write, take or move one, whatever the statement', async () => {
    await asTenant(intruder, async (client) => {
      const tables = await tenantTables(client);
      for (const { name, columns } of tables) {
        const table = `aquifer.${name}`;
        const rows = async (sql: string): Promise<number> => (await client.query(sql)).rowCount ?? 0;
        const ofVictim = `tenant = ${pg.escapeLiteral(victim)}`;
        const ownRows = await rows(`SELECT FROM ${table} WHERE tenant = ${pg.escapeLiteral(intruder)}`);
        assert.ok(ownRows > 0, name);
        assert.equal(await rows(`SELECT FROM ${table}`), ownRows, name);
        assert.equal(await rows(`SELECT FROM ${table} WHERE ${ofVictim}`), 0, name);
        assert.equal(await rows(`SELECT FROM ${table} WHERE ${ofVictim} OR true`), ownRows, name);
        assert.equal(await rows(`SELECT FROM ${table} WHERE ${ofVictim} FOR UPDATE`), 0, name);
        assert.equal(await rows(`UPDATE ${table} SET tenant = tenant WHERE ${ofVictim}`), 0, name);
        assert.equal(await rows(`DELETE FROM ${table} WHERE ${ofVictim}`), 0, name);
        // The policy comes before conditions that could tell what they are asked about.
        await rows(`SELECT FROM ${table} WHERE 1 / (CASE WHEN ${ofVictim} THEN 0 ELSE 1 END) = 1`);
        const literal = pg.escapeLiteral(victim);
        const others = columns.filter((column) => column !== 'tenant').join(', ');
        const violates = /row-level security/;
        await refused(client, `UPDATE ${table} SET tenant = ${literal}`, violates);
        await refused(
          client,
          `INSERT INTO ${table} (tenant, ${others}) SELECT ${literal}, ${others} FROM ${table} LIMIT 1`,
          violates,
        );
        await refused(
          client,
          `INSERT INTO ${table} (tenant, ${others}) SELECT ${literal}, ${others} FROM ${table} LIMIT 1 ON CONFLICT DO NOTHING`,
          violates,
        );
        await client.query('SET LOCAL row_security = off');
        await refused(client, `SELECT FROM ${table}`, /row-level security/);
        await client.query('SET LOCAL row_security = on');
      }
    });
    for (const nobody of [undefined, '', '%', `${victim}\n`, victim.toUpperCase()]) {
      await asTenant(nobody, async (client) => {
        for (const { name } of await tenantTables(client)) {
          assert.equal((await client.query(`SELECT FROM aquifer.${name}`)).rowCount, 0, name);
        }
      });
    }
  });

  it('have every row in a table of which the test above knows', async () => {
    const rows = JSON.parse(await victimRows()) as [string, string[]][];
    for (const [name, found] of rows) assert.ok(found.length > 0, `the victim has rows in ${name}`);
    assert.ok(JSON.stringify(rows).includes(secret));
  });

  for (const [who, location] of [
    ['another tenant with a knowledge base of the same name', at(intruder)],
    ['another knowledge base of the same tenant', at(victim, 'another')],
  ] as const) {
    it(`get nothing of ${who} by any method, and change nothing`, async () => {
      const ofKnowledgeBase = (dump: string) =>
        JSON.stringify(
          (JSON.parse(dump) as [string, string[]][]).map(([name, rows]) => [
            name,
            rows.filter((row) => JSON.parse(row).knowledge_base === knowledgeBase),
          ]),
        );
      const expected = ofKnowledgeBase(await victimRows());
      // Reading first, on an empty knowledge base with a manifest; then what writes; "close" in the end.
      const store = await open(location);
      await store.writeManifest(suiteManifest(4));
      const writing = [
        'replaceDocument',
        'updateDocument',
        'deleteDocuments',
        'putEmbeddings',
        'writeValue',
        'optimise',
        'close',
      ];
      const methods = Object.keys(attempts) as (keyof Store)[];
      // The same methods for whoever has a job.
      const { claimedBy: _, ...own } = store;
      assert.deepEqual(Object.keys(own).sort(), [...methods].sort());
      for (const method of [...methods.filter((name) => !writing.includes(name)), ...(writing as (keyof Store)[])]) {
        const found = await attempts[method](store);
        assert.ok(!JSON.stringify(found ?? null).includes(secret), `${method} found ${JSON.stringify(found)}`);
        assert.equal(ofKnowledgeBase(await victimRows()), expected, `${method} changed something`);
      }
      const of = await open(at(victim));
      assert.equal((await of.searchKeyword({ text: secret, limit: 10 })).matches.length, 3);
      assert.deepEqual(await of.readValue(theirs.value), { word: secret });
      assert.deepEqual(await of.getEmbeddings([`${theirs.key} unused`]), [theirs.vector]);
      await of.close();
    });
  }

  it('are said not to be kept apart for a superuser, BYPASSRLS, and tables without security', async () => {
    const warnings: string[] = [];
    await (await open(at(intruder), (message) => warnings.push(message))).close();
    if (database.kind === 'pglite') {
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', /role "postgres" at postgres:.*is a superuser.*NOBYPASSRLS/s);
      await withClient(async (client) => {
        const asRole = async (role: string) => {
          await client.query(`SET LOCAL ROLE ${role}`);
          return (
            (await describeMissingProtection(async (sql) => (await client.query(sql)).rows, 'postgres://db')) ?? ''
          );
        };
        await client.query(
          'BEGIN; CREATE ROLE passes BYPASSRLS; CREATE ROLE held; ALTER TABLE aquifer.chunks NO FORCE ROW LEVEL SECURITY',
        );
        assert.match(await asRole('passes'), /"passes" at postgres:..db has BYPASSRLS/);
        await client.query('SET LOCAL ROLE postgres');
        assert.match(await asRole('held'), /^Row-level security of aquifer\.chunks at.*FORCE/s);
        await client.query('SET LOCAL ROLE postgres; ALTER TABLE aquifer.chunks FORCE ROW LEVEL SECURITY');
        assert.equal(await asRole('held'), '');
        await client.query('ROLLBACK');
      });
    } else {
      assert.deepEqual(warnings, []);
      assert.equal(await examineTenantProtection(at(intruder)), undefined);
    }
  });
});
