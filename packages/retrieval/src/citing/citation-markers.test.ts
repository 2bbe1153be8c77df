import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCitationMarkerReader, type MarkedText } from './citation-markers.js';

/** Text with markers shown as {1,2}, whatever the pieces it came in. */
function read(pieces: readonly string[], passages: readonly string[] = ['a', 'b', 'c']): string {
  const reader = createCitationMarkerReader(passages);
  const out: MarkedText[] = [];
  for (const piece of pieces) out.push(...reader.push(piece));
  out.push(...reader.end());
  return out
    .map((item) => (item.type === 'text' ? item.text : item.type === 'marker' ? `{${item.numbers.join()}}` : '{none}'))
    .join('');
}

const cases: readonly (readonly [answer: string, expected: string, passages?: readonly string[]])[] = [
  ['52 weeks [1].', '52 weeks{1}.'],
  ['52 weeks[1]; 24 months [2].', '52 weeks{1}; 24 months{2}.'],
  ['52 weeks. [1]', '52 weeks.{1}'],
  ['So it is [1, 2] and [1][3] and [1] [2].', 'So it is{1,2} and{1,3} and{1,2}.'],
  ['All [1-3]. Some [2–3].', 'All{1,2,3}. Some{2,3}.'],
  ['52週間です[1]。24か月［２］。三つ【3】。', '52週間です{1}。24か月{2}。三つ{3}。'],
  ['[1] says so.', '{1}says so.'],
  ['One.\n[2] says so.', 'One.\n{2}says so.'],
  [
    'As he wrote [sic] in [2024] and [0] and [4] and [1, 9] and [ ] and [].',
    'As he wrote [sic] in [2024] and [0] and [4] and [1, 9] and [ ] and [].',
  ],
  ['Use `array[1]` here [1].', 'Use `array[1]` here{1}.'],
  ['```\nx[1] = y [2]\n```\nDone [3].', '```\nx[1] = y [2]\n```\nDone{3}.'],
  ['A stray ` tick\nends with the line [1].', 'A stray ` tick\nends with the line{1}.'],
  ['It was shown [3] to work [1].', 'It was shown [3] to work{1}.', ['It was shown [3] to work.', '', '']],
  ['[none] Nothing on this.', '{none}Nothing on this.'],
  ['  [NONE]', '{none}'],
  ['[not] a marker [1', '[not] a marker [1'],
  ['  Trimmed  [1]  \n ', 'Trimmed{1}'],
  ['', ''],
];

describe('createCitationMarkerReader', () => {
  for (const [answer, expected, passages] of cases) {
    it(JSON.stringify(answer), () => {
      assert.equal(read([answer], passages), expected);
      assert.equal(read([...answer], passages), expected, 'character by character');
      for (let cut = 1; cut < answer.length; cut++) {
        assert.equal(read([answer.slice(0, cut), answer.slice(cut)], passages), expected, `cut at ${cut}`);
      }
    });
  }

  it('sends text as soon as it cannot be a marker any more', () => {
    const reader = createCitationMarkerReader(['a']);
    assert.deepEqual(reader.push('52 weeks '), [{ type: 'text', text: '52 weeks' }]);
    assert.deepEqual(reader.push('[1'), []);
    assert.deepEqual(reader.push(']'), []);
    assert.deepEqual(reader.push('.'), [
      { type: 'marker', numbers: [1] },
      { type: 'text', text: '.' },
    ]);
  });

  it('takes time linear in the length of brackets and spaces that never end', () => {
    for (const unit of ['[', '[1,', ' ', '`', '\n']) {
      const reader = createCitationMarkerReader(['a']);
      let length = 0;
      for (let index = 0; index < 2_000; index++) {
        for (const item of reader.push(unit.repeat(50))) if (item.type === 'text') length += item.text.length;
      }
      assert.ok(length <= unit.length * 100_000);
    }
  });
});
