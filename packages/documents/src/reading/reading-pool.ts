import { Worker } from 'node:worker_threads';
import {
  AquiferError,
  type ExtractedDocument,
  fromPlainError,
  keepingProcessAlive,
  type PlainError,
  throwIfAborted,
} from '@aquifer/contracts';
import { createMemoryWatch, type MemoryWatch } from './memory-watch.js';
import { type PackedDocument, unpackDocument } from './packed-document.js';

export interface ReadJob {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly mediaType?: string;
  readonly passwords?: readonly string[];
}

export type ReadDocument = ExtractedDocument & { readonly mediaType: string };

export type ReadReply =
  | { readonly document: ReadDocument }
  | { readonly packed: PackedDocument }
  | { readonly error: PlainError };

/** Said before each picture that is recognised, for which the clock starts anew. */
export interface ReadProgress {
  readonly isRecognising: true;
}

/** What a reading thread is told when it starts. */
export interface ReadWorkerData {
  /** Languages of OCR. Absent: pictures are left alone. */
  readonly ocrLanguages?: readonly string[];
}

export interface ReadingPoolOptions {
  readonly threads: number;
  /** For one file, from the moment that a thread takes it. Each picture in it that is recognised has five times this time. */
  readonly timeoutMs: number;
  /** Everything that a thread keeps in memory: JavaScript heap, buffers, WebAssembly. */
  readonly maxMemoryMb: number;
  /** Languages of OCR. Absent: pictures are left alone. */
  readonly ocrLanguages?: readonly string[] | undefined;
  /** Whether a file was long, and so left much behind, by its bytes and the milliseconds that it took. Default: 64 KiB and 200 ms, which a note may take on a busy machine. */
  readonly isLongRead?: (bytes: number, ms: number) => boolean;
  /** A thread that has read none such for so long, and is given another file, is ended; a new one reads it. Default 10,000 ms. */
  readonly spentAfterMs?: number;
}

/** Threads that read one file at a time each. */
export interface ReadingPool {
  /** @throws what the reader throws; `too-large` for a file that takes too long or too much memory; `aborted`. */
  run(job: ReadJob, signal: AbortSignal | undefined): Promise<ReadDocument>;
  /** Ends the threads that read nothing; the next files start others. */
  rest(): Promise<void>;
  close(): Promise<void>;
}

interface Task {
  readonly job: ReadJob;
  readonly settle: (outcome: ReadReply | AquiferError) => void;
}

interface Thread {
  readonly worker: Worker;
  task: Task | undefined;
  timer: NodeJS.Timeout | undefined;
  /** When it was given its file, and how large that is. */
  since: number;
  bytes: number;
  /** When it had last read a file that takes long. */
  lastLong: number | undefined;
}

/**
 * A dense page takes some ten seconds to recognise, many times that in a language that was not asked for, where everything is doubtful.
 */
const recognitionTimes = 5;

/**
 * A clock that strikes so late was held up: by Ctrl-Z, which stops the reading as well, or by work on this thread, behind which the answer may wait. The file gets its
 * time again.
 */
const heldUpMs = 1_000;

/** What V8 takes by default, 48 MB a thread, is kept when a file is read, and makes reading no faster. */
const maxYoungGenerationSizeMb = 12;

/** How often the memory of the process is looked at while files are read. A thread fills some 50 MB in that time. */
const memoryCheckMs = 50;

/** At least this much is handed to the thread instead of being copied; below, copying is cheaper. */
const transferFromBytes = 16_384;

/**
 * A thread that dies or has to be stopped fails the file it was reading, and no other; the next file gets a new one. Threads start
 * when they are first needed, and idle ones do not keep the process running.
 */
