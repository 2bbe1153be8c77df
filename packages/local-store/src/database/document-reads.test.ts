import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { openLocalStore } from '../open-local-store.js';

describe('document reads', () => {
  it('give the text of a chunk as its document has it, even where it ends between the halves of a pair', async () => {
    const location = await mkdtemp(join(tmpdir(), 'aquifer-reads-'));
    const store = await openLocalStore({ location, analyser: suiteAnalyser, ownThreads: false });
    try {
      await store.writeManifest(suiteManifest(4));
      const write = sketchDocument('halves', [{ text: 'smile 😀' }]);
      const chunks = write.chunks.map((chunk) => ({ ...chunk, end: chunk.end - 1, text: chunk.text.slice(0, -1) }));
      await store.replaceDocument({ ...write, chunks });
      // As it is read, and as it was read last.
      for (let time = 0; time < 2; time++) {
        assert.equal((await store.getChunks(['halves#0']))[0]?.text, 'smile \ud83d');
      }
    } finally {
      await store.close();
      await rm(location, { recursive: true });
    }
  });
});
