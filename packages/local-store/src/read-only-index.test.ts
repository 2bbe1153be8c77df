import assert from 'node:assert/strict';
import { execFile, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isAquiferError } from '@aquifer/contracts';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { databaseFileName } from './database/database.js';
import { canEncrypt } from './database/sqlite-driver.js';
import { openLocalStore } from './open-local-store.js';

const analyser = suiteAnalyser;
const encryptionKey = 'a key of this test';

/** Everything that reading commands do. */
async function read(location: string, key?: string) {
  const store = await openLocalStore({ location, analyser, mode: 'read', encryptionKey: key });
  try {
    const documents = await store.listDocuments();
    const texts = await Promise.all(documents.map(async ({ id }) => (await store.getContent(id))?.text));
    const dense = await store.searchDense({ vector: Float32Array.of(1, 1, 1, 1), limit: 100 });
    const keyword = await store.searchKeyword({ text: 'shared', limit: 100 });
    const { chunks } = await store.stats();
    return { texts, dense: dense.matches.length, keyword: keyword.matches.length, chunks };
  } finally {
    await store.close();
  }
}

async function write(location: string, key?: string): Promise<void> {
  const store = await openLocalStore({ location, analyser, encryptionKey: key });
  await store.writeManifest(suiteManifest(4));
  for (const id of ['a', 'b', 'c'])
    await store.replaceDocument(sketchDocument(id, [{ text: `shared words of ${id}` }]));
  await store.close();
}
const written = { texts: ['a', 'b', 'c'].map((id) => `shared words of ${id}`), dense: 3, keyword: 3, chunks: 3 };

/** Leaves an index with commits in its log, as `kill -9` does. */
async function kill(location: string): Promise<void> {
  const child = fork(fileURLToPath(new URL('./endless-writer.test-process.js', import.meta.url)), [location]);
  await once(child, 'message');
  await new Promise((resolve) => setTimeout(resolve, 100));
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
  assert.ok(existsSync(join(location, `${databaseFileName}-wal`)));
}

