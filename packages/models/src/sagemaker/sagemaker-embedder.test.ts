import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, describe, it } from 'node:test';
import { type Embedder, isAquiferError } from '@aquifer/contracts';
import { embedderContract } from '@aquifer/contracts/testing';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { createPacer } from '../pacing/pacer.js';
import { countWords, embedTexts, maxWords } from '../testing/embed-texts.js';
import { sendException } from '../testing/sagemaker-server.js';
import { type RecordedRequest, sendJson, startTestServer, type TestServer } from '../testing/test-server.js';
import { unpaced } from '../testing/unpaced.js';
import { createSageMakerEmbedder, type SageMakerEmbedderOptions } from './sagemaker-embedder.js';

Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' });

type Respond = (request: RecordedRequest, response: ServerResponse) => void | Promise<void>;

const servers: TestServer[] = [];
const embedders: Embedder[] = [];
after(async () => {
  await Promise.all(embedders.map((embedder) => embedder.close?.()));
  await Promise.all(servers.map((server) => server.close()));
});

/** Text Embeddings Inference behind SageMaker. */
const inference: Respond = async ({ body }, response) => {
  const { inputs } = body as { inputs: readonly string[] };
  const longest = Math.max(...inputs.map(countWords));
  if (longest > maxWords) {
    const error = `Input validation error: \`inputs\` must have less than ${maxWords} tokens. Given: ${longest}`;
    return sendException(response, 424, 'ModelError', {
      Message: 'Received client error (413) from primary with message "…"',
      OriginalStatusCode: 413,
      OriginalMessage: JSON.stringify({ error, error_type: 'Validation' }),
    });
  }
  sendJson(response, (await embedTexts(inputs)).vectors);
};

async function open(respond: Respond = inference, options: Partial<SageMakerEmbedderOptions> = {}) {
  const server = await startTestServer(respond);
  servers.push(server);
  const embedder = await createSageMakerEmbedder({
    endpoint: 'my-model',
    connection: { region: 'eu-central-1', endpoint: server.url },
    pacer: createPacer({ name: 'test' }),
    ...options,
  });
  embedders.push(embedder);
  return { server, embedder };
}

embedderContract(
  { describe, it },
  {
    name: 'sagemaker',
    create: async () => (await open(inference, { maxInputTokens: maxWords })).embedder,
    countsEachText: false,
  },
);

