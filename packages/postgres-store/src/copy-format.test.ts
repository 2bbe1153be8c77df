import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCopyRows } from './copy-format.js';

const hex = (bytes: Buffer): string => bytes.toString('hex');

describe('rows for COPY', () => {
  it('are what the server expects', () => {
    const rows = createCopyRows();
    rows.row(7);
    rows.text('é');
    rows.integer(-2);
    rows.bigint(2n ** 40n);
    rows.empty();
    rows.bytes(Buffer.of(9, 8));
    rows.vector(Float32Array.of(1, -2));
    rows.integers([5]);
    assert.equal(
      hex(rows.end()),
      [
        '5047434f50590aff0d0a00', // signature
        '0000000000000000', // flags, length of the extension
        '0007',
        '00000002c3a9',
        '00000004fffffffe',
        '000000080000010000000000',
        'ffffffff',
        '000000020908',
        '0000000c000200003f800000c0000000',
        '0000001c00000001000000000000001700000001000000010000000400000005',
        'ffff',
      ].join(''),
    );
  });

  it('of every type may be where the buffer grows', () => {
    const write = (rows: ReturnType<typeof createCopyRows>, kind: number): void => {
      if (kind === 0) rows.row(1);
      else if (kind === 1) rows.empty();
      else if (kind === 2) rows.text('漢字');
      else if (kind === 3) rows.integer(7);
      else if (kind === 4) rows.bigint(7n);
      else if (kind === 5) rows.bytes(Buffer.of(1, 2, 3));
      else if (kind === 6) rows.vector(Float32Array.of(0.5));
      else rows.integers([1, 2]);
    };
    for (let kind = 0; kind < 8; kind++) {
      const single = createCopyRows();
      write(single, kind);
      const one = single.end().subarray(19, -2);
      const many = createCopyRows();
      const count = 200_000 / one.length;
      for (let n = 0; n < count; n++) write(many, kind);
      const body = many.end().subarray(19, -2);
      assert.equal(body.length % one.length, 0);
      for (let at = 0; at < body.length; at += one.length) {
        assert.ok(body.subarray(at, at + one.length).equals(one), `kind ${kind} at ${at}`);
      }
    }
  });
});
