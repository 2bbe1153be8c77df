import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { AquiferError, describeError } from '@aquifer/contracts';
import { createSeededRandom } from '@aquifer/contracts/testing';
import { createPacer, type Pacer, type PacerOptions } from './pacer.js';
import { sharedPacer } from './shared-pacers.js';
import { createSimulatedClock } from './simulated-clock.test-fixture.js';
import { createThrottledProvider, type ProviderCounts } from './throttled-provider.test-fixture.js';

const throttled = (retryAfterMs?: number): AquiferError =>
  new AquiferError('model-throttled', 'Too many requests.', { retryable: true, retryAfterMs });
const unavailable = (): AquiferError => new AquiferError('model-unavailable', 'No connection.', { retryable: true });

function simulated(options: Partial<PacerOptions> = {}) {
  const clock = createSimulatedClock();
  return { clock, pacer: createPacer({ name: 'model m', clock, random: createSeededRandom(1).next, ...options }) };
}

/** Fails with each of the errors in turn, then answers. Notes when it was asked. */
function failing(clock: { now(): number }, errors: readonly Error[]) {
  const askedAt: number[] = [];
  return {
    askedAt,
    async attempt() {
      askedAt.push(clock.now());
      const error = errors[askedAt.length - 1];
      if (error !== undefined) throw error;
      return { value: 'answer' };
    },
  };
}

