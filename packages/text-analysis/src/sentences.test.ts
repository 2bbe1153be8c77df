import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSeededRandom } from '@aquifer/contracts/testing';
import { splitSentences } from './sentences.js';

function sentences(text: string): string[] {
  return splitSentences(text).map(({ start, end }) => text.slice(start, end));
}

const cases: readonly (readonly [name: string, parts: readonly string[]])[] = [
  ['plain English', ['It rains. ', 'Does it? ', 'Yes! ', 'Well… so be it.']],
  ['plain Japanese', ['今日は雨です。', '明日は？', '晴れます！', 'そうですか。']],
  ['white space behind the sentence', ['  One. \t ', 'Two.  ']],
  ['closing quotes and brackets', ['"It rains." ', '(He left.) ', '“So it is.” ', 'End.']],
  ['a German quotation', ['„Es regnet.“ ', 'Er geht.']],
  ['speech that goes on', ['"What?" he said.']],
  [
    'an opening Japanese quote starts the next sentence',
    ['雨です。', '「はい。」', '『本』を読む。', '（注を見る。）', '終わり。'],
  ],
  ['a quotation inside a sentence', ['彼は「はい。」と言った。', '「いいえ。」', 'とにかく帰る。']],
  ['a Chinese quotation', ['他来了。', '“你好。”', '她笑了。']],
  ['runs of terminators', ['え！？', '本当！！！', 'Really?! ', 'Wait... ', 'Then go.']],
  ['a comma behind a terminator', ['「えっ？」、と思った。', 'Yahoo!, he cried.']],
  ['titles', ['Mr. Smith met Dr. Brown and Prof. Gray. ', 'They talked.']],
  ['numbered things', ['See Fig. 3, No. 12 and Vol. IV. ', 'No. ', 'Never.']],
  ['dates of life', ['It was built c. 1200 by Anna (b. 1160, d. 1213). ', 'It stands.']],
  ['initials', ['J. R. Smith lives in the U.S. Army base. ', 'He moved to the U.S. ', 'The end.']],
  ['companies and months', ['Acme Inc. Japan grew on Jan. 5. ', 'It was bought by Acme Inc. ', 'This was new.']],
  ['Latin abbreviations', ['Use a tool, e.g. Vim, i.e. an editor, etc. and so on. ', 'Done.']],
  ['numbers', ['Pi is 3.14 and e is 2.71. ', 'Version 1.2.3 came in 1990. ', '50 people came.']],
  ['full-width numbers', ['円周率は３．１４です．', '次に進む．']],
  ['addresses and file names', ['Visit example.org/a?b=c!d or read main.ts today. ', 'Thanks.']],
  ['ASCII marks in Japanese', ['元気ですか?', '元気です!', '終わり.', '次です.']],
  ['numbers of list items', ['1. First thing. ', 'More of it.\n', '2. Second thing.']],
  ['an empty line', ['Heading\n\n', 'Text without an end\n \n', 'More']],
  ['short lines', ['Heading\n', 'It rains. ', 'It pours.\n', 'List:\n', '- one\n', '- two\n', '* three']],
  [
    'wrapped lines',
    ['This line was wrapped by an editor at some\nColumn, and goes on. ', 'A short one\nthat goes on in lower case.'],
  ],
  ['wrapped Japanese lines', ['この行はエディタによって途中で折り返されていますので\n次の行に続きます。', '終わり。']],
  [
    'table rows',
    ['| a long row of a table | with two cells in it |\n', '| another row of the table | with two cells |'],
  ],
  ['other scripts', ['यह पहला वाक्य है। ', 'यह दूसरा है। ', 'ما اسمك؟ ', 'اسمي علي.']],
  ['emoji behind the end', ['Nice! ', '👍🏽 Good.']],
  ['white space alone', [' \n\n ']],
  ['one word', ['word']],
];

describe('splitSentences', () => {
  for (const [name, parts] of cases) {
    it(name, () => assert.deepEqual(sentences(parts.join('')), parts));
  }

  it('gives nothing for an empty text or range', () => {
    assert.deepEqual(splitSentences(''), []);
    assert.deepEqual(splitSentences('One. Two.', { start: 4, end: 4 }), []);
    assert.deepEqual(splitSentences('One.', { start: 9, end: 12 }), []);
  });

  it('looks only at the range, and gives offsets into the text', () => {
    assert.deepEqual(splitSentences('Mr. No. Two. Three. Four.', { start: 8, end: 20 }), [
      { start: 8, end: 13 },
      { start: 13, end: 20 },
    ]);
    assert.deepEqual(splitSentences('One. Two.', { start: 5, end: 99 }), [{ start: 5, end: 9 }]);
  });

  it('covers any text without gaps, and splits a sentence no further', () => {
    const alphabet = [...'aB1 .。！?\n「」"“”、…', '👨‍👩‍👧', '\ud800', 'Mr.', '\r\n', '\u2029', '1. '];
    const below = createSeededRandom(7).below;
    for (let round = 0; round < 3000; round += 1) {
      const text = Array.from({ length: below(40) }, () => alphabet[below(alphabet.length)]).join('');
      let position = 0;
      for (const { start, end } of splitSentences(text)) {
        assert.equal(start, position, JSON.stringify(text));
        assert.ok(end > start, JSON.stringify(text));
        position = end;
      }
      assert.equal(position, text.length, JSON.stringify(text));
    }
  });

  it('agrees with the Unicode rules where these need no correction', () => {
    const text =
      'The reader opens a file. It finds the headings! Does it find tables? It does. 今日は雨です。明日は晴れますか？はい、晴れます！';
    const expected = [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)].map(
      (part) => part.segment,
    );
    assert.deepEqual(sentences(text), expected);
  });

  it('ends for a megabyte of anything', () => {
    const size = 1_000_000;
    for (const unit of [
      'a',
      '.',
      '\n',
      ' ',
      ' .',
      '"',
      '."',
      '.\n',
      '「',
      '。」',
      '字',
      'a\n',
      'U.',
      '👍',
      '\ud83d',
      '(1) ',
      '\r\n',
    ]) {
      const spans = splitSentences(unit.repeat(size / unit.length));
      assert.equal(spans.at(-1)?.end, Math.floor(size / unit.length) * unit.length);
    }
  });
});
