import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { signRequest } from '@aquifer/bedrock-wire';
import { fixedKeys } from '../testing/fixed-keys.js';
import { json, type StartedNative, startNative } from '../testing/native-fixture.js';
import { assertSeesNothing, settle } from '../testing/strangers.js';

const secretOf = (name: string) => `the secret of ${name}`.replaceAll(' ', '-');
const key = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: secretOf(accessKeyId) });
const keys = fixedKeys([
  key('OWNER'),
  { ...key('READER'), scopes: ['read'] },
  { ...key('MODELS'), scopes: ['model'] },
  { ...key('WRITER'), scopes: ['write'] },
  { ...key('STRANGER'), tenant: 'another' },
]);
const bearer = (name: string) => ({ authorization: `Bearer ${secretOf(name)}` });
const base = '/v1/knowledge-bases/default';

describe('the HTTP API with keys', () => {
  let native: StartedNative;
  before(async () => {
    native = await startNative({ keys });
    assert.equal((await native.post('/v1/knowledge-bases', { name: 'default' }, bearer('OWNER'))).status, 201);
    const sent = await native.post(
      `${base}/documents`,
      { documents: [{ name: 'a.md', text: 'Leave is 52 weeks.' }] },
      bearer('OWNER'),
    );
    assert.equal(sent.status, 202);
    const { job } = await json(sent);
    await (await native.send(`/v1/jobs/${job.id}/events`, { headers: bearer('OWNER') })).text();
  });
  after(() => native.close());

  it('answers nobody without one', async () => {
    const answer = await native.send('/v1/knowledge-bases');
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    assert.equal((await json(answer)).error.code, 'unauthenticated');
    const unknown = await native.send('/v1/knowledge-bases', { headers: { authorization: 'Bearer nobodys' } });
    assert.equal(unknown.status, 401);
    assert.equal((await native.send('/healthz')).status, 200);
  });

  it('takes the same key as a token and as a signature', async () => {
    const { host } = new URL(native.endpoint);
    const body = JSON.stringify({ query: 'leave' });
    const headers = signRequest(
      {
        method: 'POST',
        target: `${base}/search`,
        headers: { host, 'content-type': 'application/json' },
        body: Buffer.from(body),
      },
      key('READER'),
      { region: 'us-east-1', service: 'bedrock', now: Date.now() },
    );
    const sent = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
    const signed = await native.send(`${base}/search`, { method: 'POST', headers: sent, body });
    assert.equal(signed.status, 200, await signed.clone().text());
    const altered = await native.send(`${base}/search`, {
      method: 'POST',
      headers: sent,
      body: body.replace('leave', 'pay'),
    });
    assert.equal(altered.status, 401);
    assert.equal((await native.post(`${base}/search`, { query: 'leave' }, bearer('READER'))).status, 200);
  });

  it('lets each do what its scopes say', async () => {
    const as = (name: string, method: string, path: string) =>
      native.send(path, {
        method,
        headers: { ...bearer(name), 'content-type': 'application/json' },
        ...(method === 'POST' && { body: '{}' }),
      });
    const refused = async (name: string, method: string, path: string) => {
      const answer = await as(name, method, path);
      assert.deepEqual(
        [answer.status, (await json(answer)).error.code],
        [403, 'forbidden'],
        `${name} ${method} ${path}`,
      );
    };
    await refused('READER', 'POST', `${base}/documents`);
    await refused('READER', 'POST', '/v1/knowledge-bases');
    await refused('READER', 'DELETE', `${base}/documents/x`);
    await refused('READER', 'DELETE', base);
    await refused('MODELS', 'GET', base);
    await refused('MODELS', 'POST', `${base}/search`);
    const invoked = await as('READER', 'POST', '/model/amazon.titan-embed-text-v2:0/invoke');
    assert.deepEqual([invoked.status, invoked.headers.get('x-amzn-errortype')], [403, 'AccessDeniedException']);
  });

  it('asks for the scope of what is routed, however the path says it on the wire', async () => {
    const statusOf = async (name: string, method: string, path: string) => {
      const { hostname: host, port } = new URL(native.endpoint);
      const headers = { ...bearer(name), 'content-type': 'application/json' };
      const sent = request({ host, port, method, path, headers });
      sent.end(method === 'POST' ? '{"documents":[{"name":"b.md","text":"Mine."}]}' : undefined);
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      answer.resume();
      return answer.statusCode;
    };
    assert.equal(await statusOf('WRITER', 'DELETE', base), 403);
    for (const path of [
      `http://any.example${base}`,
      `/v1/knowledge-bases/other/../default`,
      '/v1/knowledge%2Dbases/default',
      `${base}#/documents/a`,
    ]) {
      assert.equal(await statusOf('WRITER', 'DELETE', path), 403, path);
    }
    assert.equal(await statusOf('READER', 'POST', `${base}/documents#/search`), 403);
    assert.equal(await statusOf('READER', 'GET', `http://any.example${base}`), 200);
  });
});

it('shows one tenant nothing of another, by whatever interface', async () => {
  const native = await startNative({ keys });
  try {
    const theirs = await settle(native, key('OWNER'), 'default', 'zephyrine');
    await assertSeesNothing(native, key('STRANGER'), theirs);
  } finally {
    await native.close();
  }
  assert.deepEqual(native.failures, []);
});
