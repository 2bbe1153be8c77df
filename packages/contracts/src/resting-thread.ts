import type { Worker } from 'node:worker_threads';
import { keepingProcessAlive } from './keeping-process-alive.js';

/** A worker thread that answers each message with one, in order. */
export interface RestingThread<Request, Reply> {
  /**
   * Undefined where the thread ends before it answers, whatever it died of.
   *
   * @throws what starting a thread throws
   */
  ask(request: Request): Promise<Reply | undefined>;
  /** Ends the thread, and with it what is pending. The next request starts another. */
  end(): Promise<void>;
}

/**
 * A thread for work that can be done without it. It starts with the first request, keeps the process alive only while requests are pending, and
 * ends when it has had nothing to do for `idleMs`.
 *
 * @example
 * const thread = createRestingThread<readonly string[], Reply>(() => new Worker(new URL('./hashing-worker.js', import.meta.url)), 2_000);
 * const reply = (await thread.ask(texts)) ?? hashHere(texts);
 */
export function createRestingThread<Request, Reply>(
  start: () => Worker,
  idleMs: number,
): RestingThread<Request, Reply> {
  const pending: ((reply: Reply | undefined) => void)[] = [];
  let worker: Worker | undefined;
  let idleTimer: NodeJS.Timeout | undefined;

  function begin(): Worker {
    const started = start();
    started.on('message', (reply: Reply) => {
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
    async ask(request) {
      clearTimeout(idleTimer);
      worker ??= begin();
      worker.ref();
      worker.postMessage(request);
      return await new Promise((resolve) => pending.push(resolve));
    },
    end: () => keepingProcessAlive(async () => void (await end())),
  };
}
