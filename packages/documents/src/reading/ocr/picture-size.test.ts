import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pictureSize, tiffDirectories, tiffFrom } from './picture-size.js';

const latin = (text: string) => Buffer.from(text, 'latin1');
const png = Buffer.concat([latin('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), Buffer.from([0, 0, 1, 44, 0, 0, 0, 200])]);
const jpeg = latin('\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc2\0\x11\x08\0\xc8\x01\x2c\x03');
const bmp = (() => {
  const bytes = Buffer.alloc(54);
  bytes.write('BM');
  bytes.writeInt32LE(300, 18);
  bytes.writeInt32LE(-200, 22);
  return bytes;
})();
const webp = (kind: string, ...rest: number[]) =>
  Buffer.concat([latin(`RIFF\0\0\0\0WEBPVP8${kind}\0\0\0\0`), Buffer.from(rest)]);
const tiff = (order: 'II' | 'MM') => {
  const bytes = Buffer.alloc(8 + 2 * 30);
  bytes.write(order === 'II' ? 'II*\0' : 'MM\0*', 'latin1');
  const short = (value: number, at: number) =>
    order === 'II' ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at);
  const long = (value: number, at: number) =>
    order === 'II' ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at);
  long(8, 4);
  for (const [start, width, height, next] of [
    [8, 300, 200, 38],
    [38, 100, 100, 0],
  ] as const) {
    short(2, start);
    short(256, start + 2);
    short(3, start + 4);
    short(width, start + 10);
    short(257, start + 14);
    short(4, start + 16);
    long(height, start + 22);
    long(next, start + 26);
  }
  return bytes;
};

describe('pictureSize', () => {
  const size = { width: 300, height: 200 };
  for (const [name, bytes] of [
    ['PNG', png],
    ['JPEG', jpeg],
    ['BMP', bmp],
    ['WebP, lossy', webp(' ', 0, 0, 0, 0x9d, 0x01, 0x2a, 0x2c, 0x01, 0xc8, 0)],
    ['WebP, lossless', webp('L', 0x2f, 0x2b, 0xc1, 0x31, 0)],
    ['WebP, extended', webp('X', 0, 0, 0, 0, 0x2b, 1, 0, 0xc7, 0, 0)],
    ['TIFF, little-endian', tiff('II')],
    ['TIFF, big-endian', tiff('MM')],
  ] as const) {
    it(`is in the header of a ${name}`, () => assert.deepEqual(pictureSize(bytes), size));

    it(`is none, or that, wherever a ${name} is cut off`, () => {
      for (let length = 0; length < bytes.length; length++) {
        const cut = pictureSize(bytes.subarray(0, length));
        if (cut !== undefined) assert.ok(cut.width <= 300 && cut.height <= 200, `${length}: ${JSON.stringify(cut)}`);
      }
    });
  }
});

describe('the pages of a TIFF', () => {
  it('are where each directory says that the next one is', () => {
    for (const order of ['II', 'MM'] as const) {
      const bytes = tiff(order);
      const directories = tiffDirectories(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
      assert.deepEqual(directories, [8, 38]);
      assert.deepEqual(pictureSize(tiffFrom(bytes, 38)), { width: 100, height: 100 });
    }
  });

  it('end where directories go in a circle', () => {
    const bytes = tiff('II');
    bytes.writeUInt32LE(8, 38 + 26);
    assert.deepEqual(tiffDirectories(new DataView(bytes.buffer, bytes.byteOffset, bytes.length)), [8, 38]);
  });
});
