import type { QuotaReservation, SharedQuota } from '@aquifer/contracts';
import type { Clock } from './clock.js';
import { createWaitingLine, type WaitingRequest } from './waiting-line.js';

/** Lets requests through as a quota that other processes share allows, in the order in which they came. */
export interface QuotaGate {
  /** Resolves when a request with so many tokens may leave; rejects with the signal's reason. */
  pass(tokens: number, signal: AbortSignal): Promise<void>;
  /** Tokens that were taken and not used, or (negative) used and not taken. */
  correctTokens(unused: number): void;
}

export interface QuotaGateOptions {
  readonly quota: SharedQuota;
  readonly key: string;
  readonly requestsPerSecond: number;
  readonly tokensPerSecond: number;
}

/**
 * What is reserved at once: enough that asking costs little, little enough that one who asks next does not wait long. While requests of one stretch leave,
 * the next one is reserved, so nobody's turn is lost to the asking.
 */
const reservedSeconds = 0.25;
const mostRequests = 64;

export function createQuotaGate(clock: Clock, options: QuotaGateOptions): QuotaGate {
  const { quota, key, requestsPerSecond, tokensPerSecond } = options;
  const most = Math.max(1, Math.min(mostRequests, Math.round(requestsPerSecond * reservedSeconds)));
  const { waiting, pass } = createWaitingLine({
    // After all that this turn of the event loop makes ready, so that its requests are reserved together.
    enter: () => void clock.after(0, () => void ask()),
  });
  let isAsking = false;
  let unusedTokens = 0;

  async function reserve(batch: readonly WaitingRequest[]): Promise<QuotaReservation> {
    const tokens = batch.reduce((sum, each) => sum + each.tokens, 0) - unusedTokens;
    unusedTokens = Math.max(0, -tokens);
    try {
      return await quota.acquire({
        key,
        requests: batch.length,
        tokens: Math.max(0, tokens),
        requestsPerSecond,
        tokensPerSecond,
      });
    } catch {
      // The provider's own throttling is there still.
      return { waitMs: 0, lengthMs: 0 };
    }
  }

  async function ask(): Promise<void> {
    if (isAsking || waiting.size === 0) return;
    isAsking = true;
    const batch = [...waiting].slice(0, most);
    for (const each of batch) waiting.delete(each);
    const { waitMs, lengthMs } = await reserve(batch);
    for (const [index, { letThrough }] of batch.entries()) {
      clock.after(waitMs + (lengthMs * index) / batch.length, letThrough);
    }
    clock.after(waitMs, () => {
      isAsking = false;
      void ask();
    });
  }

  return {
    pass,
    correctTokens(unused) {
      unusedTokens += unused;
    },
  };
}
