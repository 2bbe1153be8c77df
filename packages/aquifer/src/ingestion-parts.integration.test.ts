import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DocumentReader, Embedder, Store } from '@aquifer/contracts';
import { createChunker, createDocumentReader, createTiktokenCounter, parseSidecar } from '@aquifer/documents';
import { createFolderSource, createIngestor, type IngestionSummary } from '@aquifer/ingestion';
import { openLocalStore } from '@aquifer/local-store';
import { createBuiltinEmbedder } from '@aquifer/models';
import { createAnalyser } from '@aquifer/text-analysis';

const words = 'leave travel expenses office people year month receipt hotel train manager form team journey'.split(' ');

/** Different words for every number, the same ones every time. */
function paragraph(number: number): string {
  const picked = Array.from({ length: 120 }, (_, index) => words[(number * 7 + index * (number + 3)) % words.length]);
  return `Paragraph ${number} begins here. ${picked.join(' ')}.`;
}

describe('ingestion with the real readers, chunker, embedder and store', () => {
  let folder: string;
  let files: string;
  let store: Store;
  let reader: DocumentReader;
  let run: () => Promise<IngestionSummary>;

  before(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'aquifer-parts-')));
    files = join(folder, 'files');
    mkdirSync(files);
    const analyser = createAnalyser();
    const embedder: Embedder = createBuiltinEmbedder({ dimensions: 256 });
    const tokenCounter = embedder.tokenCounter ?? (await createTiktokenCounter());
    const chunker = createChunker({ tokenCounter, maxTokens: 200, overlapTokens: 0 });
    store = await openLocalStore({ location: join(folder, 'index'), analyser });
    await store.writeManifest({
      schemaVersion: 1,
      knowledgeBase: { id: '0123456789', name: 'test' },
      embedder: embedder.fingerprint,
      chunker: chunker.fingerprint,
      analyser: analyser.version,
      metric: 'cosine',
      createdAt: Date.now(),
    });
    const openedReader = createDocumentReader({ threads: 1 });
    reader = openedReader;
    const ingestor = createIngestor({ store, reader, chunker, embedder });
    run = () =>
      ingestor.run(
        createFolderSource({
          root: files,
          recognises: (name) => openedReader.mediaType(name) !== undefined,
          parseSidecar,
        }),
      );
  });
  after(async () => {
    await reader?.close();
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('embeds at most two chunks when a paragraph is put at the top of a document of 300', async () => {
    const paragraphs = Array.from({ length: 300 }, (_, number) => paragraph(number));
    writeFileSync(join(files, 'long.md'), paragraphs.join('\n\n'));
    const first = await run();
    assert.ok(first.chunks >= 300, `${first.chunks} chunks`);
    writeFileSync(join(files, 'long.md'), [paragraph(1_000), ...paragraphs].join('\n\n'));
    const second = await run();
    assert.equal(second.modified, 1);
    assert.ok(second.embedded >= 1 && second.embedded <= 2, `${second.embedded} embedded`);
  });

  it('takes titles and attributes from the file, and what a sidecar says before what the file says', async () => {
    writeFileSync(join(files, 'policy.md'), '---\ncountry: JP\nyear: 2024\n---\n# Leave policy\n\nFifty-two weeks.\n');
    writeFileSync(join(files, 'policy.md.metadata.json'), '{"metadataAttributes":{"year":2025}}');
    writeFileSync(join(files, 'broken.pdf'), 'this is no PDF');
    const summary = await run();
    assert.equal(summary.new, 1);
    assert.equal(summary.failed, 1);
    const records = await store.listDocuments();
    const policy = records.find(({ source }) => source === 'policy.md');
    assert.equal(policy?.title, 'Leave policy');
    assert.deepEqual(policy.metadata, { country: 'JP', year: 2025 });
    assert.equal(policy.mediaType, 'text/markdown');
    const broken = records.find(({ source }) => source === 'broken.pdf');
    assert.equal(broken?.status, 'failed');
    assert.match(broken.statusReason ?? '', /broken\.pdf/);
  });
});
