import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSeededRandom } from '@aquifer/contracts/testing';
import { createRateFinder, type RateFinder } from './rate-finder.js';

interface Stretch {
  readonly seconds: number;
  readonly perSecond: number;
  /** Share that is throttled for other reasons. */
  readonly atRandom?: number;
}

interface Sent {
  requests: number;
  letThrough: number;
}

/**
 * Sends at the rate of the finder (at most 400 a second) to a provider that lets `perSecond` through, with a tenth of a second saved up and
 * 50 ms to answer. What was sent in each stretch but its first ten seconds.
 */
function drive(finder: RateFinder, stretches: readonly Stretch[], seed = 1): Sent[] {
  const random = createSeededRandom(seed);
  const answers: { readonly at: number; readonly end: () => void }[] = [];
  let now = 0;
  let level = 0;
  return stretches.map(({ seconds, perSecond, atRandom = 0 }) => {
    const sent = { requests: 0, letThrough: 0 };
    const begin = now;
    while (now < begin + seconds * 1000) {
      const gapMs = 1000 / Math.min(400, finder.perSecond);
      now += gapMs;
      while (answers.length > 0 && answers[0]!.at <= now) answers.shift()!.end();
      level = Math.min(Math.max(1, perSecond / 10), level + (gapMs / 1000) * perSecond);
      const isLetThrough = level >= 1;
      if (isLetThrough) level -= 1;
      const end = finder.sent(now);
      const at = now + 50;
      const isThrottled = !isLetThrough || random.next() < atRandom;
      answers.push({ at, end: () => end(isThrottled, at) });
      if (now < begin + 10_000) continue;
      sent.requests += 1;
      if (isLetThrough) sent.letThrough += 1;
    }
    return sent;
  });
}

const used = ({ letThrough }: Sent, { seconds, perSecond }: Stretch): number =>
  letThrough / ((seconds - 10) * perSecond);
const wasted = ({ requests, letThrough }: Sent): number => (requests - letThrough) / letThrough;

describe('rate finder', () => {
  it('has no rate while nothing is throttled', () => {
    const finder = createRateFinder(undefined);
    drive(finder, [{ seconds: 20, perSecond: 1000 }]);
    assert.equal(finder.perSecond, Number.POSITIVE_INFINITY);
  });

  it('is not impressed by throttling that does not depend on the rate', () => {
    const finder = createRateFinder(undefined);
    drive(finder, [{ seconds: 20, perSecond: 1000, atRandom: 0.1 }]);
    assert.equal(finder.perSecond, Number.POSITIVE_INFINITY);
    const declared = createRateFinder(50);
    drive(declared, [{ seconds: 60, perSecond: 1000, atRandom: 0.3 }]);
    assert.ok(declared.perSecond > 35, `${declared.perSecond}`);
  });

  for (const atRandom of [0, 0.1]) {
    for (const perSecond of [5, 50, 200]) {
      it(`finds a limit of ${perSecond} a second, with ${atRandom * 100} % throttled at random`, () => {
        for (const seed of [1, 2, 3, 4]) {
          const stretch = { seconds: 130, perSecond, atRandom };
          const [sent] = drive(createRateFinder(undefined), [stretch], seed);
          // Two minutes of five a second are few answers to learn from.
          assert.ok(used(sent!, stretch) > (perSecond < 10 ? 0.5 : 0.9), `seed ${seed}: ${used(sent!, stretch)} used`);
          assert.ok(wasted(sent!) < 0.15, `seed ${seed}: ${wasted(sent!)} wasted`);
        }
      });
    }
  }

  it('finds a limit that comes after a long time without one', () => {
    const stretches = [
      { seconds: 100, perSecond: 1000 },
      { seconds: 40, perSecond: 100 },
    ];
    const sent = drive(createRateFinder(undefined), stretches);
    assert.ok(used(sent[1]!, stretches[1]!) > 0.9 && wasted(sent[1]!) < 0.15, JSON.stringify(sent[1]));
  });

  it('never exceeds what the provider is known to allow', () => {
    const finder = createRateFinder(20);
    const [sent] = drive(finder, [{ seconds: 60, perSecond: 1000 }]);
    assert.ok(Math.abs(sent!.requests - 1000) < 10);
    assert.equal(finder.perSecond, 20);
  });

  it('follows a limit that falls to less than half, and one that rises again', () => {
    const stretches = [
      { seconds: 60, perSecond: 60 },
      { seconds: 60, perSecond: 25 },
      { seconds: 240, perSecond: 60 },
    ];
    const sent = drive(createRateFinder(undefined), stretches);
    assert.ok(used(sent[1]!, stretches[1]!) > 0.9 && wasted(sent[1]!) < 0.15, JSON.stringify(sent[1]));
    assert.ok(used(sent[2]!, stretches[2]!) > 0.6, JSON.stringify(sent[2]));
  });

  it('goes on asking, slowly, where nothing is let through at all', () => {
    const finder = createRateFinder(50);
    const [sent] = drive(finder, [{ seconds: 120, perSecond: 0.001 }]);
    assert.ok(finder.perSecond > 0 && finder.perSecond < 1, `${finder.perSecond}`);
    assert.ok(sent!.requests > 3 && sent!.requests < 600, `${sent!.requests} requests`);
  });

  it('is soon back where it was after a minute in which nothing was let through', () => {
    const stretches = [
      { seconds: 30, perSecond: 50 },
      { seconds: 60, perSecond: 0.001 },
      { seconds: 70, perSecond: 50 },
    ];
    const sent = drive(createRateFinder(50), stretches);
    assert.ok(used(sent[2]!, stretches[2]!) > 0.6, JSON.stringify(sent[2]));
  });
});
