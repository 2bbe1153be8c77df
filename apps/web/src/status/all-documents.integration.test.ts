import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createClient } from '@aquifer/client';
import { createFolderHost, createLocalBackend, createRetrievalService } from '@aquifer/retrieval-service';
import { createMemorySource, embedderByName, generatorByName, openKnowledgeBase } from 'aquifer';
import { allDocuments } from './all-documents.js';

test('documents beyond the first page of the list count as well', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-growth-'));
  const location = join(folder, 'index');
  const written = await openKnowledgeBase({ location, threads: 1 });
  const documents = ['a', 'b', 'c', 'd', 'e'].map((name) => ({
    path: `${name}.md`,
    text: `# ${name}\n\nPage ${name}.`,
  }));
  await written.index(createMemorySource({ id: 'pages', documents }));
  await written.close();
  const service = createRetrievalService({
    backend: createLocalBackend({ embedderByName, generatorByName }),
    knowledgeBases: { host: createFolderHost({ knowledgeBase: { location } }) },
  });
  try {
    const client = createClient({ baseUrl: await service.listen({ port: 0 }) });
    for (const pageSize of [1, 2, 5, 100]) {
      const found = await allDocuments(client, 'default', { pageSize });
      assert.equal(found.length, 5);
      assert.ok(found.every(({ indexedAt, chunkCount }) => indexedAt > 0 && chunkCount === 1));
    }
  } finally {
    await service.close({ graceMs: 100 });
    rmSync(folder, { recursive: true, force: true });
  }
});
