import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { likelyLimit } from './likely-limit.js';

describe('the likely limit', () => {
  const round = (perSecond: number, throttled: number) => ({ perSecond, ended: perSecond, throttled });

  it('is the fastest rate where all rounds were throttled alike', () => {
    assert.equal(likelyLimit([round(40, 4), round(60, 6), round(80, 8)]), 80);
    assert.equal(likelyLimit([round(80, 0)]), 80);
  });

  it('is where more begins to be throttled', () => {
    const clean = likelyLimit([round(40, 0), round(60, 10), round(80, 30)]);
    assert.ok(clean > 48 && clean < 54, `${clean}`);
    const noisy = likelyLimit([round(400, 40), round(600, 150), round(800, 350)]);
    assert.ok(noisy > 480 && noisy < 530, `${noisy}`);
  });
});
