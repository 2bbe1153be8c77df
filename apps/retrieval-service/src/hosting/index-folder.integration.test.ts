import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { embedderByName, openKnowledgeBase } from 'aquifer';
import { indexFolder } from './index-folder.js';

describe('indexing a folder beside answers', () => {
  let folder: string;
  let location: string;
  let documents: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-index-folder-'));
    location = join(folder, 'index');
    documents = join(folder, 'documents');
    mkdirSync(documents);
    for (let number = 0; number < 300; number += 1) {
      writeFileSync(join(documents, `${number}.md`), `# Leave ${number}\n\nParental leave is ${number} weeks.\n`);
    }
    await (await openKnowledgeBase({ location })).close();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const listen = (signal: AbortSignal = new AbortController().signal) => {
    const seen = { opened: 0, progress: 0, documents: [] as string[], lock: '' };
    const listeners = {
      signal,
      onOpened: () => {
        seen.opened += 1;
        seen.lock = readFileSync(join(location, 'writer.json'), 'utf8');
      },
      onProgress: () => {
        seen.progress += 1;
      },
      onEvent: ({ source }: { readonly source: string }) => {
        seen.documents.push(source);
      },
    };
    return { seen, listeners };
  };
  const run = () => ({ folder: documents, maxDeletePercent: 100 });
  const status = async () => {
    const reader = await openKnowledgeBase({ location, mode: 'read' });
    try {
      return await reader.status();
    } finally {
      await reader.close();
    }
  };

  it('tells of documents and progress, and leaves the index to others when it is done', async () => {
    const { seen, listeners } = listen();
    const models = { onWarning: () => {} };
    const summary = await indexFolder({ location, threads: 1, models }, 'builtin', run(), listeners);
    assert.deepEqual([summary.new, summary.failed, summary.embedder], [300, 0, 'builtin']);
    assert.equal(seen.opened, 1);
    assert.ok(seen.progress > 0);
    assert.equal(new Set(seen.documents).size, 300);
    // The lock says which program holds it, not which of its threads.
    assert.equal(JSON.parse(seen.lock).command, process.argv.slice(1, 4).join(' '));
    const again = await openKnowledgeBase({ location });
    assert.deepEqual((await again.status()).documents, { indexed: 300 });
    await again.close();
  });

  it('covers the paths that it is given, and keeps an embedder of one’s own on the thread where it is', async () => {
    const embedder = await embedderByName('builtin', {});
    const { seen, listeners } = listen();
    const path = join(documents, '7.md');
    const summary = await indexFolder({ location, embedder }, 'builtin', { ...run(), paths: [path] }, listeners);
    assert.deepEqual([summary.new, seen.opened, seen.documents], [1, 1, ['7.md']]);
  });

  it('stops when it is told to, and what was committed until then stays', async () => {
    const stop = new AbortController();
    const { listeners } = listen(stop.signal);
    const stopping = { ...listeners, onEvent: () => stop.abort() };
    await assert.rejects(indexFolder({ location, threads: 1 }, 'builtin', run(), stopping), (error) =>
      isAquiferError(error, 'aborted'),
    );
    const { indexed = 0 } = (await status()).documents;
    assert.ok(indexed > 0, 'none is there');
    const summary = await indexFolder({ location, threads: 1 }, 'builtin', run(), listen().listeners);
    assert.equal(summary.scanned, 300);
    assert.deepEqual((await status()).documents, { indexed: 300 });
    await assert.rejects(indexFolder({ location }, 'builtin', run(), listen(AbortSignal.abort()).listeners), (error) =>
      isAquiferError(error, 'aborted'),
    );
  });

  it('says who else writes the index', async () => {
    const other = await openKnowledgeBase({ location });
    try {
      const { seen, listeners } = listen();
      await assert.rejects(indexFolder({ location }, 'builtin', run(), listeners), (error) => {
        assert.ok(isAquiferError(error, 'index-locked'), String(error));
        return error.retryable;
      });
      assert.equal(seen.opened, 0);
    } finally {
      await other.close();
    }
  });
});
