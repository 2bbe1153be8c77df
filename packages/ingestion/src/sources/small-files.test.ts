import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createSmallFiles } from './small-files.js';

describe('small files', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-small-files-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('reads many at once, each with its own bytes and times', async () => {
    const small = createSmallFiles();
    const paths = Array.from({ length: 300 }, (_, n) => join(folder, `${n}.txt`));
    for (const [n, path] of paths.entries()) writeFileSync(path, `text ${n}`.repeat(n % 7));
    const contents = await Promise.all(paths.map((path) => small.read(path)));
    for (const [n, content] of contents.entries()) {
      assert.equal(Buffer.from(content?.bytes ?? []).toString(), `text ${n}`.repeat(n % 7));
      const { size, mtimeMs } = statSync(paths[n] as string);
      assert.deepEqual([content?.size, content?.mtimeMs], [size, mtimeMs]);
      assert.deepEqual(await small.look(paths[n] as string), { size, mtimeMs });
      assert.equal(
        content?.bytes.buffer.byteLength,
        size,
        'a view of a shared buffer would be copied whole to a reading thread',
      );
    }
  });

  it('leaves to others what is missing, not a file or large, and goes on after its thread has ended', async () => {
    const small = createSmallFiles();
    writeFileSync(join(folder, 'large.txt'), Buffer.alloc(100_000));
    writeFileSync(join(folder, 'a.txt'), 'a');
    for (const path of [join(folder, 'missing'), folder, join(folder, 'large.txt'), `${folder}/\0`]) {
      assert.equal(await small.read(path), undefined, path);
    }
    symlinkSync(join(folder, 'a.txt'), join(folder, 'link.txt'));
    for (const path of [join(folder, 'missing'), folder, join(folder, 'link.txt'), `${folder}/\0`]) {
      assert.equal(await small.look(path), undefined, path);
    }
    assert.equal((await small.look(join(folder, 'large.txt')))?.size, 100_000);
    assert.equal(Buffer.from((await small.read(Buffer.from(join(folder, 'a.txt'))))?.bytes ?? []).toString(), 'a');
    // Longer than the thread waits for something to do.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.equal(Buffer.from((await small.read(join(folder, 'a.txt')))?.bytes ?? []).toString(), 'a');
  });
});
