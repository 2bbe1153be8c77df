import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BedrockRuntimeClient, ConverseCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';

const bin = fileURLToPath(new URL('../bin/aquifer.js', import.meta.url));
/** Where there are no keys, anybody's will do. */
const anybody = { accessKeyId: 'local', secretAccessKey: 'local' };
const embedding = { modelId: 'amazon.titan-embed-text-v2:0', body: '{"inputText":"Parental leave"}' };

describe('aquifer serve', () => {
  let folder: string;
  const children: ChildProcess[] = [];
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-serve-'));
  });
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...args: string[]) => {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(AQUIFER_|AWS_)/.test(name));
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: folder,
      env: { ...Object.fromEntries(inherited), AWS_REGION: 'us-east-1' },
    });
    children.push(child);
    return child;
  };
  const start = (...args: string[]) => run('serve', ...args);
  /** What a command prints as JSON. */
  const printed = async (...args: string[]) => {
    let text = '';
    for await (const chunk of run(...args, '--json').stdout!.setEncoding('utf8')) text += chunk;
    return JSON.parse(text);
  };
  const served = async (...args: string[]) => {
    const child = start('--port', '0', '--json', ...args);
    const [line] = await once(child.stdout!.setEncoding('utf8'), 'data');
    const { url } = JSON.parse(line);
    const client = (credentials = anybody) =>
      new BedrockRuntimeClient({ endpoint: url, region: 'us-east-1', maxAttempts: 1, credentials: { ...credentials } });
    return { child, client };
  };
  const refused = async (...args: string[]) => {
    const child = start(...args);
    let err = '';
    child.stderr!.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    const [status] = await once(child, 'close');
    return { status, err };
  };

  it('stands in for Bedrock until it is told to end', async () => {
    const { child, client } = await served();
    const { body } = await client().send(new InvokeModelCommand(embedding));
    assert.equal(JSON.parse(new TextDecoder().decode(body)).embedding.length, 1024);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'close'), [0, null]);
  });

  it('takes requests only with the keys that were made, until they are revoked, and trouble on purpose', async () => {
    const flags = ['--key-file', 'keys.json'];
    const made = await printed('keys', 'create', '--scopes', 'model', '--expires', '1d', ...flags);
    const key = { accessKeyId: made.id, secretAccessKey: made.secret };
    const { client } = await served(...flags, '--faults', 'error=ModelTimeoutException');
    await assert.rejects(client(key).send(new InvokeModelCommand(embedding)), { name: 'ModelTimeoutException' });
    await assert.rejects(client({ ...key, secretAccessKey: 'x' }).send(new InvokeModelCommand(embedding)), {
      name: 'InvalidSignatureException',
    });
    const listed = await printed('keys', 'list', ...flags);
    assert.deepEqual([listed.keys.length, JSON.stringify(listed).includes(made.secret)], [1, false]);
    assert.match((await printed('keys', 'revoke', made.id, ...flags)).state, /^revoked/);
    await assert.rejects(client(key).send(new InvokeModelCommand(embedding)), { name: 'UnrecognizedClientException' });
  });

  it('lets another model answer, and says which is not there', async () => {
    const { client } = await served(
      '--model-map',
      'anthropic.*=nobody',
      '--model-map',
      'amazon.titan-embed-text-v1=builtin',
    );
    const messages = [{ role: 'user' as const, content: [{ text: 'Hello' }] }];
    await assert.rejects(
      client().send(new ConverseCommand({ modelId: 'us.anthropic.claude-3-haiku-20240307-v1:0', messages })),
      {
        name: 'ResourceNotFoundException',
        message: /no model "nobody"/,
      },
    );
    await client().send(new InvokeModelCommand({ ...embedding, modelId: 'amazon.titan-embed-text-v1' }));
  });

  it('does not start where it must not', async () => {
    const cases: [string[], RegExp][] = [
      [['--host', '0.0.0.0'], /Without keys .* this machine only/],
      [['--model-map', '*=bedrock'], /only for callers with a key/],
      [['--key-file', 'absent.json'], /absent\.json/],
      [['--faults', 'explode'], /throttle=<requests a second>/],
      [['--port', '99999'], /--port must be a whole number/],
    ];
    for (const [args, message] of cases) {
      const { status, err } = await refused(...args);
      assert.deepEqual([status, message.test(err)], [2, true], err);
    }
  });
});
