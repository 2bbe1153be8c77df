import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { createReadingPool, type ReadingPoolOptions } from './reading-pool.js';

/** How many threads were started to read so many notes one after another. */
async function threadsFor(notes: number, options: Partial<ReadingPoolOptions>): Promise<number> {
  let started = 0;
  const count = (_worker: Worker) => started++;
  process.on('worker', count);
  const pool = createReadingPool({ threads: 1, timeoutMs: 60_000, maxMemoryMb: 256, ...options });
  try {
    for (let note = 0; note < notes; note++) {
      const { text } = await pool.run({ name: 'note.txt', bytes: Buffer.from(`Note ${note}.`) }, undefined);
      assert.equal(text, `Note ${note}.`);
    }
    return started;
  } finally {
    process.off('worker', count);
    await pool.close();
  }
}

describe('a reading pool', () => {
  it('reads file after file in a thread', async () => {
    assert.equal(await threadsFor(5, {}), 1);
    assert.equal(await threadsFor(5, { isLongRead: () => true }), 1);
  });

  it('takes another thread for short files when one has read long ones before', async () => {
    assert.equal(await threadsFor(5, { isLongRead: () => true, spentAfterMs: 0 }), 5);
    assert.equal(await threadsFor(5, { spentAfterMs: 0 }), 1);
  });

  it('reads side by side while threads are replaced', async () => {
    const pool = createReadingPool({
      threads: 2,
      timeoutMs: 60_000,
      maxMemoryMb: 256,
      isLongRead: () => true,
      spentAfterMs: 0,
    });
    try {
      const texts = await Promise.all(
        Array.from({ length: 20 }, async (_, note) => {
          const { text } = await pool.run({ name: 'note.txt', bytes: Buffer.from(`Note ${note}.`) }, undefined);
          return text;
        }),
      );
      assert.deepEqual(
        texts,
        Array.from({ length: 20 }, (_, note) => `Note ${note}.`),
      );
    } finally {
      await pool.close();
    }
  });
});
