import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dollars } from './money.js';

describe('dollars', () => {
  it('shows two digits that say something', () => {
    const shown = [0, 1e-9, 0.0000213, 0.00213, 0.5, 0.999, 1.2, 1234.567].map(dollars);
    assert.deepEqual(shown, ['$0', '$0', '$0.000021', '$0.0021', '$0.50', '$1.00', '$1.20', '$1234.57']);
  });
});
