import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRateLimits } from './rate-limits.js';

describe('limits of a key', () => {
  it('let as many requests a minute through as they say, and say when the next may come', () => {
    let now = 0;
    const limits = createRateLimits(() => now);
    const rules = { requestsPerMinute: 60 };
    for (let index = 0; index < 60; index += 1) assert.equal(limits.request('a', rules), undefined);
    assert.equal(limits.request('a', rules), 1);
    assert.equal(limits.request('b', rules), undefined);
    now = 1_000;
    assert.equal(limits.request('a', rules), undefined);
    assert.equal(limits.request('a', rules), 1);
  });

  it('hold requests back until tokens that were taken are worked off', () => {
    let now = 0;
    const limits = createRateLimits(() => now);
    const rules = { tokensPerMinute: 600 };
    assert.equal(limits.request('a', rules), undefined);
    limits.tokens('a', rules, 900);
    assert.equal(limits.request('a', rules), 31);
    now = 31_000;
    assert.equal(limits.request('a', rules), undefined);
  });

  it('hold nobody back who has none', () => {
    const limits = createRateLimits();
    for (let index = 0; index < 10_000; index += 1) assert.equal(limits.request('a', {}), undefined);
  });
});
