import { AquiferError } from '@aquifer/contracts';
import type { Clock } from './clock.js';

export interface ThrottledProviderOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** Lets through so many a second, and `burst` that were saved up. */
  readonly perSecond: number;
  readonly burst: number;
  /** Shares of what is let through that fail all the same. */
  readonly throttledAtRandom: number;
  readonly unavailableAtRandom: number;
  readonly latencyMs: number;
}

export interface ProviderCounts {
  requests: number;
  /** Turned away because of the rate. */
  overRate: number;
  failedAtRandom: number;
  letThrough: number;
  readonly answers: Map<number, number>;
}

export interface ThrottledProvider {
  readonly counts: ProviderCounts;
  ask(id: number): Promise<{ readonly value: number }>;
}

/** A provider with a quota and bad luck, on a simulated clock. */
export function createThrottledProvider(options: ThrottledProviderOptions): ThrottledProvider {
  const { clock, random, perSecond, burst, throttledAtRandom, unavailableAtRandom, latencyMs } = options;
  const counts: ProviderCounts = { requests: 0, overRate: 0, failedAtRandom: 0, letThrough: 0, answers: new Map() };
  let level = burst;
  let filledAt = clock.now();

  const failure = (): AquiferError | undefined => {
    level = Math.min(burst, level + ((clock.now() - filledAt) / 1000) * perSecond);
    filledAt = clock.now();
    if (level < 1) {
      counts.overRate += 1;
      return new AquiferError('model-throttled', 'Too many requests.', { retryable: true });
    }
    level -= 1;
    counts.letThrough += 1;
    const chance = random();
    if (chance >= throttledAtRandom + unavailableAtRandom) return undefined;
    counts.failedAtRandom += 1;
    return new AquiferError(chance < throttledAtRandom ? 'model-throttled' : 'model-unavailable', 'Bad luck.', {
      retryable: true,
    });
  };

  return {
    counts,
    ask(id) {
      counts.requests += 1;
      const error = failure();
      return new Promise((resolve, reject) => {
        clock.after(latencyMs * (0.5 + random()), () => {
          if (error !== undefined) {
            reject(error);
            return;
          }
          counts.answers.set(id, (counts.answers.get(id) ?? 0) + 1);
          resolve({ value: id });
        });
      });
    },
  };
}
