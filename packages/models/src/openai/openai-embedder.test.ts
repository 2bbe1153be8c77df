import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { embedderContract } from '@aquifer/contracts/testing';
import { countWords, embedTexts, maxWords } from '../testing/embed-texts.js';
import { type RecordedRequest, sendJson, startTestServer, type TestServer } from '../testing/test-server.js';
import { unpaced } from '../testing/unpaced.js';
import { createOpenAiEmbedder, type OpenAiEmbedderOptions } from './openai-embedder.js';

type Respond = (request: RecordedRequest, response: ServerResponse) => void | Promise<void>;

const servers: TestServer[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

async function serve(respond: Respond = embed): Promise<TestServer> {
  const server = await startTestServer(respond);
  servers.push(server);
  return server;
}

const embed: Respond = async ({ body }, response) => {
  const { input, model } = body as { input: readonly string[]; model: string };
  if (input.some((text) => countWords(text) > maxWords)) {
    const message = `This model's maximum context length is ${maxWords} tokens, however you requested more.`;
    return sendJson(response, { error: { message, type: 'invalid_request_error', code: null } }, 400);
  }
  const { vectors, tokens } = await embedTexts(input);
  const data = vectors.map((embedding, index) => ({ object: 'embedding', index, embedding }));
  sendJson(response, { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } });
};

async function open(respond?: Respond, options: Partial<OpenAiEmbedderOptions> = {}) {
  const server = await serve(respond);
  return { server, embedder: await createOpenAiEmbedder({ model: 'test', baseUrl: server.url, ...options }) };
}

embedderContract(
  { describe, it },
  {
    name: 'openai',
    countsEachText: false,
    create: async () => (await open(embed, { maxInputTokens: maxWords })).embedder,
  },
);

