import { chmodSync, constants, copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { AquiferError } from '@aquifer/contracts';

export interface ReadOnlyCopy {
  /** The copied database, with its log beside it. */
  readonly file: string;
  /** Idempotent. Before the database is closed it removes the names only, where the system allows that. */
  remove(): void;
}

/** What SQLite keeps commits in that are not in the database yet. */
const logs = ['', '-wal', '-journal'];

/**
 * Copies a database with its log to a private temporary folder. SQLite brings a log that a killed writer left back into the
 * database when it is opened next, and cannot do that on a medium that takes no writes (sqlite.org/wal.html#read_only_databases).
 *
 * @throws `index-locked` where somebody writes meanwhile
 */
export function copyForReading(file: string): ReadOnlyCopy {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-read-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const state = (): string =>
    logs
      .map((suffix) => statSync(file + suffix, { bigint: true, throwIfNoEntry: false }))
      .map((stats) => (stats === undefined ? '' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`))
      .join();
  try {
    const before = state();
    for (const suffix of logs) {
      if (statSync(file + suffix, { throwIfNoEntry: false }) === undefined) continue;
      const copy = join(folder, basename(file) + suffix);
      copyFileSync(file + suffix, copy, constants.COPYFILE_FICLONE);
      chmodSync(copy, 0o600);
    }
    if (state() !== before) {
      throw new AquiferError('index-locked', `${file} was written while it was copied for reading. Try again.`, {
        retryable: true,
      });
    }
    return { file: join(folder, basename(file)), remove };
  } catch (error) {
    remove();
    throw error;
  }
}
