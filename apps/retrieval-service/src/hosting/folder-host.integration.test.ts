import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createMemorySource } from 'aquifer';
import { createFolderHost, defaultTenant } from './folder-host.js';

describe('folder host', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'aquifer-folder-host-')));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('writes nothing for a knowledge base that was deleted meanwhile, nor into the one that came after it', async () => {
    const location = join(folder, 'index');
    const host = createFolderHost({ knowledgeBase: { location } });
    const first = await host.create(defaultTenant, { name: 'first' });
    const source = createMemorySource({ id: 'notes', documents: [{ path: 'a.md', text: 'Badges are blue.' }] });
    await host.delete(defaultTenant, 'first');
    const listeners = {
      signal: new AbortController().signal,
      onOpened: () => {},
      onProgress: () => {},
      onEvent: () => {},
    };
    const attempts = [
      () => first.write((opened) => opened.index(source)),
      () => first.indexFolder({ folder, maxDeletePercent: 0 }, listeners),
    ];
    for (const attempt of attempts) await assert.rejects(attempt, { code: 'knowledge-base-not-found' });
    assert.equal(existsSync(location), false);

    const second = await host.create(defaultTenant, { name: 'second' });
    for (const attempt of attempts) await assert.rejects(attempt, { code: 'knowledge-base-not-found' });
    assert.deepEqual((await second.reader.status()).documents, {});
    assert.equal((await second.write((opened) => opened.index(source))).new, 1);
    await host.close();
  });
});
