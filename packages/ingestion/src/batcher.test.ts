import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import PQueue from 'p-queue';
import { createBatcher } from './batcher.js';

/** Sizes of the batches of 100 requests, of which so many are there at once, each new one when another is answered. */
async function batchSizes({ fill, atOnce }: { readonly fill: boolean; readonly atOnce: number }): Promise<number[]> {
  const sizes: number[] = [];
  const ask = createBatcher<number, number>({
    maxBatch: 10,
    queue: new PQueue({ concurrency: 4 }),
    fill,
    run: async (inputs) => {
      sizes.push(inputs.length);
      await wait(2);
      return inputs.map((value) => ({ value }));
    },
  });
  let next = 0;
  const work = async () => {
    // Begun one after another, as documents are that take different times to read.
    for (let own = next++; own < 100; own = next++) {
      await wait(own % 5);
      assert.equal(await ask(own), own);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    100,
  );
  return sizes;
}

describe('a batcher', () => {
  it('waits for nothing', async () => {
    const sizes = await batchSizes({ fill: false, atOnce: 12 });
    assert.ok(sizes.length > 20, `${sizes}`);
  });

  it('waits while others are in flight where batches are to be filled', async () => {
    const sizes = await batchSizes({ fill: true, atOnce: 40 });
    assert.ok(sizes.length <= 14, `${sizes}`);
  });

  it('lets a batch go that cannot become full', async () => {
    const sizes = await batchSizes({ fill: true, atOnce: 1 });
    assert.deepEqual(
      sizes,
      Array.from({ length: 100 }, () => 1),
    );
  });

  it('goes on after a batch that failed, and fails all that were in it', async () => {
    let runs = 0;
    const ask = createBatcher<number, number>({
      maxBatch: 2,
      queue: new PQueue({ concurrency: 1 }),
      fill: true,
      run: async (inputs) => {
        if (++runs === 1) throw new Error('not today');
        return inputs.map((value) => ({ value }));
      },
    });
    const outcomes = await Promise.allSettled([1, 2, 3].map(ask));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected', 'fulfilled'],
    );
  });
});
