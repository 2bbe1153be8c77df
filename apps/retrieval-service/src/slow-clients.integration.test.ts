import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Generator } from '@aquifer/contracts';
import { InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import type { Exchange } from './exchange.js';
import { createOnePort } from './one-port.js';
import { json, type StartedNative, startNative } from './testing/native-fixture.js';
import { withService } from './testing/service-fixture.js';

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
async function endedAfter(endpoint: string, pieces: readonly (string | Buffer)[], pauseMs: number): Promise<number> {
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
      const head = `POST ${base}/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
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
        `POST ${base}/ask HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      socket.pause();
      const patienceEnds = performance.now() + 20_000;
      while (!isStopped && performance.now() < patienceEnds) await delay(20);
      assert.ok(isStopped);
      socket.destroy();
    });
  });
});

/** A frame of HTTP/2 (RFC 9113, 4.1). */
function frame(type: number, flags: number, streamId: number, payload: readonly number[] = []): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, Buffer.from(payload)]);
}

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const settings = frame(4, 0, 0);
const ping = frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
/** GET http://x/healthz; with 4 among the flags it would be whole. */
const head = [0x82, 0x86, 0x44, 8, ...Buffer.from('/healthz'), 0x41, 1, 0x78];
const wholeHead = frame(1, 5, 1, head);
const unfinishedHead = frame(1, 1, 1, head);

/** A port alone, of which whole answers may be as large as they like. */
async function withPort(
  handle: (exchange: Exchange) => Promise<void>,
  use: (endpoint: string) => Promise<void>,
): Promise<void> {
  const port = createOnePort(async (exchange) => {
    await exchange.readBody(1_000);
    await handle(exchange);
  }, patience);
  const { host, port: number } = await port.listen('127.0.0.1', 0);
  try {
    await use(`http://${host}:${number}`);
  } finally {
    await port.close(100);
  }
}

const mostMs = 3_000;
/** Whether it happens while it still means something. */
const soon = (event: Promise<unknown>) => Promise.race([event.then(() => true), delay(mostMs, false, { ref: false })]);

describe('clients of HTTP/2 that are slow', () => {
  it('are cut off with heads that do not end or do not come, whatever else they send', async () => {
    await withPort(
      async (exchange) => exchange.send(200, {}, ''),
      async (endpoint) => {
        const ended = async (pieces: readonly (string | Buffer)[], pauseMs: number) => {
          const ms = await endedAfter(endpoint, pieces, pauseMs);
          assert.ok(ms >= 250 && ms < mostMs, `${ms} ms`);
        };
        await ended(['PRI'], 1);
        await ended([preface, settings], 1);
        await ended([preface, settings, ...Array.from({ length: 40 }, () => ping)], 100);
        await ended([preface, settings, unfinishedHead], 1);
        const drips = [...unfinishedHead].map((byte) => Buffer.of(byte));
        await ended([preface, settings, ...drips, ...drips], 100);
        // After a request the connection is idle, and a head that begins changes nothing.
        await ended([preface, settings, wholeHead], 1);
        const next = frame(1, 1, 3, head);
        await ended([preface, settings, wholeHead, next, ping, ping, ping, ping, ping, ping, ping], 100);
      },
    );
  });

  it('ask again by an unmodified SDK after their connection was idle for longer than it is kept', async () => {
    await withService({ patience }, async (started) => {
      const client = started.client('h2c');
      const embedding = { modelId: 'amazon.titan-embed-text-v2:0', body: '{"inputText":"Parental leave"}' };
      for (const pauseMs of [0, 100, 250, 320, 700]) {
        await delay(pauseMs);
        assert.equal((await client.send(new InvokeModelCommand(embedding))).$metadata.httpStatusCode, 200);
      }
    });
  });

  it('who take nothing of a whole answer let it end, beside others of the connection that go on', async () => {
    const signals: AbortSignal[] = [];
    for (const bytes of [100, 200_000]) {
      await withPort(
        async (exchange) => {
          signals.push(exchange.signal);
          exchange.send(200, {}, Buffer.alloc(exchange.target === '/small' ? 0 : bytes));
        },
        async (endpoint) => {
          const session = connectHttp2(endpoint, { settings: { initialWindowSize: 0 } });
          const stream = session.request({ ':path': '/' });
          let isClosed = false;
          const closed = once(stream, 'close').then(() => {
            isClosed = true;
          });
          for (let round = 0; round < 30 && !isClosed; round += 1) {
            const other = session.request({ ':path': '/small' });
            other.resume();
            await once(other, 'close');
            await delay(50);
          }
          assert.ok(isClosed);
          await closed;
          assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
          session.close();
        },
      );
    }
  });

  it('who take nothing of the end of a stream let it end', async () => {
    await withPort(
      (exchange) =>
        exchange.stream(
          200,
          {},
          (async function* () {
            yield 'a few words';
          })(),
        ),
      async (endpoint) => {
        const session = connectHttp2(endpoint, { settings: { initialWindowSize: 0 } });
        const stream = session.request({ ':path': '/' });
        assert.ok(await soon(once(stream, 'close')));
        assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
        session.close();
      },
    );
  });
});

