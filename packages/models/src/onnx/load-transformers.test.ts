import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadTransformers } from './load-transformers.js';

describe('loading transformers.js', () => {
  it('says how to install it where it is missing', async () => {
    await assert.rejects(loadTransformers('@aquifer/no-such-package'), {
      code: 'missing-dependency',
      message: /is not installed.*ONNXRUNTIME_NODE_INSTALL=skip npm install @huggingface\/transformers/,
    });
  });

  it('says what is wrong where it cannot be loaded', async () => {
    await assert.rejects(
      loadTransformers('data:text/javascript,throw new Error("no binding for this machine\\ntried:")'),
      {
        code: 'missing-dependency',
        message: /cannot be loaded \(no binding for this machine\)/,
      },
    );
  });
});
