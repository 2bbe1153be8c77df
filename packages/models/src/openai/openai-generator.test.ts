import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, describe, it } from 'node:test';
import { type GeneratorEvent, isAquiferError } from '@aquifer/contracts';
import { generatorContract, samplePrompt } from '@aquifer/contracts/testing';
import { answerPrompt } from '../testing/answer-prompt.js';
import { type RecordedRequest, sendJson, startTestServer, type TestServer } from '../testing/test-server.js';
import { unpaced } from '../testing/unpaced.js';
import { createOpenAiGenerator } from './openai-generator.js';

const servers: TestServer[] = [];
async function serve(respond: (request: RecordedRequest, response: ServerResponse) => void | Promise<void>) {
  const server = await startTestServer(respond);
  servers.push(server);
  return server;
}
after(() => Promise.all(servers.map((server) => server.close())));

interface ChatRequest {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly max_tokens?: number;
}

function openStream(response: ServerResponse): (value: unknown) => void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  return (value) => response.write(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`);
}

function delta(content: string, finish_reason: string | null = null, more: object = {}): unknown {
  return {
    id: 'c1',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { content }, finish_reason, ...more }],
  };
}

/** Answers as the built-in answerer does, in the format of OpenAI's API. */
async function answer({ body }: RecordedRequest, response: ServerResponse): Promise<void> {
  const { messages, max_tokens: maxTokens } = body as ChatRequest;
  const send = openStream(response);
  send({ id: 'c1', choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] });
  for await (const event of answerPrompt(messages[1]!.content, { ...(maxTokens !== undefined && { maxTokens }) })) {
    if (event.type === 'text') for (const piece of event.text.match(/[\s\S]{1,7}/g)!) send(delta(piece));
    else {
      send(delta('', event.reason === 'max-tokens' ? 'length' : 'stop'));
      const { inputTokens: prompt_tokens, outputTokens: completion_tokens } = event.usage;
      send({
        id: 'c1',
        choices: [],
        usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
      });
    }
  }
  send('[DONE]');
  response.end();
}

generatorContract(
  { describe, it },
  {
    name: 'openai',
    create: async () => createOpenAiGenerator({ model: 'test', baseUrl: (await serve(answer)).url }),
  },
);

/** All events of a server that does this. */
async function eventsOf(
  respond: (request: RecordedRequest, response: ServerResponse) => void | Promise<void>,
  options: { readonly apiKey?: string; readonly timeoutMs?: number; readonly model?: string } = {},
): Promise<GeneratorEvent[]> {
  const { url: baseUrl } = await serve(respond);
  const generator = await createOpenAiGenerator({ model: 'test', baseUrl, pacer: unpaced, ...options });
  const events: GeneratorEvent[] = [];
  for await (const event of generator.generate(samplePrompt('How long?'))) events.push(event);
  return events;
}

function stopOf(events: readonly GeneratorEvent[]) {
  const stop = events.at(-1);
  assert.ok(stop?.type === 'stop');
  return stop;
}

describe('openai generator', () => {
  it('sends what the API wants, to the address with and without /v1', async () => {
    const server = await serve(answer);
    for (const baseUrl of [server.url, `${server.url}/v1`, `${server.url}/v1/`]) {
      const generator = await createOpenAiGenerator({ model: 'm', baseUrl, apiKey: 'sk-secret' });
      const prompt = samplePrompt('How long is parental leave in Japan?');
      const options = { maxTokens: 300, temperature: 0, topP: 0.9, stopSequences: ['END'] };
      for await (const _ of generator.generate(prompt, options)) {
      }
      const { method, path, headers, body } = server.requests.at(-1)!;
      assert.equal(`${method} ${path}`, 'POST /v1/chat/completions');
      assert.equal(headers.authorization, 'Bearer sk-secret');
      assert.deepEqual(body, {
        model: 'm',
        messages: [
          { role: 'system', content: prompt.system },
          { role: 'user', content: prompt.user },
        ],
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 300,
        temperature: 0,
        top_p: 0.9,
        stop: ['END'],
      });
      assert.deepEqual(generator.request?.(prompt, options).body, body);
    }
  });

  it('asks reasoning models of OpenAI in the way that they take', async () => {
    const generator = await createOpenAiGenerator({ model: 'o3-mini' });
    const body = generator.request?.(samplePrompt('?'), { maxTokens: 9, temperature: 0 }).body as object;
    assert.ok('max_completion_tokens' in body && !('max_tokens' in body) && !('temperature' in body));
  });

  it('says why the answer ended', async () => {
    const reasons = [
      ['stop', {}, 'end'],
      ['stop', { stop_reason: 'END' }, 'stop-sequence'],
      ['stop', { stop_reason: null }, 'end'],
      ['length', {}, 'max-tokens'],
      ['content_filter', {}, 'filtered'],
    ] as const;
    for (const [finish, more, reason] of reasons) {
      const events = await eventsOf((_, response) => {
        const send = openStream(response);
        send(delta('words'));
        send(delta('', finish, more));
        send('[DONE]');
        response.end();
      });
      assert.equal(stopOf(events).reason, reason);
    }
  });

  it('estimates the usage where the server gives none, and takes an end without [DONE]', async () => {
    const events = await eventsOf((_, response) => {
      openStream(response)(delta('Eight words of text that nobody has counted.', 'stop'));
      response.end();
    });
    const { usage } = stopOf(events);
    assert.equal(usage.outputTokens, 11);
    assert.ok(usage.inputTokens > 20);
  });

  it('reads events whatever the packets, comments and line ends are', async () => {
    const events = await eventsOf(async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const text = `: keep-alive\r\n\r\nevent: message\r\ndata:${JSON.stringify(delta('五十二週間'))}\r\n\r\ndata: ${JSON.stringify(delta('。', 'stop'))}\r\n\r\ndata: [DONE]\r\n\r\n`;
      for (const byte of Buffer.from(text)) {
        response.write(Buffer.of(byte));
        if (byte > 127) await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    assert.equal(events.map((event) => (event.type === 'text' ? event.text : '')).join(''), '五十二週間。');
  });

  it('does not take a stream that was cut for a whole answer', async () => {
    const cuts: ((response: ServerResponse) => void)[] = [
      (response) => response.end(),
      (response) => setTimeout(() => response.destroy(), 20),
      (response) => response.end(`data: ${JSON.stringify(delta('more', 'stop')).slice(0, 30)}`),
      (response) => response.end('data: {"error":{"message":"out of memory","code":500}}\n\n'),
    ];
    for (const cut of cuts) {
      const seen: string[] = [];
      const { url: baseUrl } = await serve((_, response) => {
        openStream(response)(delta('a part'));
        cut(response);
      });
      const generator = await createOpenAiGenerator({ model: 'test', baseUrl });
      const consume = async () => {
        for await (const event of generator.generate(samplePrompt('?'))) seen.push(event.type);
      };
      await assert.rejects(consume(), { code: 'model-unavailable', retryable: true });
      assert.deepEqual(seen, ['text']);
    }
  });

  it('takes an answer for whole that breaks off after the model has said that it is done', async () => {
    const events = await eventsOf((_, response) => {
      openStream(response)(delta('all of it', 'stop'));
      setTimeout(() => response.destroy(), 20);
    });
    assert.equal(stopOf(events).reason, 'end');
  });

  it('refuses an event that is not JSON', async () => {
    const events = eventsOf((_, response) => {
      openStream(response)('{"choices": NaN}');
      response.end();
    });
    await assert.rejects(events, { code: 'model-failed', message: /not JSON/ });
  });

  it('closes the connection when the reader stops', async () => {
    const closed = new Promise<void>((resolve) => {
      void serve((_, response) => {
        const send = openStream(response);
        const timer = setInterval(() => send(delta('more ')), 2);
        response.on('close', () => {
          clearInterval(timer);
          resolve();
        });
      }).then(async ({ url: baseUrl }) => {
        const generator = await createOpenAiGenerator({ model: 'test', baseUrl });
        for await (const _ of generator.generate(samplePrompt('?'))) break;
      });
    });
    await closed;
  });

  it('stops in the middle when it is told to, also while the server is silent', async () => {
    const { url: baseUrl } = await serve((_, response) => openStream(response)(delta('a part')));
    const generator = await createOpenAiGenerator({ model: 'test', baseUrl });
    const controller = new AbortController();
    const consume = async () => {
      for await (const _ of generator.generate(samplePrompt('?'), { signal: controller.signal })) {
        setTimeout(() => controller.abort(), 10);
      }
    };
    await assert.rejects(consume(), { code: 'aborted' });
  });

  it('gives up on a server that says nothing', async () => {
    await assert.rejects(
      eventsOf(() => {}, { timeoutMs: 50 }),
      { code: 'model-unavailable', retryable: true, message: /127\.0\.0\.1:\d+ sent nothing for 0\.05 s/ },
    );
    await assert.rejects(
      eventsOf((_, response) => openStream(response)(delta('a part')), { timeoutMs: 50 }),
      { code: 'model-unavailable', retryable: true },
    );
  });
});

describe('openai generator: refusals', () => {
  const refusal = (status: number, body: unknown, headers: Record<string, string> = {}) =>
    eventsOf((_, response) => sendJson(response, body, status, headers), { apiKey: 'sk-secret' });

  it('names each by its code, and repeats what the server says', async () => {
    const cases = [
      [
        400,
        { error: { message: 'context length exceeded', code: 'context_length_exceeded' } },
        'model-rejected',
        false,
      ],
      [401, { error: { message: 'Incorrect API key provided: sk-secret.' } }, 'credentials-refused', false],
      [403, { error: { message: 'Project has no access' } }, 'model-access-denied', false],
      [404, { error: { message: 'The model does not exist' } }, 'model-not-found', false],
      [422, { detail: 'unknown field' }, 'model-rejected', false],
      [429, { error: { message: 'Slow down' } }, 'model-throttled', true],
      [429, { error: { message: 'You ran out', code: 'insufficient_quota' } }, 'model-throttled', false],
      [500, { error: 'CUDA error' }, 'model-unavailable', true],
      [503, { message: 'loading' }, 'model-unavailable', true],
    ] as const;
    for (const [status, body, code, retryable] of cases) {
      await assert.rejects(refusal(status, body, { 'x-request-id': 'req-7' }), (error) => {
        assert.ok(isAquiferError(error, code), `${status}: ${String(error)}`);
        assert.equal(error.retryable, retryable);
        assert.match(error.message, new RegExp(`HTTP ${status}, request req-7`));
        assert.doesNotMatch(error.message, /sk-secret/);
        return true;
      });
    }
  });

  it('keeps how long the server asks to wait', async () => {
    await assert.rejects(refusal(429, {}, { 'retry-after': '7' }), { retryAfterMs: 7000 });
    await assert.rejects(refusal(429, {}, { 'retry-after-ms': '120' }), { retryAfterMs: 120 });
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    await assert.rejects(refusal(503, {}, { 'retry-after': date }), (error) => {
      assert.ok(isAquiferError(error, 'model-unavailable'));
      assert.ok(error.retryAfterMs! > 3_500_000 && error.retryAfterMs! <= 3_600_000);
      return true;
    });
  });

  it('reads the page of a gateway', async () => {
    const html = '<html><head><style>b{}</style></head><body><h1>502 Bad Gateway</h1></body></html>';
    const events = eventsOf((_, response) => void response.writeHead(502).end(html));
    await assert.rejects(events, { code: 'model-unavailable', message: /says: 502 Bad Gateway \(HTTP 502\)/ });
  });

  it('follows no redirect, and takes the key nowhere else', async () => {
    const other = await serve((_, response) => sendJson(response, {}));
    const events = eventsOf((_, response) => void response.writeHead(308, { location: `${other.url}/v1` }).end());
    await assert.rejects(events, {
      code: 'model-rejected',
      message: /redirects to http:\/\/127\.0\.0\.1.*final address/,
    });
    assert.equal(other.requests.length, 0);
  });

  it('says where it could not connect', async () => {
    const server = await startTestServer(() => {});
    await server.close();
    const generator = await createOpenAiGenerator({ model: 'test', baseUrl: server.url });
    const first = generator.generate(samplePrompt('?'))[Symbol.asyncIterator]().next();
    await assert.rejects(first, (error) => {
      assert.ok(isAquiferError(error, 'model-unavailable'));
      assert.match(error.message, /cannot be reached at http:.*nothing listens there/);
      assert.ok(error.message.includes(server.url) && !error.retryable);
      return true;
    });
  });

  it('takes only addresses that are some', async () => {
    for (const baseUrl of ['', 'http://', 'ftp://host', 'https://user:secret@host/v1']) {
      await assert.rejects(createOpenAiGenerator({ model: 'm', baseUrl }), (error) => {
        assert.ok(isAquiferError(error, 'invalid-options'));
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    }
    await assert.rejects(createOpenAiGenerator({ model: ' ' }), { code: 'invalid-options' });
  });
});
