import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { type ChunkSketch, sketchDocument } from '@aquifer/contracts/testing';
import { inTransaction, openDatabase } from './database.js';
import { createDocumentWriter, type DocumentToWrite } from './document-writes.js';
import { createEmbeddingCache } from './embedding-cache.js';
import { guarded } from './guarded.js';
import type { SqlDatabase } from './sqlite-driver.js';

const withDatabase = (work: (database: SqlDatabase) => void) => async () => {
  const location = await mkdtemp(join(tmpdir(), 'aquifer-writes-'));
  const database = openDatabase({ location, mode: 'write' });
  try {
    work(database);
  } finally {
    database.close();
    await rm(location, { recursive: true });
  }
};

const toWrite = (id: string, sketches: readonly ChunkSketch[]): DocumentToWrite => {
  const { chunks, document, text } = sketchDocument(id, sketches);
  return {
    document,
    text: [Buffer.from(text)],
    pages: '[]',
    blocks: '[]',
    chunks: chunks.map(({ text: body, ...chunk }) => ({ ...chunk, terms: { context: '', body: Buffer.from(body) } })),
  };
};
const one = (database: SqlDatabase, sql: string): unknown => database.prepare(sql).rows()[0]?.[0];

describe('document writer', () => {
  it(
    'writes little when little changed',
    withDatabase((database) => {
      const writer = createDocumentWriter(database);
      const sketches = Array.from({ length: 300 }, (_, index) => ({ id: `c${index}`, text: `paragraph ${index}` }));
      writer.replace([toWrite('a', sketches)], 4);
      const numbers = () => new Map(database.prepare('SELECT id, number FROM chunks').rows() as [string, number][]);
      const before = numbers();
      const changes = () => Number(one(database, 'SELECT total_changes()'));
      const changesBefore = changes();
      const edited = sketches.map((sketch, index) => (index === 298 ? { id: 'new', text: 'edited' } : sketch));
      writer.replace([toWrite('a', edited)], 4);
      const after = numbers();
      for (const [id, number] of before) assert.equal(after.get(id), id === 'c298' ? undefined : number, id);
      assert.ok((after.get('new') as number) > Math.max(...before.values()), 'numbers are never used again');
      // The document, its text, one chunk out, one in, one moved, and their postings: not three hundred of anything.
      assert.ok(changes() - changesBefore < 40, `${changes() - changesBefore} rows changed`);
      assert.deepEqual(
        writer.keptChunks('a', [
          { id: 'c0', embeddingKey: 'key of c0' },
          { id: 'c1', embeddingKey: 'another' },
          { id: 'c298', embeddingKey: 'key of c298' },
        ]),
        ['c0'],
      );
    }),
  );

  it(
    'writes nothing of a document whose terms are missing, and the others of its group',
    withDatabase((database) => {
      const writer = createDocumentWriter(database);
      const write = toWrite('a', [{ text: 'x' }]);
      const chunks = write.chunks.map(({ terms: _, ...chunk }) => chunk);
      const errors = writer.replace([{ ...write, chunks }, toWrite('b', [{ text: 'y' }])], 4);
      assert.deepEqual(
        errors.map((error) => error?.code),
        ['internal', undefined],
      );
      assert.deepEqual(database.prepare('SELECT id FROM documents').rows(), [['b']]);
      assert.equal(one(database, 'SELECT count(*) FROM embeddings'), 1);
    }),
  );

  it(
    'undoes everything when the disk is full',
    withDatabase((database) => {
      const writer = createDocumentWriter(database);
      writer.replace([toWrite('a', [{ text: 'old' }])], 4);
      database.exec(`PRAGMA max_page_count = ${Number(one(database, 'PRAGMA page_count')) + 2}`);
      const large = toWrite('a', [{ text: 'new '.repeat(200_000) }]);
      assert.throws(
        () => guarded('index.sqlite', () => writer.replace([large], 4)),
        (error: unknown) => isAquiferError(error, 'disk-full') && /make room .* run the same/.test(error.message),
      );
      assert.equal(one(database, 'SELECT text FROM contents'), 'old');
      database.exec('PRAGMA max_page_count = 4294967294');
      assert.deepEqual(writer.replace([large], 4), [undefined]);
    }),
  );
});

describe('embedding cache', () => {
  it(
    'keeps what chunks use and the newest of the rest',
    withDatabase((database) => {
      const cache = createEmbeddingCache(database);
      const writer = createDocumentWriter(database);
      writer.replace([toWrite('a', [{ text: 'x', key: 'used' }])], 4);
      inTransaction(database, () => {
        for (let index = 0; index < 10_050; index++) cache.add(`unused ${index}`, Float32Array.of(1, 2, 3, index));
        assert.equal(cache.prune(), 50);
        assert.equal(cache.prune(), 0);
      });
      assert.ok(cache.get('used'));
      assert.equal(cache.get('unused 49'), undefined);
      assert.deepEqual(cache.get('unused 50'), Float32Array.of(1, 2, 3, 50));
    }),
  );
});
