import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import type { Reader } from '@aquifer/contracts';
import { epubOf, openDocumentOf, pptxOf, shapeOf } from '../testing/archive-samples.js';
import { readSample } from '../testing/document-outline.js';
import { createDocumentReader } from './document-reader.js';
import { epubReader } from './markup/epub.js';
import { pptxReader } from './office/pptx.js';
import { odpReader } from './open-document/odp.js';
import { odsReader } from './open-document/ods.js';
import { odtReader } from './open-document/odt.js';

const files: readonly (readonly [reader: Reader, bytes: Buffer, part: string])[] = [
  [pptxReader, pptxOf([shapeOf(['x'])]), 'ppt/slides/slide1.xml'],
  [odtReader, openDocumentOf('text', '<office:text/>'), 'content.xml'],
  [odsReader, openDocumentOf('spreadsheet', '<office:spreadsheet/>'), 'content.xml'],
  [odpReader, openDocumentOf('presentation', '<office:presentation/>'), 'content.xml'],
  [epubReader, epubOf({ 'a.xhtml': '<p>x</p>' }), 'OEBPS/a.xhtml'],
];

/** The archive with another size declared for a part, in the list at its end. */
function declaring(archive: Buffer, part: string, size: number): Buffer {
  const changed = Buffer.from(archive);
  const name = changed.lastIndexOf(part);
  changed.writeUInt32LE(size, name - 46 + 24);
  return changed;
}

describe('archives that are made to do harm', () => {
  for (const [reader, bytes, part] of files) {
    it(`are refused as ${reader.id} before they unpack`, async () => {
      const refuses = (archive: Buffer, code: string) =>
        assert.rejects(readSample(reader, archive, 'a.file'), { code, message: /^a\.file/ });
      await refuses(declaring(bytes, part, 2 ** 31), 'too-large');
      await refuses(declaring(bytes, part, 3), 'invalid-document');
      await refuses(bytes.subarray(0, bytes.length - 30), 'invalid-document');
    });
  }

  it('stop at the limit of memory, and the next file is read', async () => {
    const reader = createDocumentReader({ threads: 1, maxMemoryMb: 48 });
    const paragraphs = Buffer.alloc(30_000_000, '<text:p>a</text:p>');
    const body = Buffer.concat([Buffer.from('<d><office:body>'), paragraphs, Buffer.from('</office:body></d>')]);
    const bomb = reader.read({ name: 'bomb.odt', bytes: deflated(openDocumentOf('text', ''), 'content.xml', body) });
    await assert.rejects(bomb, { code: 'too-large', message: /^bomb\.odt needs more than 48 MB of memory/ });
    const [, bytes] = files[0]!;
    assert.equal((await reader.read({ name: 'a.pptx', bytes })).text, 'x');
    await reader.close();
  });
});

/** The archive with a part, the last one, replaced by compressed content. */
function deflated(archive: Buffer, part: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content);
  const local = archive.indexOf(part) - 30;
  const entry = archive.lastIndexOf(part) - 46;
  const describe = (header: Buffer, method: number) => {
    header.writeUInt16LE(8, method);
    header.writeUInt32LE(packed.length, method + 10);
    header.writeUInt32LE(content.length, method + 14);
    return header;
  };
  const head = describe(Buffer.from(archive.subarray(0, local + 30 + part.length)), local + 8);
  const directoryStart = archive.readUInt32LE(archive.length - 22 + 16);
  const directory = Buffer.from(archive.subarray(directoryStart, archive.length - 22));
  describe(directory, entry - directoryStart + 10);
  const end = Buffer.from(archive.subarray(archive.length - 22));
  end.writeUInt32LE(head.length + packed.length, 16);
  return Buffer.concat([head, packed, directory, end]);
}
