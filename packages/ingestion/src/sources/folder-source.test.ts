import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  AquiferError,
  isAquiferError,
  type Metadata,
  parseMetadata,
  type Source,
  type SourceItem,
  type SourceOmission,
} from '@aquifer/contracts';
import { createFolderSource, type FolderSourceOptions } from './folder-source.js';

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'aquifer-folder-source-')));
  chmodSync(root, 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text = path): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function parseSidecar(bytes: Uint8Array, name: string): Metadata {
  try {
    return parseMetadata(JSON.parse(Buffer.from(bytes).toString()).metadataAttributes, name);
  } catch (error) {
    throw new AquiferError('invalid-document', `${name} is not valid JSON.`, { cause: error });
  }
}

function source(options: Partial<FolderSourceOptions> = {}): Source {
  return createFolderSource({ root, recognises: (name) => /\.(md|json)$/.test(name), parseSidecar, ...options });
}

async function list(listed: Source) {
  const items: SourceItem[] = [];
  const omissions: SourceOmission[] = [];
  for await (const entry of listed.list()) {
    if ('omitted' in entry) omissions.push(entry);
    else items.push(entry);
  }
  return { items, omissions, paths: items.map(({ path }) => path) };
}

async function onlyItem(listed = source()): Promise<SourceItem> {
  const { items } = await list(listed);
  assert.equal(items.length, 1);
  return items[0] as SourceItem;
}

