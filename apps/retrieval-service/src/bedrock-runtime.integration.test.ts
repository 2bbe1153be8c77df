import assert from 'node:assert/strict';
import { request as http1Request } from 'node:http';
import { connect } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import {
  BedrockRuntimeServiceException,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
  type Message,
  ValidationException,
} from '@aws-sdk/client-bedrock-runtime';
import { answer, modelCases, prompt, refusedBodies } from './testing/model-bodies.js';
import { parsed, type StartedService, startService } from './testing/service-fixture.js';

const claude = 'anthropic.claude-sonnet-4-20250514-v1:0';
const searchResults: Message[] = [
  {
    role: 'user',
    content: [
      {
        searchResult: {
          source: 'https://handbook/printers',
          title: 'Printers',
          content: [{ text: 'The printer is out of paper.' }],
          citations: { enabled: true },
        },
      },
      {
        searchResult: {
          source: 'https://handbook/leave',
          title: 'Leave',
          content: [{ text: 'Leave is announced a month before.' }, { text: 'Parental leave in Japan is 52 weeks.' }],
          citations: { enabled: true },
        },
      },
      { text: 'How long is parental leave in Japan?' },
    ],
  },
];
const citation = {
  title: 'Leave',
  source: 'https://handbook/leave',
  sourceContent: [{ text: 'Parental leave in Japan is 52 weeks.' }],
  location: { searchResultLocation: { searchResultIndex: 1, start: 1, end: 2 } },
};

