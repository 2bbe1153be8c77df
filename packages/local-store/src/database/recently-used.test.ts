import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRecentlyUsed } from './recently-used.js';

describe('values that were used last', () => {
  it('are kept up to a number of bytes, those longest unused going first', () => {
    const kept = createRecentlyUsed<string, string>(6, (value) => value.length);
    for (const key of ['a', 'b', 'c']) kept.set(key, `${key}${key}`);
    assert.equal(kept.get('a'), 'aa');
    kept.set('d', 'dd');
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => kept.get(key)),
      ['aa', undefined, 'cc', 'dd'],
    );
    kept.set('e', 'eeeeee');
    assert.deepEqual(
      ['a', 'c', 'd', 'e'].map((key) => kept.get(key)),
      [undefined, undefined, undefined, 'eeeeee'],
    );
  });

  it('are replaced under their key, and not kept where one alone is too large', () => {
    const kept = createRecentlyUsed<string, string>(4, (value) => value.length);
    kept.set('a', 'a');
    kept.set('a', 'aaa');
    kept.set('b', 'b');
    assert.equal(kept.get('a'), 'aaa');
    kept.set('a', 'aaaaa');
    assert.equal(kept.get('a'), undefined);
    assert.equal(kept.get('b'), 'b');
    kept.set('c', 'ccc');
    assert.equal(kept.get('b'), 'b', 'what was replaced takes no room');
    kept.clear();
    assert.equal(kept.get('b'), undefined);
  });
});
