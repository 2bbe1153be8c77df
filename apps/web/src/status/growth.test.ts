import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growth } from './growth.js';

test('chunks add up in the order of time, to all of them', () => {
  const documents = [
    { indexedAt: 3_000, chunkCount: 5 },
    { indexedAt: 1_000, chunkCount: 2 },
    { indexedAt: 1_500, chunkCount: 0 },
    { indexedAt: 2_000, chunkCount: 1 },
  ];
  assert.deepEqual(growth(documents), [
    { at: 1_000, chunks: 2 },
    { at: 2_000, chunks: 3 },
    { at: 3_000, chunks: 8 },
  ]);
});

test('documents of one moment are one step, and none are none', () => {
  assert.deepEqual(
    growth([
      { indexedAt: 7, chunkCount: 2 },
      { indexedAt: 7, chunkCount: 3 },
    ]),
    [{ at: 7, chunks: 5 }],
  );
  assert.deepEqual(growth([]), []);
  assert.deepEqual(growth([{ indexedAt: 7, chunkCount: 0 }]), []);
});
