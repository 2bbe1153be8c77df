import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { joinWords, parseHocr } from './hocr.js';

const word = (text: string, left: number, confidence: number) =>
  `<span class='ocrx_word' id='w' title='bbox ${left} 70 ${left + 50} 100; x_wconf ${confidence}'>${text}</span>`;
const line = (title: string, ...words: string[]) =>
  `<span class='ocr_line' id='l' title="${title}">${words.join(' ')}</span>`;
const size = 'bbox 60 70 260 108; baseline 0 -8; x_size 38; x_descenders 8; x_ascenders 7';

describe('parseHocr', () => {
  it('reads lines with their words, sizes, baselines and paragraphs', () => {
    const lines = parseHocr(
      `<div class='ocr_carea'><p class='ocr_par'>${line(size, word('Tom &amp;', 60, 96), word('<em>Ada</em>', 120, 90))}${line(size, word('second', 60, 90))}</p>` +
        `<p class='ocr_par'>${line(size.replace('line 0', 'line 0.02'), word('third', 60, 90)).replace('ocr_line', 'ocr_header')}</p></div>`,
    );
    assert.deepEqual(
      lines.map(({ words, paragraph, size: height, baseline }) => [joinWords(words), paragraph, height, baseline]),
      [
        ['Tom & Ada', 1, 38, 100],
        ['second', 1, 38, 100],
        ['third', 2, 38, 102],
      ],
    );
  });

  it('leaves out what is hardly believed: specks, lines of them, and lines without a letter', () => {
    const lines = parseHocr(
      line(size, word('sure', 60, 90), word('speck', 120, 10)) +
        line(size, word('maybe', 60, 30), word('not', 120, 40)) +
        line(size, word('—|', 60, 95)),
    );
    assert.deepEqual(
      lines.map(({ words }) => joinWords(words)),
      ['sure'],
    );
  });

  it('keeps a baseline in the line, whatever its slope says', () => {
    const [noise] = parseHocr(line(size.replace('baseline 0 -8', 'baseline -9.5 -800'), word('noise', 60, 90)));
    assert.equal(noise?.baseline, 108 - 38 / 2);
  });

  it('finds nothing in what is no hOCR', () => {
    assert.deepEqual(parseHocr('<p>text</p><span class="ocr_line">'), []);
    assert.deepEqual(parseHocr(''), []);
  });
});

describe('joinWords', () => {
  it('puts spaces between words, and none where Japanese or Chinese is on either side', () => {
    const joined = (...texts: string[]) => joinWords(texts.map((text) => ({ text })));
    assert.equal(joined('Parental', 'leave', 'is', '52', 'weeks.'), 'Parental leave is 52 weeks.');
    assert.equal(joined('育児', '休業', 'は', '52', '週間', '。'), '育児休業は52週間。');
    assert.equal(joined('𠮷野', '家', 'and', 'more'), '𠮷野家and more');
  });
});
