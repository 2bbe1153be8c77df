import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isAquiferError } from '@aquifer/contracts';
import { createWorkerClient } from './worker-calls.js';

type Methods = {
  readonly echo: (value: unknown) => unknown;
  readonly fail: (value: undefined) => void;
  readonly hang: (value: undefined) => void;
  readonly die: (value: undefined) => void;
  readonly count: (value: number) => number;
};

describe('calls to a worker', () => {
  let folder = '';
  let entry = new URL('file:///');
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aquifer-worker-'));
    const file = join(folder, 'worker.mjs');
    const calls = new URL('./worker-calls.js', import.meta.url).href;
    await writeFile(
      file,
      `import { parentPort } from 'node:worker_threads';
       import { serveCalls } from ${JSON.stringify(calls)};
       const methods = {
         echo: (value) => value,
         fail: () => { throw new TypeError('broken'); },
         hang: (_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
         die: () => process.exit(3),
         async count(to, { onProgress }) { for (let n = 1; n <= to; n++) onProgress(n); return to; },
       };
       serveCalls(parentPort, (name) => methods[name]);`,
    );
    entry = pathToFileURL(file);
  });
  after(() => rm(folder, { recursive: true }));

  it('gives results, errors and progress', async () => {
    const client = createWorkerClient<Methods>(entry, 'test');
    const vector = Float32Array.of(1, 2, 3);
    assert.deepEqual(await client.call('echo', [vector, vector, undefined]), [vector, vector, undefined]);
    await assert.rejects(client.call('fail', undefined), (error: unknown) => isAquiferError(error, 'internal'));
    await assert.rejects(
      client.call('echo', () => 1),
      (error: unknown) => isAquiferError(error, 'invalid-options'),
    );
    const progress: number[] = [];
    assert.equal(await client.call('count', 3, { onProgress: (n: number) => progress.push(n) }), 3);
    assert.deepEqual(progress, [1, 2, 3]);
    await client.terminate();
    await client.terminate();
    await assert.rejects(client.call('echo', 1), (error: unknown) => isAquiferError(error));
  });

  it('stops waiting for a signal, and goes on with other calls', async () => {
    const client = createWorkerClient<Methods>(entry, 'test');
    const controller = new AbortController();
    const hanging = client.call('hang', undefined, { signal: controller.signal });
    assert.equal(await client.call('echo', 1), 1);
    controller.abort();
    await assert.rejects(hanging, (error: unknown) => isAquiferError(error, 'aborted'));
    assert.equal(await client.call('echo', 2), 2);
    await client.terminate();
  });

  it('fails every call when the thread dies', async () => {
    const client = createWorkerClient<Methods>(entry, 'test');
    const calls = [client.call('hang', undefined), client.call('die', undefined)];
    for (const result of await Promise.allSettled(calls)) {
      assert.equal(result.status, 'rejected');
      const { reason } = result as PromiseRejectedResult;
      assert.ok(isAquiferError(reason, 'internal'));
      assert.match(reason.message, /test thread has ended.*open it again/);
    }
    await assert.rejects(client.call('echo', 1), /test thread has ended/);
    await client.terminate();
  });

  it('tells a package that could not be opened from one that is not there', async () => {
    // Node misses an index.js for either: here there is none, where files ran out it has not read which file it is.
    for (const [name, code] of [
      ['unread', 'too-many-open-files'],
      ['absent', 'internal'],
    ] as const) {
      const importing = join(folder, `${name}.mjs`);
      await mkdir(join(folder, 'node_modules', name), { recursive: true });
      if (name === 'unread') await writeFile(join(folder, 'node_modules', name, 'package.json'), '{}');
      await writeFile(importing, `import ${JSON.stringify(name)};`);
      const client = createWorkerClient<Methods>(pathToFileURL(importing), 'test');
      await assert.rejects(client.call('echo', 1), (error: unknown) => {
        assert.ok(isAquiferError(error, code), String(error));
        return /Cannot find package '.*index\.js'/.test(error.message);
      });
      await client.terminate();
    }
  });
});
