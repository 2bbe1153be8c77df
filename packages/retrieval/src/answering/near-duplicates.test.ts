import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findNearDuplicates as findDuplicates } from './near-duplicates.js';

const findNearDuplicates = (texts: readonly string[]) =>
  findDuplicates(texts.map((text) => ({ text, context: 'Same' })));

const policy =
  'Employees may carry over five unused days of holiday into the next year, provided that their manager agrees in writing ' +
  'before the end of December. Days that are carried over lapse on 31 March and are not paid out under any circumstances.';

describe('findNearDuplicates', () => {
  it('finds the same words in another layout, and the earliest of several', () => {
    const other = policy.replaceAll(', ', ',\n  ').toUpperCase();
    assert.deepEqual(findNearDuplicates([policy, 'Something else.', other, policy]), [undefined, undefined, 0, 0]);
  });

  it('finds a text with a word more or less', () => {
    assert.deepEqual(findNearDuplicates([policy, `Please note: ${policy}`]), [undefined, 0]);
  });

  it('keeps versions that differ in a number, a date or a negation', () => {
    const versions = [
      policy,
      policy.replace('31 March', '30 June'),
      policy.replace('31 March', '30 March'),
      policy.replace('may carry', 'may not carry'),
      policy.replace('and are not', 'and are'),
    ];
    assert.deepEqual(
      findNearDuplicates(versions),
      versions.map(() => undefined),
    );
    assert.deepEqual(findNearDuplicates(['支給されます。', '支給されません。', '支給 されます']), [
      undefined,
      undefined,
      0,
    ]);
  });

  it('keeps short texts apart that stand under different titles', () => {
    const under = (text: string) => [
      { text, context: 'Bergen' },
      { text, context: 'Tokyo' },
    ];
    assert.deepEqual(findDuplicates(under('Open from 9 to 17.')), [undefined, undefined]);
    assert.deepEqual(findDuplicates(under(policy)), [undefined, 0]);
  });

  it('takes short and empty texts', () => {
    assert.deepEqual(findNearDuplicates(['', 'one', '', 'two', 'one!']), [undefined, undefined, 0, undefined, 1]);
    assert.deepEqual(findNearDuplicates([]), []);
  });
});
