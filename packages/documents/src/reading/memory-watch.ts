import type { Session } from 'node:inspector';
import type { Worker } from 'node:worker_threads';

export interface MemoryWatchOptions<Thread> {
  /** For each thread: JavaScript heap, buffers and WebAssembly together. */
  readonly maxBytes: number;
  /** How often the process is looked at while a thread works. */
  readonly checkMs: number;
  readonly onExceeded: (thread: Thread) => void;
}

/** Watches what working threads keep in memory. */
export interface MemoryWatch<Thread> {
  /** The thread begins to work on a file. */
  enter(thread: Thread): void;
  leave(thread: Thread): void;
}

/** Set by a reading thread to its id, so that it is known among all threads of the process. */
export const threadIdKey = 'aquifer.readingThread';

/** A file that takes long is asked about anyway: what others give back may hide what its thread takes. */
const askAnywayMs = 500;

/** A thread that has not answered by then is in a long call of native code, or the machine is very busy. */
const answerMs = 10_000;
/** Time to answer for a thread while the process grows far beyond what all that are at work may have. */
const urgentAnswerMs = 1_000;

/**
 * A thread's `resourceLimits` bound its JavaScript heap; buffers and WebAssembly, where decompression bombs go off, are outside. Nobody says
 * per thread how much that is while the thread is busy, but two questions together tell: every `checkMs`, how much the whole process
 * has grown since a thread took its file (nearly free); and only when that is more than a thread may have, how much of it is that
 * thread's. Node's inspector can ask that of a thread in the middle of a loop, on every version of Node
 * (`worker.getHeapStatistics()` begins with 22.16).
 *
 * A thread that gives no answer in ten seconds, while the process has grown by twice the limit, counts as over it; and so does one
 * that gives none in one second, while the process has grown by twice what all threads at work, and one more, may have.
 */
export function createMemoryWatch<Thread extends { readonly worker: Worker }>({
  maxBytes,
  checkMs,
  onExceeded,
}: MemoryWatchOptions<Thread>): MemoryWatch<Thread> {
  /** For each thread at work: the size of the process, without what the thread has taken since. */
  const floors = new Map<Thread, number>();
  // Asking takes 0.1 ms, as long as reading a note: files that begin at about the same time share an answer.
  let asked = { size: 0, at: Number.NEGATIVE_INFINITY };
  const askedAt = new Map<Thread, number>();
  let timer: NodeJS.Timeout | undefined;
  /** Threads that have not answered yet, by worker. */
  let waiting = new Map<Worker, Thread>();
  let isMeasuring = false;
  let measuringSince = 0;

  function check(): void {
    const size = process.memoryUsage.rss();
    const suspects: Thread[] = [];
    for (const [thread, floor] of floors) {
      if (size - floor > maxBytes || performance.now() - askedAt.get(thread)! > askAnywayMs) suspects.push(thread);
      if (size < floor) floors.set(thread, size);
    }
    if (!isMeasuring) {
      if (suspects.length > 0) void measure(suspects);
    } else if (performance.now() - measuringSince > urgentAnswerMs) {
      const urgentBytes = 2 * maxBytes * (floors.size + 1);
      for (const thread of waiting.values()) {
        if (size - (floors.get(thread) ?? size) > urgentBytes) onExceeded(thread);
      }
    }
  }

  async function measure(suspects: readonly Thread[]): Promise<void> {
    isMeasuring = true;
    measuringSince = performance.now();
    try {
      waiting = new Map(suspects.map((thread) => [thread.worker, thread]));
      await askMemory([...waiting.keys()], maxBytes, (worker, bytes) => {
        const thread = waiting.get(worker)!;
        waiting.delete(worker);
        if (!floors.has(thread)) return;
        askedAt.set(thread, performance.now());
        if (bytes > maxBytes) onExceeded(thread);
        else floors.set(thread, process.memoryUsage.rss() - bytes);
      });
      const size = process.memoryUsage.rss();
      for (const thread of waiting.values()) {
        const floor = floors.get(thread);
        if (floor !== undefined && size - floor > maxBytes * 2) onExceeded(thread);
      }
    } finally {
      isMeasuring = false;
    }
  }

  return {
    enter(thread) {
      const now = performance.now();
      if (now - asked.at > checkMs / 5) asked = { size: process.memoryUsage.rss(), at: now };
      floors.set(thread, asked.size);
      askedAt.set(thread, now);
      timer ??= setInterval(check, checkMs);
      timer.unref();
    },
    leave(thread) {
      floors.delete(thread);
      askedAt.delete(thread);
      if (floors.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    },
  };
}

/**
 * Asks how many bytes each of these threads keeps, busy or not; one above `settleAbove` is asked again after its garbage was
 * collected. Threads that do not answer in time are never told of.
 */
async function askMemory(
  workers: readonly Worker[],
  settleAbove: number,
  onAnswer: (worker: Worker, bytes: number) => void,
): Promise<void> {
  let session: Session | undefined;
  try {
    session = new (await import('node:inspector')).Session();
    session.connect();
    await askThreads(session, workers, settleAbove, onAnswer);
  } catch {
    // A Node without inspector: nobody answers.
  } finally {
    session?.disconnect();
  }
}

/** The domain `NodeWorker` of Node's inspector: a session with every thread, over the session of this one. */
function askThreads(
  session: Session,
  workers: readonly Worker[],
  settleAbove: number,
  onAnswer: (worker: Worker, bytes: number) => void,
): Promise<void> {
  const question = {
    expression: `((m) => [globalThis[Symbol.for('${threadIdKey}')], m.heapTotal + m.external])(process.memoryUsage())`,
    returnByValue: true,
  };
  return new Promise((resolve) => {
    const timer = setTimeout(finish, answerMs);
    function finish(): void {
      clearTimeout(timer);
      session.post('NodeWorker.disable', () => resolve());
    }
    const settled = new Set<string>();
    const answered = new Set<Worker>();
    const post = (sessionId: string, method: string, params = {}) => {
      const message = JSON.stringify({ id: 1, method, params });
      session.post('NodeWorker.sendMessageToWorker', { sessionId, message }, () => {});
    };
    session.on('NodeWorker.attachedToWorker', ({ params: { sessionId } }) =>
      post(sessionId, 'Runtime.evaluate', question),
    );
    session.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId, message } }) => {
      const answer = (JSON.parse(message) as { result?: { result?: { value?: unknown } } }).result;
      if (answer?.result === undefined) {
        // The garbage is collected.
        post(sessionId, 'Runtime.evaluate', question);
        return;
      }
      const [id, bytes] = Array.isArray(answer.result.value) ? answer.result.value : [];
      const worker = workers.find(({ threadId }) => threadId === id);
      if (worker === undefined) return;
      if (bytes > settleAbove && !settled.has(sessionId)) {
        settled.add(sessionId);
        post(sessionId, 'HeapProfiler.collectGarbage');
        return;
      }
      answered.add(worker);
      onAnswer(worker, bytes);
      // A thread that has ended has the number -1.
      if (workers.every((each) => answered.has(each) || each.threadId < 0)) finish();
    });
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, () => {});
  });
}
