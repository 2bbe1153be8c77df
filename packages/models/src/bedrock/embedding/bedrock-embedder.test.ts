import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { after, describe, it } from 'node:test';
import { type Embedder, fingerprintText } from '@aquifer/contracts';
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { createPacer } from '../../pacing/pacer.js';
import { closeBedrockClients } from '../bedrock-client.js';
import {
  type BedrockServer,
  type ReceivedRequest,
  sendError,
  sendJson,
  startBedrockServer,
  testCredentials,
} from '../bedrock-server.test-fixture.js';
import { type BedrockEmbedderOptions, createBedrockEmbedder } from './bedrock-embedder.js';

const closing: (() => unknown)[] = [closeBedrockClients];
after(() => Promise.all(closing.map((close) => close())));

/** Numbers that depend on the text. */
const vectorOf = (text: string, dimensions: number): number[] =>
  Array.from({ length: dimensions }, (_, index) => Math.sin((text.length + 1) * (index + 1)));

const titanV2 = 'amazon.titan-embed-text-v2:0';
const titanAnswer = ({ body }: ReceivedRequest): unknown => ({
  embedding: vectorOf(body.inputText, body.dimensions ?? 1024),
  inputTextTokenCount: 7,
});

type Answer = (request: ReceivedRequest, stream: ServerHttp2Stream) => unknown;

/** An embedder whose Bedrock is a server of this process. What `answer` gives is sent as JSON, unless it has answered itself. */
async function start(
  options: Partial<BedrockEmbedderOptions> = {},
  answer: Answer = titanAnswer,
): Promise<{ readonly server: BedrockServer; readonly embedder: Embedder }> {
  const server = await startBedrockServer((request, stream) => {
    const body = answer(request, stream);
    if (body !== undefined) sendJson(stream, body);
  });
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: testCredentials,
    maxAttempts: 1,
  });
  closing.push(
    () => client.destroy(),
    () => server.close(),
  );
  const embedder = await createBedrockEmbedder({ model: titanV2, connection: { client }, ...options });
  return { server, embedder };
}

const embed = (embedder: Embedder, ...texts: string[]) => embedder.embed(texts, { purpose: 'document' });

describe('bedrock embedder: what each family is sent', () => {
  it('Titan text V2', async () => {
    const { server, embedder } = await start({ dimensions: 256, normalise: false });
    const { vectors, tokens } = await embed(embedder, 'one', 'three');
    assert.deepEqual(
      server.requests.map(({ operation, modelId, body }) => [operation, modelId, body]),
      ['one', 'three'].map((inputText) => [
        'invoke',
        titanV2,
        { inputText, dimensions: 256, normalize: false, embeddingTypes: ['float'] },
      ]),
    );
    assert.deepEqual(Array.from(vectors[1]!), Array.from(new Float32Array(vectorOf('three', 256))));
    assert.deepEqual(tokens, [7, 7]);
  });

  it('Titan text V1, which knows the text only and gives vectors of any length', async () => {
    const { server, embedder } = await start({ model: 'amazon.titan-embed-text-v1' }, ({ body }) => ({
      embedding: vectorOf(body.inputText, 1536),
      inputTextTokenCount: 3,
    }));
    const { vectors } = await embed(embedder, 'one');
    assert.deepEqual(server.requests[0]!.body, { inputText: 'one' });
    assert.equal(embedder.dimensions, 1536);
    assert.ok(Math.abs(Math.hypot(...vectors[0]!) - 1) < 1e-6);
  });

  it('Titan multimodal', async () => {
    const { server, embedder } = await start({ model: 'amazon.titan-embed-image-v1', dimensions: 384 }, ({ body }) => ({
      embedding: vectorOf(body.inputText, 384),
      inputTextTokenCount: 3,
      message: null,
    }));
    await embed(embedder, 'one');
    assert.deepEqual(server.requests[0]!.body, {
      inputText: 'one',
      embeddingConfig: { outputEmbeddingLength: 384 },
    });
  });

  it('Cohere, questions other than documents, 96 at once, tokens counted by Bedrock', async () => {
    const { server, embedder } = await start({ model: 'us.cohere.embed-multilingual-v3' }, ({ body }, stream) =>
      sendJson(
        stream,
        {
          id: 'x',
          embeddings: body.texts.map((text: string) => vectorOf(text, 1024)),
          response_type: 'embeddings_floats',
        },
        { 'x-amzn-bedrock-input-token-count': String(body.texts.length * 5) },
      ),
    );
    const texts = Array.from({ length: 100 }, (_, index) => 'x'.repeat(index + 1));
    const { vectors, tokens } = await embed(embedder, ...texts);
    await embedder.embed(['which?'], { purpose: 'query' });
    const [first, second, question] = server.requests.map(({ body }) => body);
    assert.deepEqual([first.texts.length, second.texts.length], [96, 4]);
    assert.deepEqual([first.input_type, first.truncate], ['search_document', 'NONE']);
    assert.equal(server.requests[0]!.modelId, 'us.cohere.embed-multilingual-v3');
    assert.deepEqual(question, { texts: ['which?'], input_type: 'search_query', truncate: 'NONE' });
    assert.equal(
      tokens.reduce((sum, count) => sum + count, 0),
      500,
    );
    assert.notDeepEqual(vectors[95], vectors[96]);
  });

  it('Cohere V4, with dimensions, and vectors by type', async () => {
    const { server, embedder } = await start({ model: 'cohere.embed-v4:0', dimensions: 512 }, ({ body }) => ({
      embeddings: { float: body.texts.map((text: string) => vectorOf(text, 512)) },
    }));
    const { tokens } = await embed(embedder, 'four words of text');
    assert.equal(server.requests[0]!.body.output_dimension, 512);
    assert.deepEqual(tokens, [5]);
  });
});

