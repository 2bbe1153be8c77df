import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MessagePort, Worker } from 'node:worker_threads';
import {
  AquiferError,
  fromPlainError,
  keepingProcessAlive,
  type PlainError,
  throwIfAborted,
  toPlainError,
} from '@aquifer/contracts';

// What crosses between the threads.
type Request =
  | { readonly id: number; readonly method: string; readonly argument: unknown }
  | { readonly id: number; readonly cancel: true };
type Response =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: PlainError }
  | { readonly id: number; readonly progress: unknown };

/** The methods of a worker: each takes one argument and gives one result. */
export type WorkerMethods = Readonly<Record<string, (argument: never, context: CallContext) => unknown>>;

/** What answers calls: the method of a name, or undefined. */
export type MethodsByName = (name: string) => ((argument: never, context: CallContext) => unknown) | undefined;

export interface CallContext {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: unknown) => void;
}

type ArgumentOf<Method> = Method extends (argument: infer Argument, ...rest: never[]) => unknown ? Argument : never;
type ResultOf<Method> = Method extends (...all: never[]) => infer Result ? Awaited<Result> : never;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: never) => void) | undefined;
  readonly transfer?: readonly ArrayBuffer[];
}

/** The calling side of a worker. */
export interface WorkerClient<Methods extends WorkerMethods> {
  call<Name extends keyof Methods & string>(
    method: Name,
    argument: ArgumentOf<Methods[Name]>,
    options?: CallOptions,
  ): Promise<ResultOf<Methods[Name]>>;
  /** Ends the thread. Calls under way are rejected. */
  terminate(): Promise<void>;
}

/** Rows and messages live shortly. V8 would let 48 MB of them gather, and keep that memory. */
const maxYoungGenerationSizeMb = 12;

/**
 * A worker thread, which starts with the first call (one that is never called would keep the process alive, whatever
 * `unref` says) and keeps the process alive only while a call is under way.
 *
 * @param what Names the thread in the error that calls get when it dies.
 */
export function createWorkerClient<Methods extends WorkerMethods>(entry: URL, what: string): WorkerClient<Methods> {
  const pending = new Map<
    number,
    { resolve(value: unknown): void; reject(error: unknown): void; onProgress?: ((value: never) => void) | undefined }
  >();
  let lastId = 0;
  let death: AquiferError | undefined;
  let started: Worker | undefined;

  const settle = (id: number): void => {
    pending.delete(id);
    if (pending.size === 0) started?.unref();
  };
  const die = (reason: string, cause?: unknown): void => {
    const noFiles = isForWantOfFiles(reason);
    death ??= new AquiferError(
      noFiles ? 'too-many-open-files' : 'internal',
      `The ${what} thread has ended: ${reason}. ${noFiles ? 'Raise the limit (ulimit -n), close' : 'Close'} the index and open it again.`,
      { cause, retryable: noFiles },
    );
    for (const call of pending.values()) call.reject(death);
    pending.clear();
  };
  const receive = (response: Response): void => {
    const call = pending.get(response.id);
    if (call === undefined) return;
    if ('progress' in response) {
      call.onProgress?.(response.progress as never);
      return;
    }
    settle(response.id);
    if ('error' in response) call.reject(fromPlainError(response.error));
    else call.resolve(response.value);
  };
  const start = (): Worker => {
    const worker = new Worker(fileURLToPath(entry), { resourceLimits: { maxYoungGenerationSizeMb } });
    worker.on('message', receive);
    worker.on('error', (error) => die(error.message, error));
    worker.on('messageerror', (error) => die(error.message, error));
    worker.on('exit', (code) => die(`exit code ${code}`));
    return worker;
  };

  return {
    call: (method, argument, options = {}) =>
      new Promise((resolve, reject) => {
        const { signal, onProgress, transfer } = options;
        throwIfAborted(signal);
        if (death !== undefined) throw death;
        started ??= start();
        const worker = started;
        const id = ++lastId;
        const abort = (): void => {
          settle(id);
          worker.postMessage({ id, cancel: true } satisfies Request);
          reject(new AquiferError('aborted', 'The operation was cancelled.', { cause: signal?.reason }));
        };
        const detach = (): void => signal?.removeEventListener('abort', abort);
        signal?.addEventListener('abort', abort, { once: true });
        pending.set(id, {
          onProgress,
          resolve: (value) => {
            detach();
            resolve(value as never);
          },
          reject: (error) => {
            detach();
            reject(error);
          },
        });
        worker.ref();
        try {
          worker.postMessage({ id, method, argument } satisfies Request, transfer ?? []);
        } catch (error) {
          // Functions, for example, do not cross.
          detach();
          settle(id);
          reject(new AquiferError('invalid-options', `What was given is not plain data: ${error}`, { cause: error }));
        }
      }),
    async terminate() {
      death ??= new AquiferError('internal', `The ${what} thread has ended.`);
      await keepingProcessAlive(async () => started?.terminate());
    },
  };
}

/**
 * Threads open the modules that they run, and those of a process share its limit. Node does not say so of a package.json that it could
 * not open: it looks for the index.js of a package without one, and misses that.
 */
function isForWantOfFiles(reason: string): boolean {
  if (/\b(EMFILE|ENFILE)\b|too many open files/i.test(reason)) return true;
  const missed = /^Cannot find package '(.+)[/\\]index\.js' imported from /.exec(reason)?.[1];
  return missed !== undefined && existsSync(join(missed, 'package.json'));
}

/**
 * The answering side: runs the methods that `methodOf` gives for the messages of `port`. Calls begin in the order they
 * arrive; those that wait for something let later ones begin.
 */
export function serveCalls(port: MessagePort, methodOf: MethodsByName): void {
  const running = new Map<number, AbortController>();
  port.on('message', async (request: Request) => {
    if ('cancel' in request) {
      running.get(request.id)?.abort();
      return;
    }
    const { id, method, argument } = request;
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const run = methodOf(method);
      if (run === undefined) throw new Error(`There is no method ${method}.`);
      const value = await run(argument as never, {
        signal: controller.signal,
        onProgress: (progress) => port.postMessage({ id, progress } satisfies Response),
      });
      port.postMessage({ id, value } satisfies Response, transferable(value));
    } catch (error) {
      port.postMessage({ id, error: toPlainError(error) } satisfies Response);
    } finally {
      running.delete(id);
    }
  });
}

// Vectors go out without being copied: they are made for the answer, each with a buffer of its own. So does memory that goes back.
function transferable(value: unknown): ArrayBuffer[] {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  const buffers = items.flatMap((item) => {
    if (item instanceof Float32Array) return [item.buffer as ArrayBuffer];
    return item instanceof ArrayBuffer ? [item] : [];
  });
  return [...new Set(buffers)];
}
