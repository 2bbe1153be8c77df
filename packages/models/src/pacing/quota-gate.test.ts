import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { QuotaRequest, SharedQuota } from '@aquifer/contracts';
import type { Clock } from './clock.js';
import { createPacer } from './pacer.js';
import { createSimulatedClock } from './simulated-clock.test-fixture.js';

/** One stretch of time after the other, as the database gives them. */
function createTimeline(clock: Clock): SharedQuota & { readonly asked: QuotaRequest[] } {
  let freeAt = 0;
  const asked: QuotaRequest[] = [];
  return {
    asked,
    async acquire(request) {
      asked.push(request);
      const { requests, tokens, requestsPerSecond, tokensPerSecond } = request;
      const lengthMs = Math.max(requests / requestsPerSecond, tokens / tokensPerSecond) * 1000;
      const startsAt = Math.max(freeAt, clock.now());
      freeAt = startsAt + lengthMs;
      return { waitMs: startsAt - clock.now(), lengthMs };
    },
  };
}

describe('pacers that share a quota', () => {
  const run = async (pacers: number, requestsPerMinute: number, each: number, tokensPerMinute?: number, tokens = 1) => {
    const clock = createSimulatedClock();
    const quota = createTimeline(clock);
    const sentAt: number[] = [];
    const attempt = async () => {
      sentAt.push(clock.now());
      return { value: undefined };
    };
    const work = Array.from({ length: pacers }, () => {
      const shared = { quota, key: 'titan' };
      const pacer = createPacer({ name: 'titan', requestsPerMinute, tokensPerMinute, clock, shared });
      return Array.from({ length: each }, () => pacer.run({ tokens, attempt }));
    });
    await clock.runUntil(Promise.all(work.flat()));
    return { sentAt: sentAt.toSorted((a, b) => a - b), quota };
  };

  it('send together what one may send, and no less', async () => {
    const { sentAt, quota } = await run(3, 6_000, 400);
    const seconds = (sentAt.at(-1) ?? 0) / 1000;
    assert.ok(seconds >= 11.9 && seconds < 12.6, `${sentAt.length} requests took ${seconds} s at 100 a second`);
    for (const [index, at] of sentAt.entries()) {
      const inSecond = sentAt.slice(index).findIndex((other) => other >= at + 1_000);
      assert.ok(inSecond <= 105, `${inSecond} requests in the second from ${at} ms`);
    }
    assert.ok(quota.asked.length < 1_200 / 20, `the quota was asked ${quota.asked.length} times`);
  });

  it('count tokens, too', async () => {
    const { sentAt } = await run(2, 60_000, 100, 60_000, 100);
    const seconds = (sentAt.at(-1) ?? 0) / 1000;
    assert.ok(seconds > 18 && seconds < 21, `20,000 tokens took ${seconds} s at 1,000 a second`);
  });

  it('go on by themselves where nobody keeps count, and end when they are told to', async () => {
    const broken: SharedQuota = { acquire: () => Promise.reject(new Error('no database')) };
    const pacer = createPacer({ name: 'titan', requestsPerMinute: 6_000, shared: { quota: broken, key: 'titan' } });
    assert.equal(await pacer.run({ tokens: 1, attempt: async () => ({ value: 7 }) }), 7);
    const never: SharedQuota = { acquire: () => new Promise(() => {}) };
    const waiting = createPacer({ name: 'titan', requestsPerMinute: 6_000, shared: { quota: never, key: 'titan' } });
    const stop = new AbortController();
    const request = waiting.run({ tokens: 1, signal: stop.signal, attempt: async () => ({ value: 7 }) });
    stop.abort();
    await assert.rejects(request, { code: 'aborted' });
  });
});
