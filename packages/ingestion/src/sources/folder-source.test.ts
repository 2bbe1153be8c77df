import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
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
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
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

function kinds(omissions: readonly SourceOmission[]): string[][] {
  return omissions.map(({ path, omitted }) => [path, omitted]);
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
    assert.deepEqual(kinds(omissions), [
      ['.git', 'hidden'],
      ['.hidden.md', 'hidden'],
      ['node_modules', 'hidden'],
      ['photo.raw', 'unsupported'],
      ['~$a.md', 'hidden'],
    ]);
  });

  it('lists and reads very many files as it does a few', async () => {
    for (let n = 0; n < 300; n += 1) write(`${n % 7}/${n}.md`, `text ${n}`);
    write('0/7.md.metadata.json', '{"metadataAttributes":{"n":7}}');
    write('1/large.md', 'x'.repeat(100_000));
    symlinkSync('1/large.md', join(root, 'link.md'));
    const many = (await list(source())).items;
    const few = (await Promise.all([0, 1, 2, 3, 4, 5, 6].map((n) => list(source({ paths: [String(n)] }))))).flatMap(
      ({ items }) => items,
    );
    assert.equal(many.length, 301);
    const byPath = new Map(few.map((item) => [item.path, item]));
    for (const item of many) {
      const same = byPath.get(item.path) as SourceItem;
      const fresh = /-fresh/g;
      assert.deepEqual(
        [item.uri, item.bytes, item.stamp.replace(fresh, '')],
        [same.uri, same.bytes, same.stamp.replace(fresh, '')],
      );
      const [content, other] = await Promise.all([item.read(), same.read()]);
      assert.deepEqual(Buffer.from(content.bytes), Buffer.from(other.bytes));
      assert.deepEqual(content.metadata, other.metadata);
      assert.equal(content.stamp?.replace(fresh, ''), item.stamp.replace(fresh, ''));
    }
  });

  it('leaves out what ignore files say, as git does', async () => {
    for (const path of ['a.md', 'b.md', 'drafts/c.md', 'people/drafts/d.md', 'people/e.md', 'people/keep.md'])
      write(path);
    for (const path of ['logs/f.md', 'logs/keep.md', 'Logs/g.md', 'sub [1]/x/y.md', 'sub [1]/y.md', 'x.md', '#h.md'])
      write(path);
    write('.aquiferignore', '\ufeff# comment\r\n/b.md\ndrafts/\nlogs/*\n!logs/keep.md\n\\#h.md\ne.md   \nkee*.md\n');
    write('people/.aquiferignore', '!drafts/\n!e.md\n!keep.md\n');
    write('sub [1]/.aquiferignore', '/y.md\n');
    const { paths, omissions } = await list(source());
    assert.deepEqual(paths, [
      ...['Logs/g.md', 'a.md', 'people/drafts/d.md', 'people/e.md', 'people/keep.md', 'sub [1]/x/y.md', 'x.md'],
    ]);
    assert.deepEqual(
      omissions.map(({ path, omitted, reason }) => [path, omitted, reason.replace('Left out by ', '')]),
      [
        ['#h.md', 'excluded', '.aquiferignore: \\#h.md'],
        ['b.md', 'excluded', '.aquiferignore: /b.md'],
        ['drafts', 'excluded', '.aquiferignore: drafts/'],
        ['logs/f.md', 'excluded', '.aquiferignore: logs/*'],
        ['logs/keep.md', 'excluded', '.aquiferignore: kee*.md'],
        ['sub [1]/y.md', 'excluded', 'sub [1]/.aquiferignore: /y.md'],
      ],
    );
  });

  it('agrees with git about what is ignored', async (context) => {
    const git = (...args: string[]) =>
      spawnSync('git', ['-C', root, '-c', 'core.ignorecase=false', ...args], { encoding: 'utf8' });
    if (git('init', '-q').status !== 0) return context.skip('git is not installed');
    const folders = ['', 'a/', 'b/', 'a/b/', 'a/b/c/', 'build/', 'a/build/'];
    const files = ['x.md', 'y.md', 'z z.md', '!n.md', 'temp1.md', 'temp2.md', '\u00e9.md'];
    for (const folder of folders) for (const file of files) write(folder + file);
    const rules: Record<string, string> = {
      '': '*.md\n!x.md\n!y.md\n!a/**/z z.md\nbuild\n!/a/build\ntemp?.md\n\\!n.md\n!temp[!2-9].md\n!\u00e9.md\n',
      'a/': 'b/*\n!b/c/\n!b/x.md\n/y.md\n',
      'a/b/': '!*.md\n**/temp1.md\nc/**/y.md\n',
      'a/b/c/': 'x.md\\ \n*\n!z*\n',
    };
    for (const [folder, text] of Object.entries(rules)) {
      write(`${folder}.aquiferignore`, text);
      write(`${folder}.gitignore`, text);
    }
    const listed = git('-c', 'core.quotepath=off', 'ls-files', '-z', '--others', '--exclude-standard').stdout;
    const expected = listed.split('\0').filter((path) => path.endsWith('.md'));
    assert.ok(expected.length > 5 && expected.length < folders.length * files.length);
    assert.deepEqual((await list(source())).paths, expected.sort());
  });

  it('keeps all below a folder whose ignore file cannot be read', async () => {
    write('a.md');
    write('b/c.md');
    write('b/.aquiferignore', 'x'.repeat(2 ** 20 + 1));
    const { paths, omissions } = await list(source());
    assert.deepEqual(paths, ['a.md']);
    assert.deepEqual(kinds(omissions), [['b', 'unreadable']]);
    assert.match(omissions[0]?.reason ?? '', /\.aquiferignore/);
  });

  it('takes and leaves out by globs, and does not look into what is left out', async () => {
    for (const path of ['a.md', 'b.json', 'drafts/c.md', 'people/drafts/d.md', 'people/e.json', 'people/f.md'])
      write(path);
    const cases: [Partial<FolderSourceOptions>, string[]][] = [
      [{ include: ['*.md'] }, ['a.md', 'drafts/c.md', 'people/drafts/d.md', 'people/f.md']],
      [{ include: ['/*.md', 'people/*.json'] }, ['a.md', 'people/e.json']],
      [{ include: ['people'] }, ['people/drafts/d.md', 'people/e.json', 'people/f.md']],
      [{ include: ['people/'], exclude: ['drafts'] }, ['people/e.json', 'people/f.md']],
      [{ exclude: ['/drafts/', '*.json'] }, ['a.md', 'people/drafts/d.md', 'people/f.md']],
      [{ exclude: ['**/*.{json,txt}', 'people/!(f).md', '*/drafts/**'] }, ['a.md', 'drafts/c.md', 'people/f.md']],
      [{ include: ['a.md'], exclude: ['a.md'] }, []],
      [{ include: ['./people/f.md'] }, ['people/f.md']],
    ];
    for (const [globs, expected] of cases)
      assert.deepEqual((await list(source(globs))).paths, expected, JSON.stringify(globs));
    const folders: string[] = [];
    const { omissions } = await list(
      source({ exclude: ['drafts'], onFolders: (listed) => folders.push(...listed.map(String)) }),
    );
    assert.deepEqual(kinds(omissions), [
      ['drafts', 'excluded'],
      ['people/drafts', 'excluded'],
    ]);
    assert.deepEqual(folders.sort(), [root, join(root, 'people')]);
    for (const glob of ['', '!a.md', '../x', 'a/../b']) {
      await assert.rejects(
        list(source({ include: [glob] })),
        (error) => isAquiferError(error, 'invalid-options'),
        glob,
      );
    }
  });

  it('leaves out a part that is asked for by name as a run over the whole folder does', async () => {
    for (const path of ['.private/a.md', 'drafts/sub/b.md', 'people/c.md']) write(path);
    write('.aquiferignore', 'drafts/');
    const asked = await list(source({ paths: ['.private', 'drafts/sub/b.md', 'people'] }));
    assert.deepEqual(asked.paths, ['people/c.md']);
    assert.deepEqual(kinds(asked.omissions), [
      ['.private', 'hidden'],
      ['drafts', 'excluded'],
    ]);
  });

  it('lists nothing of folders that are no part of it', async () => {
    for (const path of ['a.md', 'kb/b.md', 'c/kb/d.md']) write(path);
    const { paths, omissions } = await list(source({ without: [join(root, 'kb')] }));
    assert.deepEqual([paths, omissions], [['a.md', 'c/kb/d.md'], []]);
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

  it('reads files and folders whose names are not valid UTF-8', async (context) => {
    const bytes = (...parts: (string | number)[]) =>
      Buffer.concat(
        [`${root}/`, ...parts].map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part))),
      );
    try {
      mkdirSync(bytes('caf', 0xe9));
      writeFileSync(bytes('caf', 0xe9, '/f', 0xff, '\u3042.md'), 'text');
      writeFileSync(bytes('caf', 0xe9, '/f', 0xff, '\u3042.md.metadata.json'), '{"metadataAttributes":{"n":1}}');
    } catch {
      return context.skip('this file system refuses such names');
    }
    write('plain \ufffd.md', 'a replacement character is a valid name');
    symlinkSync(bytes('caf', 0xe9, '/f', 0xff, '\u3042.md'), bytes('link', 0xff, '.md'));
    symlinkSync(bytes('nowhere', 0xff), bytes('broken', 0xff, '.md'));
    const { items, paths, omissions } = await list(source());
    assert.deepEqual(paths, ['caf\\xe9/f\\xff\u3042.md', 'plain \ufffd.md']);
    assert.deepEqual(kinds(omissions), [['broken\\xff.md', 'unreadable']]);
    const item = items[0] as SourceItem;
    assert.match(item.uri, /\/caf%E9\/f%FF%E3%81%82\.md$/);
    const content = await item.read();
    assert.equal(Buffer.from(content.bytes).toString(), 'text');
    assert.deepEqual(content.metadata, { n: 1 });
  });

  it('takes names with line breaks, control characters, dashes and globs in them as they are', async () => {
    const names = ['-rf.md', '--help.md', 'a\nb.md', 'a\u001b[2Jb.md', '[x]*?.md', ' .md', '#!.md', 'con.md', '%41.md'];
    for (const name of names) write(name, name);
    const { items, paths } = await list(source());
    assert.deepEqual(paths, [...names].sort());
    for (const item of items) {
      assert.equal(Buffer.from((await item.read()).bytes).toString(), item.path);
      assert.equal(fileURLToPath(item.uri), join(root, item.path));
    }
  });

  it('reads what lies deep, and reports what lies too deep to be named', async (context) => {
    if (process.platform === 'win32') return context.skip('paths are limited differently on this system');
    const name = 'd'.repeat(250);
    const deep = Array.from({ length: 12 }, () => name).join('/');
    write(`${deep}/a.md`, 'deep');
    // Deeper than one path can say (4,096 bytes on Linux): step by step.
    const steps = Array.from({ length: 6 }, () => `mkdir ${name} && cd ${name}`).join(' && ');
    const made = spawnSync('sh', ['-c', `cd ${root}/${deep} && ${steps}`]);
    const { items, omissions } = await list(source());
    assert.equal(Buffer.from((await (items[0] as SourceItem).read()).bytes).toString(), 'deep');
    if (made.status === 0) {
      assert.equal(omissions.length, 1);
      assert.match(omissions[0]?.reason ?? '', /longer than the system allows/);
    }
    spawnSync('rm', ['-rf', root]);
    mkdirSync(root);
  });

  it('never opens a pipe, a socket or a device', async (context) => {
    if (spawnSync('mkfifo', [join(root, 'pipe.md')]).status !== 0) return context.skip('there are no named pipes here');
    spawnSync('mkfifo', [join(root, '.aquiferignore')]);
    spawnSync('mkfifo', [join(root, 'a.md.metadata.json')]);
    write('a.md');
    symlinkSync('/dev/zero', join(root, 'zero.md'));
    symlinkSync('pipe.md', join(root, 'link.md'));
    const server = createServer().listen(join(root, 'socket.md'));
    await once(server, 'listening');
    try {
      const { paths, items, omissions } = await list(source());
      assert.deepEqual(paths, ['a.md']);
      assert.deepEqual(kinds(omissions), [
        ['link.md', 'unsupported'],
        ['pipe.md', 'unsupported'],
        ['socket.md', 'unsupported'],
        ['zero.md', 'outside'],
      ]);
      await assert.rejects((items[0] as SourceItem).read(), (error) => isAquiferError(error, 'source-unreadable'));
      assert.deepEqual((await list(source({ paths: ['pipe.md'] }))).paths, []);
      rmSync(join(root, 'a.md'));
      spawnSync('mkfifo', [join(root, 'a.md')]);
      await assert.rejects(
        (items[0] as SourceItem).read(),
        (error) => isAquiferError(error, 'source-unreadable'),
        'it became a pipe after it was listed',
      );
    } finally {
      server.close();
    }
  });

  it('lists a folder of very many files without keeping more than their names', async () => {
    const many = 20_000;
    for (let n = 0; n < many; n += 1) writeFileSync(join(root, `${n}.md`), '');
    let listed = 0;
    for await (const entry of source().list()) if (!('omitted' in entry)) listed += 1;
    assert.equal(listed, many);
  });

  it('ends on loops of symbolic links and lists every file once', async () => {
    write('a/b/c.md');
    symlinkSync(root, join(root, 'a/b/up'));
    symlinkSync(join(root, 'a'), join(root, 'again'));
    symlinkSync(join(root, 'a/b/c.md'), join(root, 'copy.md'));
    symlinkSync(join(root, 'self.md'), join(root, 'self.md'));
    symlinkSync(join(root, 'gone.md'), join(root, 'broken.md'));
    symlinkSync(join(root, 'gone.so'), join(root, 'broken.so'));
    const { paths, omissions } = await list(source());
    assert.deepEqual(paths, ['a/b/c.md']);
    assert.deepEqual(
      omissions.map(({ path, omitted }) => [path, omitted]),
      [
        ['broken.md', 'unreadable'],
        ['broken.so', 'unsupported'],
        ['self.md', 'unreadable'],
      ],
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
        ['outside', 'outside'],
        ['secret.md', 'outside'],
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
