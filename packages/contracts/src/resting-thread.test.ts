import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createRestingThread } from './resting-thread.js';

/** Doubles numbers, and dies of 0. */
const program = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', (number) => number === 0 ? process.exit(7) : parentPort.postMessage(number * 2));`;

describe('a thread that rests', () => {
  const started: Worker[] = [];
  const create = (idleMs: number) =>
    createRestingThread<number, number>(() => {
      const worker = new Worker(program, { eval: true });
      started.push(worker);
      return worker;
    }, idleMs);

  it('answers in order, has nothing to say where it dies, and starts again', async () => {
    const thread = create(60_000);
    assert.deepEqual(await Promise.all([thread.ask(1), thread.ask(2)]), [2, 4]);
    assert.deepEqual(await Promise.all([thread.ask(0), thread.ask(3)]), [undefined, undefined]);
    assert.equal(await thread.ask(4), 8);
    assert.equal(started.length, 2);
    await thread.end();
  });

  it('ends when it has nothing to do', async () => {
    const thread = create(1);
    assert.equal(await thread.ask(1), 2);
    const worker = started.at(-1) as Worker;
    worker.ref(); // A resting thread lets the process end, and this one has nothing else to wait for.
    await once(worker, 'exit');
    assert.equal(await thread.ask(2), 4);
    await thread.end();
  });

  it('throws what starting throws', async () => {
    const thread = createRestingThread<number, number>(() => {
      throw new Error('no more threads');
    }, 1);
    await assert.rejects(thread.ask(1), /no more threads/);
    await thread.end();
  });
});
