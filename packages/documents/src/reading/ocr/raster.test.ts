import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { invert, type Matrix, multiply } from '../pdf/matrix.js';
import { drawPicture, type GreyPicture, pgmOf, whitePicture } from './raster.js';

/** A picture of the digits of each row: 0 black to 9 white. */
const pictureOf = (...rows: string[]): GreyPicture => ({
  width: rows[0]!.length,
  height: rows.length,
  pixels: Uint8Array.from(rows.join(''), (digit) => (Number(digit) * 255) / 9),
});
const rowsOf = ({ width, height, pixels }: GreyPicture) =>
  Array.from({ length: height }, (_, row) =>
    Array.from(pixels.subarray(row * width, (row + 1) * width), (level) => Math.round((level * 9) / 255)).join(''),
  );
const drawn = (picture: GreyPicture, placement: Matrix, width: number, height: number) => {
  const onto = whitePicture(width, height);
  drawPicture(onto, picture, placement);
  return rowsOf(onto);
};

describe('drawPicture', () => {
  const picture = pictureOf('012', '345');

  it('puts the first row of a picture at the top of its place', () => {
    // PDF.js has y grow downwards on its pages: the unit square stands on its head.
    assert.deepEqual(drawn(picture, [3, 0, 0, -2, 1, 2], 5, 2), ['90129', '93459']);
  });

  it('mirrors and turns', () => {
    assert.deepEqual(drawn(picture, [-3, 0, 0, -2, 3, 2], 3, 2), ['210', '543']);
    assert.deepEqual(drawn(picture, [3, 0, 0, 2, 0, 0], 3, 2), ['345', '012']);
    // A quarter to the right: what was at the left is at the top.
    assert.deepEqual(drawn(picture, [0, 3, 2, 0, 0, 0], 2, 3), ['30', '41', '52']);
  });

  it('makes large pictures smaller by the mean of their pixels, and small ones larger without gaps', () => {
    assert.deepEqual(drawn(pictureOf('0909', '9090', '0909', '9090'), [2, 0, 0, -2, 0, 2], 2, 2), ['44', '44']);
    const larger = drawn(pictureOf('00', '00'), [8, 0, 0, -8, 0, 8], 8, 8);
    assert.deepEqual(larger, Array(8).fill('00000000'));
  });

  it('keeps the darker of two, and nothing outside of the page', () => {
    const onto = whitePicture(3, 1);
    drawPicture(onto, pictureOf('525'), [3, 0, 0, -1, 0, 1]);
    drawPicture(onto, pictureOf('3838383'), [7, 0, 0, -1, -2, 1]);
    assert.deepEqual(rowsOf(onto), ['323']);
  });

  it('draws nothing where a place has no area', () => {
    for (const placement of [
      [0, 0, 0, 0, 0, 0],
      [1, 1, 1, 1, 0, 0],
      [Number.NaN, 0, 0, 1, 0, 0],
    ] as const) {
      assert.deepEqual(drawn(picture, placement, 2, 1), ['99']);
    }
  });
});

describe('matrices', () => {
  it('of an inverse undo', () => {
    const matrix: Matrix = [2, 1, -1, 3, 10, 20];
    const identity = multiply(invert(matrix)!, matrix).map((value) => Math.round(value * 1e9) / 1e9 + 0);
    assert.deepEqual(identity, [1, 0, 0, 1, 0, 0]);
  });
});

describe('pgmOf', () => {
  it('has a header and a byte a pixel', () => {
    assert.equal(Buffer.from(pgmOf(pictureOf('09'))).toString('latin1'), 'P5\n2 1\n255\n\x00\xff');
  });
});
