import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { assertReadOrRefused, sharedFile } from '@aquifer/contracts/testing';
import { formatOfName, whyUnread } from './choose-format.js';
import { createDocumentReader } from './document-reader.js';
import { formats } from './formats.js';

const utf8 = new TextEncoder();
const png = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');

describe('format table', () => {
  for (const format of formats) {
    it(`says of ${format.id} what its reader says`, async () => {
      const reader = await format.load();
      assert.deepEqual(
        [reader.id, reader.mediaTypes, reader.extensions],
        [format.id, format.mediaTypes, format.extensions],
      );
    });
  }

  it('gives every extension to one format', () => {
    const extensions = formats.flatMap((format) => format.extensions);
    assert.equal(new Set(extensions).size, extensions.length);
  });
});

describe('document reader', () => {
  const reader = createDocumentReader({ threads: 1 });
  after(() => reader.close());
  const read = (name: string, bytes: Uint8Array) => reader.read({ name, bytes });

  it('knows media types by name, in any case', () => {
    assert.equal(reader.mediaType('a/Report.PDF'), 'application/pdf');
    assert.equal(reader.mediaType('notes.md'), 'text/markdown');
    assert.equal(reader.mediaType('photo.png'), undefined);
    assert.equal(reader.mediaType('no-extension'), undefined);
  });

  it('says by a name alone why such a file is not read', () => {
    const off = { recognises: false };
    for (const name of ['a/Report.PDF', 'notes.md', 'Makefile']) assert.equal(whyUnread(name, off), undefined, name);
    assert.match(whyUnread('x.exe', off) ?? '', /no reader for x\.exe.*Supported: \.pdf/);
    assert.match(whyUnread('no-extension', off) ?? '', /no reader for no-extension/);
    assert.match(whyUnread('slides.key', off) ?? '', /Apple Keynote.*Export it/);
    assert.match(whyUnread('photo.png', off) ?? '', /OCR is off/);
    assert.equal(whyUnread('photo.png', { recognises: true }), undefined);
  });

  it('reads a file in a thread', async () => {
    const { text, mediaType } = await read('notes.txt', utf8.encode('First.\n\nSecond.'));
    assert.deepEqual([text, mediaType], ['First.\n\nSecond.', 'text/plain']);
  });

  it('reads an HTML page named .pdf as the page it is', async () => {
    const page = utf8.encode('<!doctype html><html><body><p>Hello there.</p></body></html>');
    const { text, mediaType } = await read('report.pdf', page);
    assert.deepEqual([text, mediaType], ['Hello there.', 'text/html']);
  });

  it('reads Markdown that begins like HTML as Markdown', async () => {
    const { mediaType } = await read('readme.md', utf8.encode('<!doctype html>\n\n# Title\n'));
    assert.equal(mediaType, 'text/markdown');
  });

  it('goes by the media type where the name says nothing', async () => {
    const { mediaType } = await reader.read({
      name: 'download',
      bytes: utf8.encode('# Title'),
      mediaType: 'Text/Markdown; charset=utf-8',
    });
    assert.equal(mediaType, 'text/markdown');
  });

  for (const [name, bytes, what] of [
    ['photo.pdf', png, 'a PNG image'],
    ['garbage.txt', Buffer.from([1, 0, 2, 0, 0, 3, 4, 5, 6, 7]), 'binary data'],
    ['letter.docx', utf8.encode('plain words'), 'plain text'],
    ['thing.xyz', png, 'a PNG image'],
  ] as const) {
    it(`refuses ${name}, saying that it looks like ${what}`, async () => {
      await assert.rejects(read(name, bytes), (error) => {
        assert.ok(isAquiferError(error, 'unsupported-format'));
        assert.ok(error.message.includes(name) && error.message.includes(what), error.message);
        return true;
      });
    });
  }

  it('says of a file that is not what its name says what to do with it', async () => {
    const refused = async (name: string, bytes: Uint8Array) => {
      const error = await read(name, bytes).then(
        () => undefined,
        (error: unknown) => error,
      );
      assert.ok(isAquiferError(error, 'unsupported-format'));
      return error.message;
    };
    assert.equal(
      await refused('table.xls', utf8.encode('a;b\n1;2')),
      'table.xls is not what its name says: it looks like plain text. Rename it to .txt, or to what it is, such as .csv, or leave it out.',
    );
    assert.equal(
      await refused('Makefile', Buffer.from([1, 0, 2, 0, 0, 3, 4, 5, 6, 7])),
      'Makefile is not what its name says: it looks like binary data. Get the right file, or leave it out.',
    );
  });

  it('reads an empty file as an empty text', async () => {
    for (const name of ['empty.pdf', 'empty.docx', 'empty.txt']) {
      const document = await read(name, new Uint8Array());
      assert.deepEqual(
        [document.text, document.blocks, document.mediaType],
        ['', [], formatOfName(name)?.mediaTypes[0]],
      );
    }
  });

  it('refuses a file over the limit, naming both sizes', async () => {
    const small = createDocumentReader({ maxBytes: 10 });
    await assert.rejects(small.read({ name: 'big.txt', bytes: utf8.encode('eleven bytes') }), (error) => {
      assert.ok(isAquiferError(error, 'too-large'));
      assert.match(error.message, /big\.txt has 12 bytes, more than the limit of 10/);
      return true;
    });
    await small.close();
  });

  it('stops a file that takes too long, and reads the next one', async () => {
    const hasty = createDocumentReader({ threads: 1, timeoutMs: 1 });
    const results = await Promise.allSettled(
      ['a.txt', 'b.txt'].map((name) => hasty.read({ name, bytes: utf8.encode('x '.repeat(2_000_000)) })),
    );
    for (const [index, result] of results.entries()) {
      assert.ok(result.status === 'rejected' && isAquiferError(result.reason, 'too-large'));
      assert.match(result.reason.message, new RegExp(`^${'ab'[index]}\\.txt took longer than 0\\.001 s`));
    }
    await hasty.close();
  });

  it('fails the file that needs too much memory, and only that one', async () => {
    const narrow = createDocumentReader({ threads: 1, maxMemoryMb: 24 });
    const big = narrow.read({ name: 'big.md', bytes: utf8.encode('- item *one* of many\n'.repeat(400_000)) });
    const small = narrow.read({ name: 'small.txt', bytes: utf8.encode('small') });
    await assert.rejects(
      big,
      (error) => isAquiferError(error, 'too-large') && /big\.md needs more than 24 MB/.test(error.message),
    );
    assert.equal((await small).text, 'small');
    await narrow.close();
  });

  it('cancels what runs and what waits', async () => {
    const controller = new AbortController();
    const bytes = () => utf8.encode('word '.repeat(500_000));
    const reads = ['a.txt', 'b.txt'].map((name) =>
      reader.read({ name, bytes: bytes() }, { signal: controller.signal }),
    );
    const other = read('c.txt', utf8.encode('unharmed'));
    controller.abort();
    for (const one of reads) await assert.rejects(one, (error) => isAquiferError(error, 'aborted'));
    assert.equal((await other).text, 'unharmed');
    await assert.rejects(
      reader.read({ name: 'd.txt', bytes: utf8.encode('late') }, { signal: controller.signal }),
      (error) => isAquiferError(error, 'aborted'),
    );
  });

  it('ends its idle threads when it rests, no others, and starts anew with the next file', async () => {
    const resting = createDocumentReader({ threads: 2 });
    const threads = () => (process.report.getReport() as unknown as { workers: unknown[] }).workers.length;
    const before = threads();
    const readText = async (text: string) => (await resting.read({ name: 'a.txt', bytes: utf8.encode(text) })).text;
    await Promise.all([readText('one'), readText('two')]);
    assert.equal(threads(), before + 2);
    const long = 'word '.repeat(500_000).trimEnd();
    const pending = readText(long);
    await resting.rest?.();
    assert.equal(await pending, long);
    assert.equal(threads(), before + 1);
    await resting.rest?.();
    assert.equal(threads(), before);
    assert.equal(await readText('three'), 'three');
    await resting.close();
  });

  it('rejects what it has not read when closed, and everything after', async () => {
    const closing = createDocumentReader({ threads: 1 });
    const pending = ['a.txt', 'b.txt'].map((name) => closing.read({ name, bytes: utf8.encode('text') }));
    const outcomes = Promise.allSettled(pending);
    await closing.close();
    for (const outcome of await outcomes) assert.equal(outcome.status, 'rejected');
    await assert.rejects(closing.read({ name: 'c.txt', bytes: utf8.encode('text') }), (error) =>
      isAquiferError(error, 'aborted'),
    );
  });

  it('refuses limits that are no limits', () => {
    for (const options of [{ threads: 0 }, { timeoutMs: Number.NaN }, { maxBytes: -1 }]) {
      assert.throws(
        () => createDocumentReader(options),
        (error) => isAquiferError(error, 'invalid-options'),
      );
    }
  });
});

const corpus = sharedFile('documents', import.meta.url, process.env.AQUIFER_SHARED);

describe('documents found in the wild', () => {
  it('are read, or refused with a reason', { ...corpus }, async () => {
    const reader = createDocumentReader({ timeoutMs: 300_000 });
    const impatient = createDocumentReader({ threads: 1, timeoutMs: 1000 });
    const names = (await readdir(corpus.path, { recursive: true })).filter(
      (name) => reader.mediaType(name) !== undefined,
    );
    assert.ok(names.length > 20);
    const outcomes = await Promise.all(
      names.map(async (name) => {
        const bytes = await readFile(join(corpus.path, name));
        return [name, await assertReadOrRefused(/bomb/.test(name) ? impatient : reader, { name, bytes })] as const;
      }),
    );
    await Promise.all([reader.close(), impatient.close()]);
    const refused = outcomes.filter(([, document]) => document === undefined).map(([name]) => name);
    for (const name of refused)
      assert.match(name, /corrupt|encrypted|protected|notaZip|cp500|bomb/i, `${name} can be read`);
    for (const [name, document] of outcomes) {
      if (/scanned/.test(name)) assert.match(document?.omissions[0] ?? '', /scans? or drawings?/, name);
    }
  });
});