/** Never answers, but obeys its signal as fetch does. */
function silent(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

async function embedAll(
  options: Partial<PacerOptions>,
  provider: { readonly throttledAtRandom: number; readonly unavailableAtRandom: number; readonly burst?: number },
  seed: number,
): Promise<{ readonly counts: ProviderCounts; readonly usedOfQuota: number; readonly overRate: number }> {
  const texts = 5000;
  const perSecond = 50;
  const burst = provider.burst ?? 5;
  const random = createSeededRandom(seed).next;
  const { clock, pacer } = simulated({ ...options, random });
  const { counts, ask } = createThrottledProvider({ clock, random, perSecond, latencyMs: 40, ...provider, burst });
  const all = Array.from({ length: texts }, (_, id) => pacer.run({ tokens: 100, attempt: () => ask(id) }));
  const values = await clock.runUntil(Promise.all(all));
  assert.deepEqual(
    values,
    values.map((_, index) => index),
  );
  assert.equal(counts.answers.size, texts);
  for (const times of counts.answers.values()) assert.equal(times, 1);
  return {
    counts,
    usedOfQuota: counts.letThrough / ((clock.now() / 1000) * perSecond + burst),
    overRate: counts.overRate / (texts + counts.failedAtRandom),
  };
}

describe('pacer: a throttled quota', () => {
  for (const seed of [1, 2]) {
    it(`is used fully in spite of bad luck, nothing lost or asked twice (seed ${seed})`, async () => {
      const luck = { throttledAtRandom: 0.1, unavailableAtRandom: 0.02 };
      const { usedOfQuota, overRate } = await embedAll({ requestsPerMinute: 3000 }, luck, seed);
      assert.ok(usedOfQuota >= 0.97, `${usedOfQuota} of the quota`);
      assert.ok(overRate <= 0.05, `${overRate} extra`);
    });
  }

  it('is found where nobody says what it is', async () => {
    const luck = { throttledAtRandom: 0.1, unavailableAtRandom: 0.02, burst: 50 };
    const { usedOfQuota, overRate } = await embedAll({}, luck, 1);
    assert.ok(usedOfQuota >= 0.9, `${usedOfQuota} of the quota`);
    assert.ok(overRate <= 0.1, `${overRate} extra`);
  });
});

describe('pacer: rates', () => {
  it('spreads requests over the minute', async () => {
    const { clock, pacer } = simulated({ requestsPerMinute: 600 });
    const at: number[] = [];
    const ask = (): Promise<string> =>
      pacer.run({
        tokens: 1,
        attempt: async () => {
          at.push(clock.now());
          return { value: 'answer' };
        },
      });
    await clock.runUntil(Promise.all(Array.from({ length: 31 }, ask)));
    assert.ok(Math.abs(at.at(-1)! - 3000) < 50, `the last left after ${at.at(-1)} ms`);
    for (const [index, time] of at.entries()) assert.ok(time >= index * 100 - 1);
  });

  it('counts tokens as the provider does, not as they were estimated', async () => {
    const { clock, pacer } = simulated({ tokensPerMinute: 60_000 });
    let last = 0;
    const ask = (): Promise<string> =>
      pacer.run({
        tokens: 100,
        attempt: async () => {
          last = clock.now();
          return { value: 'answer', tokens: 500 };
        },
      });
    await clock.runUntil(Promise.all(Array.from({ length: 41 }, ask)));
    assert.ok(Math.abs(last - 20_000) < 2500, `40 × 500 tokens at 1,000 a second took ${last} ms`);
  });

  it('lets through a request of more tokens than a bucket holds, and makes the next wait for it', async () => {
    const { clock, pacer } = simulated({ tokensPerMinute: 6000 });
    const at: number[] = [];
    const ask = (tokens: number): Promise<string> =>
      pacer.run({
        tokens,
        attempt: async () => {
          at.push(clock.now());
          return { value: 'answer', tokens };
        },
      });
    await clock.runUntil(Promise.all([ask(8000), ask(10)]));
    assert.equal(at[0], 0);
    assert.ok(Math.abs(at[1]! - 80_000) < 500, `${at[1]} ms`);
  });

  it('asks no more at once than it may, oldest first', async () => {
    const { clock, pacer } = simulated({ concurrency: 3, requestsPerMinute: 1e6 });
    let under = 0;
    let most = 0;
    const order: number[] = [];
    const ask = (id: number): Promise<number> =>
      pacer.run({
        tokens: 1,
        attempt: async () => {
          order.push(id);
          under += 1;
          most = Math.max(most, under);
          await new Promise<void>((resolve) => clock.after(10, resolve));
          under -= 1;
          return { value: id };
        },
      });
    await clock.runUntil(Promise.all(Array.from({ length: 20 }, (_, id) => ask(id))));
    assert.equal(most, 3);
    assert.deepEqual(
      order,
      order.map((_, index) => index),
    );
  });
});

describe('pacer: failures', () => {
  it('asks exactly once where trying again cannot help, and gives the error itself', async () => {
    const { clock, pacer } = simulated();
    const library = Object.assign(new Error('Malformed input request'), { $metadata: { requestId: 'r-1' } });
    library.name = 'ValidationException';
    const { attempt, askedAt } = failing(clock, [describeError(library, { code: 'model-rejected' })]);
    await assert.rejects(clock.runUntil(pacer.run({ tokens: 1, attempt })), (error) => {
      assert.equal(error, library);
      assert.equal(library.message, 'Malformed input request');
      return true;
    });
    assert.equal(askedAt.length, 1);
  });

  it('does not take a mistake in the program for a failure of the provider', async () => {
    const { clock, pacer } = simulated();
    const { attempt, askedAt } = failing(clock, [new TypeError('x is not a function')]);
    await assert.rejects(clock.runUntil(pacer.run({ tokens: 1, attempt })), TypeError);
    assert.equal(askedAt.length, 1);
  });

  it('tries again later and later', async () => {
    const { clock, pacer } = simulated();
    const { attempt, askedAt } = failing(clock, [unavailable(), throttled(), unavailable(), throttled()]);
    assert.equal(await clock.runUntil(pacer.run({ tokens: 1, attempt })), 'answer');
    const gaps = askedAt.slice(1).map((time, index) => time - askedAt[index]!);
    for (const [index, gap] of gaps.entries()) {
      assert.ok(gap >= 50 * 2 ** index && gap <= 100 * 2 ** index + 1, `gap ${index} was ${gap} ms`);
    }
  });

  it('comes again when the provider says', async () => {
    const { clock, pacer } = simulated();
    const { attempt, askedAt } = failing(clock, [throttled(7000)]);
    await clock.runUntil(pacer.run({ tokens: 1, attempt }));
    assert.ok(askedAt[1]! >= 7000 && askedAt[1]! <= 7100);
  });

  it('gives up at once where the provider says to come after the deadline', async () => {
    const { clock, pacer } = simulated({ deadlineMs: 5000 });
    const error = throttled(60_000);
    await assert.rejects(
      clock.runUntil(pacer.run({ tokens: 1, attempt: failing(clock, [error]).attempt })),
      (thrown) => {
        assert.equal(thrown, error);
        assert.match(error.message, /Too many requests\. \(Given up after/);
        return true;
      },
    );
    assert.equal(clock.now(), 0);
  });

  it('gives up on a provider that is away sooner than on one that is busy', async () => {
    for (const [error, latest] of [
      [unavailable, 30_000],
      [throttled, 120_000],
    ] as const) {
      const { clock, pacer } = simulated();
      const errors = Array.from({ length: 100 }, () => error());
      await assert.rejects(clock.runUntil(pacer.run({ tokens: 1, attempt: failing(clock, errors).attempt })), {
        code: error().code,
        message: /Given up after \d+ tries in [\d.]+ s/,
      });
      assert.ok(clock.now() <= latest && clock.now() > latest / 3, `${clock.now()} ms`);
    }
  });

  it('bears with a provider that is away for as long as was said', async () => {
    const { clock, pacer } = simulated({ deadlineMs: 600_000 });
    let tries = 0;
    const attempt = async (): Promise<{ value: string }> => {
      tries += 1;
      if (clock.now() < 500_000) throw unavailable();
      return { value: 'answer' };
    };
    assert.equal(await clock.runUntil(pacer.run({ tokens: 1, attempt })), 'answer');
    assert.ok(clock.now() < 530_000 && tries < 60, `${tries} tries in ${clock.now()} ms`);
  });

  it('ends an attempt that does not answer, at the deadline', async () => {
    const { clock, pacer } = simulated({ deadlineMs: 9000 });
    await assert.rejects(clock.runUntil(pacer.run({ tokens: 1, attempt: silent })), {
      code: 'model-unavailable',
      message: 'model m gave no answer within 9 s.',
      retryable: true,
    });
    assert.equal(clock.now(), 9000);
  });

  it('counts the deadline from the first try, not from the end of the line', async () => {
    const { clock, pacer } = simulated({ deadlineMs: 2000, requestsPerMinute: 60 });
    const ask = (): Promise<string> => pacer.run({ tokens: 1, attempt: async () => ({ value: 'answer' }) });
    await clock.runUntil(Promise.all(Array.from({ length: 10 }, ask)));
    assert.ok(clock.now() >= 8900);
  });

  it('refuses limits that let nothing through', () => {
    assert.throws(() => createPacer({ name: 'm', requestsPerMinute: 0 }), { code: 'invalid-options' });
    assert.throws(() => createPacer({ name: 'm', tokensPerMinute: Number.NaN }), { code: 'invalid-options' });
  });
});

describe('pacer: cancelling', () => {
  const cancelled = { code: 'aborted' };
  const stages: readonly (readonly [string, (pacer: Pacer, signal: AbortSignal) => Promise<unknown>])[] = [
    ['while it is asking', (pacer, signal) => pacer.run({ tokens: 1, signal, attempt: silent })],
    [
      'while it waits to try again',
      (pacer, signal) => pacer.run({ tokens: 1, signal, attempt: () => Promise.reject(throttled(60_000)) }),
    ],
    [
      'while it waits for the quota',
      async (pacer, signal) => {
        await pacer.run({ tokens: 1, attempt: async () => ({ value: 1 }) });
        await pacer.run({ tokens: 1, signal, attempt: async () => assert.fail('it left before its turn') });
      },
    ],
    [
      'while it waits in line',
      async (pacer, signal) => {
        const others = new AbortController();
        const busy = Promise.allSettled(
          [1, 2].map(() => pacer.run({ tokens: 1, signal: others.signal, attempt: silent })),
        );
        try {
          await pacer.run({ tokens: 1, signal, attempt: async () => assert.fail('it left before its turn') });
        } finally {
          others.abort();
          await busy;
        }
      },
    ],
  ];
  for (const [stage, start] of stages) {
    it(`stops ${stage}, and goes on with others`, async () => {
      const { clock, pacer } = simulated({ requestsPerMinute: 6, concurrency: 2 });
      const controller = new AbortController();
      clock.after(1500, () => controller.abort(new Error('enough')));
      await assert.rejects(clock.runUntil(start(pacer, controller.signal)), cancelled);
      assert.equal(clock.now(), 1500);
      assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
      const next = pacer.run({ tokens: 1, attempt: async () => ({ value: 'next' }) });
      assert.equal(await clock.runUntil(next), 'next');
    });
  }

  it('does not begin when it is cancelled already', async () => {
    const { pacer } = simulated();
    const attempt = async (): Promise<never> => assert.fail('it was asked');
    await assert.rejects(pacer.run({ tokens: 1, signal: AbortSignal.abort(), attempt }), cancelled);
  });
});

describe('shared pacers', () => {
  it('are one for each key', () => {
    const one = sharedPacer('bedrock|eu-west-1|m', { name: 'm' });
    assert.equal(sharedPacer('bedrock|eu-west-1|m', { name: 'm' }), one);
    assert.notEqual(sharedPacer('bedrock|us-east-1|m', { name: 'm' }), one);
  });

  it('are others for other limits, other clients and other databases', () => {
    const asked = { name: 'm', requestsPerMinute: 60 };
    const acquire = async () => ({ waitMs: 0, lengthMs: 0 });
    const quotas = [{ acquire }, { acquire }].map((quota) => ({ quota, key: 'm' }));
    const clients = [{}, {}];
    const make = (): Pacer[] => [
      sharedPacer('same', { name: 'm' }),
      sharedPacer('same', asked),
      ...clients.map((client) => sharedPacer('same', asked, client)),
      ...quotas.map((shared) => sharedPacer('same', { ...asked, shared })),
      sharedPacer('same', { ...asked, shared: quotas[0] }, clients[0]),
    ];
    assert.equal(new Set(make()).size, 7);
    assert.deepEqual(
      make().map((pacer, index) => pacer === make()[index]),
      Array.from({ length: 7 }, () => true),
    );
  });

  it('work on the real clock', async () => {
    const pacer = sharedPacer('real', { name: 'm', requestsPerMinute: 60_000 });
    let asked = 0;
    const ask = (): Promise<number> =>
      pacer.run({
        tokens: 1,
        attempt: async () => {
          asked += 1;
          if (asked % 3 === 0) throw throttled();
          return { value: asked };
        },
      });
    assert.equal((await Promise.all(Array.from({ length: 20 }, ask))).length, 20);
    assert.equal(asked, 29);
  });
});
