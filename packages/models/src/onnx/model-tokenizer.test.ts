import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sharedFile } from '@aquifer/contracts/testing';
import { Tokenizer } from '@huggingface/tokenizers';
import { type ModelTokenizer, readModelTokenizer } from './model-tokenizer.js';

const texts = [
  '',
  ' ',
  'a',
  'How do I reset my password?',
  'Café naïve Ångström 東京都の天気 😀😀😀 e\u0301 x\u200by',
  'ERR_TLS_CERT_ALTNAME_INVALID x-amz-id-2 https://example.org/a/b?c=d#e',
  'title [SEP] text <s> </s>',
  '育児休業は、子が1歳に達するまで取得できます。「はい。」と答えた。',
  'supercalifragilisticexpialidocious '.repeat(20),
  `${'x'.repeat(99)} ${'x'.repeat(100)} ${'x'.repeat(101)} ${'😀'.repeat(100)} ${'é'.repeat(101)}`,
  'tabs\tand\nnewlines\r\n\n  and   spaces ',
  '\u0000\uFFFD\u00AD\uFEFF',
];

for (const name of ['all-MiniLM-L6-v2', 'multilingual-e5-small-en-ja', 'potion-base-2M']) {
  const { path: folder, ...skip } = sharedFile(`models/${name}`, import.meta.url, process.env.AQUIFER_SHARED);
  describe(`tokenizer of ${name}`, skip, () => {
    let known: ModelTokenizer | undefined;
    const tokenizer = (): ModelTokenizer => {
      known ??= readModelTokenizer(folder);
      return known;
    };
    const reference = (): Tokenizer => {
      const read = (file: string): object => JSON.parse(readFileSync(join(folder, file), 'utf8'));
      return new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
    };

    it('gives the ids that the tokenizer library gives', () => {
      const library = reference();
      for (const text of texts) assert.deepEqual(tokenizer().encode(text), library.encode(text).ids, text);
    });

    it('gives the same ids for texts that are read in pieces', () => {
      const long = Array.from({ length: 2000 }, (_, index) => `word${index % 97}\n  東京 and more.`).join(' ');
      assert.deepEqual(tokenizer().encode(long), reference().encode(long).ids);
    });

    it('reads long texts without words, sentences or meaning', () => {
      const size = 200_000;
      const bytes = Buffer.from(Array.from({ length: size / 2 }, (_, index) => (index * 7919 + (index >> 8)) % 251));
      assert.ok(tokenizer().count(bytes.toString('base64')) > 50_000);
      assert.ok(tokenizer().count('日本語'.repeat(size / 3)) > 50_000);
      for (const text of ['a'.repeat(1_000_000), ' '.repeat(size), '😀'.repeat(size / 2), '\uD800'.repeat(size)]) {
        assert.ok(tokenizer().count(text) < 350_000);
      }
    });
  });
}
