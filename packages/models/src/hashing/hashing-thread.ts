import { Worker } from 'node:worker_threads';
import { createRestingThread, type Embeddings } from '@aquifer/contracts';
import type { HashingReply, HashingRequest, HashingWorkerData } from './hashing-worker.js';

/** Embeds texts of documents in a thread of its own. */
export interface HashingThread {
  /** Undefined where the thread cannot start, or ends meanwhile: whatever it died of, the texts can be embedded without it. */
  embed(texts: readonly string[]): Promise<Embeddings | undefined>;
  /** Ends the thread, and with it what is pending. The next texts start another. */
  close(): Promise<void>;
}

/** By then whoever indexes does something else, and memory is worth more than the 50 ms of a start. */
const idleMs = 2_000;
/** What texts leave behind lives shortly. V8 would let 48 MB of it gather, and keep that memory. */
const maxYoungGenerationSizeMb = 8;

export function createHashingThread(dimensions: number): HashingThread {
  const start = () =>
    new Worker(new URL('./hashing-worker.js', import.meta.url), {
      name: 'aquifer-embedder',
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb },
      workerData: { dimensions } satisfies HashingWorkerData,
    });
  const thread = createRestingThread<HashingRequest, HashingReply>(start, idleMs);
  return {
    async embed(texts) {
      // No more threads or open files may be had.
      const reply = await thread.ask(texts).catch(() => undefined);
      if (reply === undefined) return undefined;
      // Each with a buffer of its own: whoever keeps one does not keep all.
      const vectors = texts.map((_, index) => reply.vectors.slice(index * dimensions, (index + 1) * dimensions));
      return { vectors, tokens: reply.tokens };
    },
    close: () => thread.end(),
  };
}