export function createReadingPool({
  threads: maximum,
  timeoutMs,
  maxMemoryMb,
  ocrLanguages,
  isLongRead = (bytes, ms) => bytes >= 65_536 && ms >= 200,
  spentAfterMs = 10_000,
}: ReadingPoolOptions): ReadingPool {
  const threads = new Set<Thread>();
  const idle: Thread[] = [];
  const waiting = new Set<Task>();
  let closed = false;
  const memory: MemoryWatch<Thread> = createMemoryWatch({
    maxBytes: maxMemoryMb * 2 ** 20,
    checkMs: memoryCheckMs,
    onExceeded: (thread) => drop(thread, tooMuchMemory),
  });
  const tooMuchMemory = ({ name }: ReadJob) =>
    new AquiferError(
      'too-large',
      `${name} needs more than ${maxMemoryMb} MB of memory to be read: split it, or allow more with --read-memory-mb.`,
    );

  function start(): Thread {
    const worker = new Worker(new URL('./read-worker.js', import.meta.url), {
      name: 'aquifer-reader',
      // Caps the heap alone; what is outside of it is watched.
      resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb, maxYoungGenerationSizeMb },
      execArgv: [],
      workerData: { ...(ocrLanguages && { ocrLanguages }) } satisfies ReadWorkerData,
    });
    const thread: Thread = { worker, task: undefined, timer: undefined, since: 0, bytes: 0, lastLong: undefined };
    threads.add(thread);
    worker.on('message', (reply: ReadReply | ReadProgress) => {
      if ('isRecognising' in reply) {
        startClock(thread, timeoutMs * recognitionTimes);
        return;
      }
      const { task } = thread;
      const now = performance.now();
      if (isLongRead(thread.bytes, now - thread.since)) thread.lastLong = now;
      release(thread);
      idle.push(thread);
      worker.unref();
      task?.settle(reply);
      next();
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      const outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      drop(thread, (job) => (outOfMemory ? tooMuchMemory(job) : stoppedError(job, error.message, error)));
    });
    worker.on('messageerror', (error) => drop(thread, (job) => stoppedError(job, error.message, error)));
    worker.on('exit', (status) => drop(thread, (job) => stoppedError(job, `status ${status}`)));
    return thread;
  }

  function release(thread: Thread): void {
    clearTimeout(thread.timer);
    thread.timer = undefined;
    thread.task = undefined;
    memory.leave(thread);
  }

  /** Takes a thread out of the pool, failing what it was reading. Does nothing the second time. */
  function drop(thread: Thread, reason: (job: ReadJob) => AquiferError): void {
    if (!threads.delete(thread)) return;
    const position = idle.indexOf(thread);
    if (position >= 0) idle.splice(position, 1);
    const { task } = thread;
    release(thread);
    void thread.worker.terminate();
    task?.settle(reason(task.job));
    next();
  }

  async function end(ending: readonly Thread[]): Promise<void> {
    for (const thread of ending) drop(thread, closedError);
    await keepingProcessAlive(() => Promise.all(ending.map(({ worker }) => worker.terminate())));
  }

  function next(): void {
    while (waiting.size > 0 && !closed) {
      const thread = unspent(idle.pop()) ?? (threads.size < maximum ? start() : undefined);
      if (!thread) return;
      const [task] = waiting as Set<Task> & [Task];
      waiting.delete(task);
      assign(thread, task);
    }
  }

  /**
   * What a large reader keeps, PDF.js for example with all that V8 has compiled of it, is 30 MB or more a thread, and stays while it reads
   * thousands of notes. A thread starts in less time than a page of a PDF takes.
   */
  function unspent(thread: Thread | undefined): Thread | undefined {
    if (thread?.lastLong === undefined || performance.now() - thread.lastLong < spentAfterMs) return thread;
    threads.delete(thread);
    void thread.worker.terminate();
    return undefined;
  }

  function assign(thread: Thread, task: Task): void {
    thread.task = task;
    thread.since = performance.now();
    thread.bytes = task.job.bytes.byteLength;
    thread.worker.ref();
    startClock(thread, timeoutMs);
    memory.enter(thread);
    send(thread.worker, task.job);
  }

  function startClock(thread: Thread, limitMs: number): void {
    clearTimeout(thread.timer);
    const until = performance.now() + limitMs;
    thread.timer = setTimeout(() => {
      if (performance.now() > until + heldUpMs) {
        startClock(thread, limitMs);
        return;
      }
      drop(
        thread,
        ({ name }) =>
          new AquiferError(
            'too-large',
            limitMs === timeoutMs
              ? `${name} took longer than ${limitMs / 1000} s to read: split it, or allow more with --read-timeout-seconds.`
              : `OCR of a picture in ${name} took longer than ${limitMs / 1000} s: leave the file out, or allow more with --read-timeout-seconds.`,
          ),
      );
    }, limitMs);
  }

  return {
    async run(job, signal) {
      throwIfAborted(signal);
      if (closed) throw closedError();
      return await new Promise<ReadDocument>((resolve, reject) => {
        const abort = () => {
          if (waiting.delete(task)) task.settle(abortedError(signal));
          for (const thread of threads) if (thread.task === task) drop(thread, () => abortedError(signal));
        };
        const task: Task = {
          job,
          settle: (outcome) => {
            signal?.removeEventListener('abort', abort);
            if (outcome instanceof AquiferError) reject(outcome);
            else if ('error' in outcome) reject(fromPlainError(outcome.error));
            else resolve('packed' in outcome ? unpackDocument(outcome.packed) : outcome.document);
          },
        };
        signal?.addEventListener('abort', abort, { once: true });
        waiting.add(task);
        next();
      });
    },

    rest: () => end([...idle]),

    async close() {
      closed = true;
      for (const task of waiting) task.settle(closedError());
      waiting.clear();
      await end([...threads]);
    },
  };
}

function send(worker: Worker, job: ReadJob): void {
  const { buffer, byteLength } = job.bytes;
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  if (isWhole && byteLength >= transferFromBytes) {
    try {
      worker.postMessage(job, [buffer]);
      return;
    } catch {
      // Marked as not transferable, or transferred before: copied below.
    }
  }
  worker.postMessage(job);
}

function stoppedError({ name }: ReadJob, detail: string, cause?: unknown): AquiferError {
  return new AquiferError(
    'invalid-document',
    `${name} could not be read: the reader stopped (${detail}). It is probably damaged: open it and save it again.`,
    cause === undefined ? {} : { cause },
  );
}

function abortedError(signal: AbortSignal | undefined): AquiferError {
  return new AquiferError('aborted', 'The operation was cancelled.', { cause: signal?.reason });
}

function closedError(): AquiferError {
  return new AquiferError('aborted', 'The document reader has been closed.');
}