describe('bedrock embedder: what comes back', () => {
  it('reads vectors by type where `embedding` is missing', async () => {
    const { embedder } = await start({}, ({ body }) => ({
      embeddingsByType: { float: vectorOf(body.inputText, 1024) },
      inputTextTokenCount: 1,
    }));
    assert.equal((await embed(embedder, 'one')).vectors[0]!.length, 1024);
  });

  it('reads one bit a dimension, from Titan as numbers and from Cohere as bytes', async () => {
    const bits = Array.from({ length: 1024 }, (_, index) => (index % 3 === 0 ? 1 : 0));
    const bytes = Array.from({ length: 128 }, (_, byte) =>
      bits.slice(byte * 8, byte * 8 + 8).reduce<number>((sum, bit) => sum * 2 + bit, 0),
    );
    const expected = Array.from(new Float32Array(bits.map((bit) => (bit ? 1 : -1) / 32)));
    const binary = { embeddingType: 'binary' } as const;
    const titan = await start(binary, () => ({ embeddingsByType: { binary: bits }, inputTextTokenCount: 1 }));
    const cohere = await start({ ...binary, model: 'cohere.embed-english-v3' }, () => ({
      embeddings: { ubinary: [bytes] },
    }));
    for (const { embedder, server } of [titan, cohere]) {
      assert.deepEqual(Array.from((await embed(embedder, 'one')).vectors[0]!), expected);
      assert.match(fingerprintText(embedder.fingerprint), /1024d\|normalised\|binary$/);
      const { body } = server.requests[0]!;
      assert.deepEqual(body.embeddingTypes ?? body.embedding_types, [body.texts ? 'ubinary' : 'binary']);
    }
  });

  it('takes the error of Titan multimodal for one although the status is 200', async () => {
    const { embedder, server } = await start({ model: 'amazon.titan-embed-image-v1' }, () => ({
      embedding: null,
      inputTextTokenCount: 0,
      message: 'The text contains nothing.',
    }));
    await assert.rejects(embed(embedder, ' '), { code: 'model-rejected', message: /The text contains nothing/ });
    assert.equal(server.requests.length, 1);
  });

  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ['of the wrong length', { embedding: [1, 2, 3] }, /titan-embed-text-v2:0.*3 numbers where 1024/],
    [
      'with NaN, which JSON writes as null',
      { embedding: vectorOf('x', 1024).fill(null as never, 9, 10) },
      /number 9 is null/,
    ],
    ['of zeros', { embedding: Array(1024).fill(0) }, /nothing but zeros/],
    ['that is text', { embedding: 'AAAA' }, /titan-embed-text-v2:0 cannot be read/],
    ['that is not there', {}, /no embedding of the type float/],
    ['in a list', [1], /no embedding/],
    ['that is null', null, /no embedding/],
  ];
  for (const [what, answer, message] of bad) {
    it(`refuses a vector ${what}, after one request`, async () => {
      const { embedder, server } = await start({}, (_, stream) => sendJson(stream, JSON.stringify(answer)));
      await assert.rejects(embed(embedder, 'one'), { code: 'model-failed', retryable: false, message });
      assert.equal(server.requests.length, 1);
    });
  }

  it('refuses what is not JSON, and says from where', async () => {
    const { embedder, server } = await start({}, (_, stream) => sendJson(stream, '<html>Welcome</html>'));
    await assert.rejects(embed(embedder, 'one'), { code: 'model-failed', message: new RegExp(server.url) });
    assert.equal(server.requests.length, 1);
  });
});

