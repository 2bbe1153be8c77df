import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Validator } from '@seriousme/openapi-schema-validator';
import { openKnowledgeBase } from 'aquifer';
import { events, json, type StartedNative, startNative } from '../testing/native-fixture.js';

const handbook = fileURLToPath(new URL('../../../../examples/handbook/', import.meta.url));
const base = '/v1/knowledge-bases/default';

describe('the HTTP API on the knowledge base of a folder', () => {
  let native: StartedNative;
  before(async () => {
    native = await startNative();
  });
  after(async () => {
    await native.close();
    assert.deepEqual(native.failures, []);
  });

  it('has none at first, and makes one', async () => {
    assert.deepEqual(await json(await native.send('/v1/knowledge-bases')), { knowledgeBases: [] });
    const missing = await native.post(`${base}/search`, { query: 'leave' });
    assert.equal(missing.status, 404);
    const { error } = await json(missing);
    assert.equal(error.code, 'knowledge-base-not-found');
    assert.equal(error.requestId, missing.headers.get('x-request-id'));

    const made = await native.post('/v1/knowledge-bases', { name: 'default' });
    assert.equal(made.status, 201);
    const identity = await json(made);
    assert.match(identity.id, /^[0-9A-Z]{10}$/);
    assert.equal(made.headers.get('location'), `/v1/knowledge-bases/${identity.id}`);
    assert.deepEqual(await json(await native.send('/v1/knowledge-bases')), { knowledgeBases: [identity] });
    const again = await native.post('/v1/knowledge-bases', { name: 'another' });
    assert.equal(again.status, 400);
    assert.match((await json(again)).error.message, /holds one knowledge base/);
  });

  it('takes files, tells of their job while it runs, and refuses what it cannot take', async () => {
    const form = new FormData();
    form.append('metadata', JSON.stringify({ country: 'JP', year: 2025 }));
    for (const name of ['people/leave-policy-2025.pdf', 'people/faq.html']) {
      form.append('file', new Blob([readFileSync(join(handbook, name))]), name);
    }
    form.append('file', new Blob(['x'.repeat(1024 * 1024 + 1)]), 'too-large.txt');
    form.append('file', new Blob(['x']), '../outside.txt');
    form.append('file', new Blob(['not a pdf']), 'broken.pdf');
    for (const name of ['x.exe', 'film.mp4', 'scan.png']) form.append('file', new Blob(['MZ']), name);
    const answer = await native.send(`${base}/documents`, { method: 'POST', body: form });
    assert.equal(answer.status, 202);
    const { job, kept, refused } = await json(answer);
    assert.deepEqual(kept, ['people/leave-policy-2025.pdf', 'people/faq.html', 'broken.pdf']);
    const reasons = new Map<string, string>(refused.map(({ name, reason }: Record<string, string>) => [name, reason]));
    assert.deepEqual([...reasons.keys()].sort(), ['../outside.txt', 'film.mp4', 'scan.png', 'too-large.txt', 'x.exe']);
    assert.match(reasons.get('x.exe') ?? '', /no reader for x\.exe.*Supported: \.pdf/);
    assert.match(reasons.get('scan.png') ?? '', /OCR is off/);
    const onDisk = readdirSync(native.uploadFolder, { recursive: true, withFileTypes: true });
    const files = onDisk.filter((each) => each.isFile()).map(({ name }) => name);
    assert.deepEqual(files.filter((name) => !name.endsWith('.metadata.json')).sort(), [
      'broken.pdf',
      'faq.html',
      'leave-policy-2025.pdf',
    ]);
    assert.equal(files.length, 6);
    assert.equal(answer.headers.get('location'), `/v1/jobs/${job.id}`);

    const told = await events(await native.send(`/v1/jobs/${job.id}/events`));
    assert.equal(told.at(-1)?.event, 'job');
    assert.equal(told.at(-1)?.data.status, 'partially-succeeded');
    const documents = told.filter(({ event }) => event === 'document').map(({ data }) => [data.source, data.status]);
    assert.deepEqual(documents.sort(), [
      ['broken.pdf', 'failed'],
      ['people/faq.html', 'indexed'],
      ['people/leave-policy-2025.pdf', 'indexed'],
    ]);
    const half = told[Math.floor(told.length / 2)]!;
    const rest = await events(
      await native.send(`/v1/jobs/${job.id}/events`, { headers: { 'last-event-id': String(half.id) } }),
    );
    // Of progress only the newest is kept.
    const lasting = (received: typeof told) => received.filter(({ event }) => event !== 'progress').map(({ id }) => id);
    assert.deepEqual(lasting(rest), lasting(told.filter(({ id }) => Number(id) > Number(half.id))));
    const done = await json(await native.send(`/v1/jobs/${job.id}`));
    assert.equal(done.failures[0].source, 'broken.pdf');
    assert.deepEqual([done.summary.new, done.summary.failed], [2, 1]);
    assert.ok(!JSON.stringify(done).includes(native.folder), 'where the index is stays inside');
  });

  it('takes texts, once for each idempotency key', async () => {
    const body = {
      documents: [
        {
          name: 'notes/coffee.md',
          text: '# Coffee\n\nThe espresso machine is on floor seven.',
          metadata: { floor: 7 },
        },
      ],
    };
    const first = await native.post(`${base}/documents`, body, { 'idempotency-key': 'a' });
    const again = await native.post(`${base}/documents`, body, { 'idempotency-key': 'a' });
    const [one, two] = [await json(first), await json(again)];
    assert.equal(one.job.id, two.job.id);
    const changed = { documents: [{ ...body.documents[0], text: '# Coffee\n\nThere is none.' }] };
    const other = await native.post(`${base}/documents`, changed, { 'idempotency-key': 'a' });
    assert.deepEqual([other.status, (await json(other)).error.code], [409, 'idempotency-conflict']);
    await (await native.send(`/v1/jobs/${one.job.id}/events`)).text();
    const found = await json(
      await native.post(`${base}/search`, {
        query: 'espresso',
        limit: 1,
        filter: { equals: { key: 'floor', value: 7 } },
      }),
    );
    assert.equal(found.matches[0].source, 'notes/coffee.md');
  });

  it('refuses texts one by one, and a request of which nothing is taken', async () => {
    const coffee = { name: 'notes/coffee.md', text: '# Coffee\n\nThe espresso machine is on floor seven.' };
    const documents = [{ name: 'tool.exe', text: 'MZ' }, coffee, { name: '.hidden.md', text: 'x' }];
    const answer = await native.post(`${base}/documents`, { documents });
    assert.equal(answer.status, 202);
    const { job, kept, refused } = await json(answer);
    assert.deepEqual(
      [kept, refused.map(({ name }: { name: string }) => name)],
      [[coffee.name], ['tool.exe', '.hidden.md']],
    );
    assert.equal(existsSync(join(native.uploadFolder, 'tool.exe')), false);
    await (await native.send(`/v1/jobs/${job.id}/events`)).text();
    const nothing = await native.post(`${base}/documents`, { documents: documents.slice(0, 1) });
    assert.equal(nothing.status, 400);
    assert.match((await json(nothing)).error.message, /No file was taken. tool\.exe: .*no reader/);
  });

  it('searches and answers as the library does', async () => {
    const library = await openKnowledgeBase({ location: native.location, mode: 'read' });
    try {
      const query = 'How long is parental leave in Japan?';
      const [ours, theirs] = [await json(await native.post(`${base}/search`, { query })), await library.search(query)];
      assert.ok(ours.matches.length > 1);
      assert.deepEqual({ ...ours, ms: 0 }, { ...theirs, ms: 0 });

      const answer = await json(await native.post(`${base}/ask`, { question: query }));
      assert.match(answer.answer, /52 weeks/);
      assert.ok(answer.citations.length > 0);
      const stream = await native.post(`${base}/ask`, { question: query }, { accept: 'text/event-stream' });
      assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/);
      const told = await events(stream);
      assert.deepEqual([told[0]?.event, told.at(-1)?.event], ['search', 'answer']);
      assert.equal(
        told
          .filter(({ event }) => event === 'text')
          .map(({ data }) => data.text)
          .join(''),
        answer.answer,
      );
      assert.deepEqual({ ...told.at(-1)!.data, ms: 0 }, { ...answer, ms: 0 });
    } finally {
      await library.close();
    }
  });

  it('lists page by page, and gives originals and texts', async () => {
    const names: string[] = [];
    let cursor = '';
    do {
      const page = await json(await native.send(`${base}/documents?limit=1${cursor}`));
      assert.equal(page.documents.length, 1);
      names.push(page.documents[0].source);
      cursor = page.nextCursor === undefined ? '' : `&cursor=${page.nextCursor}`;
    } while (cursor);
    assert.deepEqual(names.sort(), [
      'broken.pdf',
      'notes/coffee.md',
      'people/faq.html',
      'people/leave-policy-2025.pdf',
    ]);

    const { matches } = await json(await native.post(`${base}/search`, { query: 'parental leave Japan' }));
    const [match] = matches;
    const path = `${base}/documents/${match.documentId}`;
    const text = await (await native.send(`${path}/content?as=text`)).text();
    assert.equal(text.slice(match.start, match.end), match.text);
    const original = await native.send(`${path}/content`);
    const bytes = Buffer.from(await original.arrayBuffer());
    assert.deepEqual(bytes, readFileSync(join(handbook, match.source)));
    assert.equal(original.headers.get('etag'), `"${createHash('sha256').update(bytes).digest('hex')}"`);
    assert.match(original.headers.get('content-security-policy') ?? '', /sandbox/);
    const document = await json(await native.send(path));
    assert.ok(document.chunks.some(({ id }: { id: string }) => id === match.chunkId));

    writeFileSync(join(native.uploadFolder, match.source), 'something else');
    const changed = await native.send(`${path}/content`);
    assert.deepEqual([changed.status, (await json(changed)).error.code], [409, 'source-changed']);
  });

  it('answers an unchanged document with 304, and long answers compressed', async () => {
    const first = await native.send(base);
    const tag = first.headers.get('etag') ?? '';
    await first.text();
    assert.equal((await native.send(base, { headers: { 'if-none-match': tag } })).status, 304);
    for (const encoding of ['br', 'gzip']) {
      const answer = await native.post(`${base}/search`, { query: 'leave' }, { 'accept-encoding': encoding });
      assert.equal(answer.headers.get('content-encoding'), encoding);
      assert.ok((await json(answer)).matches.length > 0);
    }
  });

  it('says what is wrong with a request, and where', async () => {
    const wrong: [unknown, RegExp][] = [
      [{}, /query/],
      [{ query: 'a', limit: 0 }, /limit/],
      [{ query: 'a', limt: 1 }, /limt/],
      [{ query: 7 }, /query/],
      [{ query: 'a', filter: { like: { key: 'a', value: 'b' } } }, /like/],
    ];
    for (const [body, message] of wrong) {
      const answer = await native.post(`${base}/search`, body);
      assert.equal(answer.status, 400);
      assert.match((await json(answer)).error.message, message);
    }
    const headers = { 'content-type': 'application/json' };
    const malformed = await native.send(`${base}/search`, { method: 'POST', headers, body: '{"query":' });
    assert.equal(malformed.status, 400);
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const deep = await native.send(`${base}/search`, {
      method: 'POST',
      headers,
      body: `{"query":"a","filter":${nested}}`,
    });
    assert.equal(deep.status, 400);
    const none = await native.send('/v1/nothing');
    assert.deepEqual([none.status, (await json(none)).error.code], [404, 'not-found']);
    assert.equal((await native.send('/v1/jobs/nobody')).status, 404);
    assert.equal((await native.send(`${base}/documents?cursor=nonsense`)).status, 400);
    assert.equal(
      (await native.send(`${base}/documents`, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: 'a' }))
        .status,
      415,
    );
    const empty = await native.send(`${base}/documents`, { method: 'POST', body: new FormData() });
    assert.equal(empty.status, 400);
  });

  it('keeps nothing of an upload that breaks off', async () => {
    const { hostname, port } = new URL(native.endpoint);
    const sent = request({
      hostname,
      port,
      path: `${base}/documents`,
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
    });
    sent.on('error', () => {});
    sent.write('--b\r\ncontent-disposition: form-data; name="file"; filename="half.txt"\r\n\r\nhalf of a');
    await new Promise((resolve) => setTimeout(resolve, 200));
    sent.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(!existsSync(join(native.uploadFolder, 'half.txt')));
    assert.deepEqual(readdirSync(join(native.uploadFolder, '.incoming')), []);
  });

  it('deletes a document with its original, and at last everything', async () => {
    const { documents } = await json(await native.send(`${base}/documents`));
    const coffee = documents.find(({ source }: { source: string }) => source === 'notes/coffee.md');
    assert.equal((await native.send(`${base}/documents/${coffee.id}`, { method: 'DELETE' })).status, 204);
    assert.equal((await native.send(`${base}/documents/${coffee.id}`)).status, 404);
    assert.ok(!existsSync(join(native.uploadFolder, 'notes')));
    assert.equal((await native.send(base, { method: 'DELETE' })).status, 204);
    assert.deepEqual(await json(await native.send('/v1/knowledge-bases')), { knowledgeBases: [] });
    assert.ok(!existsSync(native.location) && !existsSync(native.uploadFolder));
  });

  it('describes itself by a document that the schema of OpenAPI 3.1 allows', async () => {
    const document = await json(await native.send('/openapi.json'));
    const { valid, errors } = await new Validator().validate(document);
    assert.ok(valid, JSON.stringify(errors));
    assert.equal(document.openapi, '3.1.0');
    const upload = document.paths['/v1/knowledge-bases/{knowledgeBase}/documents'].post;
    assert.deepEqual(Object.keys(upload.requestBody.content), ['application/json', 'multipart/form-data']);
    assert.ok(document.components.schemas.SearchRequest);
  });
});
