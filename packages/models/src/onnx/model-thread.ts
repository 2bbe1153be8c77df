import { Worker } from 'node:worker_threads';
import { AquiferError, fromPlainError, keepingProcessAlive } from '@aquifer/contracts';
import type { WorkerReply, WorkerRequest, WorkerResult, WorkerTask } from './model-worker.js';

/** The worker thread that holds the model, as a function call. */
export interface ModelThread {
  /** @throws what the task throws; `model-failed` (retryable) where the thread dies meanwhile. */
  run(task: WorkerTask): Promise<WorkerResult>;
  /** Ends the thread; what is pending fails with `aborted`. Idempotent. */
  close(): Promise<void>;
  /** Undefined before the first task. For tests. */
  readonly threadId: number | undefined;
}

interface Pending {
  resolve(result: WorkerResult): void;
  reject(error: Error): void;
}

/**
 * The thread starts with the first task, starts again with the next task after it died, and keeps the process alive
 * only while a task is pending.
 */
export function createModelThread(workerUrl = new URL('./model-worker.js', import.meta.url)): ModelThread {
  const pending = new Map<number, Pending>();
  let worker: Worker | undefined;
  let lastId = 0;
  let closed = false;

  const start = (): Worker => {
    const started = new Worker(workerUrl, { name: 'aquifer-onnx', ...inheritedArguments() });
    const died = (reason: string, cause?: unknown): void => {
      if (worker !== started) return;
      worker = undefined;
      const tasks = [...pending.values()];
      pending.clear();
      const error = closed
        ? closedError()
        : new AquiferError('model-failed', `The thread that runs the model ended: ${reason}`, {
            retryable: true,
            cause,
          });
      for (const task of tasks) task.reject(error);
    };
    started.on('message', (reply: WorkerReply) => {
      const task = pending.get(reply.id);
      pending.delete(reply.id);
      if (pending.size === 0) started.unref();
      if ('error' in reply) task?.reject(fromPlainError(reply.error));
      else task?.resolve(reply.result);
    });
    started.on('error', (error) => died(error instanceof Error ? error.message : String(error), error));
    started.on('exit', (status) => died(`exit status ${status}.`));
    return started;
  };

  return {
    get threadId() {
      return worker?.threadId;
    },
    run(task) {
      if (closed) return Promise.reject(closedError());
      worker ??= start();
      const current = worker;
      return new Promise((resolve, reject) => {
        lastId += 1;
        pending.set(lastId, { resolve, reject });
        current.ref();
        current.postMessage({ id: lastId, task } satisfies WorkerRequest);
      });
    },
    async close() {
      closed = true;
      await keepingProcessAlive(async () => worker?.terminate());
    },
  };
}

function closedError(): AquiferError {
  return new AquiferError('aborted', 'The model was closed.');
}

/** A worker inherits Node's arguments and refuses to start with `--input-type`, which belongs to `node --eval` alone. */
function inheritedArguments(): { readonly execArgv?: string[] } {
  return process.execArgv.some((argument) => argument.startsWith('--input-type')) ? { execArgv: [] } : {};
}
