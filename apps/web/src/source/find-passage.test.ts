import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPassage } from './find-passage.js';

const marked = (items: readonly string[], passage: string) =>
  findPassage(items, passage).map(({ item, start, end }) => items[item]!.slice(start, end));

test('a passage is found over several texts, whatever the spaces, hyphens and ligatures are', () => {
  assert.deepEqual(
    marked(['Full-time em-', 'ployees may take 52', ' weeks of ﬁnal leave.'], 'employees may take 52 weeks of final'),
    ['em', 'ployees may take 52', 'weeks of ﬁnal'],
  );
});

test('Japanese, with full-width digits and characters outside of the first plane', () => {
  assert.deepEqual(marked(['育児休業は', '５２週間𠮷まで'], '休業は52週間𠮷'), ['休業は', '５２週間𠮷']);
});

test('cells of a table that are drawn in another order are found each by itself', () => {
  const items = ['Country of employment', 'Weeks of leave at most', 'Japan, full-time staff', 'fifty-two weeks in all'];
  const passage = 'Country of employment | Japan, full-time staff | Weeks of leave at most | fifty-two weeks in all';
  assert.deepEqual(marked(items, passage), items);
});

test('a passage that is not there is not found, nor one of which a few words are', () => {
  const items = ['The daily meal allowance when travelling is 45 euros.'];
  assert.deepEqual(marked(items, 'Parental leave is 52 weeks for full-time employees'), []);
  assert.deepEqual(
    marked(items, 'The daily meal allowance is something else entirely, as the board has decided in May'),
    [],
  );
  assert.deepEqual(marked(items, ' — '), []);
  assert.deepEqual(marked([], 'anything'), []);
});
