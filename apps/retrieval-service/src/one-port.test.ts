import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { ConverseStreamCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { parsed, startService, withService } from './testing/service-fixture.js';

const embedding = { modelId: 'amazon.titan-embed-text-v2:0', body: '{"inputText":"Parental leave"}' };

/** What a server says to these bytes. */
async function answerTo(endpoint: string, ...pieces: string[]): Promise<string> {
  const { hostname, port } = new URL(endpoint);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await closed;
  return text;
}

const unused = () => assert.fail('not asked');

/** Embeds when it is told to. */
function waitingBackend() {
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const signals: AbortSignal[] = [];
  const backend = {
    async embed({ signal }: { readonly signal?: AbortSignal }) {
      if (signal) signals.push(signal);
      arrive();
      await finished;
      return [new Float32Array(1024)];
    },
    generate: unused,
    image: unused,
    rerank: unused,
  };
  return { backend, arrived, signals, finish };
}

describe('one port', () => {
  it('takes a request line that comes in pieces, and answers what is no HTTP', async () => {
    await withService({}, async ({ endpoint }) => {
      const pieces = ['GET /hea', 'lthz HTTP/1.1\r\nHost: localhost\r\n', 'Connection: close\r\n\r\n'];
      assert.match(await answerTo(endpoint, ...pieces), /^HTTP\/1\.1 200 OK[\s\S]*\{"status":"ok"\}$/);
      assert.match(await answerTo(endpoint, '\x16\x03\x01 a TLS hello\r\n\r\n'), /^HTTP\/1\.1 400 Bad Request/);
      await answerTo(endpoint, 'PRI * HTTP/2.0\r\n\r\nnot HTTP/2 after all\r\n\r\n');
      assert.equal((await fetch(`${endpoint}/healthz`)).status, 200);
    });
  });

  it('keeps a connection of HTTP/1.1 for the next request', async () => {
    await withService({}, async ({ endpoint }) => {
      const line = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n';
      const text = await answerTo(endpoint, `${line}\r\n`, `${line}Connection: close\r\n\r\n`);
      assert.equal(text.match(/\{"status":"ok"\}/g)?.length, 2);
    });
  });

  it('does not let a body come that is announced as too long', async () => {
    await withService({}, async ({ endpoint }) => {
      const sent = request(`${endpoint}/model/amazon.titan-embed-text-v1/invoke`, {
        method: 'POST',
        headers: { expect: '100-continue', 'content-length': 26_000_000 },
      });
      sent.on('continue', () => assert.fail('the body was asked for'));
      sent.on('error', () => {});
      sent.flushHeaders();
      const [response] = await once(sent, 'response');
      assert.equal(response.statusCode, 400);
      assert.equal(response.headers['x-amzn-errortype'], 'ValidationException');
      sent.destroy();

      const short = request(`${endpoint}/model/amazon.titan-embed-text-v1/invoke`, {
        method: 'POST',
        headers: { expect: '100-continue' },
      });
      short.flushHeaders();
      await once(short, 'continue');
      short.end(embedding.body);
      const [answered] = await once(short, 'response');
      assert.equal(answered.statusCode, 200);
      answered.resume();
    });
  });

  for (const protocol of ['h2c', 'http/1.1'] as const) {
    it(`lets requests under way finish before it closes, over ${protocol}`, async () => {
      const { backend, arrived, finish } = waitingBackend();
      const started = await startService({ backend });
      const client = started.client(protocol);
      const underWay = client.send(new InvokeModelCommand(embedding));
      await arrived;
      const closing = started.service.close({ graceMs: 5_000 });
      finish();
      assert.equal(parsed((await underWay).body).embedding.length, 1024);
      client.destroy();
      await closing;
      await assert.rejects(fetch(`${started.endpoint}/healthz`));
    });

    it(`breaks off what does not finish, over ${protocol}`, async () => {
      const { backend, arrived } = waitingBackend();
      const started = await startService({ backend });
      const client = started.client(protocol);
      const outcome = assert.rejects(client.send(new InvokeModelCommand(embedding)));
      await arrived;
      await started.service.close({ graceMs: 20 });
      await outcome;
      client.destroy();
    });

    it(`knows that a caller has hung up, over ${protocol}`, async () => {
      const { backend, arrived, signals, finish } = waitingBackend();
      await withService({ backend }, async (started) => {
        const { hostname, port } = new URL(started.endpoint);
        const path = '/model/amazon.titan-embed-text-v1/invoke';
        const session = protocol === 'h2c' ? connectHttp2(started.endpoint) : undefined;
        const socket = connect(Number(port), hostname);
        if (session)
          session
            .request({ ':method': 'POST', ':path': path })
            .on('error', () => {})
            .end(embedding.body);
        else
          socket.write(
            `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${embedding.body.length}\r\n\r\n${embedding.body}`,
          );
        await arrived;
        session?.destroy();
        socket.destroy();
        const [signal] = signals;
        if (!signal!.aborted) await once(signal!, 'abort');
        finish();
      });
    });

    it(`stops a model whose caller has gone, over ${protocol}`, async () => {
      let stopped = false;
      const backend = {
        embed: unused,
        image: unused,
        rerank: unused,
        async *generate({ signal }: { readonly signal?: AbortSignal }) {
          try {
            yield { type: 'text', text: 'And then, ' } as const;
            await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
          } finally {
            stopped = true;
          }
        },
      };
      await withService({ backend }, async (started) => {
        const client = started.client(protocol);
        const messages = [{ role: 'user' as const, content: [{ text: 'Tell me a story' }] }];
        const command = new ConverseStreamCommand({ modelId: 'anthropic.claude-3-haiku-20240307-v1:0', messages });
        const controller = new AbortController();
        const { stream } = await client.send(command, { abortSignal: controller.signal });
        await stream![Symbol.asyncIterator]().next();
        controller.abort();
        while (!stopped) await new Promise((resolve) => setTimeout(resolve, 5));
      });
    });
  }
});