for (const protocol of ['http/1.1', 'h2c'] as const) {
  it(`clients who read nothing of a whole answer lose their connection, over ${protocol}`, async () => {
    const bytes = 40_000_000;
    const answer = async (exchange: Exchange) => exchange.send(200, {}, Buffer.alloc(bytes));
    await withPort(answer, async (endpoint) => {
      const { hostname, port } = new URL(endpoint);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      // With windows as large as they get, the bytes wait for the connection and not for the stream.
      const largest = [0x7f, 0xff, 0, 0];
      if (protocol === 'http/1.1') socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      else {
        for (const piece of [preface, frame(4, 0, 0, [0, 4, ...largest]), frame(8, 0, 0, largest), wholeHead]) {
          socket.write(piece);
        }
      }
      await once(socket, 'readable');
      await delay(mostMs);
      let taken = 0;
      socket.on('data', (piece) => {
        taken += piece.length;
      });
      await once(socket, 'close');
      // What the buffers of the connection held.
      assert.ok(taken < bytes / 2, `${taken} bytes`);
    });
  });

  describe(`clients that are slow and not silent, over ${protocol}`, () => {
    /** The body in pieces as they are read, with a pause after each. */
    async function readSlowly(endpoint: string, pauseMs: number): Promise<number> {
      const session = protocol === 'h2c' ? connectHttp2(endpoint) : undefined;
      const answer = session ? session.request({ ':path': '/' }) : (await once(request(endpoint).end(), 'response'))[0];
      let bytes = 0;
      for await (const chunk of answer) {
        bytes += chunk.length;
        await delay(pauseMs);
      }
      session?.close();
      return bytes;
    }
    const bytes = 2_000_000;

    it('get all of a whole answer and of a stream', async () => {
      const whole = async (exchange: Exchange) => exchange.send(200, {}, Buffer.alloc(bytes));
      await withPort(whole, async (endpoint) => assert.equal(await readSlowly(endpoint, 8), bytes));
      const stream = (exchange: Exchange) =>
        exchange.stream(
          200,
          {},
          (async function* () {
            for (let sent = 0; sent < bytes; sent += 50_000) yield Buffer.alloc(50_000);
          })(),
        );
      await withPort(stream, async (endpoint) => assert.equal(await readSlowly(endpoint, 8), bytes));
    });

    it('wait for a model for as long as it thinks, and for the next piece of a stream', async () => {
      const think = async (exchange: Exchange) => {
        await delay(1_000);
        exchange.send(200, {}, Buffer.alloc(bytes));
      };
      await withPort(think, async (endpoint) => assert.equal(await readSlowly(endpoint, 0), bytes));
      const stream = async (exchange: Exchange) => {
        await exchange.stream(
          200,
          {},
          (async function* () {
            yield Buffer.alloc(bytes - 1);
            await delay(1_000);
            yield Buffer.alloc(1);
          })(),
        );
      };
      await withPort(stream, async (endpoint) => assert.equal(await readSlowly(endpoint, 0), bytes));
    });
  });
}

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
