import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import {
  type BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { bedrockUpstream } from 'aquifer';
import { createBedrockGateway } from './bedrock-gateway.js';
import { parseFaults } from './faults.js';
import { createPromptLog } from './prompt-log.js';
import { createRetrievalService } from './retrieval-service.js';
import { fixedKeys } from './testing/fixed-keys.js';
import { parsed, type StartedService, startService, withService } from './testing/service-fixture.js';

const keys = [
  { accessKeyId: 'AQUIFER-ONE', secretAccessKey: 'first secret of the tests' },
  { accessKeyId: 'AQUIFER-TWO', secretAccessKey: 'second-secret-of-the-tests' },
];
const embedding = { modelId: 'amazon.titan-embed-text-v2:0', body: '{"inputText":"Parental leave"}' };
const conversation = {
  modelId: 'us.anthropic.claude-sonnet-4-20250514-v1:0',
  messages: [{ role: 'user' as const, content: [{ text: 'Hello' }] }],
};
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'aquifer-service-'));
});
after(() => rmSync(folder, { recursive: true }));

for (const protocol of ['h2c', 'http/1.1'] as const) {
  describe(`a service with keys over ${protocol}`, () => {
    let started: StartedService;
    before(async () => {
      started = await startService({ keys: fixedKeys(keys) });
    });
    after(() => started.close());

    it('answers who has one', async () => {
      for (const credentials of keys) {
        const client = started.client(protocol, { credentials });
        assert.equal(parsed((await client.send(new InvokeModelCommand(embedding))).body).embedding.length, 1024);
        const arn = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${conversation.modelId}`;
        await client.send(new ConverseStreamCommand({ ...conversation, modelId: arn }));
      }
      const client = started.client(protocol, {
        token: async () => ({ token: keys[1]!.secretAccessKey }),
        authSchemePreference: ['httpBearerAuth'],
      });
      await client.send(new InvokeModelCommand(embedding));
    });

    const refused = async (config: object, name: string, message: RegExp) => {
      await assert.rejects(
        started.client(protocol, config).send(new InvokeModelCommand(embedding)),
        (error: Error & { $metadata: { httpStatusCode: number } }) => {
          assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, 403]);
          assert.match(error.message, message);
          return true;
        },
      );
    };

    it('refuses a wrong secret and an unknown key', async () => {
      const wrong = { ...keys[0]!, secretAccessKey: 'wrong' };
      await refused({ credentials: wrong }, 'InvalidSignatureException', /signature we calculated does not match/);
      const unknown = { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'x' };
      await refused({ credentials: unknown }, 'UnrecognizedClientException', /security token .* is invalid/);
      const token = { token: async () => ({ token: 'nobody-has-this' }), authSchemePreference: ['httpBearerAuth'] };
      await refused(token, 'AccessDeniedException', /make sure your API Key is valid/);
    });

    it('refuses a clock that is ten minutes off', async () => {
      for (const systemClockOffset of [-600_000, 600_000]) {
        const config = { credentials: keys[0]!, systemClockOffset };
        await refused(config, 'InvalidSignatureException', /Signature (expired|not yet current)/);
      }
    });

    it('refuses a body that was changed on the way', async () => {
      const client = started.client(protocol, { credentials: keys[0]! });
      client.middlewareStack.add(
        (next) => (args) => {
          (args.request as { body: string }).body = '{"inputText":"Parental-leave"}';
          return next(args);
        },
        { step: 'finalizeRequest', priority: 'low' },
      );
      await assert.rejects(client.send(new InvokeModelCommand(embedding)), { name: 'InvalidSignatureException' });
    });

    it('refuses what is not signed at all', async () => {
      const path = `${started.endpoint}/model/amazon.titan-embed-text-v1/invoke`;
      const response = await fetch(path, { method: 'POST', body: embedding.body });
      assert.deepEqual(
        [response.status, response.headers.get('x-amzn-errortype'), await response.json()],
        [403, 'MissingAuthenticationTokenException', { message: 'Missing Authentication Token' }],
      );
    });
  });

  describe(`a gateway over ${protocol}`, () => {
    const upstreamKey = { accessKeyId: 'AWS-ITSELF', secretAccessKey: 'the only credentials of AWS' };
    let upstream: StartedService;
    let started: StartedService;
    before(async () => {
      upstream = await startService({ keys: fixedKeys([upstreamKey]) });
      const client = upstream.client(protocol, { credentials: upstreamKey });
      const gateway = createBedrockGateway(await bedrockUpstream({ client }));
      const isClaude = (modelId: string) => modelId.includes('claude');
      started = await startService({
        keys: fixedKeys(keys),
        passThrough: { gateway, includes: isClaude },
        promptLog: createPromptLog(join(folder, protocol.replace('/', ''))),
      });
    });
    after(async () => {
      await started.close();
      await upstream.close();
    });
    const claudeBody = JSON.stringify({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'Hello' }],
    });

    it("passes bodies and streams through, signed with the gateway's own credentials", async () => {
      const client = started.client(protocol, { credentials: keys[0]! });
      const { modelId } = conversation;
      const whole = await client.send(new InvokeModelCommand({ modelId, body: claudeBody }));
      assert.match(parsed(whole.body).content[0].text, /not a language model/);
      const { body } = await client.send(new InvokeModelWithResponseStreamCommand({ modelId, body: claudeBody }));
      const chunks = [];
      for await (const event of body!) chunks.push(parsed(event.chunk?.bytes));
      assert.ok(chunks.length > 5);
      assert.ok(chunks.at(-1)['amazon-bedrock-invocationMetrics']);
    });

    it('answers what is not passed through by itself', async () => {
      const client = started.client(protocol, { credentials: keys[1]! });
      assert.equal(parsed((await client.send(new InvokeModelCommand(embedding))).body).embedding.length, 1024);
    });

    it('counts the tokens that Bedrock says it took against the key, whichever way they come', async () => {
      const { modelId } = conversation;
      const invoke = { modelId, body: claudeBody };
      const reported: Record<string, (client: BedrockRuntimeClient) => Promise<{ in: number; out: number }>> = {
        InvokeModel: async (client) => {
          const { input_tokens, output_tokens } = parsed(
            (await client.send(new InvokeModelCommand(invoke))).body,
          ).usage;
          return { in: input_tokens, out: output_tokens };
        },
        InvokeModelWithResponseStream: async (client) => {
          const { body } = await client.send(new InvokeModelWithResponseStreamCommand(invoke));
          let metrics = { inputTokenCount: 0, outputTokenCount: 0 };
          for await (const event of body!) metrics = parsed(event.chunk?.bytes)['amazon-bedrock-invocationMetrics'];
          return { in: metrics.inputTokenCount, out: metrics.outputTokenCount };
        },
        Converse: async (client) => {
          const { usage } = await client.send(new ConverseCommand(conversation));
          return { in: usage?.inputTokens ?? 0, out: usage?.outputTokens ?? 0 };
        },
        ConverseStream: async (client) => {
          const { stream } = await client.send(new ConverseStreamCommand(conversation));
          let usage: { inputTokens?: number | undefined; outputTokens?: number | undefined } | undefined;
          for await (const event of stream!) usage ??= event.metadata?.usage;
          return { in: usage?.inputTokens ?? 0, out: usage?.outputTokens ?? 0 };
        },
      };
      const limited = Object.keys(reported).map((name) => ({
        accessKeyId: name,
        secretAccessKey: `the secret of ${name}`,
        tokensPerMinute: 1,
      }));
      const gateway = createBedrockGateway(
        await bedrockUpstream({ client: upstream.client(protocol, { credentials: upstreamKey }) }),
      );
      const options = { keys: fixedKeys([...limited, keys[1]!]), passThrough: { gateway, includes: () => true } };
      await withService(options, async (front) => {
        const sum = { in: 0, out: 0 };
        for (const credentials of limited) {
          const client = front.client(protocol, { credentials });
          const took = await reported[credentials.accessKeyId]!(client);
          assert.ok(took.in > 0 && took.out > 0, credentials.accessKeyId);
          sum.in += took.in;
          sum.out += took.out;
          await assert.rejects(client.send(new InvokeModelCommand(invoke)), { name: 'ThrottlingException' });
        }
        const headers = { authorization: `Bearer ${keys[1]!.secretAccessKey}` };
        const text = await (await fetch(`${front.endpoint}/metrics`, { headers })).text();
        const counted = (direction: string) =>
          Number(
            new RegExp(`^aquifer_tokens_total\\{[^}]*direction="${direction}"[^}]*\\} (\\d+)`, 'm').exec(text)?.[1],
          );
        assert.deepEqual({ in: counted('in'), out: counted('out') }, sum);
      });
    });

    it("passes Bedrock's errors through, and refuses strangers itself", async () => {
      const { modelId } = conversation;
      await assert.rejects(
        started.client(protocol, { credentials: keys[0]! }).send(new InvokeModelCommand({ modelId, body: '{}' })),
        { name: 'ValidationException', message: 'anthropic_version: Field required' },
      );
      await assert.rejects(
        started
          .client(protocol, { credentials: upstreamKey })
          .send(new InvokeModelCommand({ modelId, body: claudeBody })),
        { name: 'UnrecognizedClientException' },
      );
    });

    it('keeps what was asked, a file a key, for nobody else to read', async () => {
      const path = join(folder, protocol.replace('/', ''), 'AQUIFER-TWO.jsonl');
      const lines = readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.equal(lines.length, 1);
      assert.equal(lines[0].body, embedding.body);
      assert.equal(statSync(path).mode & 0o077, 0);
    });

    it('breaks a stream off where Bedrock does, and says when Bedrock is not there', async () => {
      const broken = await startService({ keys: fixedKeys([upstreamKey]), faults: parseFaults('cut=3') });
      const upstreamClient = broken.client(protocol, { credentials: upstreamKey });
      const gateway = createBedrockGateway(await bedrockUpstream({ client: upstreamClient }));
      await withService({ keys: fixedKeys(keys), passThrough: { gateway, includes: () => true } }, async (front) => {
        const client = front.client(protocol, { credentials: keys[0]! });
        const { stream } = await client.send(new ConverseStreamCommand(conversation));
        const names: string[] = [];
        const reading = (async () => {
          for await (const event of stream!) names.push(Object.keys(event)[0]!);
        })();
        // See faults.integration.test.ts: over HTTP/2, the missing events are all that tells.
        await (protocol === 'h2c' ? reading : assert.rejects(reading));
        assert.deepEqual(names, ['messageStart', 'contentBlockDelta', 'contentBlockDelta']);
        await broken.service.close({ graceMs: 0 });
        await assert.rejects(client.send(new InvokeModelCommand(embedding)), { name: 'ServiceUnavailableException' });
      }).finally(() => upstreamClient.destroy());
    });
  });
}

describe('a service without keys', () => {
  const unused = () => assert.fail('not asked');
  const backend = { embed: unused, generate: unused, image: unused, rerank: unused };

  it('is for this machine only', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com']) {
      await assert.rejects(createRetrievalService({ backend }).listen({ host, port: 0 }), (error) => {
        return isAquiferError(error, 'invalid-options') && error.message.includes(host);
      });
    }
    const service = createRetrievalService({ backend, keys: fixedKeys(keys) });
    const url = await service.listen({ host: '0.0.0.0', port: 0 });
    const wanted = Number(new URL(url).port);
    await assert.rejects(createRetrievalService({ backend }).listen({ port: wanted }), /another program has that port/);
    await service.close();
  });

  it('does not pass requests through', async () => {
    const gateway = { forward: unused };
    assert.throws(
      () => createRetrievalService({ backend, passThrough: { gateway, includes: () => true } }),
      (error) => isAquiferError(error, 'invalid-options') && error.message.includes('keyFile'),
    );
  });

  it('says that it is there, and what is not', async () => {
    await withService({}, async (started) => {
      assert.deepEqual(await (await fetch(`${started.endpoint}/healthz`)).json(), { status: 'ok' });
      for (const path of ['/model/x/unknown', '/model//invoke', '/model/%zz/invoke']) {
        const response = await fetch(`${started.endpoint}${path}`, { method: 'POST', body: '{}' });
        assert.deepEqual(
          [response.status, response.headers.get('x-amzn-errortype')],
          [404, 'UnknownOperationException'],
          path,
        );
      }
    });
  });
});
