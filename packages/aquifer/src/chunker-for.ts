import type { Chunker, Embedder } from '@aquifer/contracts';
import { createChunker, createTiktokenCounter } from '@aquifer/documents';
import type { BuiltWith } from './index-manifest.js';

/** The chunker of an index: bounded by what was asked for and by what the embedder takes, in the embedder's own tokens. */
export async function chunkerFor(embedder: Embedder, builtWith: BuiltWith): Promise<Chunker> {
  return createChunker({
    tokenCounter: embedder.tokenCounter ?? (await createTiktokenCounter()),
    maxTokens: Math.min(builtWith.chunkTokens, embedder.maxInputTokens),
    overlapTokens: builtWith.chunkOverlap,
  });
}
