import { throwIfAborted } from '@aquifer/contracts';
import type { MethodsByName, WorkerClient, WorkerMethods } from './worker-calls.js';

/**
 * The same calls without a thread: they run on the caller's, one after the other as far as they do not wait. Two threads
 * take a process that asks one question longer to start than it takes to answer.
 *
 * @param load Loads the methods, with the first call.
 */
export function createDirectClient<Methods extends WorkerMethods>(
  load: () => Promise<MethodsByName>,
): WorkerClient<Methods> {
  let methods: Promise<MethodsByName> | undefined;
  return {
    async call(name, argument, { signal, onProgress } = {}) {
      methods ??= load();
      const method = (await methods)(name);
      throwIfAborted(signal);
      if (method === undefined) throw new Error(`There is no method ${name}.`);
      const context = {
        signal: signal ?? new AbortController().signal,
        onProgress: (progress: unknown) => onProgress?.(progress as never),
      };
      return (await method(argument as never, context)) as never;
    },
    async terminate() {},
  };
}
