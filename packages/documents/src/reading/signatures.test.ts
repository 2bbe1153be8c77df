import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseFormat } from './choose-format.js';
import { describeOtherFormat } from './other-formats.js';
import { describeContent, isBinary, isEml, isHtml, isPdf } from './signatures.js';
import { unicodeEncoding } from './text/unicode-encoding.js';

describe('signatures', () => {
  it('finds a PDF header behind other bytes, but not deep in a text', () => {
    assert.equal(isPdf(Buffer.from(`junk\n%PDF-1.7`)), true);
    assert.equal(isPdf(Buffer.from(`${' '.repeat(1100)}%PDF-1.7`)), false);
  });

  it('takes a page for HTML, also in UTF-16 and after comments, and a fragment not', () => {
    assert.equal(isHtml(Buffer.from('\n<!-- saved -->\n<!DOCTYPE html>')), true);
    assert.equal(isHtml(Buffer.from('\ufeff<html lang="ja">', 'utf16le')), true);
    assert.equal(isHtml(Buffer.from('<div>in Markdown</div>')), false);
  });

  it('tells text in any encoding from binary data', () => {
    assert.equal(isBinary(Buffer.from('日本語の文章です。\n')), false);
    assert.equal(isBinary(Buffer.from('plain text in UTF-16', 'utf16le')), false);
    assert.equal(isBinary(Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea])), false);
    assert.equal(isBinary(Buffer.from([0, 1, 2, 3, 0, 0, 9])), true);
    assert.equal(unicodeEncoding(Buffer.from('text', 'utf16le').swap16()), 'utf-16be');
  });

  it('does not take lower-case text with a stray NUL for UTF-16, nor UTF-16 with few zeros for text with them', () => {
    const line = 'the pump was checked and the filter was changed';
    assert.equal(unicodeEncoding(Buffer.from(`${line}\0 ${line}`)), undefined);
    assert.equal(unicodeEncoding(Buffer.from(`grüße ${line}\0 ${line}`)), undefined);
    assert.equal(unicodeEncoding(Buffer.from('0\n0\n0\n0\n')), undefined);
    const japanese = `${'この文章は日本語で書かれています。'.repeat(3)}\n`;
    assert.equal(unicodeEncoding(Buffer.from(japanese, 'utf16le')), 'utf-16le');
    assert.equal(unicodeEncoding(Buffer.from(japanese, 'utf16le').swap16()), 'utf-16be');
  });

  it('tells a log with a run of NULs from binary data', () => {
    const log = Array.from({ length: 400 }, (_, index) => `2025-03-01 12:00:${index} pump ${index} running\n`);
    const logWith = (zeros: number) => Buffer.from([...log, '\0'.repeat(zeros), ...log].join(''));
    assert.equal(isBinary(logWith(50)), false);
    assert.equal(isBinary(Buffer.from(`${log.slice(0, 12).join('')}${'\0'.repeat(50)}${log[0]}`)), false);
    assert.equal(isBinary(logWith(8000)), true, 'as much of nothing as of text');
    assert.equal(isBinary(Buffer.from(`name\0\0\0\0\0\0\0\0city\0\0\0\0`)), true, 'fields of a fixed length');
    assert.equal(isBinary(Buffer.from(`${log.join('')}\0\x01\x02`)), true, 'a number of binary data');
  });

  it('takes the archive of a web page for a message', () => {
    assert.equal(
      isEml(Buffer.from('MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n--x')),
      true,
    );
    assert.equal(isEml(Buffer.from('Content-Type: text/html\nServer: nginx\n\n<p>')), false);
  });

  it('says what a file looks like', () => {
    const looks = (text: string) => describeContent(Buffer.from(text, 'latin1'));
    assert.deepEqual(['\x89PNG\r\n', '\xff\xd8\xff\xe0', 'PK\x03\x04', '%PDF-1.4', 'hello', '\0\0\0'].map(looks), [
      'a PNG image',
      'a JPEG image',
      'a ZIP archive',
      'a PDF',
      'plain text',
      'binary data',
    ]);
  });
});

describe('other formats', () => {
  it('are named with what to do about them', () => {
    assert.match(
      describeOtherFormat('a/Plan.PAGES') ?? '',
      /^a\/Plan\.PAGES is a document of Apple Pages.*Export it as \.docx/,
    );
    assert.match(describeOtherFormat('old.wpd') ?? '', /soffice --convert-to docx "old\.wpd"$/);
    assert.equal(describeOtherFormat('photo.png'), undefined);
    assert.throws(() => chooseFormat({ name: 'b.xlsb', bytes: Buffer.from('PK\x03\x04 xl/workbook.bin') }), {
      code: 'unsupported-format',
      message: /^b\.xlsb is a binary workbook of Excel.*--convert-to xlsx "b\.xlsb"$/,
    });
  });
});
