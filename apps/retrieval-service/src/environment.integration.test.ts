import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withService } from './testing/service-fixture.js';

/** As somebody writes it for the real Bedrock: nothing in it says where that is. */
const program = `
  import { BedrockRuntimeClient, InvokeModelCommand, InvokeModelWithResponseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
  const client = new BedrockRuntimeClient();
  const { body } = await client.send(
    new InvokeModelCommand({ modelId: 'amazon.titan-embed-text-v2:0', body: JSON.stringify({ inputText: 'leave', dimensions: 256 }) }),
  );
  const { embedding } = JSON.parse(new TextDecoder().decode(body));
  const streamed = await client.send(
    new InvokeModelWithResponseStreamCommand({
      modelId: 'anthropic.claude-sonnet-4-20250514-v1:0',
      body: JSON.stringify({
        anthropic_version: 'bedrock-2023-05-31',
        max_tokens: 100,
        messages: [{ role: 'user', content: 'Leave is 52 weeks. How long is leave?' }],
      }),
    }),
  );
  const types = [];
  for await (const { chunk } of streamed.body) types.push(JSON.parse(new TextDecoder().decode(chunk.bytes)).type);
  console.log(JSON.stringify({ dimensions: embedding.length, types }));
`;

describe('an unmodified program of the AWS SDK', () => {
  it('reaches the service by its environment alone', async () => {
    await withService({}, async ({ endpoint }) => {
      const inherited = Object.entries(process.env).filter(([name]) => !/^AWS_/.test(name));
      const nowhere = join(tmpdir(), 'no-such-file');
      const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', program], {
        // Where the SDK is found.
        cwd: fileURLToPath(new URL('..', import.meta.url)),
        env: {
          ...Object.fromEntries(inherited),
          AWS_ENDPOINT_URL_BEDROCK_RUNTIME: endpoint,
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'local',
          AWS_SECRET_ACCESS_KEY: 'local',
          AWS_CONFIG_FILE: nowhere,
          AWS_SHARED_CREDENTIALS_FILE: nowhere,
        },
      });
      let [out, err] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text) => {
        out += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text) => {
        err += text;
      });
      const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
      assert.equal(status, 0, err);
      const { dimensions, types } = JSON.parse(out) as { dimensions: number; types: readonly string[] };
      assert.equal(dimensions, 256);
      assert.deepEqual([types[0], types.at(-1)], ['message_start', 'message_stop']);
      assert.ok(types.includes('content_block_delta'));
    });
  });
});
