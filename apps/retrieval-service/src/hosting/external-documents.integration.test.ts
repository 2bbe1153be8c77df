import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type BedrockAgentRuntimeClient,
  type ExternalSource,
  RetrieveAndGenerateCommand,
  type RetrieveAndGenerateCommandInput,
  RetrieveAndGenerateStreamCommand,
} from '@aws-sdk/client-bedrock-agent-runtime';
import { type StartedNative, startNative } from '../testing/native-fixture.js';
import { runtimeClient } from '../testing/runtime-client.js';

const leave =
  '# Leave\n\nFull-time employees in Japan may take 52 weeks of parental leave. In Germany it is three years.';
const claude = 'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0';

const sent = (text: string | Uint8Array, identifier = 'leave.md', contentType = 'text/markdown'): ExternalSource => ({
  sourceType: 'BYTE_CONTENT',
  byteContent: { identifier, contentType, data: typeof text === 'string' ? new TextEncoder().encode(text) : text },
});

const asked = (
  sources: ExternalSource[],
  question = 'How long is parental leave in Japan?',
  modelArn = claude,
): RetrieveAndGenerateCommandInput => ({
  input: { text: question },
  retrieveAndGenerateConfiguration: {
    type: 'EXTERNAL_SOURCES',
    externalSourcesConfiguration: { modelArn, sources },
  },
});

