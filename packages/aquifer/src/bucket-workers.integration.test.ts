import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createTestBucket, needsS3 } from '../../ingestion/dist/sources/s3/s3.test-fixture.js';
import { startTestDatabase } from '../../postgres-store/dist/postgres.test-fixture.js';
import { startIngestionWorker, type WorkerEvent } from './ingestion-worker.js';
import { openKnowledgeBase } from './open-knowledge-base.js';

describe('workers of a shared index', needsS3, () => {
  it('read objects from their bucket by what a job says', async (context) => {
    const database = await startTestDatabase();
    after(() => database.stop());
    if (database.kind === 'pglite') return context.skip('AQUIFER_TEST_POSTGRES names no server, and workers need one');
    const bucket = await createTestBucket();
    const keys = Array.from({ length: 20 }, (_, n) => `pages/${n} cafe\u0301.md`);
    for (const key of keys) await bucket.put(key, `# Page\n\nThis is the page ${key}.`);
    await bucket.put(`${keys[0]}.metadata.json`, '{"metadataAttributes":{"first":true}}');
    const location = database.location();
    const s3 = { client: bucket.client };
    const events: WorkerEvent[] = [];
    // The first of all to come to the database, as where all is started at once.
    const worker = await startIngestionWorker({ location, s3, concurrency: 4, onEvent: (event) => events.push(event) });
    const knowledgeBase = await openKnowledgeBase({ location, s3 });
    try {
      const { new: added, failed } = await knowledgeBase.index(`s3://${bucket.name}/pages`);
      assert.deepEqual([added, failed], [keys.length, 0]);
      assert.equal(events.filter((event) => event.type === 'job' && event.status === 'indexed').length, keys.length);
      const filter = { equals: { key: 'first', value: true } };
      const { matches } = await knowledgeBase.search('page', { filter });
      assert.deepEqual(
        matches.map(({ source }) => source),
        ['0 caf\u00e9.md'],
      );
      assert.equal((await knowledgeBase.index(`s3://${bucket.name}/pages`)).unchanged, keys.length);
    } finally {
      await worker.stop();
      await knowledgeBase.close();
    }
  });
});
