import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type BedrockAgentRuntimeClient,
  RetrieveAndGenerateCommand,
  RetrieveAndGenerateStreamCommand,
} from '@aws-sdk/client-bedrock-agent-runtime';
import { json, type StartedNative, startNative } from './testing/native-fixture.js';
import { runtimeClient } from './testing/runtime-client.js';

const question = 'How long is parental leave in Japan?';
const at = '/v1/knowledge-bases/default';

describe('requests whose caller leaves', () => {
  let model: Server;
  /** Answers that the model is at. */
  let atWork = 0;
  let native: StartedNative;
  let client: BedrockAgentRuntimeClient;
  let knowledgeBaseId: string;
  before(async () => {
    model = createServer((request, response) => {
      request.resume();
      atWork += 1;
      response.setHeader('content-type', 'text/event-stream');
      const chunk = { choices: [{ index: 0, delta: { content: 'It is 52 weeks [1]. ' }, finish_reason: null }] };
      const timer = setInterval(() => response.write(`data: ${JSON.stringify(chunk)}\n\n`), 10);
      response.on('close', () => {
        atWork -= 1;
        clearInterval(timer);
      });
    });
    await once(model.listen(0, '127.0.0.1'), 'listening');
    native = await startNative({
      modelName: () => 'openai:endless',
      index: {
        model: 'openai:endless',
        models: { openai: { baseUrl: `http://127.0.0.1:${(model.address() as AddressInfo).port}` } },
      },
    });
    knowledgeBaseId = (await json(await native.post('/v1/knowledge-bases', { name: 'default' }))).id;
    const documents = [{ name: 'leave.md', text: '# Leave\n\nParental leave in Japan is 52 weeks.' }];
    await native.finished(await native.post(`${at}/documents`, { documents }));
    client = runtimeClient(native.endpoint);
  });
  after(async () => {
    client.destroy();
    await native.close();
    model.closeAllConnections();
    model.close();
    assert.deepEqual(native.failures, []);
  });

  const asked = () => ({
    input: { text: question },
    retrieveAndGenerateConfiguration: {
      type: 'KNOWLEDGE_BASE' as const,
      knowledgeBaseConfiguration: {
        knowledgeBaseId,
        modelArn: 'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0',
      },
    },
  });
  const posted = async (path: string, body: object, signal: AbortSignal, accept = 'application/json') => {
    const response = await fetch(native.endpoint + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify(body),
      signal,
    });
    await response.text();
  };
  const call = { name: 'ask', arguments: { question } };
  const requests: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
    'a whole answer': (signal) => posted(`${at}/ask`, { question }, signal),
    'a whole answer for a client of OpenAI': (signal) =>
      posted('/v1/chat/completions', { model: 'default', messages: [{ role: 'user', content: question }] }, signal),
    'the tool of a model': (signal) =>
      posted(
        '/mcp',
        { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call },
        signal,
        'application/json, text/event-stream',
      ),
    RetrieveAndGenerate: (abortSignal) => client.send(new RetrieveAndGenerateCommand(asked()), { abortSignal }),
    async RetrieveAndGenerateStream(abortSignal) {
      const { stream } = await client.send(new RetrieveAndGenerateStreamCommand(asked()), { abortSignal });
      for await (const event of stream ?? []) assert.ok(event);
    },
  };

  async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
    const patienceEnds = performance.now() + 20_000;
    while (!(await isTrue()) && performance.now() < patienceEnds) await delay(20);
    assert.ok(await isTrue());
  }

  for (const [name, send] of Object.entries(requests)) {
    it(`leave nothing behind: ${name}`, async () => {
      for (let round = 1; round <= 3; round += 1) {
        const controllers = Array.from({ length: 10 }, () => new AbortController());
        // The SDK ends its loop over events without a word when it is told to stop.
        const outcomes = controllers.map(async ({ signal }) => {
          const failure = await send(signal).catch((error: unknown) => error);
          assert.ok(signal.aborted, failure as Error);
        });
        await until(() => atWork === controllers.length);
        for (const controller of controllers) controller.abort();
        await Promise.all(outcomes);
        await until(() => atWork === 0);
      }
      // The one that asks.
      await until(async () => /aquifer_requests_in_flight 1\n/.test(await (await native.send('/metrics')).text()));
      // Whoever still used the index would keep it from closing.
      await native.host.close();
      assert.equal((await json(await native.send(at))).chunks, 1);
    });
  }
});
