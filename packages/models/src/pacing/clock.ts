/** Time as pacing sees it; tests put a simulated one in its place. */
export interface Clock {
  /** Milliseconds from some fixed moment. */
  now(): number;
  /** Calls once, after `ms` milliseconds. Gives what takes the call back. */
  after(ms: number, call: () => void): () => void;
}

/** Monotonic, so that a corrected system clock neither stops nor floods anybody. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as it fires. */
export function wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const stop = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}
