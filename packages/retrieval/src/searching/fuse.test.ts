import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fuse } from './fuse.js';

const scored = (scores: Record<string, number>) =>
  Object.entries(scores).map(([chunkId, score]) => ({ chunkId, documentId: chunkId.replace(/\d+$/, ''), score }));
const order = (fused: ReturnType<typeof fuse>) =>
  fused.map(({ chunkId, fused: { score } }) => [chunkId, Number(score.toFixed(6))]);

describe('fuse', () => {
  const convex = { method: 'convex', denseWeight: 0.3 } as const;

  it('adds the scaled cosine and the share of the best keyword score', () => {
    const fused = fuse({ dense: scored({ a: 0.9, b: 0.7, c: 0.5 }), keyword: scored({ b: 8, d: 4 }) }, convex);
    assert.deepEqual(order(fused), [
      ['b', 0.85],
      ['d', 0.35],
      ['a', 0.3],
      ['c', 0],
    ]);
    assert.deepEqual(fused[0], {
      chunkId: 'b',
      dense: { rank: 2, score: 0.7 },
      keyword: { rank: 1, score: 8 },
      fused: { rank: 1, score: fused[0]!.fused.score },
    });
  });

  it('adds some of what the best other chunk of the document counts in the dense leg', () => {
    const dense = scored({ a1: 0.9, b1: 0.8, a2: 0.7, c: 0.6, a3: 0.5 });
    assert.deepEqual(order(fuse({ dense, keyword: [] }, convex)), [
      ['a1', 0.318],
      ['b1', 0.225],
      ['a2', 0.186],
      ['c', 0.075],
      ['a3', 0.036],
    ]);
  });

  it('counts equal cosines, and a single one, as the best', () => {
    assert.deepEqual(order(fuse({ dense: scored({ a: 0.4 }), keyword: [] }, convex)), [['a', 0.3]]);
    assert.deepEqual(order(fuse({ dense: scored({ a: -0.1, b: -0.1 }), keyword: scored({ b: 1 }) }, convex)), [
      ['b', 1],
      ['a', 0.3],
    ]);
  });

  it('breaks ties by chunk id', () => {
    const fused = fuse({ dense: [], keyword: scored({ z: 2, B: 2, a: 2 }) }, convex);
    assert.deepEqual(
      order(fused).map(([id]) => id),
      ['B', 'a', 'z'],
    );
  });

  it('weighs one leg alone at weights 0 and 1', () => {
    const legs = { dense: scored({ a: 0.9, b: 0.1 }), keyword: scored({ b: 5, a: 1 }) };
    assert.equal(fuse(legs, { method: 'convex', denseWeight: 1 })[0]!.chunkId, 'a');
    assert.equal(fuse(legs, { method: 'convex', denseWeight: 0 })[0]!.chunkId, 'b');
  });

  it('adds reciprocal ranks with k = 60', () => {
    const fused = fuse({ dense: scored({ a: 0.9, b: 0.8 }), keyword: scored({ b: 7 }) }, { ...convex, method: 'rrf' });
    assert.equal(fused[0]!.chunkId, 'b');
    assert.equal(fused[0]!.fused.score, 1 / 62 + 1 / 61);
    assert.equal(fused[1]!.fused.score, 1 / 61);
  });

  it('leaves the scores of a single leg as they are', () => {
    assert.deepEqual(order(fuse({ keyword: scored({ a: 7.5, b: 2 }) }, convex)), [
      ['a', 7.5],
      ['b', 2],
    ]);
    assert.deepEqual(order(fuse({ dense: scored({ a: -0.2 }) }, convex)), [['a', -0.2]]);
    assert.deepEqual(fuse({}, convex), []);
  });
});
