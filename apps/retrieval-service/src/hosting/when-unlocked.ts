import { setTimeout as delay } from 'node:timers/promises';
import { isAquiferError } from '@aquifer/contracts';

const tryAgainMs = 1_000;

/**
 * Waits for another program that writes the index, such as `aquifer index` on a large folder, until the signal fires.
 *
 * @param options.longestWaitMs Default: as long as it takes.
 * @param options.onWait Told before each wait who is in the way.
 */
export async function whenUnlocked<Result>(
  use: () => Promise<Result>,
  signal: AbortSignal,
  options: { readonly longestWaitMs?: number; readonly onWait?: (message: string) => void } = {},
): Promise<Result> {
  const { longestWaitMs = Number.POSITIVE_INFINITY, onWait } = options;
  const startedAt = performance.now();
  for (;;) {
    try {
      return await use();
    } catch (error) {
      if (!isAquiferError(error, 'index-locked') || performance.now() - startedAt > longestWaitMs) throw error;
      onWait?.(error.message);
      await delay(tryAgainMs, undefined, { signal });
    }
  }
}
