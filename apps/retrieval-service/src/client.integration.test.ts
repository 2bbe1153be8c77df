import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createClient, type Operation, ServiceError } from '@aquifer/client';
import { openKeyRing } from './access/key-ring.js';
import { json, type StartedNative, startNative } from './testing/native-fixture.js';

describe('the client package, on a service', () => {
  let started: StartedNative;
  const client = () => createClient({ baseUrl: started.endpoint });
  before(async () => {
    started = await startNative();
    await client().createKnowledgeBase({ name: 'default' });
  });
  after(() => started.close());

  test('has a method for every operation that the service describes', async () => {
    const { paths } = await json(await started.send('/openapi.json'));
    const operations = Object.values(
      paths as Record<string, Record<string, { operationId: Operation; tags: string[] }>>,
    )
      // Those have clients of their own.
      .flatMap((path) => Object.values(path).filter(({ tags }) => !tags?.includes('OpenAI')))
      .map(({ operationId }) => operationId)
      .filter((operation) => operation !== undefined);
    assert.ok(operations.length >= 14);
    for (const operation of operations) assert.equal(typeof client()[operation], 'function', operation);
  });

  test('sends files, follows the job, searches, asks for reasons, streams an answer, and deletes', async () => {
    const files = [
      {
        name: 'people/leave.md',
        content: new Blob(['# Leave\n\nFull-time employees may take 52 weeks of parental leave.']),
      },
      { name: 'broken.pdf', content: new Blob(['%PDF-1.7 not really']) },
    ];
    const { job, kept } = await client().addDocuments('default', { files, metadata: { country: 'JP' } });
    assert.deepEqual(kept, ['people/leave.md', 'broken.pdf']);
    const seen: string[] = [];
    for await (const event of client().followJob(job.id)) {
      seen.push(event.event === 'document' ? `${event.data.source} ${event.data.status}` : event.event);
    }
    assert.ok(seen.includes('people/leave.md indexed') && seen.includes('broken.pdf failed'), seen.join());
    const done = await client().getJob(job.id);
    assert.equal(done.status, 'partially-succeeded');
    assert.equal(done.summary?.failed, 1);
    assert.deepEqual((await client().listJobs({ limit: 1 })).jobs, [done]);

    const { matches } = await client().search('default', {
      query: 'parental leave',
      filter: { equals: { key: 'country', value: 'JP' } },
    });
    assert.equal(matches[0]?.source, 'people/leave.md');
    const documentId = matches[0]!.documentId;
    const explanation = await client().explain('default', { query: 'parental leave', documentId });
    assert.equal(explanation.outcome, 'returned');
    assert.equal(explanation.best?.keyword?.rank, 1);

    let text = '';
    let answer: string | undefined;
    for await (const event of client().askStreaming('default', { question: 'How many weeks of parental leave?' })) {
      if (event.event === 'text') text += event.data.text;
      if (event.event === 'answer') answer = event.data.answer;
    }
    assert.match(text, /52 weeks/);
    assert.equal(text, answer);

    const { documents } = await client().listDocuments('default', { status: 'indexed' });
    assert.deepEqual(
      documents.map(({ id }) => id),
      [documentId],
    );
    assert.match((await client().getDocument('default', documentId)).content.text, /52 weeks/);
    assert.match(await (await client().getContent('default', documentId)).text(), /^# Leave/);
    await client().deleteDocument('default', documentId);
    await assert.rejects(client().getDocument('default', documentId), (error) => {
      return (
        error instanceof ServiceError &&
        error.code === 'document-not-found' &&
        error.status === 404 &&
        error.requestId !== ''
      );
    });
  });

  test('says that nothing listens, and what a proxy answered', async () => {
    const unreachable = createClient({ baseUrl: 'http://127.0.0.1:9' });
    await assert.rejects(unreachable.listKnowledgeBases(), { code: 'unreachable', status: 0 });
    const proxy = createServer((_request, response) => response.writeHead(502).end('<h1>Bad gateway</h1>'));
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = proxy.address() as { port: number };
      const behind = createClient({ baseUrl: `http://127.0.0.1:${port}` });
      await assert.rejects(behind.listKnowledgeBases(), { code: 'unreachable', status: 502 });
    } finally {
      proxy.close();
    }
  });

  test('takes up the events of a job where the connection broke off', async () => {
    let asked = 0;
    const flaky: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      asked += 1;
      if (asked > 1 || !response.body) return response;
      // The first connection ends after the first event.
      const reader = response.body.getReader();
      const { value } = await reader.read();
      await reader.cancel();
      return new Response(value?.slice());
    };
    const { job } = await client().addDocuments('default', { documents: [{ name: 'note.txt', text: 'A note.' }] });
    const ids: string[] = [];
    for await (const event of createClient({ baseUrl: started.endpoint, fetch: flaky }).followJob(job.id)) {
      ids.push(event.event === 'job' ? event.data.status : event.event);
    }
    assert.equal(ids.at(-1), 'succeeded');
    assert.equal(ids.filter((each) => each === 'succeeded').length, 1);
    assert.equal(ids[0], 'queued');
    assert.equal(asked, 2);
  });
});

test('a client sends its key, which may change, and reasons need no more than reading', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-client-'));
  const keys = openKeyRing(join(folder, 'keys.json'));
  const started = await startNative({ keys });
  await started.host.create('default', { name: 'default' });
  try {
    let key: string | undefined;
    const client = createClient({ baseUrl: started.endpoint, key: () => key });
    await assert.rejects(client.listKnowledgeBases(), { code: 'unauthenticated', status: 401 });
    key = keys.create({ tenant: 'default', scopes: ['read'] }, Date.now()).secret;
    assert.equal((await client.listKnowledgeBases()).length, 1);
    await assert.rejects(client.explain('default', { query: 'leave', documentId: 'none' }), {
      code: 'document-not-found',
    });
    await assert.rejects(client.deleteDocument('default', 'none'), { code: 'forbidden', status: 403 });
  } finally {
    await started.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
