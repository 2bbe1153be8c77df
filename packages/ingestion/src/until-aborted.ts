import { throwIfAborted } from '@aquifer/contracts';

/** The outcome of `promise`, or the error `aborted` as soon as the signal fires, for work that may not heed the signal. */
export function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      try {
        throwIfAborted(signal);
      } catch (error) {
        reject(error);
      }
    };
    const stopListening = () => signal.removeEventListener('abort', onAbort);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(stopListening);
    if (signal.aborted) onAbort();
  });
}
