import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, describe, it } from 'node:test';
import type { GeneratorEvent } from '@aquifer/contracts';
import { generatorContract, samplePrompt } from '@aquifer/contracts/testing';
import { createPacer } from '../pacing/pacer.js';
import { answerPrompt } from '../testing/answer-prompt.js';
import { openEventStream, payloadPart, sendException, streamException } from '../testing/sagemaker-server.js';
import { type RecordedRequest, sendJson, startTestServer, type TestServer } from '../testing/test-server.js';
import { unpaced } from '../testing/unpaced.js';
import { createSageMakerGenerator, type SageMakerGeneratorOptions } from './sagemaker-generator.js';

Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' });

type Respond = (request: RecordedRequest, response: ServerResponse) => void | Promise<void>;

const servers: TestServer[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

async function open(respond: Respond, options: Partial<SageMakerGeneratorOptions> = {}) {
  const server = await startTestServer(respond);
  servers.push(server);
  const generator = await createSageMakerGenerator({
    endpoint: 'my-model',
    connection: { region: 'eu-central-1', endpoint: server.url },
    pacer: unpaced,
    ...options,
  });
  return { server, generator };
}

/** Sends a text of events in parts that end anywhere. */
function sendParts(response: ServerResponse, text: string): void {
  openEventStream(response);
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += 50) response.write(payloadPart(bytes.subarray(start, start + 50)));
  response.end();
}

const data = (value: unknown): string => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;

/** A container with OpenAI's chat completions, streamed. */
const chat: Respond = async ({ body }, response) => {
  const { messages, max_tokens: maxTokens } = body as { messages: { content: string }[]; max_tokens: number };
  let text = '';
  for await (const event of answerPrompt(messages[1]!.content, { maxTokens })) {
    if (event.type === 'text') {
      text += data({ choices: [{ delta: { content: event.text }, finish_reason: null }] });
    } else {
      const { inputTokens: prompt_tokens, outputTokens: completion_tokens } = event.usage;
      text += data({ choices: [{ delta: {}, finish_reason: event.reason === 'max-tokens' ? 'length' : 'stop' }] });
      text += data({ choices: [], usage: { prompt_tokens, completion_tokens } });
    }
  }
  sendParts(response, text + data('[DONE]'));
};

/** Text Generation Inference without a template, streamed. */
const inference: Respond = async ({ body }, response) => {
  const { inputs, parameters } = body as { inputs: string; parameters: { max_new_tokens: number } };
  const user = inputs.slice(inputs.indexOf('\n\n') + 2, -'\n\nAnswer:'.length);
  let text = '';
  let generated_text = '';
  for await (const event of answerPrompt(user, { maxTokens: parameters.max_new_tokens })) {
    if (event.type === 'text') {
      generated_text += event.text;
      text += data({
        index: 1,
        token: { id: 5, text: event.text, logprob: -0.1, special: false },
        generated_text: null,
        details: null,
      });
    } else {
      const finish_reason = event.reason === 'max-tokens' ? 'length' : 'eos_token';
      const details = { finish_reason, generated_tokens: event.usage.outputTokens, seed: null };
      text += data({ index: 2, token: { id: 2, text: '</s>', logprob: 0, special: true }, generated_text, details });
    }
  }
  sendParts(response, text);
};

const contracts = { 'messages, streamed': chat, 'inputs, streamed': inference };
for (const [name, respond] of Object.entries(contracts)) {
  const format = name.startsWith('messages') ? 'messages' : 'inputs';
  generatorContract(
    { describe, it },
    {
      name: `sagemaker: ${name}`,
      create: async () => (await open(respond, { format, pacer: createPacer({ name }) })).generator,
    },
  );
}

async function eventsOf(respond: Respond, options: Partial<SageMakerGeneratorOptions> = {}): Promise<GeneratorEvent[]> {
  const { generator } = await open(respond, options);
  const events: GeneratorEvent[] = [];
  for await (const event of generator.generate(samplePrompt('How long?'))) events.push(event);
  return events;
}

