export interface ChangeGateOptions {
  /** Changes are let through once none has come for this long, */
  readonly quietMs: number;
  /** or the first of them has waited for this long. */
  readonly maxWaitMs: number;
}

export interface ChangeGate {
  /** Something has changed. */
  note(): void;
  /**
   * Resolves when there are changes that nobody has waited for yet and they have come to rest, after `timeoutMs` without any,
   * after the machine has slept (changes may have gone unnoticed), and when the signal fires.
   */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<void>;
}

const tickMs = 5_000;
/** A tick that comes this much too late was asleep. */
const sleepMs = 15_000;

/** Makes one of many changes: an editor's save is three or four of them, a `git checkout` thousands. */
export function createChangeGate({ quietMs, maxWaitMs }: ChangeGateOptions): ChangeGate {
  let firstAt: number | undefined;
  let lastAt = 0;
  let onNote: (() => void) | undefined;

  return {
    note() {
      lastAt = performance.now();
      firstAt ??= lastAt;
      onNote?.();
    },
    wait(timeoutMs, signal) {
      return new Promise((resolve) => {
        let timer: NodeJS.Timeout | undefined;
        let tickedAt = Date.now();
        const finish = () => {
          clearTimeout(timer);
          clearInterval(ticker);
          signal?.removeEventListener('abort', finish);
          onNote = undefined;
          firstAt = undefined;
          resolve();
        };
        const ticker = setInterval(() => {
          const now = Date.now();
          if (now - tickedAt > tickMs + sleepMs) finish();
          tickedAt = now;
        }, tickMs);
        const endsAt = performance.now() + timeoutMs;
        // Timers are not moved for every change, of which there may be thousands a second: one that is early sets another.
        const check = () => {
          const now = performance.now();
          const due = firstAt === undefined ? endsAt : Math.min(lastAt + quietMs, firstAt + maxWaitMs);
          if (now >= due) finish();
          else timer = setTimeout(check, Math.max(1, due - now));
        };
        // The first change takes the place of the time limit.
        onNote = () => {
          onNote = undefined;
          clearTimeout(timer);
          check();
        };
        if (firstAt !== undefined) onNote = undefined;
        signal?.addEventListener('abort', finish, { once: true });
        if (signal?.aborted) finish();
        else check();
      });
    },
  };
}