for (const protocol of ['h2c', 'http/1.1'] as const) {
  describe(`the AWS SDK over ${protocol}`, () => {
    let started: StartedService;
    before(async () => {
      started = await startService();
    });
    after(() => started.close());
    const invoke = (modelId: string, body: unknown) =>
      started.client(protocol).send(new InvokeModelCommand({ modelId, body: JSON.stringify(body) }));

    for (const { modelId, body, check, chunkText } of modelCases) {
      it(`invokes ${modelId} with ${Object.keys(body).join(', ')}`, async () => {
        const { body: answered, contentType, $metadata } = await invoke(modelId, body);
        check(parsed(answered));
        assert.equal(contentType, 'application/json');
        assert.match($metadata.requestId ?? '', /^[0-9a-f-]{36}$/);
      });

      const streaming = new InvokeModelWithResponseStreamCommand({ modelId, body: JSON.stringify(body) });
      if (chunkText) {
        it(`streams ${modelId}`, async () => {
          const { body: stream } = await started.client(protocol).send(streaming);
          const chunks = [];
          for await (const event of stream!) chunks.push(parsed(event.chunk?.bytes));
          assert.match(chunks.map((chunk) => chunkText(chunk) ?? '').join(''), answer);
          const metrics = chunks.at(-1)['amazon-bedrock-invocationMetrics'];
          assert.ok(metrics.inputTokenCount > 50 && metrics.outputTokenCount > 5);
          assert.equal(chunks.filter((chunk) => chunk['amazon-bedrock-invocationMetrics']).length, 1);
        });
      } else {
        it(`does not stream ${modelId}`, async () => {
          await assert.rejects(started.client(protocol).send(streaming), {
            name: 'ValidationException',
            message: 'The model is unsupported for streaming.',
          });
        });
      }
    }

    it('takes inference profiles and ARNs for model ids', async () => {
      const arn = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.${claude}`;
      const { output } = await started
        .client(protocol)
        .send(new ConverseCommand({ modelId: arn, messages: [{ role: 'user', content: [{ text: prompt }] }] }));
      assert.match(output!.message!.content![0]!.text!, answer);
    });

    it('counts input tokens in a header, which the SDK does not parse', async () => {
      const response = await fetch(`${started.endpoint}/model/amazon.titan-embed-text-v2%3A0/invoke`, {
        method: 'POST',
        body: JSON.stringify({ inputText: 'Parental leave' }),
      });
      assert.equal(response.headers.get('x-amzn-bedrock-input-token-count'), '4');
    });

    for (const modelId of [
      claude,
      'amazon.nova-pro-v1:0',
      'meta.llama3-1-70b-instruct-v1:0',
      'amazon.titan-text-express-v1',
    ]) {
      it(`converses with ${modelId}, whole and streamed`, async () => {
        const messages: Message[] = [{ role: 'user', content: [{ text: prompt }] }];
        const whole = await started.client(protocol).send(new ConverseCommand({ modelId, messages }));
        assert.match(whole.output!.message!.content![0]!.text!, answer);
        assert.equal(whole.stopReason, 'end_turn');
        assert.ok(whole.usage!.inputTokens! > 50);
        assert.ok(whole.metrics!.latencyMs! >= 0);

        const { stream } = await started.client(protocol).send(new ConverseStreamCommand({ modelId, messages }));
        const events = [];
        for await (const event of stream!) events.push(event);
        assert.match(events.map((event) => event.contentBlockDelta?.delta?.text ?? '').join(''), answer);
        const names = events.map((event) => Object.keys(event)[0]).filter((name) => name !== 'contentBlockDelta');
        assert.deepEqual(names, ['messageStart', 'contentBlockStop', 'messageStop', 'metadata']);
        assert.deepEqual(events.at(-1)!.metadata!.usage, whole.usage);
      });
    }

    it('cites search results in Converse', async () => {
      const whole = await started
        .client(protocol)
        .send(new ConverseCommand({ modelId: claude, messages: searchResults }));
      const cited = whole.output!.message!.content!.find((block) => block.citationsContent)!.citationsContent!;
      assert.deepEqual(cited.content, [{ text: 'Parental leave in Japan is 52 weeks.' }]);
      assert.deepEqual(cited.citations, [citation]);

      const { stream } = await started
        .client(protocol)
        .send(new ConverseStreamCommand({ modelId: claude, messages: searchResults }));
      const citations = [];
      for await (const event of stream!) {
        if (event.contentBlockDelta?.delta?.citation) citations.push(event.contentBlockDelta.delta.citation);
      }
      assert.deepEqual(citations, [citation]);
    });

    it('cites search results in Claude Messages', async () => {
      const body = {
        anthropic_version: 'bedrock-2023-05-31',
        max_tokens: 300,
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'search_result',
                source: 'leave.md',
                title: 'Leave',
                content: [{ type: 'text', text: 'Parental leave in Japan is 52 weeks.' }],
                citations: { enabled: true },
              },
              { type: 'text', text: 'How long is parental leave in Japan?' },
            ],
          },
        ],
      };
      const expected = {
        type: 'search_result_location',
        source: 'leave.md',
        title: 'Leave',
        search_result_index: 0,
        cited_text: 'Parental leave in Japan is 52 weeks.',
        start_block_index: 0,
        end_block_index: 1,
      };
      const whole = parsed((await invoke(claude, body)).body);
      assert.match(whole.content[0].text, answer);
      assert.deepEqual(whole.content[0].citations, [expected]);

      const streaming = new InvokeModelWithResponseStreamCommand({ modelId: claude, body: JSON.stringify(body) });
      const citations = [];
      for await (const event of (await started.client(protocol).send(streaming)).body!) {
        const { delta } = parsed(event.chunk?.bytes);
        if (delta?.type === 'citations_delta') citations.push(delta.citation);
      }
      assert.deepEqual(citations, [expected]);
    });

    it('counts tokens of a body and of a conversation', async () => {
      const client = started.client(protocol);
      const messages: Message[] = [{ role: 'user', content: [{ text: 'Four words of text.' }] }];
      const body = Buffer.from(
        JSON.stringify({
          anthropic_version: 'bedrock-2023-05-31',
          max_tokens: 1,
          messages: [{ role: 'user', content: 'Four words of text.' }],
        }),
      );
      for (const input of [{ converse: { messages } }, { invokeModel: { body } }]) {
        const { inputTokens } = await client.send(new CountTokensCommand({ modelId: claude, input }));
        assert.equal(inputTokens, 8);
      }
    });

    for (const [modelId, body, message] of refusedBodies) {
      it(`refuses ${JSON.stringify(body).slice(0, 80)} for ${modelId}`, async () => {
        await assert.rejects(invoke(modelId, body), (error) => {
          assert.ok(error instanceof ValidationException, String(error));
          assert.match(error.message, message);
          assert.equal(error.$metadata.httpStatusCode, 400);
          return true;
        });
      });
    }

    it('refuses what is not JSON, and wrong conversations', async () => {
      const client = started.client(protocol);
      await assert.rejects(client.send(new InvokeModelCommand({ modelId: claude, body: '{"messages":' })), {
        name: 'ValidationException',
        message: /Malformed input request/,
      });
      const messages: Message[] = [{ role: 'user', content: [{ text: 'x' }] }];
      const wrong: readonly (readonly [Partial<ConverseCommandInput>, RegExp])[] = [
        [{ inferenceConfig: { temperature: 2 }, messages }, /'inferenceConfig.temperature'.*less than or equal to 1/],
        [{ messages: [{ role: 'user', content: [{ text: ' ' }] }] }, /ContentBlock object is blank/],
        [{ messages: [] }, /must start with a user message/],
        [{ messages, modelId: 'amazon.titan-embed-text-v2:0' }, /This action doesn't support the model/],
        [
          { messages, guardrailConfig: { guardrailIdentifier: 'g1', guardrailVersion: '1' } },
          /guardrail .* does not exist/,
        ],
        [{ messages, modelId: 'ai21.j2-mid-v1', system: [{ text: 'x' }] }, /doesn't support system messages/],
      ];
      for (const [input, message] of wrong) {
        await assert.rejects(client.send(new ConverseCommand({ modelId: claude, ...input })), {
          name: 'ValidationException',
          message,
        });
      }
    });

    it('streams no conversation with a model that does not stream, and applies no guardrail', async () => {
      const client = started.client(protocol);
      const messages: Message[] = [{ role: 'user', content: [{ text: prompt }] }];
      const modelId = 'ai21.j2-mid-v1';
      await assert.rejects(client.send(new ConverseStreamCommand({ modelId, messages })), {
        message: 'The model is unsupported for streaming.',
      });
      const { output } = await client.send(new ConverseCommand({ modelId, messages }));
      assert.match(output!.message!.content![0]!.text!, answer);
      const guarded = { guardrailIdentifier: 'g1', guardrailVersion: '1', body: '{"inputText":"x"}' };
      await assert.rejects(
        client.send(new InvokeModelCommand({ modelId: 'amazon.titan-embed-text-v1', ...guarded })),
        /guardrail .* does not exist/,
      );
    });

    it('stops where it is asked to', async () => {
      const client = started.client(protocol);
      const messages: Message[] = [{ role: 'user', content: [{ text: 'Hello' }] }];
      const ask = (inferenceConfig: object) =>
        client.send(new ConverseCommand({ modelId: claude, messages, inferenceConfig }));
      const short = await ask({ maxTokens: 5 });
      assert.equal(short.stopReason, 'max_tokens');
      assert.ok(short.usage!.outputTokens! <= 5);
      const stopped = await ask({ stopSequences: ['emulator'] });
      assert.deepEqual(
        [stopped.stopReason, stopped.output!.message!.content![0]!.text],
        ['stop_sequence', 'This is a local '],
      );
    });

    it('answers many at once', async () => {
      const client = started.client(
        protocol,
        protocol === 'h2c' ? { requestHandler: { disableConcurrentStreams: false } } : {},
      );
      const texts = Array.from({ length: 300 }, (_, index) => `text ${index}`);
      const answers = await Promise.all(
        texts.map((inputText) =>
          client.send(
            new InvokeModelCommand({ modelId: 'amazon.titan-embed-text-v2:0', body: JSON.stringify({ inputText }) }),
          ),
        ),
      );
      const vectors = new Set(answers.map(({ body }) => JSON.stringify(parsed(body).embedding)));
      assert.equal(vectors.size, texts.length);
    });

    it('refuses a body of 26 MB without holding it, and goes on', async () => {
      const client = started.client(protocol);
      const body = Buffer.alloc(26_000_000, 0x20);
      await assert.rejects(
        client.send(new InvokeModelCommand({ modelId: 'amazon.titan-embed-text-v2:0', body })),
        (error) => {
          assert.ok(error instanceof BedrockRuntimeServiceException, String(error));
          assert.equal(error.name, 'ValidationException');
          assert.match(error.message, /less than or equal to 25000000/);
          return true;
        },
      );
      const { body: answered } = await invoke('amazon.titan-embed-text-v2:0', { inputText: 'still there' });
      assert.equal(parsed(answered).embedding.length, 1024);
    });

    it('refuses a long body whose length was not announced', async () => {
      assert.match(await unannounced(started.endpoint, protocol, 26), /less than or equal to 25000000/);
    });
  });
}

/** The answer to a request of so many megabytes, without a content length. */
async function unannounced(endpoint: string, protocol: 'h2c' | 'http/1.1', megabytes: number): Promise<string> {
  const path = '/model/amazon.titan-embed-text-v2%3A0/invoke';
  const megabyte = Buffer.alloc(1_000_000, 0x20);
  const session = protocol === 'h2c' ? connect(endpoint) : undefined;
  const request = session
    ? session.request({ ':method': 'POST', ':path': path })
    : http1Request(`${endpoint}${path}`, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } });
  try {
    return await new Promise<string>((resolve, reject) => {
      request.on('error', reject);
      const read = (source: NodeJS.ReadableStream) => {
        let text = '';
        source.on('data', (chunk) => {
          text += chunk;
        });
        source.on('end', () => resolve(text));
      };
      if ('aborted' in request && session) read(request as NodeJS.ReadableStream);
      else request.on('response', read);
      for (let count = 0; count < megabytes; count++) request.write(megabyte);
      request.end();
    });
  } finally {
    session?.close();
  }
}