// Run as another user, for whom a folder without the permission to write is read-only.
if (process.argv[2] === 'child') {
  const [, , , location = ''] = process.argv;
  const attempt = async (work: () => Promise<unknown>): Promise<unknown> => {
    try {
      return await work();
    } catch (error) {
      return isAquiferError(error) ? `${error.code}: ${error.message}` : String(error);
    }
  };
  const outcome = { read: await attempt(() => read(location)), write: await attempt(() => write(location)) };
  process.stdout.write(JSON.stringify(outcome));
} else {
  describe('a read-only folder', () => {
    let folder: string;
    before(() => {
      folder = realpathSync(mkdtempSync(join(tmpdir(), 'aquifer-read-only-')));
      chmodSync(folder, 0o755);
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    /** Reads and writes in a process that has no more rights than anybody. */
    async function asAnybody(location: string): Promise<{ read: unknown; write: unknown }> {
      const isRoot = process.getuid?.() === 0;
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [fileURLToPath(import.meta.url), 'child', location],
        isRoot ? { uid: 65_534, gid: 65_534 } : {},
      );
      return JSON.parse(stdout);
    }

    it('serves reading, and says why it takes no writing', async (context) => {
      if (process.platform === 'win32') return context.skip('Windows has other permissions');
      const location = join(folder, 'index');
      await write(location);
      chmodSync(location, 0o555);
      for (const name of readdirSync(location)) chmodSync(join(location, name), 0o444);
      const before = readdirSync(location);
      try {
        const outcome = await asAnybody(location).catch((error: Error) => {
          if (/EACCES|Cannot find module/.test(error.message)) return undefined;
          throw error;
        });
        if (outcome === undefined) return context.skip('other users cannot read this checkout');
        assert.deepEqual(outcome.read, written);
        assert.match(String(outcome.write), /^index-read-only: .*read-only.*Searching works/);
        assert.deepEqual(readdirSync(location), before);
      } finally {
        chmodSync(location, 0o755);
      }
    });

    it('says that there is no index and that none can be made', async (context) => {
      if (process.platform === 'win32') return context.skip('Windows has other permissions');
      const closed = join(folder, 'closed');
      mkdirSync(closed);
      chmodSync(closed, 0o555);
      for (const location of [closed, join(closed, 'a', 'b')]) {
        const outcome = await asAnybody(location).catch((error: Error) => {
          if (/EACCES|Cannot find module/.test(error.message)) return undefined;
          throw error;
        });
        if (outcome === undefined) return context.skip('other users cannot read this checkout');
        assert.match(String(outcome.read), /^index-not-found: /);
        assert.match(
          String(outcome.write),
          /^index-read-only: There is no index in \S+ yet, and none can be made: \S+closed is read-only\. Change its permissions/,
        );
      }
    });

    it('serves reading of what a killed writer left', async (context) => {
      if (process.platform === 'win32') return context.skip('Windows has other permissions');
      for (const withoutSharedMemory of [false, true]) {
        const location = join(folder, `killed-${withoutSharedMemory}`);
        await kill(location);
        if (withoutSharedMemory) rmSync(join(location, `${databaseFileName}-shm`));
        for (const name of readdirSync(location)) chmodSync(join(location, name), 0o444);
        chmodSync(location, 0o555);
        try {
          const outcome = await asAnybody(location).catch((error: Error) => {
            if (/EACCES|Cannot find module/.test(error.message)) return undefined;
            throw error;
          });
          if (outcome === undefined) return context.skip('other users cannot read this checkout');
          assertWhole(outcome.read);
        } finally {
          chmodSync(location, 0o755);
        }
      }
    });
  });

  describe('a read-only disk', () => {
    it('serves reading, whether or not a killed writer left its log, and with encryption', async (context) => {
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'aquifer-disk-')));
      const mount = (...args: string[]): void => void execFileSync('mount', args, { stdio: 'ignore' });
      try {
        mount('-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder);
      } catch {
        rmSync(folder, { recursive: true });
        return context.skip('a disk can be mounted by root on Linux alone');
      }
      try {
        const [closed, killed, copied, secret] = ['closed', 'killed', 'copied', 'secret'].map((name) =>
          join(folder, name),
        ) as [string, string, string, string];
        await write(closed);
        await kill(killed);
        await kill(copied);
        // A copy made without the shared memory, which nobody needs to keep.
        rmSync(join(copied, `${databaseFileName}-shm`));
        if (canEncrypt()) await write(secret, encryptionKey);
        // Readers keep a writer from leaving one file.
        const shared = join(folder, 'shared');
        await write(shared);
        const writer = await openLocalStore({ location: shared, analyser });
        const reader = await openLocalStore({ location: shared, analyser, mode: 'read' });
        await writer.writeValue('any', 1);
        const asRead = join(folder, 'as-read');
        await reader.listDocuments();
        await writer.close();
        await reader.listDocuments();
        execFileSync('mkdir', [asRead]);
        copyFileSync(join(shared, databaseFileName), join(asRead, databaseFileName));
        await reader.close();
        mount('-o', 'remount,ro', folder);

        const copiesBefore = temporaryCopies();
        assert.deepEqual(await read(closed), written);
        assert.deepEqual(await read(asRead), written);
        if (canEncrypt()) assert.deepEqual(await read(secret, encryptionKey), written);
        assertWhole(await read(killed));
        assertWhole(await read(copied));
        assert.deepEqual(temporaryCopies(), copiesBefore);
        await assert.rejects(write(closed), (error: unknown) => {
          assert.ok(isAquiferError(error, 'index-read-only'), String(error));
          assert.match(error.message, /read-only.*Searching works/);
          return true;
        });
        await assert.rejects(write(join(folder, 'new')), (error: unknown) => isAquiferError(error, 'index-read-only'));
      } finally {
        execFileSync('umount', ['--lazy', folder]);
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
}

const temporaryCopies = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('aquifer-read-') && !name.startsWith('aquifer-read-only'));

/** What the endless writer wrote, whenever it was stopped: all chunks can be found both ways. */
function assertWhole(outcome: unknown): void {
  const { texts, dense, keyword, chunks } = outcome as Awaited<ReturnType<typeof read>>;
  assert.ok(texts.length > 0, JSON.stringify(outcome));
  assert.equal(dense, Math.min(100, chunks));
  assert.equal(keyword, Math.min(100, chunks));
}
