import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { fixedKeys } from '../testing/fixed-keys.js';
import { json, type StartedNative, startNative } from '../testing/native-fixture.js';

interface Answered {
  readonly status: number;
  readonly errorType: string | undefined;
  readonly text: string;
}

type Sent = readonly [method: string, path: string, headers?: Readonly<Record<string, string>>, body?: string];

/** As a browser sends it: `fetch` lets nobody say another host. */
function send(endpoint: string, [method, path, headers = {}, body = '{}']: Sent): Promise<Answered> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const described = { 'content-type': 'application/json', 'content-length': body.length, ...headers };
    const sent = request({ hostname, port, method, path, headers: described });
    sent.on('error', reject);
    sent.on('response', async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      resolve({
        status: answer.statusCode ?? 0,
        errorType: answer.headers['x-amzn-errortype'] as string | undefined,
        text: Buffer.concat(chunks).toString(),
      });
    });
    sent.end(body);
  });
}

/** Over HTTP/2, the status. */
async function sendH2(endpoint: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const session = connect(endpoint);
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({ ':path': '/v1/knowledge-bases', ...headers });
      stream.on('error', reject);
      stream.on('response', ({ ':status': status }) => resolve(status ?? 0));
      stream.resume();
    });
  } finally {
    session.close();
  }
}

const models = ['invoke', 'invoke-with-response-stream', 'converse', 'converse-stream', 'count-tokens'];
const managing = ['', 'ABCDEFGHIJ', 'ABCDEFGHIJ/datasources', 'ABCDEFGHIJ/datasources/ABCDEFGHIJ/documents'];
const ofBedrock: readonly Sent[] = [
  ...models.map((operation) => ['POST', `/model/amazon.titan-embed-text-v2%3A0/${operation}`] as const),
  ...['/retrieveAndGenerate', '/retrieveAndGenerateStream', '/rerank'].map((path) => ['POST', path] as const),
  ['POST', '/knowledgebases/ABCDEFGHIJ/retrieve'],
  ...managing.map((path) => ['PUT', `/knowledgebases/${path}`] as const),
];
const ofOperations: readonly Sent[] = ['/healthz', '/readyz', '/metrics', '/openapi.json', '/', '/mcp', '/nothing'].map(
  (path) => ['GET', path],
);

describe('pages of others', () => {
  let native: StartedNative;
  let own: string;
  before(async () => {
    native = await startNative();
    own = new URL(native.endpoint).host;
    assert.equal((await native.post('/v1/knowledge-bases', { name: 'default' })).status, 201);
  });
  after(() => native.close());

  it('get nothing from any route of a service without keys', async () => {
    const { paths } = await json(await native.send('/openapi.json'));
    const described = Object.entries<object>(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method): Sent => [method.toUpperCase(), path.replace(/\{\w+\}/g, 'default')]),
    );
    assert.ok(described.length > 15);
    const ofOurs: readonly Sent[] = [...described, ...ofOperations, ['POST', '/mcp'], ['OPTIONS', '/v1/jobs']];
    const port = own.slice(own.indexOf(':'));
    const foreign: readonly NonNullable<Sent[2]>[] = [
      { origin: 'http://attacker.example' },
      { host: `attacker.example${port}` },
    ];
    for (const headers of foreign) {
      for (const [method, path] of ofOurs) {
        const { status, text } = await send(native.endpoint, [method, path, headers]);
        assert.equal(status, 403, `${method} ${path}`);
        const { code, message } = JSON.parse(text).error;
        assert.equal(code, 'forbidden');
        assert.match(message, /attacker\.example.*without keys.*aquifer keys create/);
      }
      for (const [method, path] of ofBedrock) {
        const { status, errorType, text } = await send(native.endpoint, [method, path, headers]);
        assert.deepEqual([status, errorType], [403, 'AccessDeniedException'], `${method} ${path}`);
        assert.match(JSON.parse(text).message, /attacker\.example/);
      }
    }
  });

  it('cannot send a form, for which a browser asks nobody first', async () => {
    const form = new FormData();
    form.append('file', new Blob(['# Planted']), 'planted.md');
    const origin = { origin: 'http://attacker.example' };
    const path = '/v1/knowledge-bases/default/documents';
    const answer = await native.send(path, { method: 'POST', body: form, headers: origin });
    assert.equal(answer.status, 403);
    assert.equal(existsSync(native.uploadFolder), false);
    assert.deepEqual((await json(await native.send('/v1/jobs'))).jobs, []);
  });

  it('are told from those of this machine, whatever port a tunnel or a development server has', async () => {
    const status = async (headers: Readonly<Record<string, string>>) =>
      (await send(native.endpoint, ['GET', '/v1/knowledge-bases', headers])).status;
    for (const host of [own, 'localhost', 'LOCALHOST:9000', '127.8.9.10:1', '[::1]:8420']) {
      assert.equal(await status({ host }), 200, host);
      assert.equal(await status({ host, origin: `http://${host}` }), 200, host);
    }
    assert.equal(await status({ origin: 'https://localhost:5173' }), 200);
    for (const host of [
      'localhost.attacker.example',
      '127.0.0.1.attacker.example:8420',
      'attacker.example:80@localhost',
      '127.0.0.1\t.example',
      '10.0.0.1',
      '0.0.0.0:8420',
      '[::]',
    ]) {
      assert.equal(await status({ host }), 403, host);
    }
    for (const origin of ['null', '', 'http://localhost.attacker.example', 'http://192.168.0.1', 'http://127.1']) {
      assert.equal(await status({ origin }), 403, origin);
    }
  });

  it('are known by HTTP/2 too', async () => {
    assert.equal(await sendH2(native.endpoint, {}), 200);
    assert.equal(await sendH2(native.endpoint, { ':authority': 'attacker.example:8420' }), 403);
    assert.equal(await sendH2(native.endpoint, { origin: 'http://attacker.example' }), 403);
    assert.equal(await sendH2(native.endpoint, { origin: 'http://localhost:3000' }), 200);
  });

  it('have no key to send where one is needed, and any host may lead there', async () => {
    const secretAccessKey = 'the-secret-of-a-key';
    const keyed = await startNative({ keys: fixedKeys([{ accessKeyId: 'AQUIFER', secretAccessKey }]) });
    try {
      const headers = { host: 'aquifer.example', origin: 'http://attacker.example' };
      const status = async (more: object) =>
        (await send(keyed.endpoint, ['GET', '/v1/knowledge-bases', { ...headers, ...more }])).status;
      assert.equal(await status({}), 401);
      assert.equal(await status({ authorization: `Bearer ${secretAccessKey}` }), 200);
      // What a browser asks before it sends such a header for a page: nothing in the answer allows it.
      const asked = await fetch(`${keyed.endpoint}/v1/knowledge-bases`, { method: 'OPTIONS' });
      assert.equal(asked.status, 401);
      assert.deepEqual(
        [...asked.headers.keys()].filter((name) => name.startsWith('access-control-')),
        [],
      );
    } finally {
      await keyed.close();
    }
  });
});
