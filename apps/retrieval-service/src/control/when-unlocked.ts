import { setTimeout as delay } from 'node:timers/promises';
import { isAquiferError } from '@aquifer/contracts';

const tryAgainMs = 1_000;

/** Waits for another program that writes the index, such as `aquifer index` on a large folder, until the signal fires. */
export async function whenUnlocked<Result>(use: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  for (;;) {
    try {
      return await use();
    } catch (error) {
      if (!isAquiferError(error, 'index-locked')) throw error;
      await delay(tryAgainMs, undefined, { signal });
    }
  }
}
