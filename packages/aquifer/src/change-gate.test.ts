import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createChangeGate } from './change-gate.js';

const never = 3_600_000;

/** Whether a promise is settled after a turn in which everything that is due has happened. */
async function isOpen(wait: Promise<void>): Promise<boolean> {
  return await Promise.race([wait.then(() => true), sleep(5).then(() => false)]);
}

describe('change gate', () => {
  it('lets changes through once they have come to rest', async () => {
    const gate = createChangeGate({ quietMs: 60, maxWaitMs: never });
    let open = false;
    const wait = gate.wait(never).then(() => {
      open = true;
    });
    for (let n = 0; n < 12; n += 1) {
      gate.note();
      await sleep(10);
      // Where the machine held this loop up for longer than the quiet time, the gate was right to open.
      if (open) return;
    }
    gate.note();
    assert.equal(open, false, 'twelve changes in more than the quiet time');
    await wait;
  });

  it('does not wait for ever for changes that never rest', async () => {
    const gate = createChangeGate({ quietMs: never, maxWaitMs: 40 });
    const noting = setInterval(gate.note, 5);
    await gate.wait(never);
    clearInterval(noting);
  });

  it('remembers changes that nobody was waiting for, and forgets those it has let through', async () => {
    const gate = createChangeGate({ quietMs: 1, maxWaitMs: 1 });
    gate.note();
    gate.note();
    await gate.wait(never);
    const stop = new AbortController();
    const next = gate.wait(never, stop.signal);
    assert.equal(await isOpen(next), false);
    stop.abort();
    await next;
  });

  it('opens after its time without any change, and at once when it is aborted', async () => {
    const gate = createChangeGate({ quietMs: never, maxWaitMs: never });
    await gate.wait(20);
    await gate.wait(never, AbortSignal.abort());
  });
});
