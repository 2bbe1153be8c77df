import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { AquiferError, type Embedder, fingerprintText, type Store } from '@aquifer/contracts';
import { readerFingerprint, recognitionFingerprint } from '@aquifer/documents';
import { reEmbed } from '@aquifer/ingestion';
import { openLocalStore } from '@aquifer/local-store';
import { createAnalyser } from '@aquifer/text-analysis';
import { chunkerFor } from './chunker-for.js';
import { readFolderRoots, writeFolderRoots } from './folder-selection.js';
import { assertImported, createManifest, planBuild, readBuiltWith, writeBuiltWith } from './index-manifest.js';
import type { KnowledgeBaseOptions } from './knowledge-base.js';
import { embedderFor } from './models-by-name.js';
import { placeOf } from './open-store.js';
import type { ReEmbedKnowledgeBaseOptions } from './re-embed-knowledge-base.js';
import { finishReplacement, nextIndexFolder, replaceIndex } from './replace-index.js';

/** See `reEmbedKnowledgeBase`, which loads this file when it is needed. */
export async function reEmbedIndex(
  options: KnowledgeBaseOptions,
  { signal, onProgress }: ReEmbedKnowledgeBaseOptions,
): Promise<void> {
  const { kind, shown: location } = placeOf(options.location);
  if (kind === 'database') {
    throw new AquiferError(
      'invalid-options',
      `The index at ${location} is in a database and cannot be embedded again in place: index the documents under another ?name=, and use that one from then on.`,
    );
  }
  finishReplacement(location);
  if (!existsSync(location)) {
    throw new AquiferError('index-not-found', `There is no index at ${location} to embed again.`);
  }
  const analyser = createAnalyser();
  const open = (folder: string) => openLocalStore({ location: folder, analyser, encryptionKey: options.encryptionKey });

  const opened: { close?(): Promise<void> }[] = [];
  try {
    // Open for writing, so that nobody else changes what is being copied.
    const from = await open(location);
    opened.push(from);
    const manifest = await from.readManifest();
    if (manifest === undefined) throw new AquiferError('index-not-found', `The index at ${location} is empty.`);
    assertImported(manifest, location);
    const builtWith = planBuild(options, await readBuiltWith(from));
    const openedEmbedder = await embedderFor(options, builtWith);
    opened.push(openedEmbedder);
    const { embedder } = openedEmbedder;
    const chunker = await chunkerFor(embedder, builtWith);

    await removeOtherAttempt(nextIndexFolder(location), open, embedder);
    const to = await open(nextIndexFolder(location));
    opened.push(to);
    const { id, name } = manifest.knowledgeBase;
    await createManifest(to, { id, name, embedder, analyser: analyser.version, chunker: chunker.fingerprint });
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
  } finally {
    for (const part of opened.reverse()) await part.close?.();
  }
  await replaceIndex(location);
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
