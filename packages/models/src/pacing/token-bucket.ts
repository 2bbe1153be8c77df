/** How long an unused allowance is kept: enough to make up for late timers, too little for a burst that a provider would refuse. */
const keptSeconds = 0.1;

/**
 * An allowance that fills at a steady rate. Every time is given by the caller, in milliseconds.
 *
 * The level may go below zero: what turned out to be more than was taken is paid back by waiting.
 */
export interface TokenBucket {
  /** How long until `amount` may be taken; 0: now. What is more than the bucket ever holds may be taken when it is full. */
  waitMs(amount: number, now: number): number;
  take(amount: number, now: number): void;
  /** A correction: positive when less was used than was taken. */
  giveBack(amount: number, now: number): void;
  setRate(perSecond: number, now: number): void;
}

/** @param perSecond Infinity for no limit. */
export function createTokenBucket(perSecond: number, now: number): TokenBucket {
  let rate = perSecond;
  let capacity = Math.max(1, rate * keptSeconds);
  let level = capacity;
  let filledAt = now;

  const fill = (time: number): void => {
    const elapsedSeconds = Math.max(0, time - filledAt) / 1000;
    level = rate === Number.POSITIVE_INFINITY ? capacity : Math.min(capacity, level + elapsedSeconds * rate);
    filledAt = time;
  };

  return {
    waitMs(amount, time) {
      fill(time);
      const missing = Math.min(amount, capacity) - level;
      // What rounding leaves of an amount that has just been waited for.
      return missing <= 1e-6 ? 0 : (missing / rate) * 1000;
    },
    take(amount, time) {
      fill(time);
      level -= amount;
    },
    giveBack(amount, time) {
      fill(time);
      level = Math.min(capacity, level + amount);
    },
    setRate(next, time) {
      fill(time);
      rate = next;
      capacity = Math.max(1, rate * keptSeconds);
      level = Math.min(level, capacity);
    },
  };
}
