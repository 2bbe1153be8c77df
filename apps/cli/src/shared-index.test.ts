import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  noOwnServer,
  type OwnServer,
  startOwnServer,
} from '../../../packages/postgres-store/dist/own-server.test-fixture.js';

const bin = fileURLToPath(new URL('../bin/aquifer.js', import.meta.url));
const handbook = fileURLToPath(new URL('../../../examples/handbook', import.meta.url));

/** pgvector adds up in 4-byte floats, the embedded index in 8-byte ones. */
const tolerance = 2e-6;
/** What differs between any two runs, and what a place alone has: its address and id, its size, its way to search. */
const differs = new Set([
  'ms',
  'indexedAt',
  'finishedAt',
  'createdAt',
  'knowledgeBase',
  'bytes',
  'generation',
  'index',
  'queue',
  'timings',
  'chunksPerSecond',
]);

/** Lines of JSON without what may differ; those of documents in order of their names, as several are in work at a time. */
function comparable(out: string): unknown[] {
  const lines = out.trimEnd().split('\n');
  return lines
    .map((line) => JSON.stringify(JSON.parse(line, (key, value) => (differs.has(key) ? undefined : value))))
    .sort()
    .map((line) => JSON.parse(line));
}

/** Equal, and with its keys in the same order, but for the last digits of numbers. */
function assertSame(actual: unknown, expected: unknown, path: string): void {
  if (typeof actual === 'number' && typeof expected === 'number') {
    assert.ok(Math.abs(actual - expected) <= tolerance, `${path}: ${actual}, not ${expected}`);
  } else if (typeof actual === 'object' && actual !== null && typeof expected === 'object' && expected !== null) {
    assert.deepEqual(Object.keys(actual), Object.keys(expected), path);
    for (const [key, value] of Object.entries(expected)) {
      assertSame((actual as Record<string, unknown>)[key], value, `${path}.${key}`);
    }
  } else assert.equal(actual, expected, path);
}

describe('aquifer with a database', { skip: noOwnServer }, () => {
  let server: OwnServer;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-cli-shared-'));
    cpSync(handbook, join(folder, 'handbook'), { recursive: true });
    server = await startOwnServer();
  });
  after(async () => {
    await server?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(kb: string, args: readonly string[]) {
    const child = spawn(process.execPath, [bin, ...args, '--kb', kb, '--json'], { cwd: folder });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    const [status] = await once(child, 'close');
    return { status, out, err };
  }

  it('prints the same JSON as with a folder', async () => {
    const question = 'How long is parental leave in Japan?';
    for (const args of [
      ['index', 'handbook'],
      ['index', 'handbook'],
      ['search', question],
      ['search', 'expense limits', '--mode', 'keyword', '--limit', '3'],
      ['search', '育児休業', '--mode', 'dense', '--filter', '{"startsWith":{"key":"country","value":"J"}}'],
      ['ask', question],
      ['documents'],
      ['status'],
      ['delete', 'no such document'],
    ]) {
      const [own, shared] = await Promise.all([run('.aquifer', args), run(server.location({ name: 'cli' }), args)]);
      assert.equal(shared.status, own.status, `${args.join(' ')}: ${shared.err}`);
      assertSame(comparable(shared.out || 'null'), comparable(own.out || 'null'), args.join(' '));
      if (own.status === 0) assert.ok(own.out.length > 10, args.join(' '));
    }
  });

  it('changes the embedder, as with a folder', async () => {
    const question = 'How long is parental leave in Japan?';
    for (const args of [
      ['index', 'handbook'],
      ['index', 'handbook', '--embedder', 'builtin:256'],
      ['index', 'handbook', '--embedder', 'builtin:256', '--re-embed'],
      ['search', question],
      ['status'],
      ['index', 'handbook'],
    ]) {
      const [own, shared] = await Promise.all([
        run('re-embedded', args),
        run(server.location({ name: 're-embedded' }), args),
      ]);
      assert.equal(shared.status, own.status, `${args.join(' ')}: ${shared.err}`);
      assertSame(comparable(shared.out || 'null'), comparable(own.out || 'null'), args.join(' '));
    }
  });
});
