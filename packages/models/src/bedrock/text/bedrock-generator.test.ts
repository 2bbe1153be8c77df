import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, it } from 'node:test';
import { type AquiferError, type GenerateOptions, type GeneratorEvent, isAquiferError } from '@aquifer/contracts';
import { samplePrompt } from '@aquifer/contracts/testing';
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { createPacer } from '../../pacing/pacer.js';
import {
  type BedrockServer,
  beginEvents,
  chunkEvent,
  exceptionEvent,
  namedEvent,
  type ReceivedRequest,
  type Respond,
  sendError,
  startBedrockServer,
  testCredentials,
} from '../bedrock-server.test-fixture.js';
import { createBedrockGenerator } from './bedrock-generator.js';

const prompt = samplePrompt('How long is parental leave in Japan?');
const completions = 'anthropic.claude-v2:1';
const nova = 'amazon.nova-lite-v1:0';
const part = (completion: string) => chunkEvent({ completion, stop_reason: null, stop: null });
const whole = [part('It is '), part('52'), chunkEvent({ completion: '.', stop_reason: 'stop_sequence', stop: null })];

const closing: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A generator of the model at a server that answers like this. */
async function setUp(respond: Respond, model = completions, deadlineMs = 2_000) {
  const server = await startBedrockServer(respond);
  const client = clientFor(server.url);
  closing.push(
    () => client.destroy(),
    () => server.close(),
  );
  const pacer = createPacer({ name: model, deadlineMs });
  return { server, generator: await createBedrockGenerator({ model, connection: { client }, pacer }) };
}

const clientFor = (endpoint: string) =>
  new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint,
    credentials: testCredentials,
    maxAttempts: 1,
    requestHandler: { disableConcurrentStreams: false },
  });

type Collected = { readonly text: string; readonly events: readonly GeneratorEvent[]; readonly error?: AquiferError };

async function collect(
  { generator }: Awaited<ReturnType<typeof setUp>>,
  options?: GenerateOptions,
): Promise<Collected> {
  const events: GeneratorEvent[] = [];
  const text = () => events.map((event) => (event.type === 'text' ? event.text : '')).join('');
  try {
    for await (const event of generator.generate(prompt, options)) events.push(event);
  } catch (error) {
    assert.ok(isAquiferError(error), String(error));
    assert.ok(events.every(({ type }) => type === 'text'));
    return { text: text(), events, error };
  }
  return { text: text(), events };
}

function stream(...events: readonly Buffer[]): Respond {
  return (_, answer) => {
    beginEvents(answer);
    for (const event of events) answer.write(event);
    answer.end();
  };
}