describe('bedrock embedder: texts that are too long', () => {
  it('splits where Bedrock says that there are too many tokens, and says into how many parts', async () => {
    const limit = 60;
    const { embedder, server } = await start({}, (request, stream) => {
      const { length } = request.body.inputText;
      if (length <= limit) return titanAnswer(request);
      const message = `400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: ${length}`;
      sendError(stream, 400, 'ValidationException', message);
    });
    const text = 'A first sentence, of some length. A second sentence, not short. A third one.';
    const { vectors, tokens, parts } = await embed(embedder, text, 'short');
    assert.deepEqual(
      [parts, tokens],
      [
        [2, 1],
        [14, 7],
      ],
    );
    assert.ok(Math.abs(Math.hypot(...vectors[0]!) - 1) < 1e-6);
    const taken = server.requests.map(({ body }) => body.inputText).filter((part) => part.length <= limit);
    assert.deepEqual(taken.sort(), [
      'A first sentence, of some length. ',
      'A second sentence, not short. A third one.',
      'short',
    ]);
  });

  it('splits a text of more characters than the model takes without asking first', async () => {
    const { embedder, server } = await start();
    const { parts } = await embed(embedder, 'word '.repeat(12_000));
    assert.deepEqual(parts, [2]);
    assert.equal(server.requests.length, 2);
  });
});

describe('bedrock embedder: describing itself', () => {
  it('gives an inference profile, an ARN and the model itself the same fingerprint', async () => {
    const prints = await Promise.all(
      [
        'cohere.embed-v4:0',
        'eu.cohere.embed-v4:0',
        'arn:aws:bedrock:eu-west-1::foundation-model/cohere.embed-v4:0',
      ].map(async (model) =>
        fingerprintText((await createBedrockEmbedder({ model, connection: { region: 'eu-west-1' } })).fingerprint),
      ),
    );
    assert.deepEqual(new Set(prints), new Set(['bedrock|cohere.embed-v4:0|1536d|normalised|']));
  });

  it('takes the model behind an ARN of the account from its name: the ARN is asked, in the form and with the vectors of the model', async () => {
    const account = 'arn:aws:bedrock:eu-west-1:123456789012';
    for (const arn of [`${account}:application-inference-profile/abc123`, `${account}:provisioned-model/abc123`]) {
      const { server, embedder } = await start({ model: `${arn}@${titanV2}`, dimensions: 256 });
      await embed(embedder, 'one');
      assert.deepEqual(
        server.requests.map(({ modelId, body }) => [modelId, body.inputText, body.dimensions]),
        [[arn, 'one', 256]],
      );
      assert.equal(fingerprintText(embedder.fingerprint), `bedrock|${titanV2}|256d|normalised|`);
      assert.equal(embedder.maxInputTokens, 8192);
      assert.equal(embedder.terms?.usdPerMillionTokens, arn.includes('provisioned') ? undefined : 0.02);
    }
    const custom = `${account}:custom-model-deployment/abc123`;
    const { embedder } = await start({ model: `${custom}@${titanV2}` });
    assert.equal(fingerprintText(embedder.fingerprint), `bedrock|${custom}|1024d|normalised|`);
  });

  it('says what it takes and costs, and takes the account’s own figures', async () => {
    const { embedder } = await start();
    assert.deepEqual(embedder.terms, { textsPerRequest: 1, usdPerMillionTokens: 0.02 });
    assert.deepEqual([embedder.dimensions, embedder.maxInputTokens, embedder.fusionWeight], [1024, 8192, 0.55]);
    const own = await start({ usdPerMillionTokens: 0.01, requestsPerMinute: 6000, tokensPerMinute: 300_000 });
    assert.deepEqual(own.embedder.terms, {
      textsPerRequest: 1,
      usdPerMillionTokens: 0.01,
      requestsPerMinute: 6000,
      tokensPerMinute: 300_000,
    });
  });

  it('takes an unknown id of a known family', async () => {
    const { server, embedder } = await start({ model: 'amazon.titan-embed-text-v9:0' });
    await embed(embedder, 'one');
    assert.equal(server.requests[0]!.modelId, 'amazon.titan-embed-text-v9:0');
    assert.equal(embedder.fingerprint.model, 'amazon.titan-embed-text-v9:0');
  });

  const refused: readonly (readonly [BedrockEmbedderOptions, string, RegExp])[] = [
    [{ model: 'text-embedding-3-small' }, 'model-not-found', /text-embedding-3-small/],
    [{ model: 'anthropic.claude-3-haiku-20240307-v1:0' }, 'invalid-options', /makes no embeddings/],
    [
      { model: 'arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123' },
      'invalid-options',
      /does not say which model is behind it.*abc123@amazon\.titan-embed-text-v2:0$/,
    ],
    [{ model: titanV2, dimensions: 300 }, 'invalid-options', /no embeddings of 300 dimensions. It has: 1024, 512, 256/],
    [{ model: 'amazon.titan-embed-text-v1', dimensions: 256 }, 'invalid-options', /It has: 1536/],
    [{ model: 'amazon.titan-embed-text-v1', embeddingType: 'binary' }, 'invalid-options', /no binary/],
    [
      { model: titanV2, connection: { client: new BedrockRuntimeClient({ region: 'us-east-1' }) } },
      'invalid-options',
      /maxAttempts: 1/,
    ],
  ];
  for (const [options, code, message] of refused) {
    it(`refuses ${options.model} with ${Object.keys(options).slice(1).join() || 'nothing else'}: ${code}`, async () => {
      await assert.rejects(createBedrockEmbedder(options), { code, message });
    });
  }
});

