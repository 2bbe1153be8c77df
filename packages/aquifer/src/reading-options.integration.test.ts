import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createDocumentReader } from '@aquifer/documents';
import type { KnowledgeBaseOptions } from './knowledge-base.js';
import { openKnowledgeBase } from './open-knowledge-base.js';
import { pdfOfPages } from './testing/picture-pdf.js';

const recognition = (() => {
  try {
    void createDocumentReader({ ocrLanguages: ['eng'] }).close();
    return {};
  } catch (error) {
    return { skip: (error as Error).message };
  }
})();

describe('reading options of a knowledge base', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-reading-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What a run of the folder `name` says of each document, and how many it left alone. */
  async function index(name: string, options: Partial<KnowledgeBaseOptions> = {}) {
    const knowledgeBase = await openKnowledgeBase({ location: join(folder, `${name}.index`), ...options });
    try {
      const events = new Map<string, string>();
      const { unchanged } = await knowledgeBase.index(join(folder, name), {
        maxDeletePercent: 100,
        onEvent: ({ source, status, reason }) => events.set(source, [status, reason].filter(Boolean).join(': ')),
      });
      return { events: Object.fromEntries(events), unchanged };
    } finally {
      await knowledgeBase.close();
    }
  }

  it('fails a file over the size limit before it is read, and goes on', async () => {
    mkdirSync(join(folder, 'logs'));
    writeFileSync(join(folder, 'logs/server.log'), '');
    // Two gigabytes that take no room on the disk.
    truncateSync(join(folder, 'logs/server.log'), 2 * 2 ** 30);
    writeFileSync(join(folder, 'logs/small.log'), 'One line.');
    writeFileSync(join(folder, 'logs/medium.log'), 'Some lines.\n'.repeat(1_000));
    const { events } = await index('logs', { maxFileMb: 0.005 });
    assert.deepEqual(events, {
      'small.log': 'indexed',
      'server.log':
        'failed: server.log has 2048 MB, and at most 0.005 MB are read: split it, or allow more with --max-file-mb.',
      'medium.log':
        'failed: medium.log has 0.01144 MB, and at most 0.005 MB are read: split it, or allow more with --max-file-mb.',
    });
    assert.equal((await index('logs')).events['medium.log'], 'indexed');
  });

  it(
    'reads only what holds pictures again when OCR is switched on or off, and remembers that it is on',
    recognition,
    async () => {
      mkdirSync(join(folder, 'mixed'));
      const write = (name: string, data: string | Uint8Array) => writeFileSync(join(folder, 'mixed', name), data);
      write('notes.md', '# Notes\n\nNothing to recognise.');
      write('text.pdf', pdfOfPages(['text']));
      write('mixed.pdf', pdfOfPages(['text', 'picture']));
      write('scan.pdf', pdfOfPages(['picture']));
      write('stamp.bmp', blankBmp);

      const first = await index('mixed');
      assert.deepEqual(Object.keys(first.events).sort(), ['mixed.pdf', 'notes.md', 'scan.pdf', 'text.pdf']);
      assert.match(first.events['mixed.pdf']!, /^partially-indexed: 1 of 2 pages .*run again with --ocr\.$/);
      assert.match(first.events['scan.pdf']!, /^failed: .*run again with --ocr\.$/);

      const withOcr = await index('mixed', { ocrLanguages: ['eng'] });
      assert.deepEqual(Object.keys(withOcr.events).sort(), ['mixed.pdf', 'scan.pdf', 'stamp.bmp']);
      assert.match(withOcr.events['mixed.pdf']!, /^partially-indexed: 1 of 2 pages .* in which OCR found no text\.$/);
      assert.equal(withOcr.events['stamp.bmp'], 'ignored: The file holds no text.');

      // What failed is tried again on every run; the rest is as it was.
      const remembered = await index('mixed');
      assert.deepEqual(Object.keys(remembered.events), ['scan.pdf']);
      assert.equal(remembered.unchanged, 4);

      const without = await index('mixed', { ocr: false });
      assert.match(without.events['mixed.pdf']!, /run again with --ocr\.$/);
      assert.deepEqual(
        [without.events['stamp.bmp'], without.unchanged],
        ['deleted: No reader takes files of this kind.', 2],
      );
    },
  );

  it('says at once what OCR lacks', async () => {
    mkdirSync(join(folder, 'plain'));
    writeFileSync(join(folder, 'plain/notes.md'), 'Notes.');
    const lacks = { code: 'missing-dependency', message: /npm install .*@tesseract\.js-data\/xyz/ };
    await assert.rejects(index('plain', { ocr: true, ocrLanguages: ['xyz'] }), lacks);
    // And does not remember what could not be done.
    assert.deepEqual((await index('plain')).events, { 'notes.md': 'indexed' });
    await assert.rejects(index('plain', { ocrLanguages: ['xyz'] }), lacks);
    assert.equal((await index('plain')).unchanged, 1);
  });
});

/** A white picture of 64 × 64 pixels (BITMAPINFOHEADER, 24 bits). */
const blankBmp = (() => {
  const bytes = Buffer.alloc(54 + 64 * 64 * 3, 255);
  bytes.fill(0, 0, 54);
  bytes.write('BM', 'latin1');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(64, 18);
  bytes.writeInt32LE(64, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  return bytes;
})();
