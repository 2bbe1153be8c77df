import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  ConverseCommand,
  ConverseStreamCommand,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { parsed, type StartedService, startService } from './testing/service-fixture.js';

for (const protocol of ['h2c', 'http/1.1'] as const) {
  describe(`over ${protocol}`, () => {
    let started: StartedService;
    before(async () => {
      started = await startService();
    });
    after(() => started.close());

    it('embeds', async () => {
      const client = started.client(protocol);
      const { body } = await client.send(
        new InvokeModelCommand({
          modelId: 'amazon.titan-embed-text-v2:0',
          body: JSON.stringify({ inputText: 'Parental leave' }),
        }),
      );
      const { embedding } = parsed(body);
      assert.equal(embedding.length, 1024);
      const v1 = await client.send(
        new InvokeModelCommand({
          modelId: 'amazon.titan-embed-text-v1',
          body: JSON.stringify({ inputText: 'Parental leave' }),
        }),
      );
      assert.equal(parsed(v1.body).embedding.length, 1536);
    });
    it('claude', async () => {
      const client = started.client(protocol);
      const body = JSON.stringify({
        anthropic_version: 'bedrock-2023-05-31',
        max_tokens: 300,
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'search_result',
                source: 'a',
                title: 'Leave',
                content: [{ type: 'text', text: 'Parental leave in Japan is 52 weeks. Other things.' }],
                citations: { enabled: true },
              },
              { type: 'text', text: 'How long is parental leave in Japan?' },
            ],
          },
        ],
      });
      const answer = await client.send(
        new InvokeModelCommand({ modelId: 'us.anthropic.claude-sonnet-4-20250514-v1:0', body }),
      );
      assert.equal(parsed(answer.body).content[0].text, 'Parental leave in Japan is 52 weeks.');
      const s = await client.send(
        new InvokeModelWithResponseStreamCommand({ modelId: 'us.anthropic.claude-sonnet-4-20250514-v1:0', body }),
      );
      const types: string[] = [];
      for await (const e of s.body!) types.push(parsed(e.chunk?.bytes).type);
      assert.equal(types.at(-1), 'message_stop');
      const input = { invokeModel: { body: Buffer.from(body) } };
      const counted = await client.send(
        new CountTokensCommand({ modelId: 'anthropic.claude-sonnet-4-20250514-v1:0', input }),
      );
      assert.ok(counted.inputTokens! > 10);
    });
    it('converse', async () => {
      const client = started.client(protocol);
      const messages = [{ role: 'user' as const, content: [{ text: 'Hello?' }] }];
      const a = await client.send(new ConverseCommand({ modelId: 'meta.llama3-1-70b-instruct-v1:0', messages }));
      assert.match(a.output!.message!.content![0]!.text!, /not a language model/);
      const s = await client.send(new ConverseStreamCommand({ modelId: 'amazon.nova-lite-v1:0', messages }));
      const names: string[] = [];
      for await (const e of s.stream!) names.push(Object.keys(e)[0]!);
      assert.deepEqual([names[0], names.at(-1)], ['messageStart', 'metadata']);
    });
  });
}
