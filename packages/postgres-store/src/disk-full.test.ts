import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { createSeededRandom, sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { openPostgresStore } from './open-postgres-store.js';
import { noOwnServer, type OwnServer, ownerOfServers, startOwnServer } from './own-server.test-fixture.js';

/** A file system of 24 MB, or undefined where this process may not mount one. */
function mountSmallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=24m,uid=${ownerOfServers}`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

const disk = noOwnServer ? undefined : mountSmallDisk();
const noDisk = noOwnServer || (disk === undefined && 'needs the right to mount a small file system');

describe('a shared index on a full disk', { skip: noDisk }, () => {
  let server: OwnServer;
  before(async () => {
    server = await startOwnServer();
    await server.run(`CREATE TABLESPACE small LOCATION '${disk}'`);
    await server.run('ALTER DATABASE aquifer SET TABLESPACE small', 'postgres');
  });
  after(async () => {
    await server?.remove();
    execFileSync('umount', [disk as string]);
    rmSync(disk as string, { recursive: true });
  });

  it('says so, keeps what it has, and goes on when there is room', async () => {
    const store = await openPostgresStore({ location: server.location(), analyser: suiteAnalyser });
    await store.writeManifest(suiteManifest(256));
    const random = createSeededRandom(3);
    const document = (n: number) =>
      sketchDocument(
        `d${n}`,
        Array.from({ length: 20 }, (_, chunk) => ({
          id: `${n}.${chunk}`,
          text: `document${n} ${Array.from({ length: 40 }, () => random.below(1e9).toString(36)).join(' ')}`,
          vector: Array.from({ length: 256 }, () => random.gaussian()),
        })),
      );
    await store.replaceDocument(document(0));
    const filler = join(disk as string, 'filler');
    assert.throws(() => writeFileSync(filler, Buffer.alloc(24e6)), /ENOSPC/);
    let written = 1;
    await assert.rejects(
      async () => {
        for (; written < 1_000; written++) await store.replaceDocument(document(written));
      },
      (error) => {
        assert.ok(isAquiferError(error, 'disk-full'), String(error));
        assert.match(error.message, /No space left on device.*Make room on the disk of the database/s);
        return true;
      },
    );
    // Searches need no room, and there is nothing of the document that did not fit.
    const whole = async (count: number) => {
      assert.equal((await store.listDocuments()).length, count);
      assert.equal((await store.stats()).chunks, 20 * count);
      for (const n of [0, count - 1]) {
        assert.equal((await store.searchKeyword({ text: `document${n}`, limit: 100 })).matches.length, 20);
      }
      assert.equal((await store.searchKeyword({ text: `document${count}`, limit: 100 })).matches.length, 0);
      const dense = await store.searchDense({ vector: new Float32Array(256).fill(1), limit: 10_000 });
      assert.equal(dense.matches.length, 20 * count);
    };
    await whole(written);
    rmSync(filler);
    await store.replaceDocument(document(written));
    await whole(written + 1);
    await store.close();
  });
});
