import { existsSync, statfsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { databaseFileName, openDatabase } from './database/database.js';
import { fileInTheWay, guarded } from './database/guarded.js';
import { findWriter } from './database/writer-lock.js';

export { findWriter } from './database/writer-lock.js';

/** How an index folder is. */
export interface IndexHealth {
  readonly state: 'missing' | 'sound' | 'damaged' | 'unusable';
  /** What is wrong, for people: the first damages that SQLite finds, or why the index does not open. */
  readonly problems: readonly string[];
  /** Who is writing to it now. */
  readonly writer?: string;
  /** Room on its disk; undefined where the system does not say. */
  readonly freeBytes?: number;
}

const problemsShown = 5;

/**
 * Opens the index in a folder for reading and checks every page of its database. Takes some seconds for each gigabyte.
 * Throws nothing: what is wrong is in the answer.
 *
 * @example
 * inspectIndex({ location: '.aquifer' }); // { state: 'sound', problems: [], freeBytes: 78_000_000_000 }
 */
export function inspectIndex(options: { readonly location: string; readonly encryptionKey?: string }): IndexHealth {
  const location = resolve(options.location);
  const room = freeBytes(location);
  const file = join(location, databaseFileName);
  const surroundings = room === undefined ? {} : { freeBytes: room };
  if (!existsSync(file)) {
    const obstacle = fileInTheWay(location);
    if (obstacle) return { state: 'unusable', problems: [obstacle.message], ...surroundings };
    return { state: 'missing', problems: [], ...surroundings };
  }
  try {
    const writer = findWriter(location);
    const database = openDatabase({ ...options, location, mode: 'read' });
    try {
      const rows = guarded(file, () => database.prepare(`PRAGMA quick_check(${problemsShown})`).rows());
      const problems = rows.map((row) => String(row[0])).filter((message) => message !== 'ok');
      return {
        state: problems.length === 0 ? 'sound' : 'damaged',
        problems,
        ...(writer === undefined ? {} : { writer }),
        ...surroundings,
      };
    } finally {
      database.close();
    }
  } catch (error) {
    return { state: 'unusable', problems: [(error as Error).message], ...surroundings };
  }
}

/** Of the disk that the folder is on, or will be on. */
function freeBytes(location: string): number | undefined {
  let folder = location;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
