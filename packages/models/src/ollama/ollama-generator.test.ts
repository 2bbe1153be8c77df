import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, describe, it } from 'node:test';
import { type GeneratorEvent, isAquiferError } from '@aquifer/contracts';
import { generatorContract, samplePrompt } from '@aquifer/contracts/testing';
import { answerPrompt } from '../testing/answer-prompt.js';
import { type RecordedRequest, sendJson, startTestServer, type TestServer } from '../testing/test-server.js';
import { createOllamaGenerator, type OllamaGeneratorOptions } from './ollama-generator.js';

const servers: TestServer[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

type Respond = (request: RecordedRequest, response: ServerResponse) => void | Promise<void>;

/** A server with one model, `qwen3:8b`, that answers chats like this. */
async function serveOllama(chat: Respond, capabilities = ['completion', 'thinking']): Promise<TestServer> {
  const server = await startTestServer((request, response) => {
    if (request.path === '/api/tags') {
      return sendJson(response, { models: [{ name: 'qwen3:8b', model: 'qwen3:8b', digest: '500a1f067a9f' }] });
    }
    const { model } = request.body as { model: string };
    if (model !== 'qwen3:8b') return sendJson(response, { error: `model '${model}' not found` }, 404);
    if (request.path === '/api/show') {
      const model_info = {
        'general.architecture': 'qwen3',
        'qwen3.context_length': 40960,
        'qwen3.embedding_length': 4096,
      };
      return sendJson(response, { modelfile: '', details: { family: 'qwen3' }, model_info, capabilities });
    }
    assert.equal(request.path, '/api/chat');
    return chat(request, response);
  });
  servers.push(server);
  return server;
}

function openStream(response: ServerResponse): (value: unknown) => void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  return (value) => response.write(`${JSON.stringify(value)}\n`);
}

function chunk(content: string, more: object = {}): unknown {
  const created_at = '2025-01-01T00:00:00.000Z';
  return { model: 'qwen3:8b', created_at, message: { role: 'assistant', content }, done: false, ...more };
}

const answer: Respond = async ({ body }, response) => {
  const { messages, options } = body as { messages: { content: string }[]; options: { num_predict?: number } };
  const send = openStream(response);
  const maxTokens = options.num_predict;
  for await (const event of answerPrompt(messages[1]!.content, { ...(maxTokens !== undefined && { maxTokens }) })) {
    if (event.type === 'text') for (const piece of event.text.match(/[\s\S]{1,7}/g)!) send(chunk(piece));
    else {
      const { inputTokens: prompt_eval_count, outputTokens: eval_count } = event.usage;
      const done_reason = event.reason === 'max-tokens' ? 'length' : 'stop';
      send(chunk('', { done: true, done_reason, total_duration: 1, prompt_eval_count, eval_count }));
    }
  }
  response.end();
};

generatorContract(
  { describe, it },
  {
    name: 'ollama',
    create: async () => createOllamaGenerator({ model: 'qwen3:8b', baseUrl: (await serveOllama(answer)).url }),
  },
);

async function eventsOf(chat: Respond, options: Partial<OllamaGeneratorOptions> = {}): Promise<GeneratorEvent[]> {
  const { url: baseUrl } = await serveOllama(chat);
  const generator = await createOllamaGenerator({ model: 'qwen3:8b', baseUrl, ...options });
  const events: GeneratorEvent[] = [];
  for await (const event of generator.generate(samplePrompt('How long?'))) events.push(event);
  return events;
}

