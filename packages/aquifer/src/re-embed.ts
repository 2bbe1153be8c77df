import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AquiferError, fingerprintText, type Store } from '@aquifer/contracts';
import { readerFingerprint } from '@aquifer/documents';
import { reEmbed } from '@aquifer/ingestion';
import { openLocalStore } from '@aquifer/local-store';
import { createAnalyser } from '@aquifer/text-analysis';
import { chunkerFor } from './chunker-for.js';
import { createManifest, planBuild, readBuiltWith, writeBuiltWith } from './index-manifest.js';
import { readFolderRoots, writeFolderRoots } from './indexer.js';
import type { KnowledgeBaseOptions } from './knowledge-base.js';
import { embedderByName } from './models-by-name.js';
import type { ReEmbedKnowledgeBaseOptions } from './re-embed-knowledge-base.js';
import { finishReplacement, nextIndexFolder, replaceIndex } from './replace-index.js';

/** See {@link reEmbedKnowledgeBase}, which loads this file when it is needed. */
export async function reEmbedIndex(
  options: KnowledgeBaseOptions,
  { signal, onProgress }: ReEmbedKnowledgeBaseOptions,
): Promise<void> {
  const location = resolve(options.location);
  finishReplacement(location);
  if (!existsSync(location)) {
    throw new AquiferError('index-not-found', `There is no index at ${location} to embed again.`);
  }
  const analyser = createAnalyser();
  const { encryptionKey } = options;
  // Open for writing, so that nobody else changes what is being copied.
  const from = await openLocalStore({ location, analyser, encryptionKey });
  let to: Store | undefined;
  try {
    const manifest = await from.readManifest();
    if (manifest === undefined) throw new AquiferError('index-not-found', `The index at ${location} is empty.`);
    const builtWith = planBuild(options, await readBuiltWith(from));
    const embedder = await embedderByName(builtWith.embedderName);
    try {
      const chunker = await chunkerFor(embedder, builtWith);
      const opened = await openWorkStore();
      to = opened;
      const fromChunker = manifest.chunker;
      await reEmbed({ from, fromChunker, to: opened, chunker, embedder, readerFingerprint, signal, onProgress });
      await writeBuiltWith(opened, builtWith);
      await writeFolderRoots(opened, await readFolderRoots(from));

      async function openWorkStore(): Promise<Store> {
        const work = { location: nextIndexFolder(location), analyser, encryptionKey };
        const begun = await openLocalStore(work);
        const begunManifest = await begun.readManifest();
        if (begunManifest && fingerprintText(begunManifest.embedder) === fingerprintText(embedder.fingerprint))
          return begun;
        let fresh = begun;
        if (begunManifest) {
          // Of an interrupted run with another embedder.
          await begun.close();
          await rm(work.location, { recursive: true });
          fresh = await openLocalStore(work);
        }
        await createManifest(fresh, {
          ...manifest!.knowledgeBase,
          embedder,
          analyser: analyser.version,
          chunker: chunker.fingerprint,
        });
        return fresh;
      }
    } finally {
      await embedder.close?.();
    }
  } finally {
    await to?.close();
    await from.close();
  }
  await replaceIndex(location);
}
