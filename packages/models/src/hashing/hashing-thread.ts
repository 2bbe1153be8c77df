import { Worker } from 'node:worker_threads';
import { type Embeddings, keepingProcessAlive } from '@aquifer/contracts';
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

/** Starts with the first texts, and keeps the process alive only while texts are pending. */
export function createHashingThread(dimensions: number): HashingThread {
  let worker: Worker | undefined;
  let idleTimer: NodeJS.Timeout | undefined;
  const pending: ((reply: HashingReply | undefined) => void)[] = [];

  function start(): Worker {
    const started = new Worker(new URL('./hashing-worker.js', import.meta.url), {
      name: 'aquifer-embedder',
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb },
      workerData: { dimensions } satisfies HashingWorkerData,
    });
    started.on('message', (reply: HashingReply) => {
      if (worker !== started) return;
      pending.shift()?.(reply);
      if (pending.length > 0) return;
      started.unref();
      idleTimer = setTimeout(end, idleMs).unref();
    });
    const die = () => {
      if (worker === started) end();
    };
    started.on('error', die);
    started.on('messageerror', die);
    started.on('exit', die);
    return started;
  }

  function end(): Promise<unknown> | undefined {
    clearTimeout(idleTimer);
    const ended = worker?.terminate();
    worker = undefined;
    for (const settle of pending.splice(0)) settle(undefined);
    return ended;
  }

  return {
    async embed(texts) {
      clearTimeout(idleTimer);
      try {
        worker ??= start();
      } catch {
        // No more threads or open files to be had.
        return undefined;
      }
      worker.ref();
      worker.postMessage(texts satisfies HashingRequest);
      const reply = await new Promise<HashingReply | undefined>((resolve) => pending.push(resolve));
      if (reply === undefined) return undefined;
      // Each with a buffer of its own: whoever keeps one does not keep all.
      const vectors = texts.map((_, index) => reply.vectors.slice(index * dimensions, (index + 1) * dimensions));
      return { vectors, tokens: reply.tokens };
    },
    async close() {
      await keepingProcessAlive(async () => end());
    },
  };
}
