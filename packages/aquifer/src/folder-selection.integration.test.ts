import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import type { IngestionEvent } from '@aquifer/ingestion';
import type { IndexOptions, KnowledgeBase } from './knowledge-base.js';
import { openKnowledgeBase } from './open-knowledge-base.js';

let folder: string;
let files: string;
let knowledgeBase: KnowledgeBase;

beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'aquifer-selection-')));
  files = join(folder, 'files');
  knowledgeBase = await openKnowledgeBase({ location: join(folder, 'index') });
  for (const path of ['a.md', 'b.md', 'drafts/c.md', 'people/d.md', 'people/e.txt', 'people/f.md']) write(path);
});
afterEach(async () => {
  await knowledgeBase.close();
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text = `# ${path}\n\nThe text of ${path}.\n`): void {
  mkdirSync(dirname(join(files, path)), { recursive: true });
  writeFileSync(join(files, path), text);
}

async function index(options: IndexOptions = {}, path = files) {
  const events: IngestionEvent[] = [];
  const summary = await knowledgeBase.index(path, { ...options, onEvent: (event) => events.push(event) });
  const documents = await knowledgeBase.documents();
  return { summary, events, sources: documents.map(({ source }) => source).sort() };
}

describe('which files of a folder are indexed', () => {
  it('keeps to the globs of the run before until others are given', async () => {
    const first = await index({ exclude: ['drafts', '*.txt'] });
    assert.deepEqual(first.sources, ['a.md', 'b.md', 'people/d.md', 'people/f.md']);
    assert.equal(first.summary.excluded, 2);
    const again = await index();
    assert.deepEqual(again.sources, first.sources);
    assert.equal(again.summary.unchanged, 4);
    const other = await index({ exclude: ['drafts'] });
    assert.deepEqual(other.sources, ['a.md', 'b.md', 'people/d.md', 'people/e.txt', 'people/f.md']);
    const all = await index({ exclude: [] });
    assert.equal(all.sources.length, 6);
    assert.equal((await index()).summary.unchanged, 6);
  });

  it('deletes what is left out now, says why, and embeds nothing when it comes back', async () => {
    await index();
    write('.aquiferignore', '/b.md\n');
    const { summary, events, sources } = await index({ exclude: ['drafts'] });
    assert.deepEqual(sources, ['a.md', 'people/d.md', 'people/e.txt', 'people/f.md']);
    assert.deepEqual([summary.deleted, summary.excluded], [2, 2]);
    assert.deepEqual(
      events.map(({ source, status, reason }) => [source, status, reason]),
      [
        ['b.md', 'deleted', 'Left out by .aquiferignore: /b.md'],
        ['drafts/c.md', 'deleted', 'Left out by --exclude drafts'],
      ],
    );
    rmSync(join(files, '.aquiferignore'));
    const back = await index({ exclude: [] });
    assert.deepEqual([back.sources.length, back.summary.new, back.summary.embedded], [6, 2, 0]);
  });

  it('does not delete most of the documents because of one narrow --include, and forgets it', async () => {
    await index();
    await assert.rejects(
      index({ include: ['a.md'] }),
      (error) => isAquiferError(error, 'too-many-deletions') && /5 of 6 .* left out now \(83 %\)/.test(error.message),
    );
    assert.equal((await knowledgeBase.documents()).length, 6);
    assert.equal((await index()).summary.unchanged, 6, 'the refused selection is not remembered');
    assert.deepEqual((await index({ include: ['a.md'], maxDeletePercent: 100 })).sources, ['a.md']);
    assert.deepEqual((await index()).sources, ['a.md'], 'this one is');
  });

  it('has one selection for a folder, whatever part of it is asked for', async () => {
    await index({ exclude: ['*.txt'] });
    write('people/g.txt');
    write('people/h.md');
    const part = await index({}, join(files, 'people'));
    assert.equal(part.summary.new, 1);
    assert.equal((await index({ exclude: ['*.txt'] }, join(files, 'people'))).summary.unchanged, 3);
    await assert.rejects(
      index({ exclude: [] }, join(files, 'people')),
      (error) => isAquiferError(error, 'invalid-options') && error.message.includes('--exclude "*.txt"'),
    );
  });

  it('says so when what was asked for by name is left out, and lets go of what it had of it', async () => {
    await index();
    write('.aquiferignore', 'drafts/\n');
    write('.hidden/i.md');
    const asked = await index({ maxDeletePercent: 100 }, join(files, 'drafts/c.md'));
    assert.deepEqual(
      asked.events.map(({ source, status, reason }) => [source, status, reason]),
      [
        ['drafts/c.md', 'left-out', 'Left out by .aquiferignore: drafts/'],
        ['drafts/c.md', 'deleted', 'Left out by .aquiferignore: drafts/'],
      ],
    );
    const hidden = await index({}, join(files, '.hidden'));
    assert.deepEqual([hidden.summary.scanned, hidden.events[0]?.status], [0, 'left-out']);
    assert.equal((await index()).summary.unchanged, 5);
  });

  it('keeps a document whose file is renamed in its letters only', async () => {
    await index();
    const [before] = (await knowledgeBase.documents()).filter(({ source }) => source === 'a.md');
    renameSync(join(files, 'a.md'), join(files, 'A.md'));
    const { summary, sources } = await index();
    assert.deepEqual([summary.moved, summary.deleted, summary.new], [1, 0, 0]);
    assert.ok(sources.includes('A.md') && !sources.includes('a.md'));
    const [after] = (await knowledgeBase.documents()).filter(({ source }) => source === 'A.md');
    assert.equal(after?.id, before?.id);
    assert.equal((await index()).summary.unchanged, 6);
  });

  it('reads an index whose folders were recorded without globs', async () => {
    await index();
    await knowledgeBase.close();
    const { openLocalStore } = await import('@aquifer/local-store');
    const { createAnalyser } = await import('@aquifer/text-analysis');
    const store = await openLocalStore({ location: join(folder, 'index'), analyser: createAnalyser() });
    const [root] = (await store.readValue('folder-roots')) as { uri: string }[];
    await store.writeValue('folder-roots', [root?.uri]);
    await store.close();
    knowledgeBase = await openKnowledgeBase({ location: join(folder, 'index') });
    assert.equal((await index()).summary.unchanged, 6);
    assert.equal((await index({}, join(files, 'people'))).summary.unchanged, 3, 'it is a part of the known folder');
  });
});
