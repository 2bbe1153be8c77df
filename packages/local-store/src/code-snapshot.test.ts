import assert from 'node:assert/strict';
import { copyFile, cp, mkdtemp, open as openFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Store } from '@aquifer/contracts';
import { createSeededRandom, sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { canEncrypt, openSql } from './database/sqlite-driver.js';
import { openLocalStore } from './open-local-store.js';
import {
  type CodePiece,
  codesTokenKey,
  openCodeSnapshot,
  readCodeSnapshot,
  writeCodeSnapshot,
} from './vectors/code-snapshot.js';
import { codeLength } from './vectors/quantise.js';
import { columnNames, createVectorTable, emptyColumns, type VectorTable } from './vectors/vector-table.js';

const dimensions = 24;
const random = createSeededRandom(9);
const draw = (): Float32Array => Float32Array.from({ length: dimensions }, () => random.gaussian());
const query = draw();
const fileName = 'vectors.codes';

const open = (location: string, mode: 'read' | 'write' = 'write', encryptionKey?: string): Promise<Store> =>
  openLocalStore({ location, analyser: suiteAnalyser, mode, encryptionKey, index: 'exact' });
const add = (store: Store, id: string, vectors: readonly Float32Array[]): Promise<void> =>
  store.replaceDocument(
    sketchDocument(
      id,
      vectors.map((vector) => ({ text: 'x', vector })),
    ),
  );
const best = async (store: Store, limit = 5): Promise<string[]> =>
  (await store.searchDense({ vector: query, limit })).matches.map(({ chunkId }) => chunkId);
const bestOf = async (location: string): Promise<string[]> => {
  const store = await open(location, 'read');
  try {
    return await best(store);
  } finally {
    await store.close();
  }
};

const withFolder = (work: (location: string) => Promise<void>) => async () => {
  const location = await mkdtemp(join(tmpdir(), 'aquifer-codes-'));
  try {
    await work(location);
  } finally {
    await rm(location, { recursive: true, force: true });
  }
};

/** 200 vectors in 20 documents, and the file of their codes. */
async function fill(location: string, encryptionKey?: string): Promise<void> {
  const store = await open(location, 'write', encryptionKey);
  await store.writeManifest(suiteManifest(dimensions));
  for (let document = 0; document < 20; document++) await add(store, `d${document}`, Array.from({ length: 10 }, draw));
  await store.optimise();
  await store.close();
}

describe('a file of codes', () => {
  it(
    'gives the same answers as the vectors',
    withFolder(async (location) => {
      await fill(location);
      const withFile = await bestOf(location);
      await rm(join(location, fileName));
      assert.deepEqual(withFile, await bestOf(location));
      assert.equal(withFile.length, 5);
    }),
  );

  it(
    'is what a search reads, and not the vectors',
    withFolder(async (location) => {
      await fill(location);
      const database = openSql(join(location, 'index.sqlite'), { busyTimeoutMs: 0 });
      const [generation, removedChunks, identity] = database
        .prepare('SELECT generation, removed_chunks, identity FROM counters')
        .rows()[0] as [number, number, string];
      const token = JSON.parse(
        String(database.prepare('SELECT json FROM stored_values WHERE key = ?').rows(codesTokenKey)[0]?.[0]),
      );
      database.close();
      // A file that says it holds everything, and holds nothing.
      const facts = { identity, token, generation, removedChunks, lastNumber: Number.MAX_SAFE_INTEGER };
      await writeCodeSnapshot(location, { ...facts, dimensions, vectors: 0 }, []);
      assert.deepEqual(await bestOf(location), []);
    }),
  );

  it(
    'is brought up to date with what came and went after it, and is not written again for little',
    withFolder(async (location) => {
      await fill(location);
      const before = await readFile(join(location, fileName));
      const store = await open(location);
      const gone = (await best(store))[0] as string;
      await store.deleteDocuments([gone.split('#')[0] as string]);
      await add(store, 'new', [query]);
      assert.equal((await best(store))[0], 'new#0');
      await store.close();
      const found = await bestOf(location);
      assert.equal(found[0], 'new#0');
      assert.ok(!found.includes(gone));

      const again = await open(location);
      await again.optimise();
      // Eleven changes are more than two of a hundred; one is not.
      const after = await readFile(join(location, fileName));
      assert.notDeepEqual(after, before);
      await add(again, 'newer', [query]);
      await again.optimise();
      assert.deepEqual(await readFile(join(location, fileName)), after);
      await again.close();
      assert.deepEqual((await bestOf(location)).slice(0, 2), ['new#0', 'newer#0']);
    }),
  );

  const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
    'cut short': (file) => truncate(file, 3_000),
    'cut in its header': (file) => truncate(file, 100),
    empty: (file) => truncate(file, 0),
    'of something else': (file) => writeFile(file, 'not codes'.repeat(1_000)),
    'with a bit turned in its header': (file) => turnBit(file, 60),
    'with a bit turned in its numbers': (file) => turnBit(file, 1_100),
    'with a bit turned in its codes': (file) => turnBit(file, -10),
  };
  for (const [damage, spoil] of Object.entries(damages)) {
    it(
      `is passed over when it is ${damage}`,
      withFolder(async (location) => {
        await fill(location);
        const expected = await bestOf(location);
        await spoil(join(location, fileName));
        assert.deepEqual(await bestOf(location), expected);
      }),
    );
  }

  it(
    'does not speak for a database that was brought back from before it',
    withFolder(async (location) => {
      await fill(location);
      const backup = `${location}.backup`;
      try {
        await cp(location, backup, { recursive: true });
        // Numbers that both histories give out, to other vectors.
        const store = await open(location);
        for (let document = 0; document < 5; document++) await add(store, `lost${document}`, [query, query]);
        await store.optimise();
        await store.close();
        for (const name of await readdir(location)) if (name !== fileName) await rm(join(location, name));
        for (const name of await readdir(backup)) {
          if (name !== fileName) await copyFile(join(backup, name), join(location, name));
        }
        const restored = await open(location);
        for (let document = 0; document < 6; document++) await add(restored, `kept${document}`, [draw(), draw()]);
        await restored.close();
        const found = await bestOf(location);
        await rm(join(location, fileName));
        assert.deepEqual(found, await bestOf(location));
      } finally {
        await rm(backup, { recursive: true, force: true });
      }
    }),
  );

  it(
    'is not kept beside an encrypted index',
    { skip: canEncrypt() ? false : 'encryption is not built here' },
    withFolder(async (location) => {
      await fill(location, 'key');
      assert.ok(!(await readdir(location)).some((name) => name.startsWith(fileName)));
    }),
  );

  it(
    'keeps the codes that it has, and is made anew where they are damaged',
    withFolder(async (location) => {
      await fill(location);
      const store = await open(location);
      await store.deleteDocuments(['d3', 'd7']);
      for (let document = 0; document < 40; document++)
        await add(store, `new${document}`, Array.from({ length: 10 }, draw));
      await turnBit(join(location, fileName), -10);
      await store.optimise();
      await store.close();
      const anew = await readFile(join(location, fileName));
      const found = await bestOf(location);
      await rm(join(location, fileName));
      assert.deepEqual(found, await bestOf(location));

      const again = await open(location);
      await again.optimise();
      await again.deleteDocuments(['d5', 'd6']);
      await add(again, 'last', [draw()]);
      await again.optimise();
      await again.close();
      // 21 changed; the codes of the others were copied.
      const copied = await readFile(join(location, fileName));
      assert.ok(copied.length < anew.length);
      const mended = await bestOf(location);
      await rm(join(location, fileName));
      assert.deepEqual(mended, await bestOf(location));
    }),
  );

  it(
    'gives back what was written, whole or in pieces, and leaves nothing behind when it was not',
    withFolder(async (location) => {
      const facts = { identity: 'i', token: 't', generation: 3, removedChunks: 0, lastNumber: 99, dimensions };
      await assert.rejects(writeCodeSnapshot(location, { ...facts, vectors: 101 }, [pieceOf(100)]));
      assert.deepEqual(await readdir(location), []);

      const [first, second] = [pieceOf(60), pieceOf(40)];
      await writeCodeSnapshot(location, { ...facts, vectors: 100 }, [first, second]);
      const whole = emptyTable();
      assert.equal(readCodeSnapshot(location, whole, facts)?.lastNumber, 99);
      assert.equal(whole.size(), 100);
      const file = await openCodeSnapshot(location, facts);
      const pieces: CodePiece[] = [];
      for await (const piece of file?.pieces(60) ?? []) pieces.push(piece);
      await file?.close();
      assert.deepEqual(pieces, [first, second]);
      for (const other of [{ identity: 'j' }, { token: 'u' }]) {
        assert.equal(readCodeSnapshot(location, emptyTable(), { ...facts, ...other }), undefined);
        assert.equal(await openCodeSnapshot(location, { ...facts, ...other }), undefined);
      }
      const wider = createVectorTable({ dimensions: dimensions + 1, readEmbedding: () => undefined });
      assert.equal(readCodeSnapshot(location, wider, facts), undefined);
    }),
  );
});

const emptyTable = (): VectorTable => createVectorTable({ dimensions, readEmbedding: () => undefined });

function pieceOf(count: number): CodePiece {
  const columns = emptyColumns(count);
  for (let slot = 0; slot < count; slot++) {
    for (const name of columnNames) columns[name][slot] = name === 'numbers' ? slot : random.gaussian();
  }
  const codes = Uint8Array.from({ length: count * codeLength(dimensions) }, () => 256 * random.next());
  return { columns, codes };
}

/** @param place From the end where it is negative. */
async function turnBit(file: string, place: number): Promise<void> {
  const handle = await openFile(file, 'r+');
  try {
    const at = place < 0 ? (await handle.stat()).size + place : place;
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0] = (byte[0] as number) ^ 1;
    await handle.write(byte, 0, 1, at);
  } finally {
    await handle.close();
  }
}
