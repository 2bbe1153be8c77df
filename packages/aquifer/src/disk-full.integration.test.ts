import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isAquiferError } from '@aquifer/contracts';
import { createMemorySource } from '@aquifer/ingestion';
import { openKnowledgeBase } from './open-knowledge-base.js';
import { mountSmallDisk, type SmallDisk } from './testing/small-disk.js';

const documents = Array.from({ length: 16 }, (_, n) => ({
  path: `${n}.md`,
  text: Array.from({ length: 12 }, (_, line) => `Sentence ${line} of note ${n} about subject ${(n * line) % 7}.`).join(
    '\n\n',
  ),
}));
const source = () => createMemorySource({ id: 'notes', documents });

/** Opens, indexes, builds the graph, closes. */
async function index(location: string): Promise<void> {
  const knowledgeBase = await openKnowledgeBase({ location, indexKind: 'hnsw', chunkTokens: 64 });
  try {
    await knowledgeBase.index(source());
  } finally {
    await knowledgeBase.close();
  }
}

/** All that can be read, every document whole; undefined where there is no index yet. */
async function read(location: string) {
  const opening = openKnowledgeBase({ location, mode: 'read' });
  const knowledgeBase = await opening.catch((error: unknown) => {
    assert.ok(isAquiferError(error, 'index-not-found'), String(error));
  });
  if (knowledgeBase === undefined) return undefined;
  try {
    const records = await knowledgeBase.documents();
    const whole = await Promise.all(records.map(({ id }) => knowledgeBase.document(id)));
    for (const { status, chunkCount, chunks } of whole) {
      assert.equal(status, 'indexed');
      assert.equal(chunks.length, chunkCount);
    }
    const { matches } = await knowledgeBase.search('subject', { limit: 20, mode: 'dense' });
    assert.equal(matches.length > 0, records.length > 0);
    const { index } = await knowledgeBase.status();
    return { documents: whole.map(({ indexedAt: _, ...document }) => document), vectors: index.vectors };
  } finally {
    await knowledgeBase.close();
  }
}

const assertDiskFull = (location: string) => (error: unknown) => {
  assert.ok(isAquiferError(error, 'disk-full'), `${(error as { code?: string }).code}: ${String(error)}`);
  assert.ok(error.message.includes(location), error.message);
  assert.match(error.message, /committed before is kept.*run the same command again/);
  return true;
};

// Run as a process of its own, under a limit on the size of files.
if (process.argv[2] === 'child') {
  await index(process.argv[3] as string).catch((error: unknown) => {
    if (!isAquiferError(error)) throw error;
    console.error(`${error.code} ${error.message}`);
    process.exitCode = 7;
  });
} else {
  describe('a full disk', () => {
    let folder: string;
    let undisturbed: Awaited<ReturnType<typeof read>>;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'aquifer-full-'));
      await index(join(folder, 'undisturbed'));
      undisturbed = await read(join(folder, 'undisturbed'));
      assert.equal(undisturbed?.documents.length, documents.length);
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    it('is named wherever a run meets it, leaves whole documents, and the next run goes on', async (context) => {
      const disk: SmallDisk | undefined = mountSmallDisk(24);
      if (disk === undefined) return context.skip('a disk can be mounted by root on Linux alone');
      const location = join(disk.folder, 'index');
      try {
        const met = new Set<boolean>();
        const kibibytes = [0, 48, 300, 1_000, 1_800, 2_600, 20_000];
        for (const free of kibibytes) {
          rmSync(location, { recursive: true, force: true });
          disk.fillUpTo(free * 1024);
          const failure = await index(location).then(
            () => undefined,
            (error: unknown) => error,
          );
          met.add(failure !== undefined);

          if (failure !== undefined) assertDiskFull(location)(failure);
          // Reading needs a little room: SQLite keeps 32 KiB of shared memory in a file.
          disk.makeRoom();
          disk.fillUpTo(256 * 1024);
          await read(location);
          disk.makeRoom();
          await index(location);
          assert.deepEqual(await read(location), undisturbed, `after a run with ${free} KiB`);
          const left = readdirSync(location).filter((name) => name.includes('temporary'));
          assert.deepEqual(left, []);
        }
        assert.deepEqual([...met].sort(), [false, true]);
      } finally {
        disk.unmount();
      }
    });

    it('is what a limit on the size of files is called', async (context) => {
      if (process.platform === 'win32') return context.skip('Windows has no ulimit');
      const location = join(folder, 'limited');
      const run = promisify(execFile);
      const script = fileURLToPath(import.meta.url);
      const indexUnderLimit = (blocks: string) =>
        run('sh', [
          '-c',
          'ulimit -f "$1"; exec "$2" "$3" child "$4"',
          'sh',
          blocks,
          process.execPath,
          script,
          location,
        ]);
      await assert.rejects(indexUnderLimit('200'), (error: { code?: unknown; stderr?: string }) => {
        assert.equal(error.code, 7, error.stderr);
        assert.match(String(error.stderr), /^disk-full .*(quota|full).*limited/s);
        return true;
      });
      await read(location);
      await indexUnderLimit('unlimited');
      assert.deepEqual(await read(location), undisturbed);
    });
  });
}