describe('sagemaker embedder', () => {
  it('sends the body of Text Embeddings Inference, signed, to the endpoint', async () => {
    const { server, embedder } = await open(inference, { inferenceComponent: 'part', dimensions: 256 });
    assert.equal(server.requests.length, 0);
    await embedder.embed(['leave', 'printer'], { purpose: 'document' });
    const { method, path, headers, body } = server.requests[0]!;
    assert.equal(`${method} ${path}`, 'POST /endpoints/my-model/invocations');
    assert.deepEqual(body, { inputs: ['leave', 'printer'], truncate: false });
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['x-amzn-sagemaker-inference-component'], 'part');
    assert.match(headers.authorization!, /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d+\/eu-central-1\/sagemaker\//);
    assert.equal(embedder.fingerprint.model, 'my-model/part');
  });

  it('knows prefixes and limits of the model that it is told, which is in the fingerprint instead of the endpoint', async () => {
    const { server, embedder } = await open(inference, { model: 'intfloat/multilingual-e5-small' });
    assert.equal(embedder.fingerprint.model, 'intfloat/multilingual-e5-small');
    assert.equal(embedder.maxInputTokens, 512);
    await embedder.embed(['leave'], { purpose: 'query' });
    assert.deepEqual((server.requests.at(-1)!.body as { inputs: string[] }).inputs, ['query: leave']);
  });

  it("speaks OpenAI's format to containers that have it", async () => {
    const { server, embedder } = await open(
      async ({ body }, response) => {
        const { vectors, tokens } = await embedTexts((body as { input: string[] }).input);
        const data = vectors.map((embedding, index) => ({ index, embedding }));
        sendJson(response, { data, usage: { prompt_tokens: tokens } });
      },
      { format: 'openai', model: 'm' },
    );
    assert.deepEqual((await embedder.embed(['one two three'], { purpose: 'query' })).tokens, [3]);
    assert.deepEqual(server.requests.at(-1)!.body, { model: 'm', input: ['one two three'], encoding_format: 'float' });
  });

  it('reads vectors under the names that containers give them', async () => {
    for (const name of ['vectors', 'embeddings', 'embedding']) {
      const { embedder } = await open(async ({ body }, response) => {
        sendJson(response, { [name]: (await embedTexts((body as { inputs: string[] }).inputs)).vectors });
      });
      assert.equal((await embedder.embed(['a', 'b'], { purpose: 'query' })).vectors.length, 2);
    }
  });

  it('keeps nothing of an answer that cannot be right', async () => {
    const answers: readonly (readonly [unknown, RegExp])[] = [
      [{ error: 'none' }, /no list of vectors.*option format/],
      [[1, 2, 3], /no list of vectors/],
      [
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
        /a vector for every token/,
      ],
      [[[1, 2, 3]], /3 numbers where 256/],
      [[], /0 vectors for 1 texts/],
    ];
    for (const [answer, message] of answers) {
      const { embedder } = await open((_, response) => sendJson(response, answer), { dimensions: 256 });
      await assert.rejects(embedder.embed(['x'], { purpose: 'query' }), { code: 'model-failed', message });
    }
    const { embedder } = await open((_, response) => void response.end('<html>'), { dimensions: 256 });
    await assert.rejects(embedder.embed(['x'], { purpose: 'query' }), { code: 'model-failed', message: /not JSON/ });
  });

  it('names failures by their code, keeps what the SDK knows, and asks once where asking again cannot help', async () => {
    const failures = [
      [400, 'ValidationError', { message: 'Endpoint my-model of account 123456789012 not found.' }, 'model-not-found'],
      [400, 'ValidationError', { message: 'Body is too large.' }, 'model-rejected'],
      [403, 'AccessDeniedException', { Message: 'User is not authorized.' }, 'model-access-denied'],
      [403, 'ExpiredTokenException', { message: 'The security token is expired.' }, 'credentials-refused'],
      [424, 'ModelError', { Message: 'm', OriginalStatusCode: 400, OriginalMessage: 'bad field' }, 'model-rejected'],
    ] as const;
    for (const [status, name, fields, code] of failures) {
      const { server, embedder } = await open((_, response) => sendException(response, status, name, fields), {
        dimensions: 256,
      });
      await assert.rejects(embedder.embed(['x'], { purpose: 'query' }), (error) => {
        assert.ok(isAquiferError(error, code), `${name}: ${String(error)}`);
        assert.equal((error as Error).name, name);
        assert.equal((error as { $metadata?: { requestId?: string } }).$metadata?.requestId, 'request-1');
        assert.match((error as Error).message, code === 'credentials-refused' ? /credentials/ : /my-model/);
        return true;
      });
      assert.equal(server.requests.length, 1);
    }
  });

  it('tries again what is temporary', async () => {
    const failures = [
      [429, 'ThrottlingException', { message: 'Rate exceeded' }],
      [503, 'ServiceUnavailable', { Message: 'busy' }],
      [424, 'ModelError', { Message: 'm', OriginalStatusCode: 500, OriginalMessage: 'CUDA' }],
    ] as const;
    for (const [status, name, fields] of failures) {
      let asked = 0;
      const { embedder } = await open(
        (request, response) =>
          asked++ === 0 ? sendException(response, status, name, fields) : inference(request, response),
        { dimensions: 256 },
      );
      assert.equal((await embedder.embed(['x'], { purpose: 'query' })).vectors.length, 1);
      assert.equal(asked, 2);
    }
  });

  it('says where it could not connect', async () => {
    const server = await startTestServer(() => {});
    await server.close();
    const { embedder } = await open(inference, {
      dimensions: 256,
      connection: { region: 'eu-central-1', endpoint: server.url },
      pacer: unpaced,
    });
    await assert.rejects(embedder.embed(['x'], { purpose: 'query' }), (error) => {
      assert.ok(isAquiferError(error, 'model-unavailable'));
      assert.ok(error.message.includes(server.url) && error.message.includes('my-model'), error.message);
      return true;
    });
  });

  it('takes a ready client, unless it retries by itself', async () => {
    const settings = { region: 'eu-central-1', credentials: { accessKeyId: 'A', secretAccessKey: 's' } };
    const client = new SageMakerRuntimeClient({ ...settings, maxAttempts: 3 });
    const options = { endpoint: 'e', dimensions: 256 };
    await assert.rejects(createSageMakerEmbedder({ ...options, connection: { client } }), {
      code: 'invalid-options',
      message: /3 times/,
    });
    const ready = new SageMakerRuntimeClient({ ...settings, maxAttempts: 1 });
    assert.equal((await createSageMakerEmbedder({ ...options, connection: { client: ready } })).dimensions, 256);
    await assert.rejects(createSageMakerEmbedder({ endpoint: ' ' }), { code: 'invalid-options' });
  });
});
