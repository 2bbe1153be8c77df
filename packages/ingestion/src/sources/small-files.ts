import { Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import { createBatcher } from '../batcher.js';
import type { DiskPath } from './disk-path.js';
import type { SmallFileContent, SmallFileReply, SmallFileRequest } from './small-file-worker.js';

export interface SmallFiles {
  /**
   * A small file's bytes; undefined where this is not the way to read it (it is large, gone, changing, not a file, not
   * permitted, or the disk is slow).
   */
  read(path: DiskPath): Promise<SmallFileContent | undefined>;
}

/** From this size on the bytes count, not the calls. */
export const smallFileBytes = 32 * 1_024;

const maxBatch = 64;
const idleMs = 1_000;
/** A disk that takes longer for a file than this (a network, say) is better asked for many files at once. */
const slowMsPerFile = 5;

/**
 * Reads small files in batches on a thread of their own, which takes a tenth of what it takes one by one: open, look, read,
 * look again and close are five trips to the thread pool for each file, and a file may have no more than one line. The thread
 * starts when it is first needed and ends when it has had nothing to do for a second.
 */
export function createSmallFiles(): SmallFiles {
  let worker: Worker | undefined;
  let settle: ((reply: SmallFileReply | undefined) => void) | undefined;
  let idleTimer: NodeJS.Timeout | undefined;
  let isSlow = false;

  const start = () => {
    const started = new Worker(new URL('./small-file-worker.js', import.meta.url), {
      name: 'aquifer-small-files',
      execArgv: [],
    });
    started.on('message', (reply: SmallFileReply) => settle?.(reply));
    // Whatever the thread died of, the files can be read without it.
    const die = () => {
      if (worker === started) end();
    };
    started.on('error', die);
    started.on('exit', die);
    return started;
  };
  const end = () => {
    clearTimeout(idleTimer);
    void worker?.terminate();
    worker = undefined;
    settle?.(undefined);
  };

  async function readBatch(paths: SmallFileRequest): Promise<readonly (SmallFileContent | undefined)[]> {
    clearTimeout(idleTimer);
    worker ??= start();
    const current = worker;
    current.ref();
    const reply = await new Promise<SmallFileReply | undefined>((resolve) => {
      settle = resolve;
      current.postMessage(paths);
    });
    settle = undefined;
    current.unref();
    idleTimer = setTimeout(end, idleMs).unref();
    isSlow ||= reply === undefined || (paths.length >= maxBatch / 4 && reply.ms > slowMsPerFile * paths.length);
    return reply?.files ?? paths.map(() => undefined);
  }

  const read = createBatcher<DiskPath, SmallFileContent | undefined>({
    maxBatch,
    queue: new PQueue({ concurrency: 1 }),
    run: async (paths) => (isSlow ? paths.map(() => undefined) : await readBatch(paths)).map((value) => ({ value })),
  });
  return { read: async (path) => (isSlow ? undefined : await read(path)) };
}
