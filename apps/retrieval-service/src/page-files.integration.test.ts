import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { openKeyRing } from './access/key-ring.js';
import { type StartedNative, startNative } from './testing/native-fixture.js';

const script = `console.log(${JSON.stringify('x'.repeat(2_000))});`;

const requestId = /^[0-9a-f-]{36}$/;

describe('the page for browsers', () => {
  let started: StartedNative;
  let folder: string;
  const browser = { accept: 'text/html', 'accept-encoding': 'identity' };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-page-'));
    const page = join(folder, 'page');
    mkdirSync(join(page, 'assets'), { recursive: true });
    writeFileSync(join(page, 'index.html'), '<!doctype html><title>Aquifer</title>');
    writeFileSync(join(page, 'docs.html'), '<!doctype html><title>HTTP API</title>');
    writeFileSync(join(page, 'assets/index-1a2b.js'), script);
    writeFileSync(join(page, 'assets/index-1a2b.js.br'), brotliCompressSync(script));
    writeFileSync(join(page, 'assets/index-1a2b.js.gz'), gzipSync(script));
    writeFileSync(join(folder, 'secret.js'), 'secret');
    // With keys: the page itself needs none, and what it shows does.
    started = await startNative({ page, keys: openKeyRing(join(folder, 'keys.json')) });
  });
  after(async () => {
    await started.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('every view is the same document, under a policy that lets only files of the page run', async () => {
    for (const path of ['/', '/ask', '/search?q=1', '/documents', '/documents/a%2Fb', '/status']) {
      const answer = await started.send(path, { headers: browser });
      assert.equal(answer.status, 200, path);
      assert.match(await answer.text(), /<title>Aquifer/);
      assert.match(answer.headers.get('x-request-id') ?? '', requestId);
      assert.equal(answer.headers.get('cache-control'), 'no-cache');
      const policy = answer.headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'; script-src 'self';/);
      assert.doesNotMatch(policy, /unsafe|\*|data:/);
      assert.match(policy, /frame-ancestors 'none'/);
    }
  });

  test('the routes of the API have a document of their own, under the same policy', async () => {
    for (const path of ['/docs', '/docs/']) {
      const answer = await started.send(path, { headers: browser });
      assert.equal(answer.status, 200, path);
      assert.match(await answer.text(), /<title>HTTP API/);
      assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'; script-src 'self';/);
    }
    assert.equal((await started.send('/docs/other', { headers: browser })).status, 401);
  });

  test('the API keeps its paths, its keys and its errors', async () => {
    assert.equal((await started.send('/v1/knowledge-bases', { headers: browser })).status, 401);
    assert.equal((await started.send('/healthz', { headers: browser })).status, 200);
    for (const path of ['/nothing', '/assets/missing.js', '/documents/a/b', '/assets/', '/assets/.hidden']) {
      assert.equal((await started.send(path, { headers: browser })).status, 401, path);
    }
    assert.equal((await started.send('/', { method: 'POST' })).status, 401);
  });

  test('nothing outside of the folder is served', async () => {
    const { port } = new URL(started.endpoint);
    for (const path of ['/assets/../../secret.js', '/assets/..%2f..%2fsecret.js', '/../secret.js']) {
      // `fetch` would tidy the path up.
      const status = await new Promise((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port, path }, (answer) => resolve(answer.resume().statusCode));
        sent.on('error', reject);
        sent.end();
      });
      assert.equal(status, 401, path);
    }
  });

  test('files are sent compressed as the browser likes, for good, and not again', async () => {
    const path = '/assets/index-1a2b.js';
    for (const [accepted, encoding] of [
      ['gzip, br', 'br'],
      ['gzip', 'gzip'],
      ['br;q=0, gzip', 'gzip'],
      ['identity', null],
    ] as const) {
      const answer = await started.send(path, { headers: { 'accept-encoding': accepted } });
      assert.equal(answer.headers.get('content-encoding'), encoding);
      assert.equal(await answer.text(), script);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/javascript/);
      assert.match(answer.headers.get('cache-control') ?? '', /immutable/);
      const etag = answer.headers.get('etag')!;
      const again = await started.send(path, { headers: { 'accept-encoding': accepted, 'if-none-match': etag } });
      assert.equal(again.status, 304);
      assert.match(again.headers.get('x-request-id') ?? '', requestId);
    }
  });

  test('a page that was built again is another one', async () => {
    const first = (await started.send('/', { headers: browser })).headers.get('etag')!;
    utimesSync(join(folder, 'page/index.html'), new Date(), new Date(Date.now() + 10_000));
    const again = await started.send('/', { headers: { ...browser, 'if-none-match': first } });
    assert.equal(again.status, 200);
  });
});

test('without the built page the service says how to build it, and its API works', async () => {
  const started = await startNative({ page: join(tmpdir(), 'aquifer-no-such-page') });
  try {
    const answer = await started.send('/');
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /npm run build/);
    assert.equal((await started.send('/v1/knowledge-bases')).status, 200);
  } finally {
    await started.close();
  }
});
