import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createModelThread } from './model-thread.js';
import type { WorkerTask } from './model-worker.js';

const task: WorkerTask = { type: 'describe', options: { model: 'none' }, isFolder: true };

function workerOf(script: string): URL {
  return new URL(`data:text/javascript,import { parentPort } from 'node:worker_threads';${encodeURIComponent(script)}`);
}

describe('model thread', () => {
  it('fails what is pending when the thread dies, and starts another with the next task', async () => {
    const thread = createModelThread(workerOf(`parentPort.on('message', () => { throw new Error('out of order'); });`));
    await assert.rejects(
      Promise.all([thread.run(task), thread.run(task)]),
      (error: Error & { code?: string; retryable?: boolean }) => {
        assert.equal(error.code, 'model-failed');
        assert.equal(error.retryable, true);
        assert.match(error.message, /out of order/);
        return true;
      },
    );
    const first = thread.threadId;
    assert.equal(first, undefined);
    await assert.rejects(thread.run(task), { code: 'model-failed' });
    await thread.close();
  });

  it('fails what is pending when the thread exits without a word', async () => {
    const thread = createModelThread(workerOf(`parentPort.on('message', () => process.exit(7));`));
    await assert.rejects(thread.run(task), { code: 'model-failed', message: /exit status 7/ });
    await thread.close();
  });

  it('gives back errors as they were thrown', async () => {
    const thread = createModelThread();
    await assert.rejects(thread.run({ ...task, options: { model: '/no/such/folder' } }), {
      code: 'model-not-found',
      message: /\/no\/such\/folder/,
    });
    await thread.close();
  });

  it('ends with close, twice, and takes nothing afterwards', async () => {
    const thread = createModelThread(workerOf(`parentPort.on('message', () => {});`));
    const pending = assert.rejects(thread.run(task), { code: 'aborted' });
    await thread.close();
    await thread.close();
    await pending;
    await assert.rejects(thread.run(task), { code: 'aborted' });
  });
});
