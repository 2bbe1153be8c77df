import assert from 'node:assert/strict';
import { mkdtemp, open as openFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { canEncrypt } from './database/sqlite-driver.js';
import { inspectIndex } from './inspect-index.js';
import { openLocalStore } from './open-local-store.js';
import { storeAbilities } from './store-abilities.js';

const withFolder = (work: (location: string) => Promise<void>) => async () => {
  const location = await mkdtemp(join(tmpdir(), 'aquifer-inspect-'));
  try {
    await work(location);
  } finally {
    await rm(location, { recursive: true, force: true });
  }
};

async function fill(location: string, encryptionKey?: string) {
  const store = await openLocalStore({ location, analyser: suiteAnalyser, encryptionKey });
  await store.writeManifest(suiteManifest(8));
  const sketches = Array.from({ length: 200 }, (_, at) => ({
    text: `words of chunk ${at}`,
    vector: Float32Array.from({ length: 8 }, (_, place) => Math.sin(at * 8 + place)),
  }));
  await store.replaceDocument(sketchDocument('d', sketches));
  return store;
}

describe('looking at an index', () => {
  it(
    'changes nothing, finds it sound, and names who writes to it',
    withFolder(async (location) => {
      const store = await fill(location);
      const busy = inspectIndex({ location });
      assert.deepEqual([busy.state, busy.problems], ['sound', []]);
      assert.match(String(busy.writer), new RegExp(`process ${process.pid} on `));
      assert.ok(Number(busy.freeBytes) > 0);
      await store.close();
      const before = (await readdir(location)).sort();
      const quiet = inspectIndex({ location });
      assert.deepEqual([quiet.state, quiet.writer], ['sound', undefined]);
      assert.deepEqual((await readdir(location)).sort(), before);
    }),
  );

  it(
    'says that there is none, also where there is no folder',
    withFolder(async (location) => {
      assert.equal(inspectIndex({ location }).state, 'missing');
      const deeper = inspectIndex({ location: join(location, 'not', 'there') });
      assert.equal(deeper.state, 'missing');
      assert.ok(Number(deeper.freeBytes) > 0);
      assert.deepEqual(await readdir(location), []);
      await writeFile(join(location, 'file'), 'not an index');
      const { state, problems } = inspectIndex({ location: join(location, 'file') });
      assert.equal(state, 'unusable');
      assert.match(problems.join(), /file is a file, and an index is a folder/);
    }),
  );

  it(
    'finds pages that were overwritten, and what is no index at all',
    withFolder(async (location) => {
      await (await fill(location)).close();
      const file = join(location, 'index.sqlite');
      const { size } = await stat(file);
      const overwrite = async (from: number, bytes: number): Promise<void> => {
        const handle = await openFile(file, 'r+');
        await handle.write(Buffer.alloc(bytes, 0x5a), 0, bytes, from);
        await handle.close();
      };
      await overwrite(2 * 16_384, size - 2 * 16_384);
      const damaged = inspectIndex({ location });
      assert.ok(['damaged', 'unusable'].includes(damaged.state), damaged.state);
      assert.ok(damaged.problems.length > 0);
      await overwrite(0, 4_096);
      const foreign = inspectIndex({ location });
      assert.equal(foreign.state, 'unusable');
      assert.match(String(foreign.problems[0]), /index\.sqlite/);
    }),
  );

  it(
    'says that a key is missing',
    { skip: canEncrypt() ? false : 'encryption is not built here' },
    withFolder(async (location) => {
      await (await fill(location, 'key')).close();
      assert.match(String(inspectIndex({ location }).problems[0]), /encryption key/);
      assert.equal(inspectIndex({ location, encryptionKey: 'key' }).state, 'sound');
    }),
  );
});

describe('what the store can do here', () => {
  it('is what opening it shows', () => {
    const { sqlite, encryption, graph, vectorInstructions } = storeAbilities();
    assert.match(String(sqlite?.version), /^3\.\d+/);
    assert.equal(encryption, sqlite?.driver === 'better-sqlite3-multiple-ciphers');
    assert.equal(typeof graph, 'boolean');
    assert.equal(typeof vectorInstructions, 'boolean');
  });
});
