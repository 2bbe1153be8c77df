import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { openLocalStore } from './open-local-store.js';
import { prepareWrite } from './prepare-write.js';

// Words of several bytes.
const paragraph = (index: number): string => `paragraph${index} 東京 Zürich ${'and so on '.repeat(800)}`;
const long = sketchDocument(
  'long',
  Array.from({ length: 40 }, (_, index) => ({ text: paragraph(index) })),
);
const short = sketchDocument('short', [{ text: 'paragraph99 東京' }]);

describe('writes on their way to the store thread', () => {
  it('hand over the texts of a long document as bytes, and copy short ones', async () => {
    assert.ok(long.text.length > 2 ** 18);
    const prepared = await prepareWrite(long, new Set(['long#1']), suiteAnalyser);
    assert.equal(Buffer.concat(prepared.write.text as Uint8Array[]).toString(), long.text);
    assert.equal(prepared.write.chunks[1]?.terms, undefined);
    assert.ok(prepared.write.chunks[0]?.terms?.body instanceof Uint8Array);
    assert.equal(new Set(prepared.transfer).size, prepared.transfer.length);

    const { write } = await prepareWrite(short, new Set(), suiteAnalyser);
    assert.deepEqual(write.text, [short.text]);
    assert.equal(typeof write.chunks[0]?.terms?.body, 'string');
  });

  it('cut a text of megabytes into parts, which are read back as one', async () => {
    const location = await mkdtemp(join(tmpdir(), 'aquifer-parts-'));
    const store = await openLocalStore({ location, analyser: suiteAnalyser });
    try {
      await store.writeManifest(suiteManifest(4));
      // One unit before them, so that a part would end between the halves of a pair.
      const large = sketchDocument('large', [{ text: `x${'😀'.repeat(2 ** 20)}` }, { text: 'its end' }]);
      const { write } = await prepareWrite(large, new Set(), suiteAnalyser);
      assert.ok(write.text.length > 2);
      for (const text of [large, long, large]) await store.replaceDocument(text);
      for (const { document, text } of [large, long]) {
        assert.equal((await store.getContent(document.id))?.text, text);
      }
      assert.equal((await store.listChunks('large'))[1]?.text, 'its end');
      const shorter = sketchDocument('large', [{ text: 'short now' }]);
      await store.replaceDocument(shorter);
      assert.equal((await store.getContent('large'))?.text, shorter.text);
      assert.equal(await store.deleteDocuments(['large']), 1);
      assert.equal(await store.getContent('large'), undefined);
    } finally {
      await store.close();
      await rm(location, { recursive: true, force: true });
    }
  });

  it('are found and read back the same, whichever way they went', async () => {
    const location = await mkdtemp(join(tmpdir(), 'aquifer-long-'));
    const store = await openLocalStore({ location, analyser: suiteAnalyser });
    try {
      await store.writeManifest(suiteManifest(4));
      await Promise.all([store.replaceDocument(long), store.replaceDocument(short)]);
      assert.equal((await store.getContent('long'))?.text, long.text);
      assert.deepEqual((await store.getContent('long'))?.blocks, long.blocks);
      const best = async (text: string) => (await store.searchKeyword({ text, limit: 1 })).matches[0]?.chunkId;
      assert.equal(await best('paragraph31'), 'long#31');
      assert.equal(await best('paragraph99'), 'short#0');
      assert.equal((await store.searchKeyword({ text: '東京', limit: 50 })).matches.length, 41);
    } finally {
      await store.close();
      await rm(location, { recursive: true, force: true });
    }
  });
});
