import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isAquiferError, type Store } from '@aquifer/contracts';
import { createSeededRandom, sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { databaseFileName } from './database/database.js';
import { openSql } from './database/sqlite-driver.js';
import { openLocalStore } from './open-local-store.js';

const analyser = suiteAnalyser;
const dimensions = 512;
const documentCount = 20;
const vectorOf = (document: number): Float32Array =>
  Float32Array.from({ length: dimensions }, (_, index) => Math.sin(document * 7 + index));
/** Longer than a page, so that most of it stands on pages without structure. */
const textOf = (document: number): string =>
  Array.from({ length: 4_000 }, (_, word) => `w${(document * 31 + word * 17) % 997}`).join(' ');

async function fill(location: string): Promise<void> {
  const store = await openLocalStore({ location, analyser });
  await store.writeManifest(suiteManifest(dimensions));
  for (let document = 0; document < documentCount; document++) {
    await store.replaceDocument(
      sketchDocument(`d${document}`, [{ text: textOf(document), vector: vectorOf(document) }]),
    );
  }
  await store.close();
}

/** Every answer that the index gives is what it must be. Returns how many documents it does not find. */
async function compareAnswers(store: Store): Promise<number> {
  let missing = documentCount - (await store.listDocuments()).length;
  for (let document = 0; document < documentCount; document++) {
    const content = await store.getContent(`d${document}`);
    if (content === undefined) {
      missing++;
      continue;
    }
    assert.ok(content.text === textOf(document), `the text of d${document} was given wrong`);
    const { matches } = await store.searchDense({ vector: vectorOf(document), limit: 1 });
    const [found] = await store.getChunks([matches[0]?.chunkId ?? '']);
    if (found === undefined) missing++;
    else assert.equal(found.documentId, `d${document}`);
  }
  return missing;
}

const isRefusal = (error: unknown): boolean =>
  isAquiferError(error) && ['index-corrupt', 'index-not-found', 'encryption-key-refused'].includes(error.code);

describe('a damaged index', () => {
  let folder: string;
  let whole: string;
  let location: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-damaged-'));
    whole = join(folder, 'whole');
    location = join(folder, 'damaged');
    await fill(whole);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const fresh = (): string => {
    rmSync(location, { recursive: true, force: true });
    cpSync(whole, location, { recursive: true });
    return join(location, databaseFileName);
  };

  it('gives no wrong text and no wrong vector, whichever page was overwritten', async () => {
    const pageBytes = 16_384;
    const pages = statSync(join(whole, databaseFileName)).size / pageBytes;
    assert.ok(pages > 60, `${pages}`);
    const random = createSeededRandom(1);
    let refused = 0;
    for (let page = 0; page < pages; page += 4) {
      const file = fresh();
      const bytes = readFileSync(file);
      // What a page begins with is structure: changed, SQLite notices. The rest is changed here.
      for (let at = page * pageBytes + 200; at < (page + 1) * pageBytes; at++) bytes[at] = random.below(256);
      writeFileSync(file, bytes);
      const store = await openLocalStore({ location, analyser, mode: 'read' }).catch((error: unknown) => {
        assert.ok(isRefusal(error), String(error));
      });
      if (store === undefined) {
        refused++;
        continue;
      }
      try {
        const missing = await compareAnswers(store);
        if (missing === 0) continue;
        // An index of SQLite's own may hide a row. Its check sees that, which runs where a writer died.
        writeFileSync(join(location, 'writer.json'), '{}');
        await assert.rejects(openLocalStore({ location, analyser }), isRefusal, `page ${page}`);
        refused++;
      } catch (error) {
        assert.ok(isRefusal(error), `page ${page}: ${String(error)}`);
        assert.match((error as Error).message, /--re-embed|damaged/);
        refused++;
      } finally {
        await store.close();
      }
    }
    assert.ok(refused > pages / 16, `${refused} of ${pages / 4}`);
  });

  it('says which document has another text than was written, and makes a changed vector again', async () => {
    const file = fresh();
    const database = openSql(file, { busyTimeoutMs: 0 });
    database.exec("UPDATE contents SET text = replace(text, 'w3', 'x3') WHERE document = 4");
    database.exec('UPDATE embeddings SET vector = zeroblob(2048) WHERE number = 9');
    database.close();
    const store = await openLocalStore({ location, analyser });
    try {
      const corrupt = (message: RegExp) => (error: unknown) =>
        isAquiferError(error, 'index-corrupt') && message.test(error.message);
      await assert.rejects(store.getContent('d3'), corrupt(/text of document "d3".*--re-embed/));
      await assert.rejects(store.listChunks('d3'), corrupt(/text of document "d3"/));
      assert.equal((await store.getContent('d4'))?.text, textOf(4));
      await assert.rejects(store.searchDense({ vector: vectorOf(1), limit: 1 }), corrupt(/a vector/));

      const write = sketchDocument('d8', [{ text: textOf(8), vector: vectorOf(8) }]);
      const key = write.chunks[0]?.embeddingKey as string;
      assert.deepEqual(await store.getEmbeddings([key]), [undefined]);
      await store.putEmbeddings([{ key, vector: vectorOf(8) }]);
      assert.deepEqual(await store.getEmbeddings([key]), [vectorOf(8)]);
      await store.replaceDocument(sketchDocument('d3', [{ text: textOf(3), vector: vectorOf(3) }]));
      assert.equal(await compareAnswers(store), 0);
    } finally {
      await store.close();
    }
  });

  it('that was cut short is refused or gives what was written', async () => {
    const { size } = statSync(join(whole, databaseFileName));
    for (const share of [0.02, 0.3, 0.7, 0.99]) {
      truncateSync(fresh(), Math.floor(size * share));
      const opening = openLocalStore({ location, analyser, mode: 'read' });
      const store = await opening.catch((error: unknown) => assert.ok(isRefusal(error), String(error)));
      if (store === undefined) continue;
      try {
        assert.equal(await compareAnswers(store), 0);
        assert.equal(share, 0.99);
      } catch (error) {
        assert.ok(isRefusal(error), `${share}: ${String(error)}`);
      } finally {
        await store.close();
      }
    }
  });

  it('is found before anything is written to it, where the writer before died', async () => {
    const file = fresh();
    const bytes = readFileSync(file);
    bytes.fill(0xa5, bytes.length - 16_384);
    writeFileSync(file, bytes);
    writeFileSync(join(location, 'writer.json'), '{"pid":1,"host":"h","command":"c","since":"s"}');
    await assert.rejects(
      openLocalStore({ location, analyser }),
      (error: unknown) =>
        isAquiferError(error, 'index-corrupt') && /index\.sqlite is damaged.*--re-embed/.test(error.message),
    );
  });
});

describe('the log of a killed writer', () => {
  let folder: string;
  let killed: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-log-'));
    killed = join(folder, 'killed');
    const child = fork(fileURLToPath(new URL('./endless-writer.test-process.js', import.meta.url)), [killed]);
    await once(child, 'message');
    await new Promise((resolve) => setTimeout(resolve, 150));
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** All documents are whole; undefined where there is no index any more. */
  async function documentsOf(location: string): Promise<number | undefined> {
    const store = await openLocalStore({ location, analyser }).catch((error: unknown) => {
      assert.ok(isRefusal(error), String(error));
    });
    if (store === undefined) return undefined;
    try {
      const records = await store.listDocuments({ limit: 100_000 });
      for (const { id, chunkCount } of records) assert.equal((await store.listChunks(id)).length, chunkCount);
      const chunks = records.reduce((sum, { chunkCount }) => sum + chunkCount, 0);
      if (chunks > 0) {
        const { matches } = await store.searchKeyword({ text: 'shared', limit: 10_000 });
        assert.equal(matches.length, chunks);
      }
      return records.length;
    } catch (error) {
      assert.ok(isRefusal(error), String(error));
      return undefined;
    } finally {
      await store.close();
    }
  }

  const log = `${databaseFileName}-wal`;
  const damages: readonly [name: string, damage: (location: string) => void][] = [
    ['that is whole', () => {}],
    ['without the shared memory', (location) => rmSync(join(location, `${databaseFileName}-shm`), { force: true })],
    ['that was deleted', (location) => rmSync(join(location, log))],
    ['with garbage in the middle', (location) => overwrite(join(location, log), 0.5)],
    ['with garbage at the beginning', (location) => overwrite(join(location, log), 0)],
    [
      'with garbage for shared memory',
      (location) => writeFileSync(join(location, `${databaseFileName}-shm`), 'x'.repeat(32_768)),
    ],
    ['cut short', (location) => truncateSync(join(location, log), Math.floor(statSync(join(location, log)).size / 3))],
  ];
  for (const [name, damage] of damages) {
    it(`${name} gives whole documents, and the index takes new ones`, async () => {
      const location = join(folder, name.replaceAll(' ', '-'));
      cpSync(killed, location, { recursive: true });
      assert.ok(existsSync(join(location, log)));
      damage(location);
      const documents = await documentsOf(location);
      if (name === 'that is whole' || name.startsWith('without')) assert.ok(documents !== undefined && documents > 1);
      if (documents === undefined) return;
      const store = await openLocalStore({ location, analyser });
      await store.writeManifest(suiteManifest(4));
      await store.replaceDocument(sketchDocument('new', [{ text: 'shared again' }]));
      await store.close();
      assert.equal(await documentsOf(location), documents + 1);
    });
  }
});

function overwrite(file: string, from: number): void {
  const bytes = readFileSync(file);
  const start = Math.floor(bytes.length * from);
  bytes.fill(0x5a, start, start + 5_000);
  writeFileSync(file, bytes);
}
