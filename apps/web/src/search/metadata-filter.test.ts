import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { filterMatches, parseFilter } from 'aquifer';
import { conditionsOf, filterOf } from './metadata-filter.js';

describe('the filter of clicked properties', () => {
  const metadata = { country: 'JP', tags: ['leave', 'family'] };

  it('holds for the document whose properties they are, and for no other', () => {
    for (const condition of conditionsOf(metadata)) {
      const filter = parseFilter(filterOf([condition]));
      assert.equal(filterMatches(filter, metadata), true, JSON.stringify(filter));
      assert.equal(filterMatches(filter, { country: 'DE', tags: ['coffee'] }), false, JSON.stringify(filter));
    }
  });

  it('turned round holds for the others alone, and an item of a list cannot be turned', () => {
    const [country, item] = conditionsOf(metadata).map((condition) => ({ ...condition, isNot: true }));
    assert.equal(filterMatches(parseFilter(filterOf([country!])), metadata), false);
    assert.equal(filterMatches(parseFilter(filterOf([country!])), { country: 'DE' }), true);
    assert.deepEqual(filterOf([item!]), { listContains: { key: 'tags', value: 'leave' } });
  });
});
