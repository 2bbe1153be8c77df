import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, mock } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type IngestionSummary,
  isAquiferError,
  reEmbedKnowledgeBase,
  startIngestionWorker,
  type WorkerEvent,
} from 'aquifer';
import {
  noOwnServer,
  type OwnServer,
  startOwnServer,
} from '../../../packages/postgres-store/dist/own-server.test-fixture.js';
import { runWorker } from './run-worker.js';
import { contentOf, createTextFolder, textOf, withKnowledgeBase } from './workers.test-fixture.js';

const handbook = fileURLToPath(new URL('../../../examples/handbook', import.meta.url));
const timeless = ({ ms: _, ...summary }: IngestionSummary) => summary;

describe('workers of a shared index', { skip: noOwnServer }, () => {
  let server: OwnServer;
  before(async () => {
    server = await startOwnServer();
    // The schema is there before any worker.
    await withKnowledgeBase(server.location(), async () => {});
  });
  after(() => server?.remove());

  const withWorker = async (
    work: (events: WorkerEvent[]) => Promise<void>,
    options: Partial<Parameters<typeof startIngestionWorker>[0]> = {},
  ): Promise<void> => {
    const events: WorkerEvent[] = [];
    const worker = await startIngestionWorker({
      location: server.location(),
      threads: 1,
      deadAfterMs: 2_000,
      onEvent: (event) => events.push(event),
      ...options,
    });
    try {
      await work(events);
    } finally {
      await worker.stop();
    }
  };

  it('make of a folder what index makes of it alone, and index says the same', async () => {
    const [alone, shared] = [server.location({ name: 'alone' }), server.location({ name: 'shared' })];
    const folder = createTextFolder(12);
    try {
      // A broken file, and attachments.
      writeFileSync(join(folder.path, 'broken.pdf'), '%PDF-1.7\nnothing');
      writeFileSync(join(folder.path, 'empty.txt'), '');
      for (const paths of [[folder.path], [handbook]]) {
        const expected = await withKnowledgeBase(alone, (knowledgeBase) => knowledgeBase.index(paths));
        await withWorker(async (events) => {
          const summary = await withKnowledgeBase(shared, (knowledgeBase) => knowledgeBase.index(paths));
          assert.deepEqual(
            { ...timeless(summary), knowledgeBase: undefined },
            { ...timeless(expected), knowledgeBase: undefined },
          );
          assert.ok(events.length >= 14);
        });
      }
      const [left, right] = await Promise.all(
        [alone, shared].map((location) => withKnowledgeBase(location, contentOf)),
      );
      assert.deepEqual(right, left);
    } finally {
      folder.remove();
    }
  });

  it('leave moves and deletions to index, and keep what did not change', async () => {
    const folder = createTextFolder(8);
    const location = server.location({ name: 'moves' });
    try {
      await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(folder.path));
      renameSync(join(folder.path, 'file-0.txt'), join(folder.path, 'moved.txt'));
      rmSync(join(folder.path, 'file-1.txt'));
      writeFileSync(join(folder.path, 'file-2.txt'), textOf('another'));
      // The same content under a new time: nothing is written anew.
      writeFileSync(join(folder.path, 'file-3.txt'), textOf('file 3'));
      await withWorker(async (events) => {
        const summary = await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(folder.path));
        const { new: added, modified, moved, deleted, unchanged, failed } = summary;
        assert.deepEqual(
          { added, modified, moved, deleted, unchanged, failed },
          { added: 0, modified: 1, moved: 1, deleted: 1, unchanged: 5, failed: 0 },
        );
        assert.deepEqual(events.map((event) => (event.type === 'job' ? event.status : event.type)).sort(), [
          'indexed',
          'unchanged',
        ]);
      });
      const status = await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.status());
      assert.deepEqual(status.documents, { indexed: 7 });
      assert.deepEqual(status.queue, { waiting: 0, running: 0, failed: 0, workers: 0 });
    } finally {
      folder.remove();
    }
  });

  it('are waited for or not, as index is told; progress is there for whoever reads', async () => {
    const folder = createTextFolder(6);
    const location = server.location({ name: 'later' });
    try {
      const summary = await withKnowledgeBase(location, (knowledgeBase) =>
        knowledgeBase.index(folder.path, { wait: false }),
      );
      assert.equal(summary.enqueued, 6);
      assert.equal(summary.new, 0);
      const { queue, documents } = await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.status());
      assert.deepEqual(queue, { waiting: 6, running: 0, failed: 0, workers: 0 });
      assert.deepEqual(documents, { pending: 6 });
      // The same documents again are the same jobs.
      await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(folder.path, { wait: false }));
      await withWorker(async (events) => {
        await until(async () => events.length >= 6);
        await until(async () => (await statusOf(location)).queue?.waiting === 0);
        assert.deepEqual((await statusOf(location)).documents, { indexed: 6 });
        assert.equal(events.length, 6);
      });
    } finally {
      folder.remove();
    }
  });

  it('go on when nobody waits for them any more', async () => {
    const folder = createTextFolder(40);
    const location = server.location({ name: 'left' });
    try {
      await withWorker(
        async (events) => {
          const stop = new AbortController();
          const run = withKnowledgeBase(location, (knowledgeBase) =>
            knowledgeBase.index(folder.path, { signal: stop.signal }),
          );
          run.catch(() => {});
          await until(async () => events.length > 0);
          stop.abort();
          await assert.rejects(
            run,
            (error) => isAquiferError(error, 'aborted') && /left to the workers/.test(error.message),
          );
          await until(async () => (await statusOf(location)).documents.indexed === 40);
          const rows = await server.administer((client) =>
            client.query("SELECT count(*)::int AS jobs FROM aquifer.ingestion_jobs WHERE knowledge_base = 'left'"),
          );
          await until(async () => rows.rows[0]?.jobs === 0 || (await jobsLeft('left')) === 0);
        },
        { concurrency: 1 },
      );
    } finally {
      folder.remove();
    }
  });

  it('that cannot embed as the knowledge base does leave it to others, and to index in the end', async () => {
    const folder = createTextFolder(3);
    const location = server.location({ name: 'embedders' });
    try {
      await withWorker(
        async (refusing) => {
          await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(folder.path, { wait: false }));
          await until(async () => refusing.length > 0);
          const [first] = refusing;
          assert.equal(first?.type, 'job');
          assert.equal(first?.type === 'job' && first.status, 'refused');
          assert.match(JSON.stringify(first), /embedder-mismatch.*builtin/);
          assert.match((await statusOf(location)).queue?.note ?? '', /embedder-mismatch/);
          await withWorker(async (events) => {
            await until(async () => (await statusOf(location)).documents.indexed === 3);
            assert.equal(events.filter((event) => event.type === 'job' && event.status === 'indexed').length, 3);
          });
        },
        { embedder: 'builtin:256' },
      );
    } finally {
      folder.remove();
    }
  });

  it('go on with the new embedder where the knowledge base is embedded again while they index', async () => {
    const [location, alone] = [server.location({ name: 're-embedded' }), server.location({ name: 'embedded once' })];
    const [first, second] = [createTextFolder(30, 'first'), createTextFolder(60, 'second')];
    const paths = [first.path, second.path];
    try {
      await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(first.path));
      await withWorker(async (events) => {
        await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(paths, { wait: false }));
        await until(async () => events.length >= 5);
        await reEmbedKnowledgeBase({ location, embedder: 'builtin:256' });
        // What the worker had in work by the old embedder comes again; jobs of the queue are left as they were.
        await until(async () => (await statusOf(location)).documents.indexed === 90);
      });
      await withKnowledgeBase(alone, (knowledgeBase) => knowledgeBase.index(paths));
      await reEmbedKnowledgeBase({ location: alone, embedder: 'builtin:256' });
      const expected = await withKnowledgeBase(alone, contentOf);
      await withKnowledgeBase(location, async (knowledgeBase) => {
        assert.equal((await knowledgeBase.status()).embedder.dimensions, 256);
        assert.deepEqual(await contentOf(knowledgeBase), expected);
        const { matches } = await knowledgeBase.search('Paragraph 3 of second 41', { mode: 'dense' });
        assert.ok(matches.length > 0);
      });
    } finally {
      first.remove();
      second.remove();
    }
  });

  it('without the folder of a document leave it to others, with the reason', async () => {
    const folder = createTextFolder(2);
    const location = server.location({ name: 'elsewhere' });
    await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(folder.path, { wait: false }));
    folder.remove();
    await withWorker(async (events) => {
      await until(async () => events.length > 0);
      assert.match(JSON.stringify(events[0]), /refused.*source-not-found: There is no folder file:/);
      mkdirSync(folder.path);
    });
    folder.remove();
  });

  it('give up documents that fail again and again: the reason is on the document, and what is older stays searchable', async () => {
    const folder = createTextFolder(2);
    const location = server.location({ name: 'poison' });
    try {
      await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(join(folder.path, 'file-0.txt')));
      writeFileSync(join(folder.path, 'file-0.txt'), textOf('newer'));
      // Nothing of these documents can be stored any more.
      await server.run(
        `CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$;
         CREATE TRIGGER poison BEFORE INSERT ON aquifer.contents FOR EACH ROW WHEN (NEW.knowledge_base = 'poison') EXECUTE FUNCTION poison()`,
      );
      await withWorker(
        async (events) => {
          const summary = await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(folder.path));
          assert.equal(summary.failed, 2);
          const statuses = events.flatMap((event) =>
            event.type === 'job' && event.knowledgeBase === 'poison' ? [event.status] : [],
          );
          assert.deepEqual(statuses.sort(), ['dead', 'dead', 'retry', 'retry']);
        },
        { maxAttempts: 2 },
      );
      const { queue, failures, documents } = await statusOf(location);
      assert.deepEqual([queue?.failed, queue?.waiting], [2, 0]);
      assert.deepEqual(documents, { indexed: 1, failed: 1 });
      assert.match(failures[0]?.reason ?? '', /poisoned/);
      await withKnowledgeBase(location, async (knowledgeBase) => {
        const [old] = (await knowledgeBase.documents()).filter(({ status }) => status === 'indexed');
        assert.match(old?.statusReason ?? '', /A newer version could not be indexed: .*poisoned/);
        assert.equal((await knowledgeBase.search('file 0 paragraph', { limit: 3 })).matches.length, 3);
      });
      await server.run('DROP TRIGGER poison ON aquifer.contents');
      await withWorker(async () => {
        const summary = await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.index(folder.path));
        assert.deepEqual([summary.new + summary.modified, summary.failed], [2, 0]);
      });
      assert.equal((await statusOf(location)).queue?.failed, 0);
    } finally {
      folder.remove();
    }
  });

  it('serve all tenants, which do not see each other', async () => {
    const folder = createTextFolder(3);
    try {
      const [one, other] = ['one', 'other'].map((tenant) => server.location({ tenant, name: 'docs' }));
      await withKnowledgeBase(one as string, (knowledgeBase) => knowledgeBase.index(folder.path, { wait: false }));
      await withKnowledgeBase(other as string, async (knowledgeBase) => {
        assert.deepEqual((await knowledgeBase.status()).queue, { waiting: 0, running: 0, failed: 0, workers: 0 });
      });
      // As the application's role, which names its tenant, and another one's in the query.
      const seen = await server.administer(async (client) => {
        await client.query('SET ROLE aquifer');
        await client.query("BEGIN; SET LOCAL aquifer.tenant = 'other'");
        const { rows } = await client.query("SELECT * FROM aquifer.ingestion_jobs WHERE tenant = 'one'");
        await client.query("COMMIT; BEGIN; SET LOCAL aquifer.tenant = 'one'");
        const own = await client.query("SELECT * FROM aquifer.ingestion_jobs WHERE tenant = 'one'");
        return [rows.length, own.rows.length];
      });
      assert.deepEqual(seen, [0, 3]);
      // The queue itself says nothing of documents.
      const payloads = await server.administer((client) =>
        client.query('SELECT payload::text FROM aquifer_queue._private_jobs'),
      );
      assert.ok(payloads.rows.length >= 3);
      assert.doesNotMatch(JSON.stringify(payloads.rows), /file-|txt/);
      await withWorker(async () => {
        await withKnowledgeBase(other as string, (knowledgeBase) => knowledgeBase.index(folder.path));
        await until(async () => (await statusOf(one as string)).documents.indexed === 3);
      });
    } finally {
      folder.remove();
    }
  });

  it('take no job of a tenant that they were not told to serve, and are not waited for by him', async () => {
    const folder = createTextFolder(4);
    try {
      const [own, other] = ['served', 'not served'].map((tenant) => server.location({ tenant, name: 'docs' }));
      const jobsOf = (tenant: string) =>
        server.administer(async (client) => {
          const { rows } = await client.query(
            'SELECT attempts, worker, started_at, note FROM aquifer.ingestion_jobs WHERE tenant = $1 AND ended IS NULL',
            [tenant],
          );
          return rows;
        });
      // The other's first, so that they are the first in the queue.
      for (const location of [other, own]) {
        await withKnowledgeBase(location as string, (knowledgeBase) =>
          knowledgeBase.index(folder.path, { wait: false }),
        );
      }
      const untouched = await jobsOf('not served');
      assert.equal(untouched.length, 4);
      await withWorker(
        async (events) => {
          await until(async () => (await statusOf(own as string)).documents.indexed === 4);
          assert.deepEqual(await jobsOf('not served'), untouched);
          assert.ok(untouched.every(({ attempts, worker, started_at }) => attempts === 0 && !worker && !started_at));
          assert.ok(events.every((event) => event.type === 'job' && event.tenant === 'served'));
          assert.equal((await statusOf(own as string)).queue?.workers, 1);
          assert.deepEqual((await statusOf(other as string)).queue, { waiting: 4, running: 0, failed: 0, workers: 0 });
          // Nobody serves him, so index does it.
          const summary = await withKnowledgeBase(other as string, (knowledgeBase) => knowledgeBase.index(folder.path));
          assert.equal(summary.failed, 0);
          assert.equal((await statusOf(other as string)).documents.indexed, 4);
          assert.ok(events.every((event) => event.type === 'job' && event.tenant === 'served'));
        },
        { tenants: ['served', 'nobody'] },
      );
      // What was passed on is taken by those who serve him.
      writeFileSync(join(folder.path, 'file-0.txt'), textOf('changed'));
      await withKnowledgeBase(other as string, (knowledgeBase) => knowledgeBase.index(folder.path, { wait: false }));
      await withWorker(
        async () => {
          await withWorker(
            async () => {
              await until(async () => (await statusOf(other as string)).documents.indexed === 4);
            },
            { tenants: ['not served'] },
          );
        },
        { tenants: ['served'] },
      );
      await assert.rejects(startIngestionWorker({ location: server.location(), tenants: [] }), (error) =>
        isAquiferError(error, 'invalid-options'),
      );
    } finally {
      folder.remove();
    }
  });

  it('give documents the time of the database, whatever theirs is', async () => {
    const folder = createTextFolder(3);
    const location = server.location({ name: 'clocks' });
    const startedAt = Date.now();
    try {
      mock.timers.enable({ apis: ['Date'], now: Date.UTC(2100, 0) });
      const pending = await withKnowledgeBase(location, async (knowledgeBase) => {
        await knowledgeBase.index(folder.path, { wait: false });
        return knowledgeBase.documents();
      });
      await withWorker(() => until(async () => (await statusOf(location)).documents.indexed === 3));
      const indexed = await withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.documents());
      for (const { status, indexedAt } of [...pending, ...indexed]) {
        assert.ok(Math.abs(indexedAt - startedAt) < 300_000, `${status} at ${new Date(indexedAt).toISOString()}`);
      }
      assert.deepEqual([pending.length, indexed.length], [3, 3]);
    } finally {
      mock.timers.reset();
      folder.remove();
    }
  });

  it('say what they do to whoever measures', async () => {
    const folder = createTextFolder(5);
    const stop = new AbortController();
    let port: number | undefined;
    const running = runWorker({
      location: server.location(),
      signal: stop.signal,
      threads: 1,
      metricsPort: 0,
      onStart: ({ metricsPort }) => {
        port = metricsPort;
      },
    });
    try {
      await until(async () => port !== undefined);
      await withKnowledgeBase(server.location({ name: 'measured' }), (knowledgeBase) =>
        knowledgeBase.index(folder.path),
      );
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
      const text = await answer.text();
      const value = (metric: string) =>
        Number(
          text
            .split('\n')
            .find((line) => line.startsWith(`${metric} `))
            ?.split(' ')[1],
        );
      assert.equal(value('aquifer_worker_documents_total{status="indexed"}'), 5);
      assert.equal(value('aquifer_worker_failures_total'), 0);
      assert.ok(value('aquifer_worker_chunks_total') > 5);
      assert.ok(value('aquifer_worker_tokens_total') > 100);
      for (const stage of ['source', 'extract', 'embed', 'store']) {
        assert.ok(value(`aquifer_worker_stage_seconds_total{stage="${stage}"}`) > 0, stage);
      }
      assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
      assert.equal((await fetch(`http://127.0.0.1:${port}/secrets`)).status, 404);
    } finally {
      stop.abort();
      await running;
      folder.remove();
    }
    await assert.rejects(fetch(`http://127.0.0.1:${port}/metrics`));
  });

  const statusOf = (location: string) => withKnowledgeBase(location, (knowledgeBase) => knowledgeBase.status());
  const jobsLeft = async (knowledgeBase: string): Promise<number> => {
    const { rows } = await server.administer((client) =>
      client.query('SELECT count(*)::int AS jobs FROM aquifer.ingestion_jobs WHERE knowledge_base = $1', [
        knowledgeBase,
      ]),
    );
    return rows[0]?.jobs;
  };
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('It did not happen within a minute.');
    await wait(50);
  }
}