/** An OpenAI-compatible server whose model says one word and then nothing more. */
async function startSilentModel(): Promise<{ server: Server; baseUrl: string }> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/event-stream');
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'Well, ' } }] })}\n\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('documents that come with the question, by the unmodified SDK', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-external-'));
  const temporaryBefore = process.env.TMPDIR;
  let model: Awaited<ReturnType<typeof startSilentModel>>;
  let native: StartedNative;
  let client: BedrockAgentRuntimeClient;
  const leftOver = () => readdirSync(folder).filter((name) => name.startsWith('aquifer-temporary-'));
  before(async () => {
    process.env.TMPDIR = folder;
    model = await startSilentModel();
    native = await startNative({
      modelName: (modelId) => (modelId.endsWith('/silent') ? 'openai:silent' : 'builtin'),
      externalDocuments: { knowledgeBase: { models: { openai: { baseUrl: model.baseUrl } } } },
    });
    client = runtimeClient(native.endpoint);
  });
  after(async () => {
    client.destroy();
    await native.close();
    model.server.closeAllConnections();
    model.server.close();
    if (temporaryBefore === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = temporaryBefore;
    assert.deepEqual(leftOver(), []);
    rmSync(folder, { recursive: true, force: true });
    assert.deepEqual(native.failures, []);
  });

  it('are answered from with citations, at once and as it comes, and leave nothing', async () => {
    const { output, citations, sessionId } = await client.send(new RetrieveAndGenerateCommand(asked([sent(leave)])));
    assert.match(output?.text ?? '', /52 weeks/);
    const [reference] = citations?.[0]?.retrievedReferences ?? [];
    assert.match(reference?.content?.text ?? '', /52 weeks/);
    assert.equal(reference?.location?.customDocumentLocation?.id, 'leave.md');
    assert.deepEqual(leftOver(), []);

    const { stream } = await client.send(new RetrieveAndGenerateStreamCommand(asked([sent(leave)])));
    let text = '';
    let cited = 0;
    for await (const event of stream ?? []) {
      text += event.output?.text ?? '';
      if (event.citation?.retrievedReferences?.length) cited += 1;
    }
    assert.deepEqual([text, cited], [output?.text, citations?.length]);

    const followUp = { ...asked([sent(leave)], 'And in Germany?'), sessionId };
    assert.match((await client.send(new RetrieveAndGenerateCommand(followUp))).output?.text ?? '', /three years/);
    assert.deepEqual(leftOver(), []);
  });

  it('are seen by no other question', async () => {
    const { output, citations } = await client.send(
      new RetrieveAndGenerateCommand(asked([sent('# Coffee\n\nThe espresso machine is on floor seven.')])),
    );
    assert.doesNotMatch(output?.text ?? '', /52 weeks/);
    assert.deepEqual(citations, []);
  });

  it('are read by their media type where the name says nothing', async () => {
    const page = '<html><body><h1>Leave</h1><p>Parental leave in Japan is 52 weeks.</p></body></html>';
    const { output } = await client.send(
      new RetrieveAndGenerateCommand(asked([sent(page, 'attachment 1', 'text/html')])),
    );
    assert.match(output?.text ?? '', /52 weeks/);
    assert.doesNotMatch(output?.text ?? '', /</);
  });

  it('have the limits of Bedrock', async () => {
    const refused = (sources: ExternalSource[], message: RegExp) =>
      assert.rejects(client.send(new RetrieveAndGenerateCommand(asked(sources))), {
        name: 'ValidationException',
        message,
      });
    await refused([], /sources.*length greater than or equal to 1/);
    await refused([sent(leave), sent(leave)], /sources.*length less than or equal to 1/);
    await refused([sent(new Uint8Array(10_485_761).fill(97))], /data.*less than or equal to 10485760/);
    await refused([sent('')], /data/);
    await refused([sent(leave, 'x'.repeat(1_025))], /identifier/);
    await refused([sent(leave, 'leave.md', 'markdown')], /contentType/);
    await refused([{ sourceType: 'BYTE_CONTENT' }], /byteContent/);
    await refused([{ sourceType: 'S3', s3Location: { uri: 'https://handbook/leave.md' } }], /uri/);
    await refused([{ sourceType: 'S3', s3Location: { uri: 's3://handbook/leave.md' } }], /S3.*not supported here/);
    const largest = new Uint8Array(10_485_760).fill(10);
    largest.set(new TextEncoder().encode(leave));
    const { output } = await client.send(
      new RetrieveAndGenerateCommand(asked([sent(largest, 'leave.txt', 'text/plain')])),
    );
    assert.match(output?.text ?? '', /52 weeks/);
  });

  it('are gone when they cannot be read', async () => {
    for (const source of [
      sent('%PDF-1.7 broken', 'broken.pdf', 'application/pdf'),
      sent('\0\x01\x02', 'x.bin', 'a/b'),
    ]) {
      await assert.rejects(client.send(new RetrieveAndGenerateCommand(asked([source]))), {
        name: 'ValidationException',
        message: /cannot be read/,
      });
      assert.deepEqual(leftOver(), []);
    }
  });

  it('are gone when the caller breaks off', async () => {
    const silent = () => asked([sent(leave)], undefined, claude.replace(/\/.*/, '/silent'));
    const none = async () => {
      for (let tries = 0; leftOver().length > 0 && tries < 200; tries += 1) await wait(50);
      return leftOver();
    };
    // In the middle of the answer. The SDK keeps the connection when a program leaves the loop over a stream.
    const leaving = new AbortController();
    const data = Buffer.from(leave).toString('base64');
    const { retrieveAndGenerateConfiguration, input } = silent();
    const source = {
      sourceType: 'BYTE_CONTENT',
      byteContent: { identifier: 'a.md', contentType: 'text/markdown', data },
    };
    Object.assign(retrieveAndGenerateConfiguration?.externalSourcesConfiguration ?? {}, { sources: [source] });
    const answer = await fetch(`${native.endpoint}/retrieveAndGenerateStream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input, retrieveAndGenerateConfiguration }),
      signal: leaving.signal,
    });
    const { value } = (await answer.body?.getReader().read()) ?? {};
    assert.match(new TextDecoder().decode(value), /Well,/);
    assert.equal(leftOver().length, 1);
    leaving.abort();
    assert.deepEqual(await none(), []);
    // While nobody has said anything yet.
    for (const ms of [5, 100, 400]) {
      const aborting = client.send(new RetrieveAndGenerateCommand(silent()), { abortSignal: AbortSignal.timeout(ms) });
      await assert.rejects(aborting);
      assert.deepEqual(await none(), []);
    }
  });
});
