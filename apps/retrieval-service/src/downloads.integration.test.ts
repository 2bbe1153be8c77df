import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readlinkSync, truncateSync } from 'node:fs';
import { get } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AnsweredRequest } from './observing/request-lines.js';
import { json, type StartedNative, startNative } from './testing/native-fixture.js';

/** More than the buffers of a connection hold, so that the service has to wait for who reads. */
const bytes = 24 * 2 ** 20;
const name = 'leave.html';
const text = '<!doctype html><title>Leave</title><p>Parental leave in Japan is 52 weeks.</p>';
const page = `${text}<!--${'x'.repeat(bytes - text.length - 7)}-->`;

/** How often this process has the file open. */
function openTimes(): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).endsWith(`/${name}`);
    } catch {
      return false;
    }
  }).length;
}

const skip = process.platform === 'linux' ? false : 'only Linux says which files are open';

describe('downloads', { skip }, () => {
  let native: StartedNative;
  let path: string;
  const answered: AnsweredRequest[] = [];
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown) => void uncaught.push(error);
  before(async () => {
    process.on('uncaughtExceptionMonitor', onUncaught);
    native = await startNative({
      uploadBytes: 2 * bytes,
      onRequest: (request) => void answered.push(request),
    });
    await native.post('/v1/knowledge-bases', { name: 'default' });
    const form = new FormData();
    form.append('file', new Blob([page]), name);
    const documents = '/v1/knowledge-bases/default/documents';
    await native.finished(await native.send(documents, { method: 'POST', body: form }));
    const [document] = (await json(await native.send(documents))).documents;
    path = `${documents}/${document.id}/content`;
  });
  after(async () => {
    await native.close();
    process.off('uncaughtExceptionMonitor', onUncaught);
  });

  async function closedByNow(): Promise<void> {
    const until = performance.now() + 10_000;
    while (openTimes() > 0 && performance.now() < until) await delay(20);
    assert.equal(openTimes(), 0);
    assert.equal((await native.send('/healthz')).status, 200);
    assert.deepEqual(uncaught, []);
    assert.deepEqual(native.failures, []);
  }

  /** Reads a little, leaves the rest for a while, and goes away. */
  const leave = {
    async 'http/1.1'(_round: number) {
      const request = get(native.endpoint + path);
      const [response] = await once(request, 'response');
      await once(response, 'readable');
      await delay(50);
      request.on('error', () => {});
      response.on('error', () => {});
      request.destroy();
    },
    async h2c(round: number) {
      const session = connectHttp2(native.endpoint);
      session.on('error', () => {});
      const stream = session.request({ ':path': path });
      stream.on('error', () => {});
      await once(stream, 'readable');
      await delay(50);
      if (round % 2 === 0) stream.close();
      session.destroy();
    },
  };

  for (const [protocol, leaveOnce] of Object.entries(leave)) {
    it(`may be left in the middle, over ${protocol}`, async () => {
      for (let round = 0; round < 5; round += 1) await Promise.all(Array.from({ length: 4 }, () => leaveOnce(round)));
      await closedByNow();
    });
  }

  it('leave no file open where the bytes are not sent: HEAD, and what the caller has', async () => {
    const whole = await native.send(path);
    assert.equal((await whole.arrayBuffer()).byteLength, page.length);
    const etag = whole.headers.get('etag')!;
    for (let round = 0; round < 3; round += 1) {
      const head = await native.send(path, { method: 'HEAD' });
      assert.equal(head.status, 200);
      assert.equal(head.headers.get('content-length'), String(page.length));
      assert.equal((await native.send(path, { headers: { 'if-none-match': etag } })).status, 304);
      const unchanged = await native.send(path, { method: 'HEAD', headers: { 'if-none-match': etag } });
      assert.equal(unchanged.status, 304);
    }
    await closedByNow();
  });

  it('are whole for who asks for a part', async () => {
    const answer = await native.send(path, { headers: { range: 'bytes=0-9' } });
    assert.equal(answer.status, 200);
    await answer.body!.cancel();
    await closedByNow();
  });

  it('of texts are compressed for who accepts that, of originals they are not', async () => {
    const long = 'Parental leave in Japan is 52 weeks. '.repeat(200);
    const at = '/v1/knowledge-bases/default/documents';
    await native.finished(await native.post(at, { documents: [{ name: 'long.txt', text: long }] }));
    const { documents } = await json(await native.send(at));
    const { id } = documents.find((each: { source: string }) => each.source.endsWith('long.txt'));
    for (const [accepted, encoding] of [
      ['gzip, br', 'br'],
      ['gzip', 'gzip'],
      ['identity', null],
    ] as const) {
      const ask = (as: string, more: Record<string, string> = {}) =>
        native.send(`${at}/${id}/content?as=${as}`, { headers: { 'accept-encoding': accepted, ...more } });
      const text = await ask('text');
      assert.equal(text.headers.get('content-encoding'), encoding);
      assert.equal(text.headers.get('vary'), 'accept-encoding');
      assert.equal((await text.text()).trim(), long.trim());
      assert.equal((await ask('text', { 'if-none-match': text.headers.get('etag')! })).status, 304);
      const original = await ask('original');
      assert.equal(original.headers.get('content-encoding'), null);
      assert.equal(original.headers.get('content-length'), String(long.length));
      assert.equal(await original.text(), long);
    }
  });

  it('break off where the file is cut short meanwhile, and do not end as if that were all', async () => {
    const answer = await native.send(path);
    const [file] = readdirSync(native.uploadFolder, { recursive: true, encoding: 'utf8' }).filter((each) =>
      each.endsWith(name),
    );
    truncateSync(join(native.uploadFolder, file!), 1024);
    await assert.rejects(answer.arrayBuffer(), /terminated/);
    await closedByNow();
    assert.equal(answered.at(-2)?.isBroken, true);
    assert.equal((await native.send(path)).status, 409);
  });
});
