import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, describe, it } from 'node:test';
import { embedderContract } from '@aquifer/contracts/testing';
import { countWords, embedTexts, maxWords } from '../testing/embed-texts.js';
import { type RecordedRequest, sendJson, startTestServer, type TestServer } from '../testing/test-server.js';
import { createOllamaEmbedder, type OllamaEmbedderOptions } from './ollama-embedder.js';

const servers: TestServer[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

const embed = async ({ body }: RecordedRequest, response: ServerResponse): Promise<void> => {
  const { model, input } = body as { model: string; input: readonly string[] };
  if (input.some((text) => countWords(text) > maxWords)) {
    return sendJson(response, { error: 'the input length exceeds the context length' }, 400);
  }
  const { vectors: embeddings, tokens } = await embedTexts(input);
  sendJson(response, { model, embeddings, total_duration: 1, load_duration: 1, prompt_eval_count: tokens });
};

interface Served {
  readonly info?: object;
  readonly capabilities?: readonly string[];
  readonly digest?: string;
  readonly answer?: (request: RecordedRequest, response: ServerResponse) => void | Promise<void>;
}

/** A server with the model `nomic-embed-text:latest`. */
async function open(served: Served = {}, options: Partial<OllamaEmbedderOptions> = {}) {
  const { info = { 'nomic-bert.context_length': 100, 'nomic-bert.embedding_length': 256 }, answer = embed } = served;
  const server = await startTestServer((request, response) => {
    if (request.path === '/api/tags') {
      const name = 'nomic-embed-text:latest';
      return sendJson(response, {
        models: [{ name, model: name, digest: served.digest ?? '0a109f422b47e3a30ba2b10eca18548e' }],
      });
    }
    if (request.path === '/api/show') {
      const model_info = { 'general.architecture': 'nomic-bert', ...info };
      return sendJson(response, { model_info, ...(served.capabilities && { capabilities: served.capabilities }) });
    }
    assert.equal(request.path, '/api/embed');
    return answer(request, response);
  });
  servers.push(server);
  const embedder = await createOllamaEmbedder({ model: 'nomic-embed-text', baseUrl: server.url, ...options });
  return { server, embedder };
}

const withoutPrefixes = { queryPrefix: '', documentPrefix: '' };

embedderContract(
  { describe, it },
  { name: 'ollama', countsEachText: false, create: async () => (await open({}, withoutPrefixes)).embedder },
);

describe('ollama embedder', () => {
  it('asks what there is to know, and loads nothing for it', async () => {
    const { server, embedder } = await open({ capabilities: ['embedding'] });
    assert.deepEqual(
      server.requests.map(({ path }) => path),
      ['/api/show', '/api/tags'],
    );
    assert.equal(embedder.maxInputTokens, 100);
    const { revision, ...rest } = embedder.fingerprint;
    assert.deepEqual(rest, { provider: 'ollama', model: 'nomic-embed-text', dimensions: 256, normalised: true });
    assert.match(revision!, /^0a109f422b47e3a3-[0-9a-f]{8}$/);
    const other = await open({ digest: 'ffff' });
    assert.notEqual(other.embedder.fingerprint.revision, revision);
    assert.equal(embedder.terms?.usdPerMillionTokens, 0);
  });

  it('sends batches with prefixes, the size of the context, and asks for no cuts', async () => {
    const { server, embedder } = await open({}, { keepAlive: -1 });
    await embedder.embed(['leave', 'printer'], { purpose: 'document' });
    assert.deepEqual(server.requests.at(-1)!.body, {
      model: 'nomic-embed-text',
      input: ['search_document: leave', 'search_document: printer'],
      truncate: false,
      keep_alive: -1,
      options: { num_ctx: 100 },
    });
    await embedder.embed(['leave'], { purpose: 'query' });
    assert.deepEqual((server.requests.at(-1)!.body as { input: string[] }).input, ['search_query: leave']);
  });

  it('finds the dimensions with one word where the server does not say them', async () => {
    const { embedder } = await open({ info: {} });
    assert.equal(embedder.dimensions, 256);
    assert.equal(embedder.maxInputTokens, 8192);
  });

  it('gives vectors of the length that was asked for, or says that the model does not', async () => {
    const { server, embedder } = await open({}, { dimensions: 64 });
    await assert.rejects(embedder.embed(['x'], { purpose: 'query' }), {
      code: 'model-failed',
      message: /256 numbers where 64 were expected/,
    });
    assert.equal((server.requests.at(-1)!.body as { dimensions: number }).dimensions, 64);
  });

  it('refuses a model that only chats', async () => {
    await assert.rejects(open({ capabilities: ['completion', 'tools'] }), {
      code: 'invalid-options',
      message: /no embedding model \(completion,tools\)/,
    });
  });

  it('keeps nothing of an answer that cannot be right', async () => {
    for (const [answer, message] of [
      [{}, /no list of embeddings/],
      [{ embeddings: [1, 2] }, /no list of embeddings/],
      [{ embeddings: [] }, /0 vectors for 1 texts/],
      [{ embeddings: [[1, 2]] }, /2 numbers where 256/],
    ] as const) {
      const { embedder } = await open({ answer: (_, response) => sendJson(response, answer) });
      await assert.rejects(embedder.embed(['x'], { purpose: 'query' }), { code: 'model-failed', message });
    }
  });
});
