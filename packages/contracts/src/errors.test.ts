import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeError, isAquiferError, toPlainError } from './errors.js';

class ThrottlingException extends Error {
  override readonly name = 'ThrottlingException';
  readonly $metadata = { httpStatusCode: 429, requestId: 'abc' };
}

describe('describeError', () => {
  it("keeps the library's error, and makes it one of ours", () => {
    const original = new ThrottlingException('Too many requests');
    const described = describeError(original, { code: 'model-throttled', retryable: true, message: 'Slow down.' });
    assert.equal(described, original);
    assert.ok(described instanceof ThrottlingException && isAquiferError(described, 'model-throttled'));
    assert.equal(described.name, 'ThrottlingException');
    assert.deepEqual(original.$metadata, { httpStatusCode: 429, requestId: 'abc' });
    assert.deepEqual([described.code, described.retryable, described.message], ['model-throttled', true, 'Slow down.']);
    assert.equal(toPlainError(described).code, 'model-throttled');
  });

  it('keeps the message where none is given', () => {
    assert.equal(describeError(new Error('as it was'), { code: 'model-rejected' }).message, 'as it was');
  });

  it('makes an error of what is none, and of what cannot be changed', () => {
    for (const thrown of ['text', undefined, Object.freeze(new Error('frozen'))]) {
      const described = describeError(thrown, { code: 'model-failed', message: 'It failed.' });
      assert.ok(isAquiferError(described, 'model-failed'));
      assert.equal(described.message, 'It failed.');
      assert.equal(described.cause, thrown);
    }
  });
});
