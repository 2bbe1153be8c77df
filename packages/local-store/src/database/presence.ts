import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AquiferError } from '@aquifer/contracts';

/**
 * A check that the file at this path is still the one that it was: a database whose folder was deleted or replaced goes
 * on working, on bytes that nobody will ever see again.
 *
 * @throws `index-not-found`, from the check
 */
export function createPresenceCheck(file: string): () => void {
  const opened = statSync(file, { bigint: true });
  return () => {
    const now = statSync(file, { bigint: true, throwIfNoEntry: false });
    if (now?.ino === opened.ino && now.dev === opened.dev) return;
    throw new AquiferError(
      'index-not-found',
      `The index in ${dirname(file)} was deleted or replaced while it was open. Open it again.`,
    );
  };
}
