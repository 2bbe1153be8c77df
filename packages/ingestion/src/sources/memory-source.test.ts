import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAquiferError, type SourceItem } from '@aquifer/contracts';
import { createMemorySource, type MemoryDocument } from './memory-source.js';

async function items(documents: readonly MemoryDocument[]): Promise<SourceItem[]> {
  const listed: SourceItem[] = [];
  for await (const entry of createMemorySource({ id: 'test', documents }).list()) {
    assert.ok(!('omitted' in entry));
    listed.push(entry);
  }
  return listed;
}

describe('memory source', () => {
  it('gives what it was given', async () => {
    const [item] = await items([{ path: 'a b/ü.md', text: '年', title: 'Year', metadata: { country: 'JP' } }]);
    assert.ok(item);
    assert.equal(item.path, 'a b/ü.md');
    assert.equal(item.uri, 'memory:test/a%20b/%C3%BC.md');
    assert.equal(item.title, 'Year');
    assert.equal(item.bytes, 3);
    assert.equal(item.mediaType, undefined);
    const { bytes, metadata } = await item.read();
    assert.equal(Buffer.from(bytes).toString(), '年');
    assert.deepEqual(metadata, { country: 'JP' });
  });

  it('gives its bytes again after a reader has sent them to another thread', async () => {
    const given = new Uint8Array([1, 2, 3]);
    const [item] = await items([{ path: 'a.bin', bytes: given }]);
    const { bytes } = (await item?.read()) ?? assert.fail();
    structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
    assert.deepEqual([...given], [1, 2, 3]);
    assert.deepEqual([...((await item?.read())?.bytes ?? [])], [1, 2, 3]);
  });

  it('takes text without an ending for plain text', async () => {
    const [text, bytes] = await items([
      { path: 'note', text: 'a' },
      { path: 'blob', bytes: new Uint8Array([1]) },
    ]);
    assert.equal(text?.mediaType, 'text/plain');
    assert.equal(bytes?.mediaType, undefined);
  });

  it('stamps content, title and metadata', async () => {
    const stamp = async (document: Partial<MemoryDocument>) =>
      (await items([{ path: 'a.md', text: 'a', ...document }]))[0]?.stamp;
    const stamps = [
      await stamp({}),
      await stamp({ text: 'b' }),
      await stamp({ title: 'b' }),
      await stamp({ metadata: { b: 1 } }),
      await stamp({ mediaType: 'text/html' }),
    ];
    assert.equal(new Set(stamps).size, stamps.length);
    assert.equal(await stamp({}), stamps[0]);
  });

  it('refuses paths given twice, empty paths, and documents without content', async () => {
    for (const documents of [
      [
        { path: 'e\u0301', text: '1' },
        { path: '\u00e9', text: '2' },
      ],
      [{ path: '', text: '1' }],
      [{ path: 'a' }],
      [{ path: 'a', text: '1', bytes: new Uint8Array() }],
    ]) {
      await assert.rejects(items(documents), (error) => isAquiferError(error, 'invalid-options'));
    }
  });

  it('survives paths that are not well-formed', async () => {
    const [item] = await items([{ path: 'a\ud800.md', text: 'a' }]);
    assert.equal(item?.path, 'a\ufffd.md');
  });
});
