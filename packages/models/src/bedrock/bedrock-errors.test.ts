import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { type AquiferError, isAquiferError } from '@aquifer/contracts';
import {
  BedrockRuntimeClient,
  type BedrockRuntimeClientConfig,
  InvokeModelCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { bedrockAddress } from './bedrock-client.js';
import { describeBedrockError, inputTooLong } from './bedrock-errors.js';
import { sendError, sendJson, startBedrockServer, testCredentials } from './bedrock-server.test-fixture.js';

const modelId = 'anthropic.claude-3-haiku-20240307-v1:0';
const closing: (() => unknown)[] = [];
after(() => Promise.all(closing.map((close) => close())));

/** What a request becomes that fails at the real SDK. */
async function failure(config: BedrockRuntimeClientConfig, abortSignal?: AbortSignal): Promise<AquiferError> {
  const client = new BedrockRuntimeClient({
    region: 'eu-west-1',
    credentials: testCredentials,
    maxAttempts: 1,
    ...config,
  });
  try {
    await client.send(new InvokeModelCommand({ modelId, body: '{}' }), { ...(abortSignal && { abortSignal }) });
  } catch (error) {
    return describeBedrockError(error, { modelId, ...(await bedrockAddress(client)) });
  } finally {
    client.destroy();
  }
  throw new Error('the request did not fail');
}

/** What an answer of Bedrock becomes. */
async function answered(status: number, name: string, message: string, headers = {}): Promise<AquiferError> {
  const server = await startBedrockServer((_, stream) => sendError(stream, status, name, message, headers));
  try {
    return await failure({ endpoint: server.url });
  } finally {
    await server.close();
  }
}

describe('describeBedrockError', () => {
  it('gives every error of Bedrock a code, and keeps name, status and request id', async () => {
    const cases: [number, string, string, string, boolean, RegExp][] = [
      [429, 'ThrottlingException', 'Too many requests.', 'model-throttled', true, /Too many requests/],
      [429, 'ModelNotReadyException', 'Warming up.', 'model-throttled', true, /Warming up/],
      [429, 'TooManyRequestsException', 'Slow.', 'model-throttled', true, /Slow/],
      [400, 'ServiceQuotaExceededException', 'Quota.', 'model-throttled', false, /Service Quotas/],
      [500, 'InternalServerException', 'Oops.', 'model-unavailable', true, /127\.0\.0\.1.*status 500/],
      [503, 'ServiceUnavailableException', 'Down.', 'model-unavailable', true, /127\.0\.0\.1/],
      [502, 'SomethingNew', 'Bad.', 'model-unavailable', true, /502/],
      [408, 'ModelTimeoutException', 'Slow model.', 'model-unavailable', true, /Slow model/],
      [424, 'ModelErrorException', 'Crashed.', 'model-unavailable', true, /Crashed/],
      [400, 'ValidationException', 'temperature: range', 'model-rejected', false, /temperature: range/],
      [400, 'ValidationException', 'The provided model identifier is invalid.', 'model-not-found', false, /eu-west-1/],
      [
        400,
        'ValidationException',
        "Invocation of model ID x with on-demand throughput isn't supported. Retry your request with the ID or ARN of an inference profile that contains this model.",
        'model-not-found',
        false,
        /eu\.anthropic\.claude/,
      ],
      [
        403,
        'AccessDeniedException',
        "You don't have access to the model.",
        'model-access-denied',
        false,
        /You don't have access.*Bedrock console › Model access of region eu-west-1/,
      ],
      [
        403,
        'ExpiredTokenException',
        'The security token is expired',
        'credentials-refused',
        false,
        /AWS_ACCESS_KEY_ID/,
      ],
      [
        403,
        'UnrecognizedClientException',
        'The security token is invalid.',
        'credentials-refused',
        false,
        /AWS_PROFILE/,
      ],
      [
        403,
        'InvalidSignatureException',
        'The signature does not match.',
        'credentials-refused',
        false,
        /does not match/,
      ],
      [
        403,
        'InvalidSignatureException',
        'Signature expired: 20250101T000000Z is now earlier than 20250101T001000Z',
        'credentials-refused',
        false,
        /clock is off/,
      ],
      [
        403,
        'AccessDeniedException',
        'Authentication failed: Please make sure your API Key is valid.',
        'credentials-refused',
        false,
        /API Key/,
      ],
      [404, 'ResourceNotFoundException', 'Could not resolve the foundation model.', 'model-not-found', false, /region/],
      [418, 'Teapot', 'I am.', 'model-rejected', false, /I am/],
    ];
    for (const [status, name, message, code, retryable, words] of cases) {
      const error = await answered(status, name, message);
      assert.ok(isAquiferError(error), name);
      assert.deepEqual([error.code, error.retryable], [code, retryable], `${name}: ${error.message}`);
      assert.match(error.message, words);
      assert.equal(error.name, name);
      const { $metadata } = error as unknown as { $metadata: { httpStatusCode: number; requestId: string } };
      assert.deepEqual([$metadata.httpStatusCode, $metadata.requestId], [status, 'request-1']);
    }
  });

  it('keeps what the provider asks to wait, in any of its forms', async () => {
    const wait = async (headers: Record<string, string>) =>
      (await answered(429, 'ThrottlingException', 'Too many.', headers)).retryAfterMs;
    assert.equal(await wait({ 'retry-after': '3' }), 3000);
    assert.equal(await wait({ 'x-amz-retry-after': '250' }), 250);
    assert.ok((await wait({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() }))! > 50_000);
    assert.equal(await wait({ 'retry-after': 'soon' }), undefined);
    assert.equal(await wait({}), undefined);
  });

  it('names the address that does not answer', async () => {
    const silent = http2.createServer((request) => request.stream.session?.destroy());
    const old = http.createServer((_, response) => response.end('{}'));
    for (const server of [silent, old]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      closing.push(() => server.close());
    }
    const port = (server: http2.Http2Server | http.Server) => (server.address() as AddressInfo).port;
    const cases: [string, string, boolean, RegExp][] = [
      ['http://127.0.0.1:9', 'model-unavailable', true, /127\.0\.0\.1:9: nothing listens there.*ECONNREFUSED/],
      ['http://nowhere.invalid', 'model-unavailable', true, /nowhere\.invalid: no host has this name/],
      [`http://127.0.0.1:${port(silent)}`, 'model-unavailable', true, new RegExp(`:${port(silent)}`)],
      [`http://127.0.0.1:${port(old)}`, 'model-unavailable', true, /does not speak HTTP\/2/],
      [`https://127.0.0.1:${port(old)}`, 'model-unavailable', false, /does not answer in TLS.*http:\/\//],
      ['localhost:9', 'invalid-options', false, /localhost:.*must begin with https/],
    ];
    for (const [endpoint, code, retryable, words] of cases) {
      const error = await failure({ endpoint });
      assert.deepEqual([error.code, error.retryable], [code, retryable], `${endpoint}: ${error.message}`);
      assert.match(error.message, words);
    }
    const { message } = await failure({ region: 'mars-north-1' });
    assert.match(message, /https:\/\/bedrock-runtime\.mars-north-1\.amazonaws\.com.*region/);
  });

  it('says where credentials and the region are looked for', async () => {
    const provider = async () => {
      throw Object.assign(new Error('Could not load credentials from any providers'), {
        name: 'CredentialsProviderError',
      });
    };
    const missing = await failure({ credentials: provider, endpoint: 'http://127.0.0.1:9' });
    assert.equal(missing.code, 'credentials-refused');
    assert.match(missing.message, /Could not load credentials.*AWS_ACCESS_KEY_ID.*aws sso login/);
    const nowhere = await failure({ region: 'no region' });
    assert.equal(nowhere.code, 'invalid-options');
    assert.match(nowhere.message, /AWS_REGION/);
  });

  it('tells what answers in place of Bedrock, and a call that was cancelled', async () => {
    const server = await startBedrockServer((_, stream) =>
      sendJson(stream, '<html>Blocked</html>', { ':status': 403 }),
    );
    closing.push(() => server.close());
    const proxy = await failure({ endpoint: server.url });
    assert.equal(proxy.code, 'model-failed');
    assert.match(proxy.message, /not JSON.*status 403.*proxy/s);
    assert.doesNotMatch(proxy.message, /Deserialization|\$response/);
    const cancelled = await failure({ endpoint: server.url }, AbortSignal.abort());
    assert.equal(cancelled.code, 'aborted');
  });

  it('leaves an error as it is that is described already, and takes what is no error', () => {
    const described = describeBedrockError(new Error('x'), { modelId });
    assert.equal(described.code, 'model-failed');
    assert.equal(describeBedrockError(described, { modelId: 'other' }).message, described.message);
    assert.equal(describeBedrockError('text', { modelId }).code, 'model-failed');
    assert.equal(describeBedrockError(undefined, { modelId }).code, 'model-failed');
  });
});

describe('inputTooLong', () => {
  it('knows the words of each family', async () => {
    const refused = (message: string) => answered(400, 'ValidationException', message);
    assert.deepEqual(
      inputTooLong(
        await refused(
          '400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9875',
        ),
      ),
      { tokens: 9875, maxTokens: 8192 },
    );
    assert.deepEqual(inputTooLong(await refused('prompt is too long: 204567 tokens > 200000 maximum')), {
      tokens: 204567,
      maxTokens: 200000,
    });
    for (const words of [
      'Input is too long for requested model.',
      'Malformed input request: expected maxLength: 50000, actual: 51234, please reformat your input and try again.',
    ]) {
      assert.deepEqual(inputTooLong(await refused(words)), {}, words);
    }
    assert.equal(inputTooLong(await refused('temperature is out of range')), undefined);
    assert.equal(inputTooLong(await answered(429, 'ThrottlingException', 'Too many tokens per day')), undefined);
    assert.equal(inputTooLong(new Error('Too many input tokens')), undefined);
  });
});
