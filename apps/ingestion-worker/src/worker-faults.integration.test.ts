import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Embedder, embedderByName, startIngestionWorker, type WorkerEvent } from 'aquifer';
import {
  noOwnServer,
  type OwnServer,
  startOwnServer,
} from '../../../packages/postgres-store/dist/own-server.test-fixture.js';
import {
  contentOf,
  createTextFolder,
  startWorkerProcess,
  type WorkerProcess,
  withKnowledgeBase,
} from './workers.test-fixture.js';

/** All 100 take minutes: AQUIFER_TEST_KILLS=100 (bench/README.md has the result). */
const kills = Number(process.env.AQUIFER_TEST_KILLS ?? 25);

describe('workers', { skip: noOwnServer }, () => {
  let server: OwnServer;
  let workers: WorkerProcess[] = [];
  before(async () => {
    server = await startOwnServer();
    await withKnowledgeBase(server.location(), async () => {});
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
    workers = [];
    await server.run('DELETE FROM aquifer.workers');
  });
  after(() => server?.remove());

  const start = (environment: Readonly<Record<string, string>> = {}): WorkerProcess => {
    const worker = startWorkerProcess(server.location(), environment);
    workers.push(worker);
    return worker;
  };
  const statusOf = (location: string) => withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.status());
  const enqueue = (location: string, folder: string) =>
    withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(folder, { wait: false }));
  const isDone = async (location: string, documents: number) => {
    const { queue, documents: counts } = await statusOf(location);
    return counts.indexed === documents && queue?.waiting === 0 && queue.running === 0;
  };
  /** Chunks, postings and terms as the tables have them, counted and as they are kept count of. */
  const tablesOf = (name: string) =>
    server.administer(async (client) => {
      const of = 'FROM aquifer.%I WHERE knowledge_base = $1';
      const counts: Record<string, unknown> = {};
      for (const table of ['documents', 'contents', 'chunks', 'postings']) {
        counts[table] = (await client.query(`SELECT count(*)::int ${of.replace('%I', table)}`, [name])).rows[0].count;
      }
      const { rows } = await client.query(
        `SELECT chunks::int, terms::int, tokens::int ${of.replace('%I', 'knowledge_bases')}`,
        [name],
      );
      return { ...counts, kept: rows[0] };
    });

  it(`that are killed ${kills} times at random lose no document, index none twice and show none by halves`, async () => {
    const files = 80;
    const folder = createTextFolder(files);
    try {
      await withKnowledgeBase(server.location({ name: 'undisturbed' }), (knowledgeBase) =>
        knowledgeBase.index(folder.path),
      );
      const expected = await withKnowledgeBase(server.location({ name: 'undisturbed' }), contentOf);
      const environment = { AQUIFER_MAX_ATTEMPTS: '100', AQUIFER_CONCURRENCY: '2' };
      for (let worker = 0; worker < 4; worker += 1) start(environment);
      let killed = 0;
      let inWork = 0;
      for (let round = 0; killed < kills; round += 1) {
        const name = `killed ${round}`;
        const location = server.location({ name });
        await enqueue(location, folder.path);
        let isOver = false;
        const watching = withKnowledgeBase(location, async (knowledgeBase) => {
          while (!isOver) {
            for (const { id, status, chunkCount } of await knowledgeBase.documents()) {
              // A document that is committed between the two questions is pending in the first.
              if (status === 'pending') continue;
              const { chunks, content } = await knowledgeBase.document(id);
              assert.equal(status, 'indexed');
              assert.equal(chunks.length, chunkCount);
              assert.ok(content.text.length > 1_000);
            }
            await wait(100);
          }
        });
        watching.catch(() => {});
        while (!(await isDone(location, files))) {
          if (killed < kills) {
            await wait(Math.random() * 600);
            const victim = workers[Math.floor(Math.random() * workers.length)] as WorkerProcess;
            if (victim.events.some(({ type }) => type === 'started')) {
              const { queue } = await statusOf(location);
              inWork += (queue?.running ?? 0) > 0 ? 1 : 0;
              await victim.end('SIGKILL');
              killed += 1;
              workers.splice(workers.indexOf(victim), 1);
              start(environment);
            }
          } else await wait(100);
        }
        isOver = true;
        await watching;
        assert.deepEqual(await withKnowledgeBase(location, contentOf), expected);
        assert.deepEqual(await tablesOf(name), await tablesOf('undisturbed'));
      }
      // Otherwise the kills have proved nothing.
      assert.ok(inWork > kills / 4, `only ${inWork} of ${kills} workers were killed while there was work`);
    } finally {
      folder.remove();
    }
  });

  it('put back what they cannot finish when they are told to stop, within five seconds', async () => {
    const folder = createTextFolder(4);
    const location = server.location({ name: 'stopped' });
    try {
      await server.run(
        `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(12); RETURN NEW; END $$;
         CREATE TRIGGER slow BEFORE INSERT ON aquifer.contents FOR EACH ROW WHEN (NEW.knowledge_base = 'stopped') EXECUTE FUNCTION slow()`,
      );
      await enqueue(location, folder.path);
      const worker = start({ AQUIFER_CONCURRENCY: '2', AQUIFER_DEAD_AFTER_SECONDS: '60' });
      await until(async () => (await statusOf(location)).queue?.running === 2);
      const ms = await worker.end('SIGTERM');
      // Well before the statement has slept its time, also where the process itself is slow to end.
      assert.ok(ms < 5_000, `${ms} ms`);
      assert.equal(worker.child.exitCode, 0);
      assert.deepEqual((await statusOf(location)).queue, { waiting: 4, running: 0, failed: 0, workers: 0 });
      // The next one need not wait until somebody is dead, and what was put back was no failure.
      await server.run('DROP TRIGGER slow ON aquifer.contents');
      start({ AQUIFER_DEAD_AFTER_SECONDS: '60', AQUIFER_MAX_ATTEMPTS: '1' });
      await until(() => isDone(location, 4));
    } finally {
      folder.remove();
    }
  });

  it('go on after the server has restarted', async () => {
    const folder = createTextFolder(60);
    const location = server.location({ name: 'restarted' });
    try {
      const worker = start({ AQUIFER_CONCURRENCY: '2' });
      await worker.heard('started');
      await enqueue(location, folder.path);
      for (const mode of ['fast', 'immediate'] as const) {
        await until(async () => ((await statusOf(location)).documents.indexed ?? 0) > (mode === 'fast' ? 2 : 10));
        await server.restart(mode);
      }
      await until(
        () => isDone(location, 60),
        () => JSON.stringify(worker.events.slice(-8)),
      );
      assert.equal(worker.child.exitCode, null, JSON.stringify(worker.events.slice(-5)));
    } finally {
      folder.remove();
    }
  });

  it('begin again where the queue has ended under them', async () => {
    const folder = createTextFolder(3);
    const location = server.location({ name: 'ended' });
    try {
      const worker = start();
      await worker.heard('started');
      // What graphile-worker ends its runner for, as it does where the database goes away while a job is being completed.
      await server.run(`SELECT pg_notify('worker:migrate', '{"breaking":true}')`);
      await worker.heard('trouble');
      await enqueue(location, folder.path);
      await until(
        () => isDone(location, 3),
        () => JSON.stringify(worker.events.slice(-8)),
      );
      assert.equal((await statusOf(location)).queue?.workers, 1);
    } finally {
      folder.remove();
    }
  });

  it('know who is dead by the clock of the database, whatever theirs say', async () => {
    const folder = createTextFolder(30);
    const location = server.location({ name: 'clocks' });
    const shifted = (days: number) => ({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
        `const Real = Date; const by = ${days} * 864e5;
         globalThis.Date = class extends Real {
           constructor(...given) { if (given.length) super(...given); else super(Real.now() + by); }
           static now() { return Real.now() + by; }
         };`,
      )}`,
    });
    try {
      const ahead = start(shifted(2));
      const behind = start(shifted(-2));
      await Promise.all([ahead.heard('started'), behind.heard('started')]);
      // Longer than it takes to be dead.
      await wait(2_500);
      assert.equal((await statusOf(server.location({ name: 'clocks' }))).queue?.workers, 2);
      await enqueue(location, folder.path);
      await until(async () => ((await statusOf(location)).documents.indexed ?? 0) > 4);
      await behind.end('SIGKILL');
      await until(() => isDone(location, 30));
      const own = ahead.events.filter(({ type, knowledgeBase }) => type === 'job' && knowledgeBase === 'clocks');
      assert.deepEqual(new Set(own.map(({ status }) => status)), new Set(['indexed']));
      await until(async () => (await statusOf(location)).queue?.workers === 1);
    } finally {
      folder.remove();
    }
  });

  it('that do the same document at the same time leave one of it', async () => {
    const folder = createTextFolder(1);
    const location = server.location({ name: 'same' });
    try {
      await withKnowledgeBase(server.location({ name: 'one' }), (knowledgeBase) => knowledgeBase.index(folder.path));
      await server.run(
        `CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;
         CREATE TRIGGER pause BEFORE INSERT ON aquifer.contents FOR EACH ROW WHEN (NEW.knowledge_base = 'same') EXECUTE FUNCTION pause()`,
      );
      await enqueue(location, folder.path);
      // The first is taken for dead while it works: its heartbeat is far apart, and its jobs are freed.
      const first = await startIngestionWorker({ location, deadAfterMs: 60_000 });
      await until(async () => (await statusOf(location)).queue?.running === 1);
      await server.run(`SELECT aquifer_queue.force_unlock_workers(ARRAY['${first.id}'])`);
      const second = await startIngestionWorker({ location, deadAfterMs: 60_000 });
      await until(() => isDone(location, 1));
      await Promise.all([first.stop(), second.stop()]);
      assert.deepEqual(await tablesOf('same'), await tablesOf('one'));
    } finally {
      folder.remove();
    }
  });

  it('that wake up after somebody else has done their document write nothing of what they had read', async () => {
    const builtin = await embedderByName('builtin');
    for (const how of ['worker', 'index', 'deletion'] as const) {
      const folder = createTextFolder(1);
      const location = server.location({ name: `woken by ${how}` });
      const events: WorkerEvent[] = [];
      const textsOf = () =>
        withKnowledgeBase(location, async (knowledgeBase) => {
          const documents = await knowledgeBase.documents();
          return Promise.all(documents.map(async ({ id }) => (await knowledgeBase.document(id)).content.text));
        });
      const take = (embedder: Embedder) =>
        startIngestionWorker({
          location,
          embedder,
          concurrency: 1,
          deadAfterMs: 60_000,
          threads: 1,
          onEvent: (event) => events.push(event),
        });
      let wake: () => void = () => {};
      const asleep = new Promise<void>((resolve) => {
        wake = resolve;
      });
      let hasRead = false;
      const sleeping: Embedder = {
        ...builtin,
        async embed(texts, options) {
          hasRead = true;
          await asleep;
          return builtin.embed(texts, options);
        },
      };
      try {
        await enqueue(location, folder.path);
        const first = await take(sleeping);
        await until(
          async () => hasRead,
          () => JSON.stringify(events),
        );
        writeFileSync(join(folder.path, 'file-0.txt'), 'The newer version.');
        if (how === 'worker') {
          await enqueue(location, folder.path);
          const second = await take(builtin);
          await until(() => isDone(location, 1));
          await second.stop();
        } else if (how === 'index') {
          await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(folder.path, { workers: false }));
        } else {
          await withKnowledgeBase(location, async (knowledgeBase) => {
            await knowledgeBase.delete((await knowledgeBase.documents()).map(({ id }) => id));
          });
        }
        const expected = how === 'deletion' ? [] : ['The newer version.'];
        assert.deepEqual(await textsOf(), expected, how);
        wake();
        await first.stop();
        assert.deepEqual(await textsOf(), expected, how);
        const jobs = events.filter(({ type }) => type === 'job');
        assert.equal(jobs.length, how === 'worker' ? 1 : 0, JSON.stringify(jobs));
        assert.deepEqual((await statusOf(location)).queue, { waiting: 0, running: 0, failed: 0, workers: 0 });
      } finally {
        wake();
        folder.remove();
      }
    }
  });

  it('survive a document that their reader does not, and one that ends every worker is given up', async () => {
    const folder = createTextFolder(2);
    const location = server.location({ name: 'readers' });
    try {
      const rows = '<tr><td>a</td><td>b</td><td>c</td></tr>\n'.repeat(700_000);
      writeFileSync(join(folder.path, 'bomb.html'), `<table>${rows}</table>`);
      const worker = start();
      await worker.heard('started');
      const summary = await withKnowledgeBase(location, async () => {
        const { openKnowledgeBase } = await import('aquifer');
        const knowledgeBase = await openKnowledgeBase({ location, readMemoryMb: 64, readTimeoutMs: 30_000 });
        try {
          return await knowledgeBase.index(folder.path);
        } finally {
          await knowledgeBase.close();
        }
      });
      assert.deepEqual([summary.new, summary.failed], [2, 1]);
      assert.match((await statusOf(location)).failures[0]?.reason ?? '', /bomb\.html needs more than 64 MB of memory/);
      assert.equal(worker.child.exitCode, null);
      await worker.end('SIGTERM');

      // One that is taken and taken, and whose workers die.
      const killer = server.location({ name: 'killer' });
      await enqueue(killer, join(folder.path, 'file-0.txt'));
      await server.run(
        `CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
         CREATE TRIGGER hang BEFORE INSERT ON aquifer.contents FOR EACH ROW WHEN (NEW.knowledge_base = 'killer') EXECUTE FUNCTION hang()`,
      );
      for (let death = 0; death < 2; death += 1) {
        const victim = start({ AQUIFER_MAX_ATTEMPTS: '2', AQUIFER_DEAD_AFTER_SECONDS: '1' });
        await until(async () => (await statusOf(killer)).queue?.running === 1);
        await victim.end('SIGKILL');
        await until(async () => (await statusOf(killer)).queue?.running === 0);
      }
      const last = start({ AQUIFER_MAX_ATTEMPTS: '2', AQUIFER_DEAD_AFTER_SECONDS: '1' });
      const event = await last.heard('job', 'dead');
      assert.match(String(event.reason), /2 workers ended while they worked on it/);
      await until(async () => (await statusOf(killer)).queue?.failed === 1);
      const { failures, queue } = await statusOf(killer);
      assert.match(failures[0]?.reason ?? '', /Is there enough memory\?/);
      assert.equal(queue?.failed, 1);
    } finally {
      folder.remove();
    }
  });
});

async function until(holds: () => Promise<boolean>, state = () => ''): Promise<void> {
  const deadline = performance.now() + 90_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`It did not happen within 90 seconds. ${state()}`);
    await wait(100);
  }
}
