import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isAquiferError } from '@aquifer/contracts';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { openLocalStore } from './open-local-store.js';

const analyser = suiteAnalyser;
const open = (location: string, mode: 'read' | 'write' = 'write') => openLocalStore({ location, analyser, mode });

const rejectsWith = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(isAquiferError(error), String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

// Run as a process of its own, which may open few files.
if (process.argv[2] === 'child') {
  const stores = [];
  try {
    for (;;) stores.push(await open(process.argv[3] as string, 'read'));
  } catch (error) {
    process.stdout.write(isAquiferError(error) ? `${error.code} ${error.message}` : String(error));
    process.exit(0);
  }
} else {
  describe('a store that is disturbed', () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'aquifer-disturbed-'));
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    async function fill(location: string): Promise<void> {
      const store = await open(location);
      await store.writeManifest(suiteManifest(4));
      await store.replaceDocument(sketchDocument('a', [{ text: 'old words' }]));
      await store.close();
    }

    it('takes over the lock that a dead process left, whoever has its number now', async () => {
      const location = join(folder, 'lock');
      await fill(location);
      // As a killed writer leaves it: a note, and a lock that the system has let go of. This process lives.
      const note = join(location, 'writer.json');
      writeFileSync(note, JSON.stringify({ pid: process.pid, host: 'h', command: 'aquifer index', since: 's' }));
      const store = await open(location);
      await assert.rejects(open(location), rejectsWith('index-locked', new RegExp(`process ${process.pid} on `)));
      assert.notEqual(JSON.parse(readFileSync(note, 'utf8')).since, 's');
      await store.close();
      for (const garbage of ['', '{', 'null', '{"pid":{}}']) {
        writeFileSync(note, garbage);
        await (await open(location)).close();
      }
    });

    it('says that its folder was deleted or replaced, and writes nothing into the new one', async (context) => {
      if (process.platform === 'win32') return context.skip('Windows does not delete open files');
      const location = join(folder, 'gone');
      await fill(location);
      const other = join(folder, 'other');
      cpSync(location, other, { recursive: true });
      const [writer, reader] = [await open(location), await open(location, 'read')];
      assert.equal((await reader.searchDense({ vector: Float32Array.of(1, 1, 1, 1), limit: 5 })).matches.length, 1);
      rmSync(location, { recursive: true });
      const gone = rejectsWith('index-not-found', /gone was deleted or replaced while it was open/);
      const write = sketchDocument('b', [{ text: 'new words' }]);
      await assert.rejects(writer.replaceDocument(write), gone);
      await assert.rejects(reader.listDocuments(), gone);
      renameSync(other, location);
      await assert.rejects(writer.replaceDocument(write), gone);
      await assert.rejects(reader.getContent('a'), gone);
      await Promise.all([writer.close(), reader.close()]);
      const again = await open(location);
      assert.deepEqual(
        (await again.listDocuments()).map(({ id }) => id),
        ['a'],
      );
      await again.close();
    });

    it('does not mind a clock that was set back', async () => {
      const location = join(folder, 'clock');
      const store = await open(location);
      await store.writeManifest({ ...suiteManifest(4), createdAt: Date.now() + 1e10 });
      const { document, ...rest } = sketchDocument('a', [{ id: 'a1', text: 'words of tomorrow' }]);
      await store.replaceDocument({ document: { ...document, indexedAt: Date.now() + 1e10 }, ...rest });
      const changed = sketchDocument('a', [{ id: 'a2', text: 'words of yesterday' }]);
      await store.replaceDocument({ ...changed, document: { ...changed.document, indexedAt: 1 } });
      assert.equal((await store.getContent('a'))?.text, 'words of yesterday');
      assert.equal((await store.searchKeyword({ text: 'tomorrow', limit: 5 })).matches.length, 0);
      assert.equal((await store.searchKeyword({ text: 'yesterday', limit: 5 })).matches.length, 1);
      await store.close();
    });

    it('says that no more files may be opened', async (context) => {
      if (process.platform === 'win32') return context.skip('Windows has no ulimit');
      const location = join(folder, 'descriptors');
      await fill(location);
      // A writer beside them keeps every reader's log open as well.
      const writer = await open(location);
      try {
        const { stdout } = await promisify(execFile)('sh', [
          '-c',
          'ulimit -n 96; exec "$0" "$1" child "$2"',
          process.execPath,
          fileURLToPath(import.meta.url),
          location,
        ]);
        assert.match(stdout, /^too-many-open-files .*ulimit -n/);
      } finally {
        await writer.close();
      }
    });
  });
}