describe('ollama generator', () => {
  it('names the size of the context, and asks for no cuts and no thinking', async () => {
    const server = await serveOllama(answer);
    const generator = await createOllamaGenerator({ model: 'qwen3:8b', baseUrl: `${server.url}/`, keepAlive: '30m' });
    assert.equal(generator.contextTokens, 8192);
    const prompt = samplePrompt('How long is parental leave in Japan?');
    const options = { maxTokens: 300, temperature: 0, topP: 0.9, stopSequences: ['END'] };
    for await (const _ of generator.generate(prompt, options)) {
    }
    const { body } = server.requests.at(-1)!;
    assert.deepEqual(body, {
      model: 'qwen3:8b',
      messages: [
        { role: 'system', content: prompt.system },
        { role: 'user', content: prompt.user },
      ],
      stream: true,
      think: false,
      truncate: false,
      shift: false,
      keep_alive: '30m',
      options: { num_ctx: 8192, num_predict: 300, temperature: 0, top_p: 0.9, stop: ['END'] },
    });
    assert.deepEqual(generator.request?.(prompt, options).body, body);
  });

  it('does not speak of thinking to a model that cannot', async () => {
    const { url: baseUrl } = await serveOllama(answer, ['completion']);
    const generator = await createOllamaGenerator({ model: 'qwen3:8b', baseUrl, contextTokens: 20_000 });
    const body = generator.request?.(samplePrompt('?')).body as { options: object };
    assert.ok(!('think' in body));
    assert.deepEqual(body.options, { num_ctx: 20_000 });
  });

  it('estimates what a server does not count', async () => {
    const events = await eventsOf((_, response) => {
      const send = openStream(response);
      send(chunk('Eight words of text that nobody has counted.'));
      send(chunk('', { done: true, done_reason: 'stop' }));
      response.end();
    });
    const stop = events.at(-1);
    assert.ok(stop?.type === 'stop' && stop.usage.outputTokens === 11 && stop.usage.inputTokens > 20);
  });

  it('does not take a stream that was cut for a whole answer', async () => {
    const cuts: ((response: ServerResponse) => void)[] = [
      (response) => response.end(),
      (response) => setTimeout(() => response.destroy(), 20),
      (response) => response.end(JSON.stringify(chunk('', { done: true })).slice(0, 40)),
      (response) => response.end('{"error":"llama runner process has terminated"}\n'),
    ];
    for (const cut of cuts) {
      const events = eventsOf((_, response) => {
        openStream(response)(chunk('a part'));
        cut(response);
      });
      await assert.rejects(events, { code: 'model-unavailable', retryable: true });
    }
  });

  it('says that a prompt is too long, however the version puts it', async () => {
    for (const [status, error] of [
      [400, 'the input length exceeds the context length'],
      [500, '{"error":{"code":400,"message":"request (2622 tokens) exceeds the available context size (512 tokens)"}}'],
    ] as const) {
      await assert.rejects(
        eventsOf((_, response) => sendJson(response, { error }, status)),
        { code: 'too-large', retryable: false },
      );
    }
  });

  it('says how to get a model that is not there', async () => {
    const { url: baseUrl } = await serveOllama(answer);
    await assert.rejects(createOllamaGenerator({ model: 'gemma3', baseUrl }), {
      code: 'model-not-found',
      message: /model 'gemma3' not found.*Run: ollama pull gemma3/,
    });
    await assert.rejects(createOllamaGenerator({ model: '', baseUrl }), { code: 'invalid-options' });
  });

  it('takes an address as OLLAMA_HOST has it', async () => {
    const { port } = new URL((await serveOllama(answer)).url);
    for (const baseUrl of [`127.0.0.1:${port}`, `localhost:${port}/`, `:${port}`]) {
      assert.equal((await createOllamaGenerator({ model: 'qwen3:8b', baseUrl })).id, 'ollama:qwen3:8b');
    }
    for (const [baseUrl, address] of [
      ['127.0.0.2', 'http://127.0.0.2:11434'],
      ['[::1]', 'http://[::1]:11434'],
    ] as const) {
      await assert.rejects(createOllamaGenerator({ model: 'no such model', baseUrl }), (error) => {
        assert.ok(isAquiferError(error));
        assert.ok(error.message.includes(address), error.message);
        return true;
      });
    }
    await assert.rejects(createOllamaGenerator({ model: 'm', baseUrl: 'http://' }), { code: 'invalid-options' });
  });

  it('says how to start a server that does not run', async () => {
    const { url: baseUrl, close } = await serveOllama(answer);
    await close();
    await assert.rejects(createOllamaGenerator({ model: 'qwen3:8b', baseUrl }), (error) => {
      assert.ok(isAquiferError(error, 'model-unavailable'));
      assert.ok(
        error.message.startsWith(`Ollama cannot be reached at ${baseUrl}: nothing listens there.`),
        error.message,
      );
      assert.equal(error.retryable, false);
      assert.match(error.message, /ollama serve/);
      return true;
    });
  });
});