describe('openai embedder', () => {
  it('sends batches in the format of the API, and gives each text its share of the tokens', async () => {
    const { server, embedder } = await open(embed, { apiKey: 'sk-secret', textsPerRequest: 2, dimensions: 256 });
    assert.equal(server.requests.length, 0);
    const { vectors, tokens } = await embedder.embed(['one two', 'three', 'four five six'], { purpose: 'document' });
    assert.deepEqual(
      server.requests.map(({ method, path, body }) => [method, path, body]),
      [
        [
          'POST',
          '/v1/embeddings',
          { model: 'test', input: ['one two', 'three'], dimensions: 256, encoding_format: 'float' },
        ],
        [
          'POST',
          '/v1/embeddings',
          { model: 'test', input: ['four five six'], dimensions: 256, encoding_format: 'float' },
        ],
      ],
    );
    assert.equal(server.requests[0]!.headers.authorization, 'Bearer sk-secret');
    assert.equal(vectors.length, 3);
    assert.equal(tokens[0]! + tokens[1]!, 3);
    assert.equal(tokens[2], 3);
  });

  it('finds the dimensions with one word, and asks for none', async () => {
    const { server, embedder } = await open();
    assert.equal(embedder.dimensions, 256);
    assert.deepEqual(embedder.fingerprint, { provider: 'openai', model: 'test', dimensions: 256, normalised: true });
    assert.deepEqual(server.requests[0]!.body, { model: 'test', input: ['dimensions'], encoding_format: 'float' });
  });

  it("knows OpenAI's own models without asking", async () => {
    const embedder = await createOpenAiEmbedder({ model: 'text-embedding-3-small', apiKey: 'sk-secret' });
    assert.equal(embedder.dimensions, 1536);
    assert.equal(embedder.maxInputTokens, 8191);
    assert.deepEqual(embedder.terms, { textsPerRequest: 256, usdPerMillionTokens: 0.02 });
  });

  it('writes before a text what the model was trained with, and says so in the fingerprint', async () => {
    const { server, embedder } = await open(embed, { model: 'intfloat/multilingual-e5-small' });
    await embedder.embed(['leave'], { purpose: 'query' });
    await embedder.embed(['leave'], { purpose: 'document' });
    const inputs = server.requests.slice(1).map(({ body }) => (body as { input: string[] }).input);
    assert.deepEqual(inputs, [['query: leave'], ['passage: leave']]);
    assert.match(embedder.fingerprint.revision!, /^[0-9a-f]{8}$/);
    const other = await open(embed, { model: 'intfloat/multilingual-e5-small', queryPrefix: '' });
    assert.notEqual(other.embedder.fingerprint.revision, embedder.fingerprint.revision);
  });

  it('keeps the order of the request whatever the order of the response', async () => {
    const { embedder } = await open(async ({ body }, response) => {
      const { vectors } = await embedTexts((body as { input: string[] }).input);
      sendJson(response, { data: vectors.map((embedding, index) => ({ index, embedding })).reverse() });
    });
    const texts = ['leave', 'printer', 'jam'];
    const { vectors } = await embedder.embed(texts, { purpose: 'document' });
    for (const [index, text] of texts.entries()) {
      assert.deepEqual(vectors[index], (await embedder.embed([text], { purpose: 'document' })).vectors[0]);
    }
  });

  it('tries again what is temporary, after as long as the server asks, and counts nothing twice', async () => {
    const failures = [
      [429, { 'retry-after-ms': '5' }],
      [503, {}],
    ] as const;
    let asked = 0;
    const { embedder } = await open(
      (request, response) => {
        const failure = failures[asked++];
        if (failure === undefined) return embed(request, response);
        sendJson(response, { error: { message: 'later' } }, failure[0], failure[1]);
      },
      { dimensions: 256 },
    );
    const { vectors, tokens } = await embedder.embed(['one two three'], { purpose: 'document' });
    assert.equal(vectors.length, 1);
    assert.deepEqual(tokens, [3]);
    assert.equal(asked, 3);
  });

  it('asks once where asking again cannot help', async () => {
    const refusals = [
      [400, 'model-rejected'],
      [401, 'credentials-refused'],
      [403, 'model-access-denied'],
      [404, 'model-not-found'],
    ] as const;
    for (const [status, code] of refusals) {
      const { server, embedder } = await open(
        (_, response) => sendJson(response, { error: { message: 'no' } }, status),
        { dimensions: 256 },
      );
      await assert.rejects(embedder.embed(['a', 'b'], { purpose: 'document' }), { code });
      assert.equal(server.requests.length, 1);
    }
  });

  it('keeps nothing of an answer that cannot be right', async () => {
    const good = (await embedTexts(['x'])).vectors[0]!;
    const answers: readonly (readonly [unknown, RegExp])[] = [
      [{ data: [] }, /0 vectors for 1 texts/],
      [
        {
          data: [
            { index: 0, embedding: good },
            { index: 1, embedding: good },
          ],
        },
        /2 vectors for 1 texts/,
      ],
      [{ data: [{ index: 5, embedding: good }] }, /no list of embeddings/],
      [{ data: [{ index: 0, embedding: good.slice(1) }] }, /255 numbers where 256/],
      [{ data: [{ index: 0, embedding: [null, ...good.slice(1)] }] }, /number 0 is null/],
      [{ data: [{ index: 0, embedding: new Array(256).fill(0) }] }, /nothing but zeros/],
      [{ data: [{ index: 0, embedding: 'AAAAAA==' }] }, /no list of embeddings/],
      [{ object: 'list' }, /no list of embeddings/],
      [null, /no list of embeddings/],
    ];
    for (const [answer, message] of answers) {
      const { embedder } = await open((_, response) => sendJson(response, answer), { dimensions: 256 });
      await assert.rejects(embedder.embed(['x'], { purpose: 'document' }), { code: 'model-failed', message });
    }
    const { embedder } = await open((_, response) => void response.end('{"data":[{"embedding":[NaN'), {
      dimensions: 256,
    });
    await assert.rejects(embedder.embed(['x'], { purpose: 'document' }), { code: 'model-failed', message: /not JSON/ });
  });

  it('says that a response was cut', async () => {
    let asked = 0;
    const cut = await open(
      (_, response) => {
        asked++;
        response.writeHead(200, { 'content-length': 1000 }).write('{"data":');
        setTimeout(() => response.destroy(), 5);
      },
      { dimensions: 256, pacer: unpaced },
    );
    await assert.rejects(cut.embedder.embed(['x'], { purpose: 'document' }), { code: 'model-unavailable' });
    assert.equal(asked, 1);
  });

  it('says where nothing listens', async () => {
    const server = await startTestServer(() => {});
    await server.close();
    await assert.rejects(createOpenAiEmbedder({ model: 'test', baseUrl: server.url }), (error) => {
      assert.ok(isAquiferError(error, 'model-unavailable'));
      assert.ok(error.message.includes(server.url));
      return true;
    });
  });
});
