import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { isAquiferError, pageRange } from '@aquifer/contracts';
import { assertWellFormed } from '@aquifer/contracts/testing';
import { textDrawer } from '../../testing/drawn-text.js';
import { pdfOfPictures } from '../../testing/pdf-samples.js';
import { createDocumentReader } from '../document-reader.js';
import { findTesseract } from './installed-tesseract.js';

const english = await textDrawer('eng');
const japanese = await textDrawer('jpn');
const installed = (() => {
  try {
    findTesseract(['eng', 'jpn']);
    return {};
  } catch (error) {
    return { skip: (error as Error).message };
  }
})();
const skipped = (drawer: object) =>
  'skip' in installed ? installed : 'skip' in drawer ? { skip: String(drawer.skip) } : {};
const drawn = (drawer: typeof english, lines: readonly string[]) =>
  'draw' in drawer ? drawer.draw(lines) : assert.fail('skipped');

const leave = [
  'Parental leave is 52 weeks in Norway.',
  'Annual leave is 25 days, and is taken',
  'before the end of March.',
];
const 休業 = ['育児休業は五十二週間です。', '年次休暇は三月末までに取得します。'];

describe('OCR', () => {
  const reader = createDocumentReader({ threads: 1, ...('skip' in installed ? {} : { ocrLanguages: ['eng', 'jpn'] }) });
  after(() => reader.close());

  it('reads a scan in English', skipped(english), async () => {
    const bytes = pdfOfPictures([{ picture: drawn(english, leave) }]);
    const document = await reader.read({ name: 'scan.pdf', bytes });
    assertWellFormed(document);
    assert.equal(document.text, leave.join(' '));
    assert.deepEqual([document.omissions, document.dependsOnRecognition], [[], true]);
  });

  it('reads a scan in Japanese, without spaces between the words', skipped(japanese), async () => {
    const bytes = pdfOfPictures([{ picture: drawn(japanese, 休業) }]);
    const { text } = await reader.read({ name: 'スキャン.pdf', bytes });
    assert.match(text, /育児休業は五十二週間です。/);
    assert.match(text, /年次休暇は三月末までに取得します。/);
  });

  it(
    'reads scans between pages of text, each on its page, and leaves blank pages alone',
    skipped(english),
    async () => {
      const bytes = pdfOfPictures([
        { text: 'First page.' },
        { picture: drawn(english, leave) },
        {},
        { text: 'Last page.' },
      ]);
      const { text, pages, omissions } = await reader.read({ name: 'mixed.pdf', bytes });
      const pageOf = (part: string) =>
        pageRange(pages, text.indexOf(part), text.indexOf(part) + part.length)?.pageStart;
      assert.deepEqual(['First page.', 'Annual leave is 25 days', 'Last page.'].map(pageOf), [1, 2, 4]);
      assert.deepEqual(omissions, []);
    },
  );

  it('reads scans that lie on their side in the file and are turned by the page', skipped(english), async () => {
    const upright = drawn(english, leave);
    const [width, height] = [upright.height, upright.width];
    const pixels = new Uint8Array(width * height);
    // A page that is turned by 90 degrees clockwise holds its picture turned the other way.
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++)
        pixels[y * width + x] = upright.pixels[x * upright.width + (upright.width - 1 - y)]!;
    }
    const bytes = pdfOfPictures([{ picture: { width, height, channels: 1, pixels } }], { rotate: 90 });
    assert.match((await reader.read({ name: 'turned.pdf', bytes })).text, /Parental leave is 52 weeks in Norway\./);
  });

  it('reads pictures, and the pages of a TIFF', skipped(english), async () => {
    const { text, mediaType } = await reader.read({ name: 'photo.png', bytes: drawn(english, leave).png });
    assert.deepEqual([text, mediaType], [leave.join(' '), 'image/png']);
    const bytes = tiffOf([drawn(english, ['The first sheet.']), drawn(english, ['The second sheet.'])]);
    const fax = await reader.read({ name: 'fax.tif', bytes });
    assertWellFormed(fax);
    assert.deepEqual([fax.text, fax.pages.length], ['The first sheet.\n\nThe second sheet.', 2]);
  });

  it('says what is wrong with a picture', skipped(english), async () => {
    const whole = drawn(english, leave).png;
    const large = Buffer.from(whole);
    large.writeUInt32BE(100_000, 16);
    const header = whole.subarray(0, 40);
    for (const [name, bytes, code, message] of [
      ['cut.png', header, 'invalid-document', /cut\.png is damaged and cannot be opened as a picture/],
      ['large.png', large, 'too-large', /large\.png has 100000 × 1754 pixels/],
      ['page.png', Buffer.from('<!doctype html><p>x'), undefined, undefined],
    ] as const) {
      const outcome = await reader.read({ name, bytes }).catch((error: unknown) => error);
      if (code === undefined) assert.ok(!(outcome instanceof Error));
      else assert.ok(isAquiferError(outcome, code) && message.test(outcome.message), String(outcome));
    }
  });

  it('is cancelled in the middle', skipped(english), async () => {
    const controller = new AbortController();
    const picture = drawn(english, leave);
    const bytes = pdfOfPictures(Array.from({ length: 20 }, () => ({ picture })));
    const reading = reader.read({ name: 'long.pdf', bytes }, { signal: controller.signal });
    setTimeout(() => controller.abort(), 1_000);
    await assert.rejects(reading, (error) => isAquiferError(error, 'aborted'));
  });

  it('counts the time of each picture for itself', skipped(english), async () => {
    const picture = drawn(english, leave);
    const bytes = pdfOfPictures(Array.from({ length: 6 }, () => ({ picture })));
    const pagesWithin = async (timeoutMs: number) => {
      const limited = createDocumentReader({ threads: 1, ocrLanguages: ['eng'], timeoutMs });
      const startedAt = performance.now();
      const { pages } = await limited.read({ name: 'long.pdf', bytes: Buffer.from(bytes) });
      const ms = performance.now() - startedAt;
      await limited.close();
      return { pages: pages.length, ms };
    };
    // Together they take longer than the limit, however fast the machine is.
    const { ms } = await pagesWithin(600_000);
    assert.equal((await pagesWithin(ms * 0.75)).pages, 6);
  });
});

