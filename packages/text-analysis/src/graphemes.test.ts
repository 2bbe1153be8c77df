import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { codePointCut, graphemeCut, graphemeSpans } from './graphemes.js';

const samples = [
  'plain text, 日本語のテキスト。',
  '👨‍👩‍👧‍👦👍🏽👩🏾‍🚀',
  '🇯🇵🇫🇷🇩🇪',
  'e\u0301\u0323a\r\nb\r\n',
  'नमस्ते 한국어 \u1112\u1161\u11ab กำ',
  'が\u3099か\u3099 1️⃣2️⃣ ㊗️',
  'x\ud83dy\udc00z',
];

function boundaries(text: string): number[] {
  return [...new Intl.Segmenter('und').segment(text)].map(({ index }) => index).concat(text.length);
}

describe('graphemeCut', () => {
  it('gives the last boundary at or before any offset', () => {
    for (const sample of [...samples, samples.join(''), samples.join('').repeat(20)]) {
      const known = boundaries(sample);
      for (let offset = 0; offset <= Math.min(sample.length, 400); offset += 1) {
        const expected = known.filter((boundary) => boundary <= offset).at(-1);
        assert.equal(graphemeCut(sample, offset), expected, `${JSON.stringify(sample)} at ${offset}`);
      }
    }
  });

  it('counts flags from the beginning of their run, or from a known boundary', () => {
    const flags = '🇯🇵'.repeat(2000);
    for (const offset of [4, 5, 7, 401, 7998, 7999]) {
      assert.equal(graphemeCut(flags, offset), offset - (offset % 4));
      assert.equal(graphemeCut(flags, offset, 4), offset - (offset % 4));
    }
  });

  it('stays where a cluster fills everything behind the known boundary', () => {
    assert.equal(graphemeCut('ab👨‍👩‍👧‍👦c', 6, 2), 2);
    assert.equal(graphemeCut('abc', 9), 3);
    assert.equal(graphemeCut('abc', 1, 2), 2);
  });

  it('cuts a cluster of hundreds of accents between code points', () => {
    const text = `a${'\u0301'.repeat(5000)}`;
    const cut = graphemeCut(text, 3000);
    assert.ok(cut > 2000 && cut <= 3000);
  });
});

describe('graphemeSpans', () => {
  it('covers the range, white space at its end included', () => {
    assert.deepEqual(graphemeSpans('xe\u0301👍🏽  y', { start: 1, end: 9 }), [
      { start: 1, end: 3 },
      { start: 3, end: 9 },
    ]);
    assert.deepEqual(graphemeSpans('a  b', { start: 1, end: 3 }), [{ start: 1, end: 3 }]);
    assert.deepEqual(graphemeSpans('ab', { start: 1, end: 1 }), []);
  });
});

describe('codePointCut', () => {
  it('moves before a surrogate pair that it would divide', () => {
    assert.equal(codePointCut('a👍b', 2), 1);
    assert.equal(codePointCut('a👍b', 3), 3);
    assert.equal(codePointCut('\udc4d', 0), 0);
    assert.equal(codePointCut('a\udc4d', 1), 1);
  });
});
