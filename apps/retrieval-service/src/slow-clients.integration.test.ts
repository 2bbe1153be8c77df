import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Generator } from '@aquifer/contracts';
import { json, type StartedNative, startNative } from './testing/native-fixture.js';

const patience = { silenceMs: 300, bodyMs: 1_500, headMs: 300 };
const base = '/v1/knowledge-bases/default';

async function with52Weeks(options: Parameters<typeof startNative>[0], use: (native: StartedNative) => Promise<void>) {
  const native = await startNative(options);
  try {
    await native.post('/v1/knowledge-bases', { name: 'default' });
    const documents = [{ name: 'leave.md', text: '# Leave\n\nParental leave in Japan is 52 weeks.' }];
    await native.finished(await native.post(`${base}/documents`, { documents }));
    await use(native);
  } finally {
    await native.close();
  }
}

/** Milliseconds until the service ends a connection on which these pieces come, with a pause before each. */
async function endedAfter(endpoint: string, pieces: readonly string[], pauseMs: number): Promise<number> {
  const { hostname, port } = new URL(endpoint);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.resume();
  const startedAt = performance.now();
  const closed = once(socket, 'close');
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(piece);
    await Promise.race([delay(pauseMs), closed]);
  }
  await closed;
  return performance.now() - startedAt;
}

describe('clients that are slow', () => {
  it('are cut off with heads that do not end, bodies that stop, and bodies that drip', async () => {
    await with52Weeks({ patience }, async ({ endpoint }) => {
      const head = `POST ${base}/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
      const unfinished = await endedAfter(endpoint, [head, 'X-A: b\r\n'], 50);
      assert.ok(unfinished >= 250 && unfinished < 2_000, `head: ${unfinished} ms`);
      const stopped = await endedAfter(endpoint, [`${head}Content-Length: 1000\r\n\r\n{"query":`], 50);
      assert.ok(stopped >= 250 && stopped < 2_000, `stopped: ${stopped} ms`);
      const drips = Array.from({ length: 60 }, () => ' ');
      const dripped = await endedAfter(endpoint, [`${head}Content-Length: 1000\r\n\r\n`, ...drips], 100);
      assert.ok(dripped >= 1_400 && dripped < 4_000, `dripped: ${dripped} ms`);
      assert.equal((await fetch(`${endpoint}/healthz`)).status, 200);
    });
  });

  it('may take long for an upload, as long as it comes', async () => {
    await with52Weeks({ patience }, async (native) => {
      const { hostname, port } = new URL(native.endpoint);
      const headers = { 'content-type': 'multipart/form-data; boundary=b' };
      const sent = request({ hostname, port, path: `${base}/documents`, method: 'POST', headers });
      sent.write('--b\r\ncontent-disposition: form-data; name="file"; filename="long.txt"\r\n\r\n');
      for (let index = 0; index < 25; index += 1) {
        sent.write(`Line ${index}.\n`);
        await delay(100);
      }
      sent.end('\r\n--b--\r\n');
      const [response] = await once(sent, 'response');
      assert.equal(response.statusCode, 202);
      response.resume();
    });
  });

  it('who take nothing of an answer let it end, and the model with it', async () => {
    let isStopped = false;
    const endless: Generator = {
      id: 'endless',
      description: 'never ends',
      contextTokens: 8_192,
      async *generate() {
        try {
          for (;;) {
            yield { type: 'text', text: 'And so on, and so on. '.repeat(2_000) };
            await delay(1);
          }
        } finally {
          isStopped = true;
        }
      },
    };
    await with52Weeks({ patience, index: { model: endless } }, async ({ endpoint }) => {
      const { hostname, port } = new URL(endpoint);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      const body = JSON.stringify({ question: 'How long is parental leave in Japan?' });
      socket.write(
        `POST ${base}/ask HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      socket.pause();
      const patienceEnds = performance.now() + 20_000;
      while (!isStopped && performance.now() < patienceEnds) await delay(20);
      assert.ok(isStopped);
      socket.destroy();
    });
  });
});

describe('streams that are broken off', () => {
  it('leave nothing behind: no model at work, no request, no listener of the index', async () => {
    let atWork = 0;
    let begun = 0;
    const slow: Generator = {
      id: 'slow',
      description: 'a word now and then',
      contextTokens: 8_192,
      async *generate(_, { signal } = {}) {
        atWork += 1;
        begun += 1;
        try {
          for (;;) {
            yield { type: 'text', text: 'Parental leave in Japan is 52 weeks [1]. ' };
            await delay(10, undefined, { signal });
          }
        } finally {
          atWork -= 1;
        }
      },
    };
    await with52Weeks({ index: { model: slow } }, async (native) => {
      const question = { question: 'How long is parental leave in Japan?' };
      const chat = { model: 'default', stream: true, messages: [{ role: 'user', content: question.question }] };
      const ask = async (index: number) => {
        const controller = new AbortController();
        const [path, body] = index % 2 === 0 ? [`${base}/ask`, question] : ['/v1/chat/completions', chat];
        const response = await fetch(`${native.endpoint}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
          body: JSON.stringify(body),
          signal: controller.signal,
        });
        const pieces = response.body!.pipeThrough(new TextDecoderStream()).getReader();
        for (let text = ''; !text.includes('52 weeks'); ) text += (await pieces.read()).value ?? assert.fail(text);
        controller.abort();
      };
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index)));
      }
      const until = performance.now() + 10_000;
      const inFlight = async () =>
        /aquifer_requests_in_flight (\d+)/.exec(await (await native.send('/metrics')).text())?.[1];
      while ((atWork > 0 || (await inFlight()) !== '1') && performance.now() < until) await delay(20);
      assert.equal(begun, 100);
      assert.equal(atWork, 0);
      assert.equal(await inFlight(), '1');
      // Whoever still used the index would keep it from closing.
      await native.host.close();
      assert.equal((await json(await native.send(base))).chunks, 1);
    });
  });
});