describe('without OCR', () => {
  const reader = createDocumentReader({ threads: 1 });
  after(() => reader.close());

  it('scans are counted and named', async () => {
    const picture = { width: 100, height: 100, channels: 1, pixels: new Uint8Array(10_000).fill(90) } as const;
    const bytes = pdfOfPictures([{ text: 'First page.' }, { picture }, { text: 'Third.' }, { picture }]);
    const { omissions, dependsOnRecognition } = await reader.read({ name: 'mixed.pdf', bytes });
    assert.equal(omissions.length, 1);
    assert.match(omissions[0]!, /^2 of 4 pages\b.* are scans or drawings without text: run again with --ocr\.$/);
    assert.equal(dependsOnRecognition, true);
    const text = await reader.read({ name: 'text.pdf', bytes: pdfOfPictures([{ text: 'Only text.' }]) });
    assert.equal(text.dependsOnRecognition, undefined);
  });

  it('pictures are not documents, and named as what would read them', async () => {
    assert.equal(reader.mediaType('photo.png'), undefined);
    const png = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');
    await assert.rejects(reader.read({ name: 'photo.png', bytes: png }), {
      code: 'unsupported-format',
      message: 'photo.png looks like a PNG image: its text can be read with --ocr.',
    });
  });

  it('what is not installed is named with the command that installs it', () => {
    assert.throws(() => createDocumentReader({ ocrLanguages: ['xyz'] }), {
      code: 'missing-dependency',
      message: /npm install .*@tesseract\.js-data\/xyz$/,
    });
    for (const ocrLanguages of [[], ['../eng'], ['english language']]) {
      assert.throws(() => createDocumentReader({ ocrLanguages }), { code: 'invalid-options' });
    }
  });
});

/** An uncompressed grey TIFF of several pages (TIFF 6.0, section 4). */
function tiffOf(
  pictures: readonly { readonly width: number; readonly height: number; readonly pixels: Uint8Array }[],
): Buffer {
  const pieces: Buffer[] = [Buffer.from('II*\0\0\0\0\0', 'latin1')];
  let length = 8;
  let link = { piece: pieces[0]!, offset: 4 };
  for (const { width, height, pixels } of pictures) {
    const start = length;
    pieces.push(Buffer.from(pixels));
    length += pixels.length;
    link.piece.writeUInt32LE(length, link.offset);
    const tags = [
      [256, width],
      [257, height],
      [258, 8],
      [259, 1],
      [262, 1],
      [273, start],
      [277, 1],
      [278, height],
      [279, pixels.length],
    ] as const;
    const directory = Buffer.alloc(2 + tags.length * 12 + 4);
    directory.writeUInt16LE(tags.length, 0);
    for (const [index, [tag, value]] of tags.entries()) {
      directory.writeUInt16LE(tag, 2 + index * 12);
      directory.writeUInt16LE(4, 4 + index * 12);
      directory.writeUInt32LE(1, 6 + index * 12);
      directory.writeUInt32LE(value, 10 + index * 12);
    }
    pieces.push(directory);
    length += directory.length;
    link = { piece: directory, offset: directory.length - 4 };
  }
  return Buffer.concat(pieces);
}
