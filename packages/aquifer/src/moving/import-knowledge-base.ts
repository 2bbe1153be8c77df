import {
  AquiferError,
  type DocumentRecord,
  type DocumentWrite,
  type Manifest,
  type Store,
  throwIfAborted,
} from '@aquifer/contracts';
import { createAnalyser } from '@aquifer/text-analysis';
import { rootsKey } from '../folder-selection.js';
import { assertKnownManifest, builtWithKey } from '../index-manifest.js';
import { openStore, placeOf } from '../open-store.js';
import { lastRunKey } from '../status.js';
import { type Counts, type ExportFile, openExportFile } from './export-file.js';
import { type EmbeddingEntry, parseLine } from './export-format.js';
import type { MovedKnowledgeBase, MoveOptions, MoveSummary } from './move-options.js';

const embeddingsAtOnce = 256;
const documentsAtOnce = 32;
const charactersAtOnce = 4_000_000;
/** So many documents are deleted at once. */
const deletionBatch = 1_000;

/**
 * Makes a knowledge base out of a file that `exportKnowledgeBase` wrote, in a folder or a database, without embedding anything. It keeps its id, and its
 * name unless the location gives another.
 *
 * The file is checked whole before anything is written. Until everything is there, the knowledge base cannot be opened; interrupted, the same call
 * goes on where it was. Only a place that holds no knowledge base yet can be imported into.
 *
 * @throws `source-not-found`, `invalid-export` (not an export, truncated or altered), `invalid-options` (there is a knowledge base already),
 *   `index-too-new`, `disk-full`, `aborted`, and what the store throws
 * @example
 * await importKnowledgeBase({ location: 'postgres://aquifer@db.internal/aquifer?name=handbook' }, 'handbook.aquifer');
 */
export async function importKnowledgeBase(
  knowledgeBase: MovedKnowledgeBase & { readonly name?: string },
  file: string,
  { signal, onProgress }: MoveOptions = {},
): Promise<MoveSummary> {
  onProgress?.({ phase: 'checking', done: 0, total: 0 });
  const exported = await openExportFile(file, signal);
  try {
    const place = placeOf(knowledgeBase.location);
    assertKnownManifest(exported.header.manifest, file);
    const analyser = createAnalyser();
    const store = await openStore({ ...knowledgeBase, mode: 'write' }, analyser);
    try {
      const { importing: _, ...from } = exported.header.manifest;
      const name = knowledgeBase.name ?? place.name ?? from.knowledgeBase.name;
      const identity = { id: from.knowledgeBase.id, name };
      // Keyword postings are made here, by this version's analyser.
      const manifest: Manifest = { ...from, knowledgeBase: identity, analyser: analyser.version };
      const isGoingOn = await begin(store, manifest, exported.end.sha256, place.shown);
      const counts = await fill(store, exported, isGoingOn, { signal, onProgress });
      for (const key of [builtWithKey, rootsKey, lastRunKey]) {
        const value = exported.header.values[key];
        if (value !== undefined) await store.writeValue(key, value);
      }
      await store.optimise({ signal, onProgress: (progress) => onProgress?.({ phase: 'indexing', ...progress }) });
      await store.writeManifest(manifest);
      return { ...counts, sha256: exported.end.sha256, knowledgeBase: { ...identity, location: place.shown } };
    } finally {
      await store.close();
    }
  } finally {
    await exported.close();
  }
}

/** Marks the store as one that is being imported into. Returns whether the same import was begun before. */
async function begin(store: Store, manifest: Manifest, sha256: string, location: string): Promise<boolean> {
  const found = await store.readManifest();
  if (found?.importing === sha256) return true;
  if (found !== undefined && found.importing === undefined) {
    throw new AquiferError(
      'invalid-options',
      `There is a knowledge base at ${location} already, and an import replaces none: import into another --kb (a new folder, or another ?name=).`,
    );
  }
  // What an import of another file left behind.
  for (;;) {
    const left = await store.listDocuments({ limit: deletionBatch });
    if (left.length === 0) break;
    await store.deleteDocuments(left.map(({ id }) => id));
  }
  await store.writeManifest({ ...manifest, importing: sha256 });
  return false;
}

async function fill(
  store: Store,
  exported: ExportFile,
  isGoingOn: boolean,
  { signal, onProgress }: MoveOptions,
): Promise<Counts> {
  const { header, end } = exported;
  const counts = { documents: 0, chunks: 0, embeddings: 0 };
  let entries: EmbeddingEntry[] = [];
  let writes: DocumentWrite[] = [];
  let characters = 0;

  const putEntries = async () => {
    throwIfAborted(signal);
    if (entries.length > 0) await store.putEmbeddings(entries);
    counts.embeddings += entries.length;
    entries = [];
    onProgress?.({ phase: 'vectors', done: counts.embeddings, total: header.embeddings });
  };
  const putWrites = async () => {
    throwIfAborted(signal);
    const outcomes = await Promise.allSettled(
      writes.map(async (write) => {
        const known = isGoingOn ? await store.getDocument(write.document.id) : undefined;
        if (known === undefined || !isSame(known, write.document)) await store.replaceDocument(write);
      }),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    counts.documents += writes.length;
    counts.chunks += writes.reduce((sum, { chunks }) => sum + chunks.length, 0);
    writes = [];
    characters = 0;
    onProgress?.({ phase: 'documents', done: counts.documents, total: header.documents });
  };

  await exported.forEachLine(async (line, refuse) => {
    const parsed = parseLine(line, refuse);
    if (parsed.type === 'embedding') {
      entries.push(parsed.entry);
      if (entries.length >= embeddingsAtOnce) await putEntries();
      return;
    }
    if (entries.length > 0) await putEntries();
    writes.push(parsed.write);
    characters += parsed.write.text.length;
    if (writes.length >= documentsAtOnce || characters >= charactersAtOnce) await putWrites();
  });
  await putEntries();
  await putWrites();
  for (const what of ['documents', 'chunks', 'embeddings'] as const) {
    if (counts[what] === end[what]) continue;
    throw new AquiferError(
      'invalid-export',
      `The export says that it holds ${end[what]} ${what}, but there are ${counts[what]}.`,
    );
  }
  return counts;
}

/** Whether a document was written by the part of this import that went before. */
function isSame(known: DocumentRecord, exported: DocumentRecord): boolean {
  return (
    known.stamp === exported.stamp && known.indexedAt === exported.indexedAt && known.chunkCount === exported.chunkCount
  );
}
