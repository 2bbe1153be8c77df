import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeText } from './decode-text.js';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));

describe('decodeText', () => {
  it('follows byte order marks, and finds UTF-16 without one', () => {
    assert.equal(decodeText(Buffer.from('\ufeffé', 'utf8')), 'é');
    assert.equal(decodeText(Buffer.from('\ufeffé漢', 'utf16le')), 'é漢');
    assert.equal(decodeText(bytes('fe ff 00 e9 6f 22')), 'é漢');
    assert.equal(decodeText(Buffer.from('plain words', 'utf16le')), 'plain words');
  });

  it('reads UTF-8, also with a broken byte in it', () => {
    assert.equal(decodeText(Buffer.from('naïve 日本')), 'naïve 日本');
    const broken = Buffer.concat([Buffer.from('日本語の文'.repeat(40)), Buffer.from([0xff]), Buffer.from('です')]);
    assert.equal(decodeText(broken), `${'日本語の文'.repeat(40)}\ufffdです`);
  });

  it('tells Shift_JIS, EUC-JP and windows-1252 apart', () => {
    // 「これはテストです。」 in both.
    assert.equal(decodeText(bytes('82b1 82ea 82cd 8365 8358 8367 82c5 82b7 8142')), 'これはテストです。');
    assert.equal(decodeText(bytes('a4b3 a4ec a4cf a5c6 a5b9 a5c8 a4c7 a4b9 a1a3')), 'これはテストです。');
    assert.equal(
      decodeText(Buffer.from('Prix : 12 \x80 \x96 d\xe9j\xe0 vu, na\xefve caf\xe9s', 'latin1')),
      'Prix : 12 € – déjà vu, naïve cafés',
    );
    assert.equal(decodeText(Buffer.from('Malm\xf6', 'latin1')), 'Malmö');
  });

  it('believes a declaration of a legacy encoding, not one of an unknown', () => {
    assert.equal(decodeText(bytes('cf f0 e8 e2 e5 f2'), 'windows-1251'), 'Привет');
    assert.equal(decodeText(Buffer.from('é'), 'klingon'), 'é');
    assert.equal(decodeText(Buffer.from('é'), 'utf-16'), 'é');
  });
});
