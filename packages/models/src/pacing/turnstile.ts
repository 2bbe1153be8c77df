import type { Clock } from './clock.js';
import { createTokenBucket } from './token-bucket.js';
import { createWaitingLine } from './waiting-line.js';

/** Lets requests through one by one, as fast as the rates allow, in the order in which they came. */
export interface Turnstile {
  /** Resolves when a request with so many tokens may leave; rejects with the signal's reason. */
  pass(tokens: number, signal: AbortSignal): Promise<void>;
  /** Tokens that were taken and not used, or (negative) used and not taken. */
  correctTokens(unused: number): void;
  setRequestRate(perSecond: number): void;
}

export interface TurnstileRates {
  /** Infinity for no limit. */
  readonly requestsPerSecond: number;
  readonly tokensPerSecond: number;
}

export function createTurnstile(clock: Clock, rates: TurnstileRates): Turnstile {
  const requests = createTokenBucket(rates.requestsPerSecond, clock.now());
  const tokenBudget = createTokenBucket(rates.tokensPerSecond, clock.now());
  let cancelTimer: (() => void) | undefined;

  const turn = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    for (const head of waiting) {
      const now = clock.now();
      const ms = Math.max(requests.waitMs(1, now), tokenBudget.waitMs(head.tokens, now));
      if (ms > 0) {
        cancelTimer = clock.after(Math.ceil(ms), turn);
        return;
      }
      requests.take(1, now);
      tokenBudget.take(head.tokens, now);
      waiting.delete(head);
      head.letThrough();
    }
  };

  const { waiting, pass } = createWaitingLine({
    enter: () => {
      if (waiting.size === 1) turn();
    },
    leave: turn,
  });

  return {
    pass,
    correctTokens(unused) {
      if (unused === 0) return;
      tokenBudget.giveBack(unused, clock.now());
      turn();
    },
    setRequestRate(perSecond) {
      requests.setRate(perSecond, clock.now());
      turn();
    },
  };
}
