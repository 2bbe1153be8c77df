import type { Clock } from './clock.js';

export interface SimulatedClock extends Clock {
  /** Lets time go by, from timer to timer, until `promise` has settled. */
  runUntil<Value>(promise: Promise<Value>): Promise<Value>;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly call: () => void;
}

/** A clock on which hours pass in milliseconds: time stands still while there is work to do. */
export function createSimulatedClock(): SimulatedClock {
  let now = 0;
  let orders = 0;
  /** The next one last. */
  const timers: Timer[] = [];
  const settled = Symbol('settled');

  const isBefore = (left: Timer, right: Timer): boolean =>
    left.at < right.at || (left.at === right.at && left.order < right.order);

  return {
    now: () => now,
    after(ms, call) {
      orders += 1;
      const timer = { at: now + Math.max(1, ms), order: orders, call };
      let low = 0;
      let high = timers.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (isBefore(timer, timers[middle]!)) low = middle + 1;
        else high = middle;
      }
      timers.splice(low, 0, timer);
      return () => {
        const index = timers.indexOf(timer);
        if (index >= 0) timers.splice(index, 1);
      };
    },
    async runUntil(promise) {
      const end = promise.then(
        () => settled,
        () => settled,
      );
      for (;;) {
        // Whatever promises have to do at this instant is done before the next one comes.
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
        if ((await Promise.race([end, undefined])) === settled) return promise;
        const next = timers.pop();
        if (next === undefined) throw new Error('Nothing is left to wait for, and the promise has not settled.');
        now = next.at;
        next.call();
      }
    },
  };
}
