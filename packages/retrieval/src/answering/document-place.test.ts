import assert from 'node:assert/strict';
import { it } from 'node:test';
import { placeInDocument } from './document-place.js';

it('placeInDocument names the innermost headings and the pages of a piece', () => {
  const text = 'Leave\nParental\nJapan\n52 weeks.\nHolidays\n20 days.';
  const heading = (words: string, level: number) => {
    const start = text.indexOf(words);
    return { kind: 'heading' as const, start, end: start + words.length, level };
  };
  const content = {
    text,
    blocks: [heading('Leave', 1), heading('Parental', 2), heading('Japan', 3), heading('Holidays', 2)],
    pages: [
      { page: 1, start: 0, end: 21 },
      { page: 2, start: 21, end: text.length },
    ],
  };
  const place = (words: string) => placeInDocument(content, text.indexOf(words), text.indexOf(words) + words.length);
  assert.deepEqual(place('52 weeks'), { headings: ['Leave', 'Parental', 'Japan'], pageStart: 2, pageEnd: 2 });
  assert.deepEqual(place('20 days'), { headings: ['Leave', 'Holidays'], pageStart: 2, pageEnd: 2 });
  assert.deepEqual(place('Parental\nJapan'), { headings: ['Leave', 'Parental'], pageStart: 1, pageEnd: 1 });
  assert.deepEqual(placeInDocument({ text, blocks: [], pages: [] }, 0, 5), { headings: [] });
});
