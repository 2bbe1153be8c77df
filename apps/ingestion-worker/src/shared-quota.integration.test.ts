import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openPostgresQuota } from '@aquifer/postgres-store/postgres-quota';
import { embedderByName } from 'aquifer';
import {
  noOwnServer,
  type OwnServer,
  startOwnServer,
} from '../../../packages/postgres-store/dist/own-server.test-fixture.js';
import { withKnowledgeBase } from './workers.test-fixture.js';

const perSecond = 40;
const seconds = 12;

/** A process that embeds as fast as it may for some seconds, and says how many texts that were and how often it was throttled. */
async function embedInChild(location: string, endpoint: string): Promise<void> {
  const { BedrockRuntimeClient } = await import('@aws-sdk/client-bedrock-runtime');
  const client = new BedrockRuntimeClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  let throttled = 0;
  client.middlewareStack.add(
    (next) => async (request) => {
      try {
        return await next(request);
      } catch (error) {
        if ((error as Error).name === 'ThrottlingException') throttled += 1;
        throw error;
      }
    },
    { step: 'initialize' },
  );
  const quota = openPostgresQuota(location);
  const embedder = await embedderByName('amazon.titan-embed-text-v2:0', {
    bedrock: { client },
    requestsPerMinute: perSecond * 60,
    sharedQuota: quota,
  });
  await embedder.embed(['the first one'], { purpose: 'document' });
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
  throttled = 0;
  let embedded = 0;
  const endsAt = performance.now() + seconds * 1000;
  const embedAll = async (lane: number) => {
    for (let text = 0; performance.now() < endsAt; text += 1) {
      await embedder.embed([`text ${text} of lane ${lane} of process ${process.pid}`], { purpose: 'document' });
      if (performance.now() < endsAt) embedded += 1;
    }
  };
  await Promise.all(Array.from({ length: 64 }, (_, lane) => embedAll(lane)));
  process.stdout.write(`${JSON.stringify({ embedded, throttled })}\n`);
  await quota.close();
  process.exit(0);
}

if (process.argv[2] === 'child') await embedInChild(process.argv[3] as string, process.argv[4] as string);
else {
  describe('processes that share a quota through the database', { skip: noOwnServer }, () => {
    let server: OwnServer;
    before(async () => {
      server = await startOwnServer();
      await withKnowledgeBase(server.location(), async () => {});
    });
    after(() => server?.remove());

    it(`two of them use 95 % of ${perSecond} requests a second together, and are seldom throttled`, async () => {
      const bin = fileURLToPath(new URL('../../cli/bin/aquifer.js', import.meta.url));
      const bedrock = spawn(
        process.execPath,
        [bin, 'serve', '--port', '0', '--json', '--faults', `throttle=${perSecond}`],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      try {
        const [line] = await once(createInterface(bedrock.stdout), 'line');
        const { url } = JSON.parse(line);
        const children = ['one', 'other'].map(() => {
          const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'child', server.location(), url], {
            stdio: ['pipe', 'pipe', 'inherit'],
          });
          const lines: string[] = [];
          createInterface(child.stdout).on('line', (text) => lines.push(text));
          return { child, lines };
        });
        await Promise.all(children.map(({ child }) => once(child.stdout, 'data')));
        for (const { child } of children) child.stdin.write('go\n');
        await Promise.all(children.map(({ child }) => once(child, 'close')));
        const results = children.map(({ lines }) => JSON.parse(lines.at(-1) ?? '{}'));
        const embedded = results.reduce((sum, result) => sum + result.embedded, 0);
        const throttled = results.reduce((sum, result) => sum + result.throttled, 0);
        const share = embedded / (perSecond * seconds);
        const said = `${JSON.stringify(results)}: ${(share * 100).toFixed(1)} % of the quota, ${throttled} throttled`;
        assert.ok(share >= 0.95, said);
        assert.ok(throttled <= embedded * 0.02, said);
        console.log(`    ${said}`);
      } finally {
        bedrock.kill();
      }
    });
  });
}
