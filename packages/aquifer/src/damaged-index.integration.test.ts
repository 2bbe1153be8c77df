import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { openKnowledgeBase } from './open-knowledge-base.js';
import { reEmbedKnowledgeBase } from './re-embed-knowledge-base.js';

describe('an index that the disk has changed', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-changed-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is rebuilt by embedding again and indexing: what is whole is kept, the rest is read again', async () => {
    const [files, location] = [join(folder, 'files'), join(folder, 'index')];
    mkdirSync(files);
    // Long enough to stand on pages of their own.
    const textOf = (name: string): string =>
      Array.from({ length: 900 }, (_, n) => `Sentence ${n} of ${name} says something.`).join(' ');
    for (const name of ['alpha', 'beta', 'gamma']) writeFileSync(join(files, `${name}.txt`), textOf(name));
    const knowledgeBase = await openKnowledgeBase({ location });
    await knowledgeBase.index(files);
    const idOf = new Map((await knowledgeBase.documents()).map(({ source, id }) => [source, id]));
    await knowledgeBase.close();

    const file = join(location, 'index.sqlite');
    const bytes = readFileSync(file);
    let changed = 0;
    for (
      let at = bytes.indexOf('Sentence 700 of beta says');
      at >= 0;
      at = bytes.indexOf('Sentence 700 of beta says', at + 1)
    ) {
      bytes.write('Sentence 700 of beta SAYS', at);
      changed++;
    }
    assert.ok(changed > 0);
    writeFileSync(file, bytes);

    const damaged = await openKnowledgeBase({ location, mode: 'read' });
    await assert.rejects(damaged.document(idOf.get('beta.txt') ?? ''), (error: unknown) => {
      assert.ok(isAquiferError(error, 'index-corrupt'), String(error));
      assert.match(error.message, /text of document .* --re-embed/);
      return true;
    });
    assert.ok((await damaged.document(idOf.get('alpha.txt') ?? '')).content.text.includes('Sentence 700 of alpha'));
    await damaged.close();

    await reEmbedKnowledgeBase({ location });
    const rebuilt = await openKnowledgeBase({ location });
    assert.deepEqual((await rebuilt.documents()).map(({ source }) => source).sort(), ['alpha.txt', 'gamma.txt']);
    const summary = await rebuilt.index(files);
    assert.deepEqual([summary.new, summary.unchanged, summary.deleted], [1, 2, 0]);
    const { content } = await rebuilt.document(idOf.get('beta.txt') ?? '');
    assert.equal(content.text.trim(), textOf('beta'));
    await rebuilt.close();
  });
});
