import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { encodeText } from '../../testing/encode-text.js';
import { formatOfName } from '../choose-format.js';
import { sourceCodeReader } from './source-code.js';

describe('sourceCodeReader', () => {
  it('keeps each definition in a block, with its indentation', async () => {
    const code = 'import os\r\n\r\n\r\ndef a():\r\n\tx = 1\r\n\r\n\treturn x\r\n\r\nclass B:\r\n    pass\r\n';
    assert.deepEqual(await outlineOf(sourceCodeReader, code, 'a.py'), [
      'code: import os',
      'code: def a():\n\tx = 1\n\n\treturn x',
      'code: class B:\n    pass',
    ]);
    assert.deepEqual(await outlineOf(sourceCodeReader, 'f(\n\n  1\n\n);\n\ng();', 'a.js'), [
      'code: f(\n\n  1\n\n);',
      'code: g();',
    ]);
  });

  it('reads comments in the encoding of their author', async () => {
    const code = '/* 全角文字を半角に変換する */\nint convert(const char *s);\n';
    for (const encoding of ['shift_jis', 'euc-jp', 'utf-8', 'utf-16le']) {
      assert.match((await readSample(sourceCodeReader, encodeText(code, encoding))).text, /全角文字を半角/, encoding);
    }
  });

  it('is found by ending or by name, in any folder', () => {
    for (const name of ['a/b/x.PY', 'x.tar.go', 'src/Makefile', 'Dockerfile']) {
      assert.equal(formatOfName(name)?.id, 'source-code', name);
    }
    for (const name of ['README', 'a/LICENSE', 'notes.rst']) assert.equal(formatOfName(name)?.id, 'plain-text', name);
    for (const name of ['a.py/binary', 'unknown', '.gitignore', 'x.'])
      assert.equal(formatOfName(name), undefined, name);
  });
});
