import { type Analyser, collectGarbage, type DocumentWrite } from '@aquifer/contracts';
import { encodeBlocks } from './database/stored-blocks.js';
import { preparePieces } from './prepare-write.js';
import type { StoreWorkerMethods } from './threads/store-worker.js';
import type { WorkerClient } from './threads/worker-calls.js';

/** Characters from which a document is written piece by piece. */
const veryLongText = 2 ** 22;

export const isForPieces = ({ text }: DocumentWrite): boolean => text.length >= veryLongText;

/**
 * Replaces a document in one transaction over several calls, so that a few megabytes of it are on their way at any time. While a piece
 * is written the next one is made, and searches are answered in between.
 */
export async function replaceInPieces(
  write: DocumentWrite,
  store: WorkerClient<StoreWorkerMethods>,
  analyser: Analyser,
): Promise<void> {
  const { document, pages, blocks, chunks } = write;
  try {
    const held = await store.call('beginReplacement', document);
    const keys = new Map(held.map(({ id, embeddingKey }) => [id, embeddingKey]));
    const kept = new Set(chunks.flatMap(({ id, embeddingKey }) => (keys.get(id) === embeddingKey ? [id] : [])));
    const free: ArrayBuffer[] = [];
    let last: Promise<readonly ArrayBuffer[]> = Promise.resolve([]);
    for await (const { piece, transfer } of preparePieces(write, kept, analyser, free)) {
      free.push(...(await last));
      last = store.call('addPiece', piece, { transfer });
      // What it says is heard when the next piece is there.
      last.catch(() => {});
    }
    await last;
    collectGarbage();
    await store.call('commitReplacement', { pages: JSON.stringify(pages), blocks: encodeBlocks(blocks) });
  } catch (error) {
    // A thread that has ended has undone it.
    await store.call('abandonReplacement', undefined).catch(() => {});
    throw error;
  }
}
