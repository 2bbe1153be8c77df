// From how many rows on COPY beats arrays, and how rows are found by many keys where the server knows nothing of a table yet: what the numbers in
// packages/postgres-store/src/chunk-rows.ts and embedding-cache.ts rest on. Usage: bash scripts/test-postgres.sh node bench/postgres-rows.mjs
import { createBulkRows, integerColumn, textColumn } from '../packages/postgres-store/dist/bulk-rows.js';
import { parsePostgresLocation } from '../packages/postgres-store/dist/postgres-location.js';
import { createTransactions } from '../packages/postgres-store/dist/transactions.js';
import { vectorsToBytes } from '../packages/postgres-store/dist/vector-bytes.js';

const transactions = createTransactions({ location: parsePostgresLocation(process.env.AQUIFER_TEST_POSTGRES) });
const roundMs = Number(process.env.ROUND_MS ?? 2_500);
let made = 0;
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const text = 'The parental leave of an employee in Japan lasts 52 weeks. '.repeat(20);
const vector = Float32Array.from({ length: 1024 }, (_, index) => Math.sin(index));

async function main() {
  await transactions.write(async (query) => {
    await query('CREATE EXTENSION IF NOT EXISTS vector').catch(() => {});
  });
  const type = Number((await transactions.read((query) => query("SELECT 'vector'::regtype::oid AS number")))[0].number);
  await transactions.write(async (query) => {
    await query('CREATE SCHEMA bench');
    await query('CREATE TABLE bench.chunks (id text PRIMARY KEY, text text, headings text, ordinal int, tokens int)');
    await query(
      'CREATE TABLE bench.postings (term text, chunk bigint, frequency int, positions int[], PRIMARY KEY (term, chunk))',
    );
    await query('CREATE TABLE bench.embeddings (tenant text, key text, vector vector, PRIMARY KEY (tenant, key))');
    await query('ALTER TABLE bench.embeddings ALTER COLUMN vector SET STORAGE EXTERNAL');
  });
  const kinds = {
    chunks: {
      columns: [
        textColumn('id', ({ n }) => `chunk ${n}`),
        textColumn('text', () => text),
        textColumn('headings', () => '["A","B"]'),
        integerColumn('ordinal', ({ n }) => n),
        integerColumn('tokens', () => 300),
      ],
      sizes: [1, 4, 8, 16, 32, 64, 128, 256],
    },
    postings: {
      columns: [
        textColumn('term', ({ n }) => `term ${n}`),
        {
          name: 'chunk',
          type: 'bigint',
          array: (items) => items.map(({ n }) => String(n)),
          copy: (rows, { n }) => rows.bigint(BigInt(n)),
        },
        integerColumn('frequency', () => 2),
        {
          name: 'positions',
          type: 'int[]',
          arrayType: 'text',
          array: (items) => items.map(() => '{3,14}'),
          copy: (rows) => rows.integers([3, 14]),
        },
      ],
      select: 'term, chunk, frequency, positions::int[]',
      sizes: [50, 100, 200, 400, 800, 1600, 6400],
    },
    embeddings: {
      columns: [
        textColumn('tenant', () => 'own'),
        textColumn('key', ({ n }) => `key ${n}`),
        {
          name: 'vector',
          type: 'vector',
          array: (items) =>
            vectorsToBytes(
              items.map(() => vector),
              type,
            ),
          copy: (rows) => rows.vector(vector),
        },
      ],
      sizes: [1, 4, 8, 16, 32, 64, 128],
    },
  };
  for (const [table, { columns, sizes, select }] of Object.entries(kinds)) {
    const names = columns.map(({ name }) => name).join(', ');
    const ways = ['arrays', 'copy'].map((way) =>
      createBulkRows(`bench_${table}`, columns, { leastCopied: 0, mayCopy: way === 'copy' }),
    );
    for (const size of sizes) {
      const times = [[], []];
      const deadline = performance.now() + roundMs;
      for (let round = 0; round < 200 && (round < 6 || performance.now() < deadline); round += 1) {
        for (const [way, rows] of ways.entries()) {
          // Committed, as the temporary table of a connection is made once and stays.
          const items = Array.from({ length: size }, () => ({ n: made++ }));
          await transactions.write(async (query) => {
            const startedAt = performance.now();
            await rows(query, items, 1, ({ from, values }) =>
              query(`INSERT INTO bench.${table} (${names}) SELECT ${select ?? names} FROM ${from}`, values),
            );
            if (round > 2) times[way].push(performance.now() - startedAt);
          });
        }
      }
      const [arrays, copy] = times.map(median);
      console.log(JSON.stringify({ table, rows: size, arraysMs: +arrays.toFixed(2), copyMs: +copy.toFixed(2) }));
    }
  }
  // Rows by keys, of 50,000 that the server has no statistics of.
  const all = 50_000;
  await transactions.write(async (query) => {
    await query('ALTER TABLE bench.embeddings SET (autovacuum_enabled = off)');
    await query('TRUNCATE bench.embeddings');
    await query(
      "INSERT INTO bench.embeddings SELECT 'own', md5(n::text), (SELECT vector FROM (SELECT $1::vector AS vector) v) FROM generate_series(1, $2::int) n",
      [`[${[...vector.subarray(0, 256)].join(',')}]`, all],
    );
  });
  const question = `[${[...vector.subarray(0, 256)].join(',')}]`;
  const finds = {
    any: 'SELECT key, vector <=> $1::vector AS distance FROM bench.embeddings WHERE tenant = $2 AND key = ANY($3::text[])',
    join: 'SELECT e.key, vector <=> $1::vector AS distance FROM unnest($3::text[]) AS wanted (key) JOIN bench.embeddings e ON e.tenant = $2 AND e.key = wanted.key',
    lateral:
      'SELECT wanted.key, distance FROM unnest($3::text[]) AS wanted (key), LATERAL (SELECT vector <=> $1::vector AS distance FROM bench.embeddings e WHERE e.tenant = $2 AND e.key = wanted.key LIMIT 1) found',
  };
  for (const isAnalysed of [false, true]) {
    if (isAnalysed) await transactions.outside((query) => query('ANALYZE bench.embeddings'));
    for (const size of [10, 100, 1_000, 20_000]) {
      const keys = (
        await transactions.read((query) =>
          query('SELECT key FROM bench.embeddings ORDER BY md5(key) LIMIT $1::int', [size]),
        )
      ).map(({ key }) => key);
      const line = { keys: size, isAnalysed };
      for (const [name, sql] of Object.entries(finds)) {
        const times = [];
        const deadline = performance.now() + roundMs;
        for (let round = 0; round < 50 && (round < 3 || performance.now() < deadline); round += 1) {
          const startedAt = performance.now();
          await transactions.read((query) => query(sql, [question, 'own', keys]));
          times.push(performance.now() - startedAt);
        }
        line[`${name}Ms`] = +median(times).toFixed(2);
      }
      console.log(JSON.stringify(line));
    }
  }
  await transactions.write((query) => query('DROP SCHEMA bench CASCADE'));
  await transactions.close();
}
await main();
