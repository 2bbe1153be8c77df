import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chargesFor, embeddingWindow } from './embedding-terms.js';

describe('what embedding costs', () => {
  const counts = { tokens: 3_000_000, requests: 6_000 };

  it('is the price of the tokens, and in an estimate the time at whichever quota is the narrower', () => {
    const terms = {
      usdPerMillionTokens: 0.02,
      tokensPerMinute: 300_000,
      requestsPerMinute: 2_000,
      textsPerRequest: 1,
    };
    assert.deepEqual(chargesFor(terms, counts, true), { costUsd: 0.06, minutesAtQuota: 10 });
    assert.deepEqual(chargesFor({ ...terms, requestsPerMinute: 300 }, counts, true), {
      costUsd: 0.06,
      minutesAtQuota: 20,
    });
    assert.deepEqual(chargesFor(terms, counts, false), { costUsd: 0.06 });
  });

  it('says nothing where nothing is known, or nobody charges', () => {
    assert.deepEqual(chargesFor({ textsPerRequest: 1 }, counts, true), {});
    assert.deepEqual(chargesFor(undefined, counts, true), {});
  });
});

describe('texts on their way to an embedder', () => {
  it('are as many as fill all requests, also where each document is one text', () => {
    const { embedBatchSize, fillBatches, documentConcurrency } = embeddingWindow({ terms: { textsPerRequest: 96 } });
    assert.deepEqual([embedBatchSize, fillBatches], [96, true]);
    assert.ok(documentConcurrency >= 96 * 2);
    assert.equal(embeddingWindow({ terms: { textsPerRequest: 1 } }).fillBatches, false);
    assert.equal(embeddingWindow({ terms: undefined }).fillBatches, false);
  });
});
