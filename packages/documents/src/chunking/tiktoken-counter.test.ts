import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { createSeededRandom } from '@aquifer/contracts/testing';
import { get_encoding, type TiktokenEncoding as PeerEncoding } from 'tiktoken';
import { createTiktokenCounter, type TiktokenEncoding, tiktokenEncodings } from './tiktoken-counter.js';

const texts = [
  '',
  'hello world',
  "It's THEY'LL we'Ve I'm I'D don'ſ 'sample' rock'n'roll",
  'camelCase HTTPServer snake_case kebab-case iPhone McDonald',
  '  leading, trailing \t tabs\t\n\n  \r\n mixed \r line \n ends   ',
  'Numbers 1 12 123 1234 1234567 3.14 ١٢٣ ⅷ ½ 二〇二六',
  '今日は雨です。「明日は？」と聞いた。カタカナとひらがなと漢字、ＡＢＣ　１２３。',
  '他来了。“你好。” 한국어 문장입니다. नमस्ते दुनिया। ما اسمك؟ สวัสดีครับ',
  '👨‍👩‍👧‍👦👍🏽🇯🇵 e\u0301 \ufeff \u0085 \u200b \u2028 \u00a0 \u3000',
  'lone \ud83d surrogate \udc00\ud800',
  'if (a !== b) { return `x` + 1 } // comment\n\tconst f = (x) => x ** 2;\n',
  '<|endoftext|> <|im_start|>',
  `${'='.repeat(300)}${' '.repeat(300)}${'\n'.repeat(300)}${'a'.repeat(300)}${'字'.repeat(300)}`,
];

const pools: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0x61, 0x7a],
  [0x09, 0x0d],
  [0x80, 0x24f],
  [0x300, 0x36f],
  [0x5d0, 0x5ea],
  [0x915, 0x94d],
  [0x2010, 0x2027],
  [0x3001, 0x30ff],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
  [0xd800, 0xdfff],
  [0xff01, 0xff9f],
  [0x1f300, 0x1f64f],
];

function randomText(random: (limit: number) => number): string {
  const chosen = [pools[random(pools.length)]!, pools[random(3)]!, pools[random(pools.length)]!];
  return Array.from({ length: 1 + random(40) }, () => {
    const [first, last] = chosen[random(chosen.length)]!;
    return String.fromCodePoint(first + random(last - first + 1));
  }).join('');
}

function peerCount(encoding: TiktokenEncoding) {
  const peer = get_encoding(encoding as PeerEncoding);
  return (text: string) => peer.encode_ordinary(text).length;
}

describe('createTiktokenCounter', () => {
  for (const encoding of tiktokenEncodings) {
    it(`counts what tiktoken makes: ${encoding}`, async () => {
      const counter = await createTiktokenCounter(encoding);
      const expected = peerCount(encoding);
      assert.equal(counter.id, encoding);
      for (const text of texts) assert.equal(counter.count(text), expected(text), JSON.stringify(text));
      const random = createSeededRandom(encoding.length).below;
      for (let round = 0; round < 5000; round += 1) {
        const text = randomText(random);
        assert.equal(counter.count(text), expected(text), JSON.stringify(text));
      }
    });
  }

  it('counts every character alone as tiktoken does', async () => {
    const counter = await createTiktokenCounter();
    const expected = peerCount('cl100k_base');
    for (let unit = 0; unit < 0x10000; unit += 1) {
      const text = ` ${String.fromCharCode(unit)}`;
      assert.equal(counter.count(text), expected(text), unit.toString(16));
    }
  });

  it('is exact on long words and on texts that are counted in parts', async () => {
    const counter = await createTiktokenCounter();
    const expected = peerCount('cl100k_base');
    const random = createSeededRandom(3).below;
    const base64 = Buffer.from(Uint8Array.from({ length: 6000 }, () => random(256))).toString('base64');
    for (const word of [base64, 'ab'.repeat(4000), '日本'.repeat(2000), '-='.repeat(3000)]) {
      assert.equal(counter.count(word), expected(word));
    }
    const long = `The 3 rivers rise.\n\n川が増水した。Then they fall  again: ${base64.slice(0, 200)} `.repeat(3000);
    assert.ok(long.length > 600_000);
    assert.equal(counter.count(long), expected(long));
  });

  it('takes a megabyte of anything', async () => {
    const counter = await createTiktokenCounter();
    const size = 1_000_000;
    assert.equal(counter.count('a'.repeat(size)), size / 8);
    for (const unit of [' ', '\n', '.', '1', '字', '👨‍👩‍👧‍👦', '\u0301', '\ud83d', 'aB3']) {
      assert.ok(counter.count(unit.repeat(size / unit.length)) > 0);
    }
  });

  it('refuses an unknown encoding', async () => {
    await assert.rejects(createTiktokenCounter('cl200k' as TiktokenEncoding), (error) =>
      isAquiferError(error, 'invalid-options'),
    );
  });
});