const until = async (isTrue: () => boolean) => {
  for (let tries = 0; !isTrue(); tries++) {
    assert.ok(tries < 400, 'it never came true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** Sends the first words and keeps the stream open. */
const unending =
  (opened: (answer: ServerHttp2Stream) => void = () => {}): Respond =>
  (_, answer) => {
    beginEvents(answer);
    answer.write(part('It is '));
    opened(answer);
  };

describe('createBedrockGenerator', () => {
  it('says who it is, refuses what does not write text, and knows no other ids', async () => {
    const { generator } = await setUp(stream(...whole));
    assert.deepEqual([generator.id, generator.description], [completions, `${completions} on Amazon Bedrock`]);
    assert.ok(generator.contextTokens > 0);
    await assert.rejects(createBedrockGenerator({ model: 'gpt-4o' }), { code: 'model-not-found' });
    for (const model of ['amazon.titan-embed-text-v2:0', 'stability.sd3-5-large-v1:0', 'amazon.rerank-v1:0']) {
      await assert.rejects(createBedrockGenerator({ model }), { code: 'invalid-options' });
    }
  });

  it('speaks with what is behind an ARN of the account in the form of the model that is named, else by Converse', async () => {
    const arn = 'arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123';
    const claude = await setUp(
      stream(
        chunkEvent({ type: 'message_start', message: { usage: { input_tokens: 1_000_000 } } }),
        chunkEvent({ type: 'content_block_delta', delta: { type: 'text_delta', text: 'It is 52.' } }),
        chunkEvent({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1_000_000 } }),
      ),
      `${arn}@eu.anthropic.claude-sonnet-4-5-20250929-v1:0`,
    );
    const { text, events } = await collect(claude);
    assert.equal(text, 'It is 52.');
    const [{ modelId, operation, body }] = claude.server.requests as [ReceivedRequest];
    assert.deepEqual([modelId, operation], [arn, 'invoke-with-response-stream']);
    assert.equal(body.messages[0].content[0].type, 'search_result');
    const usage = { inputTokens: 1_000_000, outputTokens: 1_000_000, costUsd: 3.3 + 16.5 };
    assert.deepEqual(events.at(-1), { type: 'stop', reason: 'end', usage });
    assert.equal(claude.generator.contextTokens, 200_000);

    const words = namedEvent('contentBlockDelta', { delta: { text: 'It is 52.' }, contentBlockIndex: 0 });
    const unnamed = await setUp(stream(words, namedEvent('messageStop', { stopReason: 'end_turn' })), arn);
    assert.equal((await collect(unnamed)).text, 'It is 52.');
    const [asked] = unnamed.server.requests as [ReceivedRequest];
    assert.deepEqual([asked.modelId, asked.operation], [arn, 'converse-stream']);
    assert.equal(unnamed.generator.contextTokens, 8192);
  });

  it('takes the context that it is told before that of the catalogue', async () => {
    for (const model of [nova, 'arn:aws:bedrock:eu-west-1:123456789012:provisioned-model/abc123']) {
      const connection = { region: 'us-east-1' };
      assert.equal((await createBedrockGenerator({ model, connection, contextTokens: 20_000 })).contextTokens, 20_000);
    }
  });

  it('keeps to the limits of the model', async () => {
    const { generator } = await setUp(stream(...whole));
    const { body } = generator.request!(prompt, { maxTokens: 1_000_000 });
    const { max_tokens_to_sample: most } = body as { max_tokens_to_sample: number };
    assert.ok(most > 0 && most <= 8_192, `${most}`);
    assert.throws(() => generator.request!(prompt, { maxTokens: 0 }), { code: 'invalid-options' });
  });

  it('uses one connection for one answer after the other, and leaves no stream behind', async () => {
    const used = await setUp(stream(...whole));
    for (let round = 0; round < 3; round++) assert.equal((await collect(used)).text, 'It is 52.');
    await until(() => used.server.openStreams() === 0);
    assert.equal(used.server.connections(), 1);
  });

  it('tries again what fails before the first word', async () => {
    for (const failing of [
      ((_, answer) => sendError(answer, 503, 'ServiceUnavailableException', 'Down.')) satisfies Respond,
      stream(exceptionEvent('throttlingException', 'Slow down.')),
      stream(),
    ]) {
      let asked = 0;
      const used = await setUp((request, answer) => (asked++ === 0 ? failing : stream(...whole))(request, answer));
      assert.deepEqual([(await collect(used)).text, asked], ['It is 52.', 2]);
    }
  });

  it('asks once where trying again does not help, and keeps the error whole', async () => {
    for (const [status, name, code] of [
      [400, 'ValidationException', 'model-rejected'],
      [403, 'AccessDeniedException', 'model-access-denied'],
      [403, 'ExpiredTokenException', 'credentials-refused'],
      [404, 'ResourceNotFoundException', 'model-not-found'],
    ] as const) {
      const used = await setUp((_, answer) => sendError(answer, status, name, 'No.'));
      const { error } = await collect(used);
      assert.deepEqual([error?.code, error?.name, used.server.requests.length], [code, name, 1]);
      assert.match(error!.message, /No\./);
    }
  });

  it('never presents an answer that broke off as whole', async () => {
    const cuts: [string, Respond, RegExp][] = [
      ['an end too early', stream(part('It is '), part('52')), /broke off/],
      [
        'a cut connection',
        (_, answer) => {
          beginEvents(answer);
          answer.write(part('It is '));
          answer.write(part('52'), () => answer.session?.destroy());
        },
        /127\.0\.0\.1/,
      ],
      [
        'a reset stream',
        (_, answer) => {
          beginEvents(answer);
          answer.write(part('It is '));
          answer.write(part('52'), () => answer.close(2));
        },
        /127\.0\.0\.1/,
      ],
      [
        'a frame cut in two',
        (_, answer) => {
          beginEvents(answer);
          answer.write(part('It is '));
          answer.write(part('52'));
          answer.end(part(' weeks').subarray(0, 30));
        },
        /127\.0\.0\.1/,
      ],
    ];
    for (const [what, respond, words] of cuts) {
      const { text, error } = await collect(await setUp(respond));
      assert.equal(error?.code, 'model-unavailable', `${what}: ${error?.message}`);
      assert.equal(error.retryable, true);
      assert.match(error.message, words, what);
      assert.match(text, /^It is/, what);
    }
  });

  it('ends with what the provider says in mid-stream', async () => {
    const said: [string, string, string][] = [
      ['throttlingException', 'model-throttled', 'ThrottlingException'],
      ['modelStreamErrorException', 'model-unavailable', 'ModelStreamErrorException'],
      ['internalServerException', 'model-unavailable', 'InternalServerException'],
      ['serviceUnavailableException', 'model-unavailable', 'ServiceUnavailableException'],
      ['modelTimeoutException', 'model-unavailable', 'ModelTimeoutException'],
      ['validationException', 'model-rejected', 'ValidationException'],
    ];
    for (const [member, code, name] of said) {
      const { text, error } = await collect(
        await setUp(stream(part('It is '), exceptionEvent(member, 'Provider says.'))),
      );
      assert.deepEqual([text, error?.code, error?.name], ['It is ', code, name]);
      assert.match(error!.message, /Provider says/);
    }
    const novaWords = namedEvent('contentBlockDelta', { delta: { text: 'It is ' }, contentBlockIndex: 0 });
    const throttled = exceptionEvent('throttlingException', 'Slow down.');
    const converse = await collect(await setUp(stream(novaWords, throttled), nova));
    assert.deepEqual([converse.text, converse.error?.code], ['It is ', 'model-throttled']);
    const overloaded = chunkEvent({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
    const claude = await collect(await setUp(stream(overloaded), 'anthropic.claude-3-haiku-20240307-v1:0'));
    assert.equal(claude.error?.code, 'model-unavailable');
    assert.match(claude.error!.message, /Overloaded/);
  });

  it('takes an answer as whole when the model has said so, whatever happens after', async () => {
    const used = await setUp((_, answer) => {
      beginEvents(answer);
      for (const event of whole.slice(0, -1)) answer.write(event);
      answer.write(whole.at(-1)!, () => answer.session?.destroy());
    });
    const { text, error } = await collect(used);
    assert.deepEqual([text, error], ['It is 52.', undefined]);
  });

  it('refuses what is not JSON, or not of the form', async () => {
    for (const chunk of ['{"completion": "It', '[1]', 'null', '<html>']) {
      const { error } = await collect(await setUp(stream(part('It is '), chunkEvent(chunk), ...whole)));
      assert.equal(error?.code, 'model-failed', chunk);
      assert.match(error.message, /anthropic\.claude-v2:1 is not JSON/);
    }
    for (const completion of [52, { text: '52' }]) {
      const { text, error } = await collect(await setUp(stream(chunkEvent({ completion }), ...whole)));
      assert.deepEqual([text, error?.code], ['', 'model-failed']);
    }
    const misshaped = chunkEvent({ choices: 'none' });
    const { error } = await collect(await setUp(stream(misshaped), 'ai21.jamba-1-5-mini-v1:0'));
    assert.equal(error?.code, 'model-unavailable');
  });

  it('stops in mid-stream when the signal fires, and frees the stream', async () => {
    const used = await setUp(unending());
    const controller = new AbortController();
    const events: GeneratorEvent[] = [];
    await assert.rejects(
      async () => {
        for await (const event of used.generator.generate(prompt, { signal: controller.signal })) {
          events.push(event);
          setTimeout(() => controller.abort(), 20);
        }
      },
      (error) => isAquiferError(error, 'aborted'),
    );
    assert.equal(events.length, 1);
    await until(() => used.server.openStreams() === 0);
  });

  it('stops when the caller leaves', async () => {
    const used = await setUp(unending());
    for await (const event of used.generator.generate(prompt)) {
      assert.equal(event.type, 'text');
      break;
    }
    await until(() => used.server.openStreams() === 0);
  });

  it('gives up at the deadline before the first word, not after it', async () => {
    const silent = await setUp(() => {}, completions, 100);
    const { error } = await collect(silent);
    assert.equal(error?.code, 'model-unavailable');
    assert.match(error.message, /no answer/);
    await until(() => silent.server.openStreams() === 0);

    let opened: ServerHttp2Stream | undefined;
    const slow = await setUp(
      unending((answer) => {
        opened = answer;
        setTimeout(() => {
          for (const event of whole.slice(1)) answer.write(event);
          answer.end();
        }, 300);
      }),
      completions,
      100,
    );
    assert.equal((await collect(slow)).text, 'It is 52.');
    assert.ok(opened);
  });

  it('names an address where nothing answers', async () => {
    const client = clientFor('http://127.0.0.1:9');
    closing.push(() => client.destroy());
    const pacer = createPacer({ name: nova, deadlineMs: 1_000 });
    const generator = await createBedrockGenerator({ model: nova, connection: { client }, pacer });
    const server = undefined as unknown as BedrockServer;
    const { error } = await collect({ server, generator });
    assert.equal(error?.code, 'model-unavailable');
    assert.match(error.message, /127\.0\.0\.1:9/);
  });

  it('says where credentials are looked for when there are none', async () => {
    const { server } = await setUp(stream(...whole));
    const client = new BedrockRuntimeClient({
      region: 'us-east-1',
      endpoint: server.url,
      maxAttempts: 1,
      credentials: async () => {
        throw Object.assign(new Error('Could not load credentials from any providers'), {
          name: 'CredentialsProviderError',
        });
      },
    });
    closing.push(() => client.destroy());
    const { error } = await collect({
      server,
      generator: await createBedrockGenerator({ model: completions, connection: { client } }),
    });
    assert.equal(error?.code, 'credentials-refused');
    assert.match(error.message, /AWS_ACCESS_KEY_ID/);
    assert.equal(server.requests.length, 0);
  });
});
