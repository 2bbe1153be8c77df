import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { createTextBuilder } from '../text-builder.js';
import { appendPlainText } from './append-plain-text.js';
import { plainTextReader } from './plain-text.js';

describe('plainTextReader', () => {
  it('takes paragraphs between blank lines, hard-wrapped lines together', async () => {
    const document = await readSample(plainTextReader, 'One line\r\nand another.\r\n \t\r\n\r\nNext.\n\u3000\nLast.');
    assert.equal(document.text, 'One line\nand another.\n\nNext.\n\nLast.');
    assert.equal(document.blocks.length, 3);
    assert.equal(document.title, undefined);
  });

  it('reads lists, also in several levels and with continued lines', async () => {
    const lines = await outlineOf(
      plainTextReader,
      'You need:\n- a badge\n  that is valid,\n  * two keys\n- patience.\n\n1. Open\n2) Close\n\n・日本\n・中国',
    );
    assert.deepEqual(lines, [
      'paragraph: You need:',
      'list-item 1: a badge\nthat is valid,',
      'list-item 2: two keys',
      'list-item 1: patience.',
      'list-item 1: 1. Open',
      'list-item 1: 2) Close',
      'list-item 1: 日本',
      'list-item 1: 中国',
    ]);
  });

  it('takes only underlined or numbered lines for headings', async () => {
    const lines = await outlineOf(
      plainTextReader,
      'Terms\n=====\n\n1. Orders\n\nAn order is binding when it is in writing.\n\nNot a heading\n\nThe price was\n3.14 or\n1999. a year later.\n\n第2章 休業\n\nこの章は、従業員の休業について定めるものである。',
    );
    assert.deepEqual(lines, [
      'heading 1: Terms',
      'heading 1: 1. Orders',
      'paragraph: An order is binding when it is in writing.',
      'paragraph: Not a heading',
      'paragraph: The price was\n3.14 or\n1999. a year later.',
      'heading 1: 第2章 休業',
      'paragraph: この章は、従業員の休業について定めるものである。',
    ]);
  });

  it('builds a paragraph of many lines a few at a time, and the same as at once', () => {
    // The first thousands of lines are nothing that is kept.
    const lines = Array.from({ length: 9000 }, (_, index) =>
      index < 3000 ? '\u00ad' : `  line  ${index} cafe\u0301\t`,
    );
    const builder = createTextBuilder();
    let longest = 0;
    appendPlainText(
      {
        ...builder,
        append(kind, text, options) {
          longest = Math.max(longest, text.length);
          return builder.append(kind, text, options);
        },
        extend(text, joint) {
          longest = Math.max(longest, text.length);
          builder.extend(text, joint);
        },
      },
      `Before.\n\n${lines.join('\n')}\n\nBehind.`,
    );
    const kept = lines.slice(3000).map((_, index) => `line ${index + 3000} café`);
    const { text, blocks } = builder.finish();
    assert.equal(text, `Before.\n\n${kept.join('\n')}\n\nBehind.`);
    assert.equal(blocks.length, 3);
    assert.equal(text.slice(blocks[1]!.start, blocks[1]!.end), kept.join('\n'));
    assert.ok(longest < 50_000, `${longest} characters at once`);
  });

  it('refuses what is not text', async () => {
    const png = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');
    await assert.rejects(readSample(plainTextReader, png, 'notes.txt'), {
      code: 'unsupported-format',
      message: /notes\.txt is a PNG image/,
    });
  });

  it('reads an empty file as nothing', async () => {
    assert.deepEqual(await readSample(plainTextReader, ''), {
      text: '',
      blocks: [],
      pages: [],
      metadata: {},
      omissions: [],
    });
  });
});
