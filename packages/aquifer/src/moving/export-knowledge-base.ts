import { AquiferError, embeddedText, type Manifest, type Store } from '@aquifer/contracts';
import { embeddingKeys } from '@aquifer/ingestion';
import { createAnalyser } from '@aquifer/text-analysis';
import { rootsKey } from '../folder-selection.js';
import { assertImported, assertKnownManifest, builtWithKey } from '../index-manifest.js';
import { openStore, placeOf } from '../open-store.js';
import { lastRunKey } from '../status.js';
import { writeExportFile } from './export-file.js';
import { documentLine, type ExportHeader, embeddingLine, exportFormat, exportVersion } from './export-format.js';
import type { MovedKnowledgeBase, MoveOptions, MoveSummary } from './move-options.js';

const keysAtOnce = 256;
const documentsAtOnce = 256;

/**
 * Writes a whole knowledge base into one file, from which `importKnowledgeBase` makes it again in any store: documents with their texts, chunks,
 * metadata and stamps, failed ones too, and all vectors. Memory does not grow with the knowledge base. **The file is not encrypted**, even where
 * the index is.
 *
 * @throws `index-not-found`, `index-locked` where somebody wrote meanwhile, `index-corrupt`, `disk-full`, `invalid-options`, `aborted`; a file
 *   that was there before is replaced only when all went well
 * @example
 * const { documents, sha256 } = await exportKnowledgeBase({ location: './.aquifer' }, 'handbook.aquifer');
 */
export async function exportKnowledgeBase(
  knowledgeBase: MovedKnowledgeBase,
  file: string,
  { signal, onProgress }: MoveOptions = {},
): Promise<MoveSummary & { readonly bytes: number }> {
  const { shown: location } = placeOf(knowledgeBase.location);
  const store = await openStore({ ...knowledgeBase, mode: 'read', ownThreads: false }, createAnalyser());
  try {
    const manifest = await store.readManifest();
    if (manifest === undefined) throw new AquiferError('index-not-found', `The index at ${location} is empty.`);
    assertImported(manifest, location);
    assertKnownManifest(manifest, location);
    const before = await store.stats();
    const total = Object.values(before.documents).reduce((sum, count) => sum + count, 0);
    const header: ExportHeader = {
      format: exportFormat,
      version: exportVersion,
      manifest,
      values: await readValues(store),
      documents: total,
      embeddings: before.cachedEmbeddings,
    };
    const counts = { documents: 0, chunks: 0, embeddings: 0 };
    const assertUnchanged = async () => {
      if ((await store.stats()).generation === before.generation) return;
      throw new AquiferError(
        'index-locked',
        `The index at ${location} was changed while it was exported, so the export would be neither the old nor the new: run it again when nobody writes.`,
        { retryable: true },
      );
    };

    async function* lines(): AsyncGenerator<string> {
      yield JSON.stringify(header);
      for await (const line of embeddingLines(store)) {
        counts.embeddings += 1;
        onProgress?.({ phase: 'vectors', done: counts.embeddings, total: before.cachedEmbeddings });
        yield line;
      }
      for await (const { line, chunks } of documentLines(store, manifest as Manifest, assertUnchanged)) {
        counts.documents += 1;
        counts.chunks += chunks;
        onProgress?.({ phase: 'documents', done: counts.documents, total });
        yield line;
      }
      await assertUnchanged();
    }
    const { type: _, ...end } = await writeExportFile(file, lines(), () => counts, signal);
    return { ...end, knowledgeBase: { ...manifest.knowledgeBase, location } };
  } finally {
    await store.close();
  }
}

async function readValues(store: Store): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const key of [builtWithKey, rootsKey, lastRunKey]) {
    const value = await store.readValue(key);
    if (value !== undefined && value !== null) values[key] = value;
  }
  return values;
}

async function* embeddingLines(store: Store): AsyncGenerator<string> {
  let keys: string[] = [];
  do {
    const after = keys.at(-1);
    keys = await store.listEmbeddingKeys({ limit: keysAtOnce, ...(after !== undefined && { after }) });
    const vectors = await store.getEmbeddings(keys);
    for (const [index, key] of keys.entries()) {
      const vector = vectors[index];
      // One that the disk has damaged is none: whether a chunk needs it is seen below.
      if (vector !== undefined) yield embeddingLine({ key, vector });
    }
  } while (keys.length === keysAtOnce);
}

async function* documentLines(store: Store, { embedder }: Manifest, assertUnchanged: () => Promise<void>) {
  const keyOf = embeddingKeys({ fingerprint: embedder });
  let after: string | undefined;
  for (;;) {
    const page = await store.listDocuments({ limit: documentsAtOnce, ...(after !== undefined && { after }) });
    for (const document of page) {
      const content = (await store.getContent(document.id)) ?? { text: '', pages: [], blocks: [] };
      const chunks = (await store.listChunks(document.id)).map((chunk) => ({
        ...chunk,
        embeddingKey: keyOf(embeddedText(chunk)),
      }));
      const isWhole = chunks.length === document.chunkCount && (await hasVectors(store, chunks));
      if (!isWhole) {
        await assertUnchanged();
        throw new AquiferError(
          'index-corrupt',
          `${document.source}: some of its chunks or vectors are missing or damaged. Delete the document and index it again (npx aquifer delete ${document.id}), then export.`,
        );
      }
      yield { line: documentLine(document, content, chunks), chunks: chunks.length };
    }
    after = page.at(-1)?.id;
    if (page.length < documentsAtOnce) return;
  }
}

async function hasVectors(store: Store, chunks: readonly { readonly embeddingKey: string }[]): Promise<boolean> {
  for (let from = 0; from < chunks.length; from += keysAtOnce) {
    const vectors = await store.getEmbeddings(
      chunks.slice(from, from + keysAtOnce).map(({ embeddingKey }) => embeddingKey),
    );
    if (vectors.includes(undefined)) return false;
  }
  return true;
}
