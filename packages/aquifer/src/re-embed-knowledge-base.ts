import type { KnowledgeBaseOptions } from './knowledge-base.js';

export interface ReEmbedKnowledgeBaseOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * Changes a knowledge base to another embedder (or chunk size): chunks and embeds its stored text anew into an index beside it,
 * which takes its place when it is complete. Until then the old one serves; interrupted, the same call goes on where it was. In a database others may
 * go on writing; whoever has the old one open is told to open it again (`embedder-mismatch`, retryable).
 *
 * @throws `index-not-found`, `index-locked`, `model-not-found`, `aborted`, or what the embedder or a store fails with
 * @example
 * await reEmbedKnowledgeBase({ location: './.aquifer', embedder: 'onnx:./models/all-MiniLM-L6-v2' });
 */
export async function reEmbedKnowledgeBase(
  options: KnowledgeBaseOptions,
  run: ReEmbedKnowledgeBaseOptions = {},
): Promise<void> {
  const { reEmbedIndex } = await import('./re-embed.js');
  await reEmbedIndex(options, run);
}
