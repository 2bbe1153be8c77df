import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { boundedWork, type WorkLimits } from './bounded-work.js';

describe('bounded work', () => {
  function limits(bounds: Partial<WorkLimits<number>> = {}): WorkLimits<number> {
    const stop = new AbortController();
    return { concurrency: 8, maxBytes: 100, bytesOf: () => 1, signal: stop.signal, stop, ...bounds };
  }

  /** The most pieces and bytes that were in work at once. */
  async function most(list: Iterable<number> | AsyncIterable<number>, bounds: Partial<WorkLimits<number>>) {
    let [pieces, bytes, mostPieces, mostBytes] = [0, 0, 0, 0];
    const act = async (work: number) => {
      pieces++;
      bytes += work;
      mostPieces = Math.max(mostPieces, pieces);
      mostBytes = Math.max(mostBytes, bytes);
      await wait(1);
      pieces--;
      bytes -= work;
    };
    await boundedWork(list, act, limits({ bytesOf: (work) => work, ...bounds }));
    assert.equal(pieces, 0);
    return [mostPieces, mostBytes];
  }

  it('does no more at once than it may, by number and by bytes, and one large piece alone', async () => {
    const ones = Array.from({ length: 50 }, () => 1);
    assert.deepEqual(await most(ones, { concurrency: 5 }), [5, 5]);
    assert.deepEqual(await most(ones, { concurrency: 50, maxBytes: 7 }), [7, 7]);
    assert.deepEqual(await most([1, 1, 200, 1, 1], {}), [2, 200]);
  });

  it('takes what comes over time', async () => {
    async function* pages() {
      for (let page = 0; page < 3; page++) {
        await wait(1);
        yield* [1, 1, 1, 1];
      }
    }
    const [pieces] = await most(pages(), { concurrency: 3 });
    assert.equal(pieces, 3);
  });

  it('stops with the first error, whether of a piece or of the list, when all that was begun has ended', async () => {
    const bounds = limits({ concurrency: 2 });
    let [begun, ended] = [0, 0];
    const act = async (work: number) => {
      begun++;
      await wait(work);
      ended++;
      if (work === 2) throw new Error('the second');
    };
    await assert.rejects(boundedWork([5, 2, 5, 5, 5, 5, 5], act, bounds), /the second/);
    assert.ok(bounds.signal.aborted && begun < 7 && ended === begun, `${ended} of ${begun}`);

    async function* broken() {
      yield 5;
      throw new Error('the list');
    }
    [begun, ended] = [0, 0];
    await assert.rejects(boundedWork(broken(), act, limits()), /the list/);
    assert.deepEqual([begun, ended], [1, 1]);
  });

  it('begins nothing more when it is aborted', async () => {
    const controller = new AbortController();
    let begun = 0;
    const act = async () => {
      if (++begun === 2) controller.abort();
      await wait(1);
    };
    await boundedWork([1, 2, 3, 4, 5], act, limits({ concurrency: 1, signal: controller.signal }));
    assert.equal(begun, 2);
  });
});
