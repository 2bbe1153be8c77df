import assert from 'node:assert/strict';
import { after, describe, it, mock } from 'node:test';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { openPostgresStore } from './open-postgres-store.js';
import { startTestDatabase } from './postgres.test-fixture.js';

const database = await startTestDatabase();
after(() => database.stop());

describe('a shared index whose writers disagree about the time', () => {
  it('is the same as if they agreed: the last commit counts', async () => {
    const location = database.location();
    const times = [0, Date.UTC(2100, 0), Date.UTC(1999, 11, 31), Date.UTC(2050, 5)];
    try {
      for (const [round, now] of times.entries()) {
        mock.timers.enable({ apis: ['Date'], now });
        const store = await openPostgresStore({ location, analyser: suiteAnalyser });
        await store.writeManifest({ ...suiteManifest(4), createdAt: now });
        const written = [0, 1].map((n) => ({
          id: `${n}.${round}`,
          text: `round${round}`,
          key: `key of ${n}.${round}`,
        }));
        await store.replaceDocument(sketchDocument('a', written, { indexedAt: now }));
        await store.writeValue('run', { now });
        await store.optimise();
        assert.deepEqual(await store.readValue('run'), { now });
        assert.deepEqual((await store.getDocument('a'))?.indexedAt, now);
        for (let seen = 0; seen < times.length; seen++) {
          const { matches } = await store.searchKeyword({ text: `round${seen}`, limit: 10 });
          assert.equal(matches.length, seen === round ? 2 : 0);
        }
        const { chunks, cachedEmbeddings } = await store.stats();
        assert.deepEqual([chunks, cachedEmbeddings], [2, 2 * (round + 1)]);
        await store.close();
        mock.timers.reset();
      }
    } finally {
      mock.timers.reset();
    }
  });

  const ofProcess = database.kind === 'pglite' && 'PGlite goes by the clock of this process';
  it('tells all of them the time of the server', { skip: ofProcess }, async () => {
    const location = database.location();
    const times: number[] = [];
    const startedAt = Date.now();
    for (const skewed of [0, Date.UTC(2100, 0), Date.UTC(1999, 11, 31)]) {
      mock.timers.enable({ apis: ['Date'], now: skewed });
      try {
        const store = await openPostgresStore({ location, analyser: suiteAnalyser });
        for (let n = 0; n < 3; n++) times.push((await store.now?.()) ?? 0);
        await store.close();
      } finally {
        mock.timers.reset();
      }
    }
    // The server is on this machine. A minute is more than any of this takes.
    for (const time of times) assert.ok(Number.isInteger(time) && Math.abs(time - startedAt) < 60_000, `${time}`);
  });
});
