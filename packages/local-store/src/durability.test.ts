import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isAquiferError } from '@aquifer/contracts';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { databaseFileName } from './database/database.js';
import { canEncrypt, openSql } from './database/sqlite-driver.js';
import { openLocalStore } from './open-local-store.js';

const analyser = suiteAnalyser;

const inFolder = (work: (location: string) => Promise<void>) => async () => {
  const location = await mkdtemp(join(tmpdir(), 'aquifer-store-'));
  try {
    await work(location);
  } finally {
    await rm(location, { recursive: true, force: true });
  }
};

const rejectsWith = (code: string, message?: RegExp) => (error: unknown) => {
  assert.ok(isAquiferError(error), String(error));
  assert.equal(error.code, code, error.message);
  if (message !== undefined) assert.match(error.message, message);
  return true;
};

/** A process that opens the index for writing and writes documents until it is killed. */
async function startWriter(location: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./endless-writer.test-process.js', import.meta.url)), [location], {
    stdio: 'inherit',
  });
  await once(child, 'message');
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

describe('one writer, many readers', () => {
  it(
    'refuses a second writer and names the first, in this process and in another',
    inFolder(async (location) => {
      const store = await openLocalStore({ location, analyser });
      await assert.rejects(
        openLocalStore({ location, analyser }),
        rejectsWith('index-locked', new RegExp(`process ${process.pid}`)),
      );
      await store.close();
      const child = await startWriter(location);
      try {
        const namesChild = rejectsWith('index-locked', new RegExp(`process ${child.pid} .*endless-writer`));
        await assert.rejects(openLocalStore({ location, analyser }), namesChild);
      } finally {
        await killed(child);
      }
      // The operating system has let go of the lock, whatever the note beside it says.
      const again = await openLocalStore({ location, analyser });
      await again.close();
    }),
  );

  it(
    'lets readers read while another process writes, and never shows half a document',
    inFolder(async (location) => {
      const child = await startWriter(location);
      try {
        const reader = await openLocalStore({ location, analyser, mode: 'read' });
        const other = await openLocalStore({ location, analyser, mode: 'read' });
        const seen = new Set<number>();
        for (let round = 0; round < 200 && seen.size < 4; round++) {
          const scope = { limit: 10_000, documentIds: ['changing'] };
          const dense = await reader.searchDense({ vector: Float32Array.of(1, 1, 1, 1), ...scope });
          const keyword = await other.searchKeyword({ text: 'shared', ...scope });
          for (const { matches } of [dense, keyword]) {
            const versions = new Set(matches.map((match) => match.chunkId.split(':')[0]));
            assert.ok(versions.size <= 1, [...versions].join(' '));
            const [version] = versions;
            if (version === undefined) continue;
            assert.equal(matches.length, 3 + (Number(version) % 5));
            seen.add(Number(version));
          }
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        assert.ok(seen.size >= 2, 'the readers saw no change');
        await assert.rejects(reader.writeValue('a', 1), rejectsWith('index-read-only'));
        await assert.rejects(reader.optimise(), rejectsWith('index-read-only'));
        await Promise.all([reader.close(), other.close()]);
      } finally {
        await killed(child);
      }
    }),
  );

  it('says that there is no index to read', async () => {
    const location = join(tmpdir(), 'aquifer-no-such-index');
    await assert.rejects(
      openLocalStore({ location, analyser, mode: 'read' }),
      rejectsWith('index-not-found', /aquifer index/),
    );
  });
});

describe('a killed writer', () => {
  it(
    'leaves whole documents',
    inFolder(async (location) => {
      for (const afterMs of [30, 80, 150]) {
        const child = await startWriter(location);
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        await killed(child);
        const store = await openLocalStore({ location, analyser });
        const documents = await store.listDocuments({ limit: 100_000 });
        assert.ok(documents.length > 1);
        const ids: string[] = [];
        for (const { id, chunkCount } of documents) {
          const chunks = await store.listChunks(id);
          assert.equal(chunks.length, chunkCount, id);
          assert.equal((await store.getContent(id))?.text, chunks.map((chunk) => chunk.text).join('\n'));
          ids.push(...chunks.map((chunk) => chunk.id));
        }
        const keyword = await store.searchKeyword({ text: 'shared', limit: 10_000 });
        const dense = await store.searchDense({ vector: Float32Array.of(1, 1, 1, 1), limit: 10_000 });
        for (const { matches } of [keyword, dense]) {
          assert.deepEqual(matches.map((match) => match.chunkId).sort(), [...ids].sort());
        }
        await store.close();
      }
    }),
  );
});

describe('damaged, foreign and newer files', () => {
  it(
    'says that a file stands where the folder of the index should be',
    inFolder(async (location) => {
      const file = join(location, 'junk');
      await writeFile(file, 'not an index');
      for (const mode of ['read', 'write'] as const) {
        await assert.rejects(
          openLocalStore({ location: file, analyser, mode }),
          rejectsWith('invalid-options', /junk is a file, and an index is a folder: choose another place with --kb/),
        );
        await assert.rejects(
          openLocalStore({ location: join(file, 'a', 'b'), analyser, mode }),
          rejectsWith('invalid-options', /b lies below .*junk, which is a file/),
        );
      }
      assert.equal(await readFile(file, 'utf8'), 'not an index');
    }),
  );

  const fill = async (location: string): Promise<void> => {
    const store = await openLocalStore({ location, analyser });
    await store.writeManifest(suiteManifest(4));
    for (let document = 0; document < 200; document++) {
      await store.replaceDocument(sketchDocument(`d${document}`, [{ text: 'some words '.repeat(200) }]));
    }
    await store.close();
  };

  it(
    'are told from an index',
    inFolder(async (location) => {
      const file = join(location, databaseFileName);
      await writeFile(file, 'this is not a database, but long enough to look like one '.repeat(400));
      for (const mode of ['read', 'write'] as const) {
        await assert.rejects(
          openLocalStore({ location, analyser, mode }),
          rejectsWith('encryption-key-refused', /damaged/),
        );
      }
      await writeFile(file, Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(20_000, 7)]));
      for (const mode of ['read', 'write'] as const) {
        await assert.rejects(
          openLocalStore({ location, analyser, mode }),
          rejectsWith('index-corrupt', /index\.sqlite/),
        );
      }
      await writeFile(file, '');
      await assert.rejects(openLocalStore({ location, analyser, mode: 'read' }), rejectsWith('index-not-found'));
      const store = await openLocalStore({ location, analyser });
      await store.close();
    }),
  );

  it(
    'are reported where reading meets them',
    inFolder(async (location) => {
      await fill(location);
      const file = join(location, databaseFileName);
      const { size } = await stat(file);
      await truncate(file, Math.floor(size / 2));
      const store = await openLocalStore({ location, analyser, mode: 'read' }).catch((error: unknown) => error);
      if (isAquiferError(store)) {
        assert.equal(store.code, 'index-corrupt', store.message);
        return;
      }
      const opened = store as Awaited<ReturnType<typeof openLocalStore>>;
      const readAll = async (): Promise<void> => {
        for (const { id } of await opened.listDocuments()) await opened.getContent(id);
        await opened.searchKeyword({ text: 'some', limit: 10_000 });
        await opened.searchDense({ vector: Float32Array.of(1, 1, 1, 1), limit: 10_000 });
      };
      await assert.rejects(readAll(), rejectsWith('index-corrupt', /Restore it from a backup/));
      await opened.close();
    }),
  );

  it(
    'of a newer program are refused',
    inFolder(async (location) => {
      await fill(location);
      const database = openSql(join(location, databaseFileName), { busyTimeoutMs: 0 });
      database.exec('PRAGMA user_version = 999');
      database.close();
      for (const mode of ['read', 'write'] as const) {
        await assert.rejects(openLocalStore({ location, analyser, mode }), rejectsWith('index-too-new', /999/));
      }
    }),
  );

  it(
    'of another program are left alone',
    inFolder(async (location) => {
      const file = join(location, databaseFileName);
      const database = openSql(file, { create: true, busyTimeoutMs: 0 });
      database.exec('CREATE TABLE theirs (x); PRAGMA user_version = 3');
      database.close();
      const before = await readFile(file);
      await assert.rejects(openLocalStore({ location, analyser }), rejectsWith('index-corrupt', /another program/));
      assert.deepEqual(await readFile(file), before);
    }),
  );
});