describe('sagemaker generator', () => {
  it('sends the body of its format to the endpoint', async () => {
    const prompt = samplePrompt('How long is parental leave in Japan?');
    const options = { maxTokens: 300, temperature: 0.5, topP: 0.9, stopSequences: ['END'] };
    const messages = await open(chat, { model: 'tgi', inferenceComponent: 'part' });
    for await (const _ of messages.generator.generate(prompt, options)) {
    }
    const [request] = messages.server.requests;
    assert.equal(`${request!.method} ${request!.path}`, 'POST /endpoints/my-model/invocations-response-stream');
    assert.equal(request!.headers['x-amzn-sagemaker-inference-component'], 'part');
    assert.deepEqual(request!.body, {
      model: 'tgi',
      messages: [
        { role: 'system', content: prompt.system },
        { role: 'user', content: prompt.user },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 300,
      temperature: 0.5,
      top_p: 0.9,
      stop: ['END'],
    });
    assert.deepEqual(messages.generator.request?.(prompt, options).body, request!.body);
    const { generator } = await open(inference, { format: 'inputs' });
    assert.deepEqual(generator.request?.(prompt, options), {
      operation: 'InvokeEndpointWithResponseStream',
      body: {
        inputs: `${prompt.system}\n\n${prompt.user}\n\nAnswer:`,
        parameters: {
          max_new_tokens: 300,
          do_sample: true,
          temperature: 0.5,
          top_p: 0.9,
          stop: ['END'],
          return_full_text: false,
          details: true,
        },
        stream: true,
      },
    });
  });

  it('reads whole answers of endpoints that do not stream', async () => {
    const whole = {
      choices: [{ message: { content: '52 weeks [2]' }, finish_reason: 'length' }],
      usage: { prompt_tokens: 9, completion_tokens: 4 },
    };
    const answers: readonly (readonly ['messages' | 'inputs', unknown, GeneratorEvent & { type: 'stop' }])[] = [
      ['messages', whole, { type: 'stop', reason: 'max-tokens', usage: { inputTokens: 9, outputTokens: 4 } }],
      [
        'inputs',
        [{ generated_text: '52 weeks [2]', details: { finish_reason: 'stop_sequence', generated_tokens: 5 } }],
        { type: 'stop', reason: 'stop-sequence', usage: { inputTokens: 0, outputTokens: 5 } },
      ],
    ];
    for (const [format, answer, stop] of answers) {
      const { server, generator } = await open((_, response) => sendJson(response, answer), { format, streams: false });
      const events: GeneratorEvent[] = [];
      for await (const event of generator.generate(samplePrompt('?'))) events.push(event);
      assert.deepEqual(events[0], { type: 'text', text: '52 weeks [2]' });
      const last = events[1];
      assert.ok(last?.type === 'stop' && events.length === 2);
      assert.equal(last.reason, stop.reason);
      assert.equal(last.usage.outputTokens, stop.usage.outputTokens);
      assert.equal(server.requests[0]!.path, '/endpoints/my-model/invocations');
      assert.notEqual((server.requests[0]!.body as { stream?: boolean }).stream, true);
    }
    for (const format of ['messages', 'inputs'] as const) {
      await assert.rejects(
        eventsOf((_, response) => sendJson(response, { outputs: 'x' }), { format, streams: false }),
        { code: 'model-failed', message: /outputs/ },
      );
    }
  });

  it('does not take a stream that was cut for a whole answer', async () => {
    const part = data({ choices: [{ delta: { content: 'a part' }, finish_reason: null }] });
    const cuts: ((response: ServerResponse) => void)[] = [
      (response) => response.end(),
      (response) => setTimeout(() => response.destroy(), 20),
      (response) =>
        response.end(
          streamException('ModelStreamError', { Message: 'died', ErrorCode: 'ModelInvocationTimeExceeded' }),
        ),
      (response) => response.end(streamException('InternalStreamFailure', { Message: 'died' })),
      (response) => response.end(payloadPart(Buffer.from(data({ error: 'died', error_type: 'generation' })))),
    ];
    for (const cut of cuts) {
      const seen: string[] = [];
      const { generator } = await open((_, response) => {
        openEventStream(response);
        response.write(payloadPart(Buffer.from(part)));
        cut(response);
      });
      const consume = async () => {
        for await (const event of generator.generate(samplePrompt('?'))) seen.push(event.type);
      };
      await assert.rejects(consume(), { code: 'model-unavailable', retryable: true });
      assert.deepEqual(seen, ['text']);
    }
    await assert.rejects(
      eventsOf(
        (_, response) => sendParts(response, data({ token: { text: 'a', special: false }, generated_text: null })),
        { format: 'inputs' },
      ),
      { code: 'model-unavailable' },
    );
  });

  it('says that a prompt is too long, and what else the container says', async () => {
    const refuse = (OriginalStatusCode: number, OriginalMessage: string) =>
      eventsOf((_, response) =>
        sendException(response, 424, 'ModelError', { Message: 'm', OriginalStatusCode, OriginalMessage }),
      );
    const tooLong = 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 4000';
    await assert.rejects(refuse(422, tooLong), { code: 'too-large', name: 'ModelError' });
    await assert.rejects(refuse(422, 'unknown field'), {
      code: 'model-rejected',
      message: /status 422.*unknown field/,
    });
  });

  it('takes only endpoints with a name', async () => {
    await assert.rejects(createSageMakerGenerator({ endpoint: '' }), { code: 'invalid-options' });
  });
});