/** Root may read everything; these tests need somebody who may not. */
async function withoutPrivileges(action: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await action();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe('folder source', () => {
  it('lists files in order of path, with what is known without reading', async () => {
    for (const path of ['b.md', 'a/z.md', 'a/b/c.md', 'a.md']) write(path);
    const listed = source();
    const { items, paths } = await list(listed);
    assert.deepEqual(paths, ['a.md', 'a/b/c.md', 'a/z.md', 'b.md']);
    assert.equal(listed.id, pathToFileURL(root).href);
    assert.deepEqual(listed.scope, ['']);
    const item = items[1] as SourceItem;
    assert.equal(item.uri, pathToFileURL(join(root, 'a/b/c.md')).href);
    assert.equal(item.bytes, 'a/b/c.md'.length);
    const { bytes, metadata } = await item.read();
    assert.equal(Buffer.from(bytes).toString(), 'a/b/c.md');
    assert.deepEqual(metadata, {});
  });

  it('keeps its stamps while nothing changes, and changes them with size or time', async () => {
    write('a.md', 'one');
    utimesSync(join(root, 'a.md'), 1_000, 1_000);
    const before = (await onlyItem()).stamp;
    assert.equal((await onlyItem()).stamp, before);
    utimesSync(join(root, 'a.md'), 1_000, 1_001);
    const later = (await onlyItem()).stamp;
    assert.notEqual(later, before);
    write('a.md', 'other');
    utimesSync(join(root, 'a.md'), 1_000, 1_001);
    assert.notEqual((await onlyItem()).stamp, later);
  });

  it('does not trust the stamp of a file that was written a moment ago', async () => {
    write('a.md');
    const now = Date.now() / 1_000;
    utimesSync(join(root, 'a.md'), now, Math.floor(now));
    assert.match((await onlyItem()).stamp, /-fresh$/);
    utimesSync(join(root, 'a.md'), now, Math.floor(now) - 10);
    assert.doesNotMatch((await onlyItem()).stamp, /-fresh$/);
  });

  it('leaves out hidden files, folders of tools and lock files, and names what no reader takes', async () => {
    for (const path of ['.git/a.md', '.hidden.md', 'node_modules/x/a.md', '~$a.md', 'a.md', 'photo.raw']) write(path);
    const { paths, omissions } = await list(source());
    assert.deepEqual(paths, ['a.md']);
    assert.deepEqual(
      omissions.map(({ path, omitted }) => [path, omitted]),
      [['photo.raw', 'unsupported']],
    );
  });

  it('asks what to include and exclude, and does not enter excluded folders', async () => {
    for (const path of ['a.md', 'drafts/b.md', 'c.md', 'd.json']) write(path);
    const asked: string[] = [];
    const { paths } = await list(
      source({
        include: (path) => path.endsWith('.md'),
        exclude: (path, folder) => {
          asked.push(path);
          return (folder && path === 'drafts') || path === 'c.md';
        },
      }),
    );
    assert.deepEqual(paths, ['a.md']);
    assert.ok(!asked.includes('drafts/b.md'));
  });

  it('covers only the paths that it is given', async () => {
    for (const path of ['a.md', 'b/c.md', 'b/d.md', 'e/f.md']) write(path);
    const listed = source({ paths: ['b', join(root, 'a.md')] });
    assert.deepEqual((await list(listed)).paths, ['a.md', 'b/c.md', 'b/d.md']);
    assert.deepEqual(listed.scope, ['b', 'a.md']);
    await assert.rejects(
      list(source({ paths: ['gone.md'] })),
      (error) => isAquiferError(error, 'source-not-found') && error.message.includes('gone.md'),
    );
    assert.throws(
      () => source({ paths: ['../elsewhere'] }),
      (error) => isAquiferError(error, 'invalid-options') && error.message.includes('../elsewhere'),
    );
  });

  it('refuses a root that is missing or a file, by name', () => {
    write('a.md');
    for (const path of [join(root, 'missing'), join(root, 'a.md')]) {
      assert.throws(
        () => source({ root: path }),
        (error) => isAquiferError(error, 'source-not-found') && error.message.includes(path),
      );
    }
  });

  it('gives an empty folder an empty list', async () => {
    assert.deepEqual(await list(source()), { items: [], omissions: [], paths: [] });
  });

  it('reads the sidecar with its file, and counts it into the stamp', async () => {
    write('a.md');
    utimesSync(join(root, 'a.md'), 1_000, 1_000);
    const alone = await onlyItem();
    write('a.md.metadata.json', '{"metadataAttributes":{"country":"JP"}}');
    utimesSync(join(root, 'a.md.metadata.json'), 1_000, 1_000);
    const described = await onlyItem();
    assert.notEqual(described.stamp, alone.stamp);
    assert.deepEqual((await described.read()).metadata, { country: 'JP' });
    utimesSync(join(root, 'a.md.metadata.json'), 1_000, 2_000);
    assert.notEqual((await onlyItem()).stamp, described.stamp);
    write('a.md.metadata.json', '{');
    await assert.rejects(
      (await onlyItem()).read(),
      (error) => isAquiferError(error, 'invalid-document') && error.message.includes('a.md.metadata.json'),
    );
    rmSync(join(root, 'a.md.metadata.json'));
    assert.deepEqual((await described.read()).metadata, {}, 'a sidecar that vanished is no sidecar');
  });

  it('spells paths in NFC and reads the file by its name on the disk', async () => {
    const decomposed = 'か\u3099っこう.md';
    write(decomposed, 'school');
    const item = await onlyItem();
    assert.equal(item.path, 'がっこう.md');
    assert.equal(Buffer.from((await item.read()).bytes).toString(), 'school');
  });

  it('reports files whose names differ only in their Unicode form', async (context) => {
    write('e\u0301.md', 'one');
    write('\u00e9.md', 'two');
    const { paths, omissions } = await list(source());
    if (omissions.length === 0) return context.skip('this file system keeps one spelling of a name');
    assert.deepEqual(paths, ['\u00e9.md']);
    assert.deepEqual(
      omissions.map(({ path, omitted }) => [path, omitted]),
      [['\u00e9.md', 'unreadable']],
    );
  });

  it('reports files whose names are not valid Unicode', async (context) => {
    try {
      writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xff]), Buffer.from('.md')]), 'text');
    } catch {
      return context.skip('this file system refuses such names');
    }
    const { items, omissions } = await list(source());
    assert.deepEqual(items, []);
    assert.deepEqual(
      omissions.map(({ omitted }) => omitted),
      ['unreadable'],
    );
  });

  it('ends on loops of symbolic links and lists every file once', async () => {
    write('a/b/c.md');
    symlinkSync(root, join(root, 'a/b/up'));
    symlinkSync(join(root, 'a'), join(root, 'again'));
    symlinkSync(join(root, 'a/b/c.md'), join(root, 'copy.md'));
    symlinkSync(join(root, 'self.md'), join(root, 'self.md'));
    const { paths, omissions } = await list(source());
    assert.deepEqual(paths, ['a/b/c.md']);
    assert.deepEqual(
      omissions.map(({ path, omitted }) => [path, omitted]),
      [['self.md', 'unreadable']],
    );
  });

  it('follows links to places inside that are not listed by themselves, as Kubernetes mounts have them', async () => {
    write('..2026/a.md', 'text');
    symlinkSync('..2026', join(root, '..data'));
    symlinkSync('..data/a.md', join(root, 'a.md'));
    const item = await onlyItem();
    assert.equal(item.path, 'a.md');
    assert.equal(Buffer.from((await item.read()).bytes).toString(), 'text');
  });

  it('does not follow a link out of the folder', async () => {
    write('inside/a.md');
    write('outside/secret.md');
    symlinkSync(join(root, 'outside/secret.md'), join(root, 'inside/secret.md'));
    symlinkSync(join(root, 'outside'), join(root, 'inside/outside'));
    const { paths, omissions } = await list(source({ root: join(root, 'inside') }));
    assert.deepEqual(paths, ['a.md']);
    assert.deepEqual(
      omissions.map(({ path, omitted }) => [path, omitted]),
      [
        ['outside', 'unsupported'],
        ['secret.md', 'unsupported'],
      ],
    );
  });

  it('reports a folder and a file that it may not read, and goes on', async (context) => {
    if (process.geteuid === undefined) return context.skip('permissions work differently on this system');
    write('a.md');
    write('closed/b.md');
    write('locked.md');
    chmodSync(join(root, 'closed'), 0);
    chmodSync(join(root, 'locked.md'), 0);
    await withoutPrivileges(async () => {
      const { items, paths, omissions } = await list(source());
      assert.deepEqual(paths, ['a.md', 'locked.md']);
      assert.deepEqual(
        omissions.map(({ path, omitted }) => [path, omitted]),
        [['closed', 'unreadable']],
      );
      await assert.rejects(
        (items[1] as SourceItem).read(),
        (error) => isAquiferError(error, 'source-unreadable') && error.message.includes('locked.md'),
      );
      await assert.rejects(
        list(source({ paths: ['closed'] })),
        (error) => isAquiferError(error, 'source-unreadable') && error.message.includes('closed'),
        'what was asked for by name must be readable',
      );
    });
    chmodSync(join(root, 'closed'), 0o755);
  });

  it('rejects with source-changed when the file is gone', async () => {
    write('a.md');
    const item = await onlyItem();
    rmSync(join(root, 'a.md'));
    await assert.rejects(item.read(), (error) => isAquiferError(error, 'source-changed'));
  });

  it('gives the stamp of what it read when the file changed after the listing', async () => {
    write('a.md', 'old');
    utimesSync(join(root, 'a.md'), 1_000, 1_000);
    const item = await onlyItem();
    write('a.md', 'newer');
    utimesSync(join(root, 'a.md'), 2_000, 2_000);
    const content = await item.read();
    assert.equal(Buffer.from(content.bytes).toString(), 'newer');
    assert.equal(content.stamp, (await onlyItem()).stamp);
    assert.notEqual(content.stamp, item.stamp);
  });

  it('rejects with source-changed when the file does not hold still', async () => {
    const path = join(root, 'log.md');
    writeFileSync(path, Buffer.alloc(16 * 1024 * 1024, 'x'));
    const item = await onlyItem();
    // Between any two of the reader's calls the event loop turns, and the file grows.
    let isReading = true;
    const grow = () => {
      if (!isReading) return;
      appendFileSync(path, 'x');
      setImmediate(grow);
    };
    grow();
    try {
      await assert.rejects(
        item.read(),
        (error) => isAquiferError(error, 'source-changed') && error.retryable && error.message.includes('log.md'),
      );
    } finally {
      isReading = false;
    }
  });

  it('stops when it is told to', async () => {
    write('a.md');
    await assert.rejects(
      (async () => {
        for await (const _ of source().list(AbortSignal.abort())) assert.fail('nothing should be listed');
      })(),
      (error) => isAquiferError(error, 'aborted'),
    );
  });
});
