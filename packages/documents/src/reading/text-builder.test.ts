import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWellFormed } from '@aquifer/contracts/testing';
import { createTextBuilder, normaliseText } from './text-builder.js';

describe('text builder', () => {
  it('separates rows and items by a newline, and everything else by a blank line', () => {
    const builder = createTextBuilder();
    builder.append('heading', 'Leave', { level: 1 });
    builder.append('list-item', '• one', { level: 1 });
    builder.append('list-item', '• two', { level: 1 });
    const header = builder.append('table-row', 'Country | Weeks', { header: 'self', startsGroup: true });
    builder.append('table-row', 'Japan | 52', header && { header });
    builder.append('table-row', 'Another | table', { startsGroup: true });
    builder.append('paragraph', 'End.');
    const { text, blocks } = builder.finish();
    assert.equal(text, 'Leave\n\n• one\n• two\n\nCountry | Weeks\nJapan | 52\n\nAnother | table\n\nEnd.');
    assertWellFormed({ text, blocks, pages: [], metadata: {}, omissions: [] });
    assert.deepEqual(
      blocks.map(({ header: row }) => row && text.slice(row.start, row.end)),
      [undefined, undefined, undefined, 'Country | Weeks', 'Country | Weeks', undefined, undefined],
    );
  });

  it('leaves out blocks of which nothing is left', () => {
    const builder = createTextBuilder();
    assert.equal(builder.append('paragraph', ' \0\u200b'.slice(0, 2)), undefined);
    assert.deepEqual(builder.finish(), { text: '', blocks: [], pages: [] });
  });

  it('knows where pages begin and end, with a paragraph over a page end and a page without text', () => {
    const builder = createTextBuilder();
    builder.beginPage(1);
    builder.append('paragraph', 'It was decid-');
    builder.beginPage(2);
    builder.beginPage(3);
    builder.extend('ed here.', { cut: 1, separator: '' });
    builder.append('paragraph', 'More.');
    const { text, blocks, pages } = builder.finish();
    assert.equal(text, 'It was decided here.\n\nMore.');
    assertWellFormed({ text, blocks, pages, metadata: {}, omissions: [] });
    assert.deepEqual(
      pages.map(({ page, start, end }) => [page, text.slice(start, end)]),
      [
        [1, 'It was decid'],
        [2, ''],
        [3, 'ed here.\n\nMore.'],
      ],
    );
  });
});

describe('normalised text', () => {
  it('has newlines only, no control characters, and well-formed NFC', () => {
    assert.equal(normaliseText(' a\r\nb\rc\0\x07\ufeff\u00add \ud800 e\u0301 ', 'paragraph'), 'a\nb\ncd \ufffd \u00e9');
  });

  it('makes runs of blanks one space, but keeps the indentation of code', () => {
    assert.equal(normaliseText('a \t\u00a0 b\n\n\n c', 'paragraph'), 'a b\nc');
    assert.equal(normaliseText('\n  if (x) {\n\n\ty();  \n  }\n', 'code'), '  if (x) {\n\n\ty();\n  }');
  });
});
