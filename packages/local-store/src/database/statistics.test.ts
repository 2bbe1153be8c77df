import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openDatabase, settleDatabase } from './database.js';
import type { SqlDatabase } from './sqlite-driver.js';

const withLocation = (work: (location: string) => void) => async () => {
  const location = await mkdtemp(join(tmpdir(), 'aquifer-statistics-'));
  try {
    work(location);
  } finally {
    await rm(location, { recursive: true });
  }
};

function addEmbeddings(database: SqlDatabase, count: number): void {
  const statement = database.prepare("INSERT INTO embeddings (key, vector) VALUES (?, x'00')");
  database.exec('BEGIN');
  for (let index = 0; index < count; index++) statement.run(`key ${count} ${index}`);
  database.exec('COMMIT');
}

/** As the vectors of new chunks are read. */
const planOf = (database: SqlDatabase): string =>
  database
    .prepare(
      `EXPLAIN QUERY PLAN SELECT embeddings.vector FROM chunks LEFT JOIN embeddings ON embeddings.number = chunks.embedding
       WHERE chunks.number > 0 ORDER BY chunks.number`,
    )
    .rows()
    .map((row) => row.at(-1))
    .join('; ');
const noted = (database: SqlDatabase): unknown[] =>
  database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").rows().length === 0
    ? []
    : database
        .prepare('SELECT DISTINCT tbl FROM sqlite_stat1')
        .rows()
        .map(([table]) => table);

describe('statistics of an index', () => {
  it(
    'are none of tables that were small, so that nothing is scanned for each chunk when they have grown',
    withLocation((location) => {
      const first = openDatabase({ location, mode: 'write' });
      addEmbeddings(first, 1);
      settleDatabase(first);
      first.close();
      // Grown meanwhile, by a process that was killed before it could settle.
      const second = openDatabase({ location, mode: 'write' });
      addEmbeddings(second, 3_000);
      const reader = openDatabase({ location, mode: 'read' });
      assert.doesNotMatch(planOf(reader), /SCAN embeddings/);
      reader.close();
      settleDatabase(second);
      second.close();
      const third = openDatabase({ location, mode: 'read' });
      assert.deepEqual(noted(third), ['embeddings']);
      assert.doesNotMatch(planOf(third), /SCAN embeddings/);
      third.close();
    }),
  );

  it(
    'that an earlier version gathered are dropped by the next writer, also for readers that are open',
    withLocation((location) => {
      const first = openDatabase({ location, mode: 'write' });
      addEmbeddings(first, 1);
      first.exec('ANALYZE');
      first.close();
      const reader = openDatabase({ location, mode: 'read' });
      assert.match(planOf(reader), /SCAN embeddings/, 'or this test shows nothing');
      const writer = openDatabase({ location, mode: 'write' });
      assert.doesNotMatch(planOf(writer), /SCAN embeddings/);
      // Any statement notices; asking for a plan is none.
      reader.prepare('SELECT count(*) FROM chunks').rows();
      assert.doesNotMatch(planOf(reader), /SCAN embeddings/);
      reader.close();
      writer.close();
    }),
  );
});
