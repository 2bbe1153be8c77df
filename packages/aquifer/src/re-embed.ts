import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import {
  AquiferError,
  type Chunker,
  type Embedder,
  fingerprintText,
  type Manifest,
  type Store,
} from '@aquifer/contracts';
import { readerFingerprint, recognitionFingerprint } from '@aquifer/documents';
import { reEmbed } from '@aquifer/ingestion';
import { openLocalStore } from '@aquifer/local-store';
import { createAnalyser } from '@aquifer/text-analysis';
import { chunkerFor } from './chunker-for.js';
import { readFolderRoots, writeFolderRoots } from './folder-selection.js';
import {
  assertImported,
  type BuiltWith,
  planBuild,
  planManifest,
  readBuiltWith,
  writeBuiltWith,
} from './index-manifest.js';
import type { KnowledgeBaseOptions } from './knowledge-base.js';
import { embedderFor } from './models-by-name.js';
import { openStore, placeOf } from './open-store.js';
import type { ReEmbedKnowledgeBaseOptions } from './re-embed-knowledge-base.js';
import { finishReplacement, nextIndexFolder, replaceIndex } from './replace-index.js';
import { lastRunKey } from './status.js';

/** See `reEmbedKnowledgeBase`, which loads this file when it is needed. */
export async function reEmbedIndex(options: KnowledgeBaseOptions, run: ReEmbedKnowledgeBaseOptions): Promise<void> {
  const { kind, shown } = placeOf(options.location);
  const opened: Opened = [];
  try {
    await (kind === 'folder' ? reEmbedFolder : reEmbedDatabase)(options, run, shown, opened);
  } finally {
    for (const part of opened.reverse()) await part.close?.();
  }
  if (kind === 'folder') await replaceIndex(shown);
  else await optimise(options, run);
}

/** What is to be closed when all is done, or something failed. */
type Opened = { close?(): Promise<void> }[];

async function reEmbedFolder(
  options: KnowledgeBaseOptions,
  run: ReEmbedKnowledgeBaseOptions,
  location: string,
  opened: Opened,
): Promise<void> {
  finishReplacement(location);
  if (!existsSync(location)) {
    throw new AquiferError('index-not-found', `There is no index at ${location} to embed again.`);
  }
  const analyser = createAnalyser();
  const open = (folder: string) => openLocalStore({ location: folder, analyser, encryptionKey: options.encryptionKey });
  // Open for writing, so that nobody else changes what is being copied.
  const from = await open(location);
  opened.push(from);
  const change = await planChange(from, options, analyser.version, location, opened);
  await removeOtherAttempt(nextIndexFolder(location), open, change.embedder);
  const to = await open(nextIndexFolder(location));
  opened.push(to);
  await to.writeManifest(change.nextManifest, { unlessThere: true });
  await fill(from, to, change, run);
}

async function reEmbedDatabase(
  options: KnowledgeBaseOptions,
  run: ReEmbedKnowledgeBaseOptions,
  location: string,
  opened: Opened,
): Promise<void> {
  const [{ beginPostgresReEmbedding }, { openPostgresQuota }] = await Promise.all([
    import('@aquifer/postgres-store'),
    import('@aquifer/postgres-store/postgres-quota'),
  ]);
  const analyser = createAnalyser();
  const from = await openStore({ ...options, mode: 'write' }, analyser);
  opened.push(from);
  const sharedQuota = openPostgresQuota(options.location);
  opened.push(sharedQuota);
  const asked = { ...options, models: { sharedQuota, ...options.models } };
  const change = await planChange(from, asked, analyser.version, location, opened);
  const reEmbedding = await beginPostgresReEmbedding({ location: options.location, analyser, ...change });
  opened.push(reEmbedding);
  let isFirst = true;
  await reEmbedding.exchange(async () => {
    // What others have written meanwhile is little: its progress would only confuse.
    const { onProgress: _, ...silently } = run;
    await fill(from, reEmbedding.next, change, isFirst ? run : silently);
    isFirst = false;
  });
}

/** Builds a graph of the new vectors, where one is wanted. */
async function optimise(options: KnowledgeBaseOptions, { signal }: ReEmbedKnowledgeBaseOptions): Promise<void> {
  const store = await openStore({ ...options, mode: 'write' }, createAnalyser());
  try {
    await store.optimise({ signal });
  } finally {
    await store.close();
  }
}

/** From what an index is, and to what it is to be changed. */
interface Change {
  readonly manifest: Manifest;
  readonly nextManifest: Manifest;
  readonly builtWith: BuiltWith;
  readonly embedder: Embedder;
  readonly chunker: Chunker;
}

async function planChange(
  from: Store,
  options: KnowledgeBaseOptions,
  analyser: string,
  location: string,
  opened: Opened,
): Promise<Change> {
  const manifest = await from.readManifest();
  if (manifest === undefined) throw new AquiferError('index-not-found', `The index at ${location} is empty.`);
  assertImported(manifest, location);
  const builtWith = planBuild(options, await readBuiltWith(from));
  const openedEmbedder = await embedderFor(options, builtWith);
  opened.push(openedEmbedder);
  const { embedder } = openedEmbedder;
  const chunker = await chunkerFor(embedder, builtWith);
  const { id, name } = manifest.knowledgeBase;
  const nextManifest = planManifest({ id, name, embedder, analyser, chunker: chunker.fingerprint });
  return { manifest, nextManifest, builtWith, embedder, chunker };
}

async function fill(
  from: Store,
  to: Store,
  { manifest, builtWith, embedder, chunker }: Change,
  { signal, onProgress }: ReEmbedKnowledgeBaseOptions,
): Promise<void> {
  await reEmbed({
    from,
    fromChunker: manifest.chunker,
    to,
    chunker,
    embedder,
    readerFingerprint,
    recognitionFingerprint: recognitionFingerprint(builtWith.ocrLanguages),
    signal,
    onProgress,
  });
  await writeBuiltWith(to, builtWith);
  await writeFolderRoots(to, await readFolderRoots(from));
  const lastRun = await from.readValue(lastRunKey);
  if (lastRun !== undefined) await to.writeValue(lastRunKey, lastRun);
}

/** Removes what an interrupted run with another embedder left; that of the same embedder is gone on with. */
async function removeOtherAttempt(
  folder: string,
  open: (folder: string) => Promise<Store>,
  embedder: Embedder,
): Promise<void> {
  if (!existsSync(folder)) return;
  const left = await open(folder);
  const manifest = await left.readManifest();
  await left.close();
  const isSame = manifest && fingerprintText(manifest.embedder) === fingerprintText(embedder.fingerprint);
  if (!isSame) await rm(folder, { recursive: true });
}
