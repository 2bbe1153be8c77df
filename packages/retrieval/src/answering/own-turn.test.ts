import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lastOfMany, ownTurn } from './own-turn.js';

describe('turns of the event loop', () => {
  it('are given to one caller each, in the order in which they asked', async () => {
    let turn = 0;
    let isOver = false;
    const count = (): void => {
      turn += 1;
      if (!isOver) setImmediate(count);
    };
    count();
    const turns: number[] = [];
    const order: string[] = [];
    const work = async (name: string): Promise<void> => {
      await ownTurn();
      order.push(name);
      turns.push(turn);
    };
    await Promise.all(['first', 'second', 'third'].map(work));
    isOver = true;
    assert.deepEqual(order, ['first', 'second', 'third']);
    assert.equal(new Set(turns).size, 3, String(turns));
  });

  it('wait for the last of many who come at once, except for the first', async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const order: string[] = [];
    const call = async (name: string): Promise<void> => {
      await lastOfMany();
      order.push(name);
    };
    const calls = ['first', 'second'].map(call);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(order, ['first']);
    calls.push(call('last'));
    await Promise.all(calls);
    assert.deepEqual(order, ['first', 'second', 'last']);
  });
});
