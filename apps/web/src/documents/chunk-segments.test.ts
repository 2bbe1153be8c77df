import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkSegments } from './chunk-segments.js';

test('a text is cut where chunks begin and end, with gaps and overlaps', () => {
  const chunks = [
    { start: 2, end: 10 },
    { start: 8, end: 16 },
    { start: 18, end: 20 },
  ];
  assert.deepEqual(chunkSegments(20, chunks), [
    { start: 0, end: 2, chunks: [], begins: [] },
    { start: 2, end: 8, chunks: [0], begins: [0] },
    { start: 8, end: 10, chunks: [0, 1], begins: [1] },
    { start: 10, end: 16, chunks: [1], begins: [] },
    { start: 16, end: 18, chunks: [], begins: [] },
    { start: 18, end: 20, chunks: [2], begins: [2] },
  ]);
});

test('a text without chunks is one piece, and an empty one none', () => {
  assert.deepEqual(chunkSegments(5, []), [{ start: 0, end: 5, chunks: [], begins: [] }]);
  assert.deepEqual(chunkSegments(0, []), []);
});