describe('encryption', () => {
  const without = 'better-sqlite3-multiple-ciphers is not built here';
  const skip = canEncrypt() ? {} : { skip: without };

  const secret = 'correct horse "battery" staple \'; -- 日本';
  const words = ['zanzibarword', 'contextword', 'headingword', 'metadataword', 'titleword', 'valueword', 'tableword'];

  it(
    'leaves no plain text in any file, open or closed',
    skip,
    inFolder(async (location) => {
      const store = await openLocalStore({ location, analyser, encryptionKey: secret, index: 'hnsw' });
      await store.writeManifest(suiteManifest(4));
      const write = sketchDocument('a', [{ text: 'zanzibarword', context: 'contextword', tableHeader: 'tableword' }], {
        title: 'titleword',
        metadata: { key: 'metadataword' },
      });
      const chunks = write.chunks.map((chunk) => ({ ...chunk, headings: ['headingword'] }));
      await store.replaceDocument({ ...write, chunks });
      await store.writeValue('x', 'valueword');
      await store.optimise();
      const stats = await store.stats();
      assert.equal(stats.index.kind, 'exact');
      assert.match(stats.index.note ?? '', /encrypted/);
      const search = async (text: string): Promise<number> =>
        (await store.searchKeyword({ text, limit: 5 })).matches.length;
      assert.equal(await search('zanzibarword'), 1);
      const assertSecret = async (): Promise<void> => {
        const names = await readdir(location);
        assert.ok(names.includes(databaseFileName));
        for (const name of names) {
          const bytes = await readFile(join(location, name));
          for (const word of [...words, 'CREATE TABLE', secret]) assert.ok(!bytes.includes(word), `${word} in ${name}`);
        }
      };
      await assertSecret();
      await store.close();
      await assertSecret();

      const again = await openLocalStore({ location, analyser, encryptionKey: secret, mode: 'read' });
      assert.equal((await again.getContent('a'))?.text, 'zanzibarword');
      const { matches } = await again.searchDense({ vector: Float32Array.of(1, 1, 1, 1), limit: 1 });
      assert.equal(matches.length, 1);
      await again.close();
    }),
  );

  it(
    'refuses a wrong key, a missing key and a needless key',
    skip,
    inFolder(async (location) => {
      const encrypted = join(location, 'encrypted');
      const plain = join(location, 'plain');
      await (await openLocalStore({ location: encrypted, analyser, encryptionKey: secret })).close();
      await (await openLocalStore({ location: plain, analyser })).close();
      const refused = rejectsWith('encryption-key-refused');
      for (const mode of ['read', 'write'] as const) {
        await assert.rejects(openLocalStore({ location: encrypted, analyser, mode, encryptionKey: 'wrong' }), refused);
        await assert.rejects(openLocalStore({ location: encrypted, analyser, mode }), refused);
        await assert.rejects(openLocalStore({ location: plain, analyser, mode, encryptionKey: secret }), refused);
      }
      await assert.rejects(
        openLocalStore({ location: plain, analyser, encryptionKey: '' }),
        rejectsWith('invalid-options'),
      );
      // A refusal leaves no lock behind.
      await (await openLocalStore({ location: encrypted, analyser, encryptionKey: secret })).close();
    }),
  );
});

describe('without the addon', () => {
  it(
    'refuses a key rather than leave an index unencrypted',
    canEncrypt() ? { skip: 'better-sqlite3-multiple-ciphers is built here' } : {},
    inFolder(async (location) => {
      const opening = openLocalStore({ location, analyser, encryptionKey: 'secret' });
      await assert.rejects(opening, rejectsWith('encryption-unavailable', /npm rebuild/));
    }),
  );
});

describe('process', () => {
  it(
    'ends although an index was left open',
    inFolder(async (location) => {
      const child = fork(fileURLToPath(new URL('./endless-writer.test-process.js', import.meta.url)), [
        location,
        'idle',
      ]);
      const [code] = await once(child, 'exit');
      assert.equal(code, 0);
      const store = await openLocalStore({ location, analyser, mode: 'read' });
      assert.equal((await store.listDocuments()).length, 1);
      await store.close();
    }),
  );
});