describe('bedrock embedder: refusals and failures', () => {
  const final: readonly (readonly [number, string, string, string, RegExp])[] = [
    [400, 'ValidationException', 'Malformed input request', 'model-rejected', /Malformed/],
    [
      403,
      'AccessDeniedException',
      "You don't have access to the model with the specified model ID.",
      'model-access-denied',
      /Model access of region us-east-1/,
    ],
    [
      403,
      'ExpiredTokenException',
      'The security token included in the request is expired',
      'credentials-refused',
      /expired/,
    ],
    [404, 'ResourceNotFoundException', 'Could not resolve the foundation model', 'model-not-found', /us-east-1/],
  ];
  for (const [status, name, words, code, message] of final) {
    it(`asks once where Bedrock says ${name}, and keeps its name and request id`, async () => {
      const { embedder, server } = await start({}, (_, stream) => sendError(stream, status, name, words));
      await assert.rejects(embed(embedder, 'one'), (error: Error & { $metadata: object }) => {
        assert.equal(error.name, name);
        assert.match(error.message, message);
        assert.deepEqual(
          [(error as { code?: string }).code, (error.$metadata as { requestId: string }).requestId],
          [code, 'request-1'],
        );
        return true;
      });
      assert.equal(server.requests.length, 1);
    });
  }

  it('asks again where it may help', async () => {
    let asked = 0;
    const { embedder, server } = await start({}, (request, stream) => {
      asked += 1;
      if (asked === 1) return sendError(stream, 429, 'ThrottlingException', 'Too many requests');
      if (asked === 2) return sendError(stream, 503, 'ServiceUnavailableException', 'Down');
      return titanAnswer(request);
    });
    await embed(embedder, 'one');
    assert.equal(server.requests.length, 3);
  });

  it('says without credentials where they are looked for', async () => {
    const client = new BedrockRuntimeClient({
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: () =>
        Promise.reject(
          Object.assign(new Error('Could not load credentials from any providers'), {
            name: 'CredentialsProviderError',
          }),
        ),
    });
    const embedder = await createBedrockEmbedder({ model: titanV2, connection: { client } });
    await assert.rejects(embed(embedder, 'one'), { code: 'credentials-refused', message: /AWS_ACCESS_KEY_ID/ });
  });

  it('fails within the deadline where nothing listens, naming the address', async () => {
    const { server } = await start();
    await server.close();
    const client = new BedrockRuntimeClient({
      region: 'us-east-1',
      endpoint: server.url,
      credentials: testCredentials,
      maxAttempts: 1,
    });
    const pacer = createPacer({ name: titanV2, deadlineMs: 300 });
    const embedder = await createBedrockEmbedder({ model: titanV2, connection: { client }, pacer });
    await assert.rejects(embed(embedder, 'one'), {
      code: 'model-unavailable',
      message: new RegExp(`${server.url}.*Given up after \\d+ tries`),
    });
    client.destroy();
  });

  it('fails within the deadline where nobody answers', async () => {
    const pacer = createPacer({ name: `${titanV2} in us-east-1`, deadlineMs: 100 });
    const { embedder } = await start({ pacer }, () => undefined);
    await assert.rejects(embed(embedder, 'one'), {
      code: 'model-unavailable',
      message: `${titanV2} in us-east-1 gave no answer within 0.1 s.`,
    });
  });

  it('stops a request that is under way', async () => {
    const { embedder, server } = await start({}, () => undefined);
    const controller = new AbortController();
    const pending = embedder.embed(['one'], { purpose: 'query', signal: controller.signal });
    while (server.openStreams() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    await assert.rejects(pending, { code: 'aborted' });
    while (server.openStreams() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});
