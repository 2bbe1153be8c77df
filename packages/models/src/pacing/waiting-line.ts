/** A request that waits until it may leave. */
export interface WaitingRequest {
  readonly tokens: number;
  readonly letThrough: () => void;
}

/** Requests in the order in which they came. Who is let through is taken out first; whose signal fires leaves by itself. */
export interface WaitingLine {
  readonly waiting: Set<WaitingRequest>;
  /** Resolves when the request is let through; rejects with the signal's reason. */
  pass(tokens: number, signal: AbortSignal): Promise<void>;
}

export function createWaitingLine(on: { readonly enter: () => void; readonly leave?: () => void }): WaitingLine {
  const waiting = new Set<WaitingRequest>();
  return {
    waiting,
    pass: (tokens, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const leave = (): void => {
          waiting.delete(entry);
          reject(signal.reason);
          on.leave?.();
        };
        const letThrough = (): void => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const entry = { tokens, letThrough };
        signal.addEventListener('abort', leave, { once: true });
        waiting.add(entry);
        on.enter();
      }),
  };
}
