import { closeSync, existsSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { AquiferError } from '@aquifer/contracts';
import { cannotBeMade, damaged, databaseFileName, fileInTheWay, guarded, isNotADatabase } from './guarded.js';
import { migrations } from './migrations.js';
import { copyForReading } from './read-only-copy.js';
import { openSql, type SqlDatabase } from './sqlite-driver.js';
import { dropSmallStatistics, gatherStatistics } from './statistics.js';

export { databaseFileName };

/** "AQFR": how `file` and SQLite tell this database from any other. */
const applicationId = 0x41514652;

export interface OpenDatabaseOptions {
  readonly location: string;
  readonly mode: 'read' | 'write';
  readonly encryptionKey?: string;
}

/**
 * Opens the database of an index and brings its schema up to date (mode `write`) or checks it (mode `read`).
 *
 * @throws `index-not-found`, `index-too-new`, `index-corrupt`, `encryption-key-refused`, `index-read-only`, `invalid-options`
 */
export function openDatabase(options: OpenDatabaseOptions): SqlDatabase {
  const { location, mode, encryptionKey } = options;
  const file = join(location, databaseFileName);
  if (mode === 'read' && !existsSync(file)) {
    const obstacle = fileInTheWay(location);
    if (obstacle) throw obstacle;
    throw new AquiferError(
      'index-not-found',
      `There is no index in ${location}. To make one, run: npx aquifer index <path>`,
    );
  }
  return guarded(file, () => {
    if (mode === 'write') mkdirSync(location, { recursive: true });
    const kind = firstBytes(file);
    refuseKeyMismatch(file, kind, encryptionKey);
    try {
      return openChecked(file, options, kind);
    } catch (error) {
      // What a killed writer left on a medium that takes no writes can be read from a copy.
      if (mode === 'read' && cannotBeMade(error)) return openCopy(file, options, kind);
      // A wrong key shows as pages that are no database.
      if (kind === 'unreadable' && isNotADatabase(error)) {
        throw new AquiferError(
          'encryption-key-refused',
          `${file} does not open with this encryption key. Give the key that the index was made with; if the key is right, the file is damaged: restore it from a backup or index again into another folder.`,
          { cause: error },
        );
      }
      throw error;
    }
  });
}

function openChecked(file: string, { mode, encryptionKey }: OpenDatabaseOptions, kind: FileKind): SqlDatabase {
  const database = openSql(file, {
    busyTimeoutMs: 10_000,
    create: mode === 'write',
    ...(encryptionKey === undefined ? {} : { encryptionKey }),
  });
  try {
    refuseForeign(database, file);
    prepareConnection(database, kind === 'new', mode);
    migrate(database, file, mode);
    if (mode === 'write') dropSmallStatistics(database);
    // Readers open for writing too, because a WAL needs its shared-memory file; this keeps them from changing anything.
    if (mode === 'read') database.exec('PRAGMA query_only = ON');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function openCopy(file: string, options: OpenDatabaseOptions, kind: FileKind): SqlDatabase {
  const copy = copyForReading(file);
  const remove = (): void => {
    try {
      copy.remove();
    } catch {
      // Where an open file cannot be deleted, closing does it.
    }
  };
  try {
    const database = openChecked(copy.file, options, kind);
    // Even a killed process leaves no copy behind.
    remove();
    return {
      ...database,
      close() {
        database.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/**
 * Looks through all pages, and whether tables, their indexes and keywords agree. A machine that lost its power may have lost
 * writes that it called done, and nothing should be written on top of that. Takes some ten seconds for a gigabyte.
 *
 * @throws `index-corrupt`
 */
export function checkPages(database: SqlDatabase, file: string): void {
  const finding = database.prepare('PRAGMA integrity_check(1)').rows()[0]?.[0];
  if (finding !== 'ok') throw new AquiferError('index-corrupt', `${damaged(file)} (${finding})`);
}

/**
 * Before a writer closes: gathers what SQLite wants to know of its indexes to keep filters fast (from a sample), and brings
 * everything into the one file, where no reader is in the way. A database in WAL mode could not be opened on a
 * read-only medium, where SQLite cannot make the files beside it.
 */
export function settleDatabase(database: SqlDatabase): void {
  try {
    gatherStatistics(database);
    database.exec('PRAGMA busy_timeout = 0; PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE');
  } catch {
    // Readers are open, or the disk is full: it stays as it is, which is as safe.
  }
}

function prepareConnection(database: SqlDatabase, isNew: boolean, mode: 'read' | 'write'): void {
  // 16 KiB pages hold three 1,024-d vectors each without overflow chains.
  if (isNew && mode === 'write') database.exec('PRAGMA page_size = 16384');
  // The cache behind the size of a page: what was allowed before counts in pages of the size before, which are a quarter as large.
  // Sorters must not spill text of an encrypted index into plain temporary files.
  database.exec(
    'PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON; PRAGMA cache_size = -32000; PRAGMA cell_size_check = ON',
  );
  if (mode === 'read') return;
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864');
}

const pragma = (database: SqlDatabase, name: string): number =>
  Number(database.prepare(`PRAGMA ${name}`).rows()[0]?.[0] ?? 0);

/** Before anything is changed: a database of another program is left as it is. */
function refuseForeign(database: SqlDatabase, file: string): void {
  const owner = pragma(database, 'application_id');
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').rows().length === 0;
  if (owner !== applicationId && (owner !== 0 || !isEmpty)) {
    throw new AquiferError(
      'index-corrupt',
      `${file} is a database of another program. Choose another folder for the index.`,
    );
  }
}

function migrate(database: SqlDatabase, file: string, mode: 'read' | 'write'): void {
  const version = pragma(database, 'user_version');
  if (version > migrations.length) {
    throw new AquiferError(
      'index-too-new',
      `${file} was written by a newer Aquifer (schema ${version}, this one knows ${migrations.length}). Update Aquifer: npm install aquifer@latest`,
    );
  }
  if (version === migrations.length) return;
  if (mode === 'read') {
    if (version === 0) {
      throw new AquiferError(
        'index-not-found',
        `${file} holds no index yet. To make one, run: npx aquifer index <path>`,
      );
    }
    throw new AquiferError(
      'index-read-only',
      `${file} has schema ${version} and must be brought to ${migrations.length} before it can be read. Open it once for writing, for example: npx aquifer index <path>`,
    );
  }
  // All steps or none: what is read is never between two of them.
  inTransaction(database, () => {
    for (const step of migrations.slice(version)) database.exec(step);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`);
  });
}

/** Runs `work` in one transaction that takes the write lock at once. */
export function inTransaction<Result>(database: SqlDatabase, work: () => Result): Result {
  return between(database, 'BEGIN IMMEDIATE', work);
}

/** Runs `work` on one snapshot. */
export function inSnapshot<Result>(database: SqlDatabase, work: () => Result): Result {
  return between(database, 'BEGIN', work);
}

function between<Result>(database: SqlDatabase, begin: string, work: () => Result): Result {
  database.exec(begin);
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

function rollBack(database: SqlDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // SQLite has rolled back by itself already, as it does when the disk is full or a page is damaged.
  }
}

/** Runs `work` as a part of the open transaction that is undone by itself when it throws. */
export function inSavepoint<Result>(database: SqlDatabase, work: () => Result): Result {
  database.exec('SAVEPOINT part');
  try {
    const result = work();
    database.exec('RELEASE part');
    return result;
  } catch (error) {
    try {
      database.exec('ROLLBACK TO part; RELEASE part');
    } catch {
      // The whole transaction is gone already, as when the disk is full; committing it will say so.
    }
    throw error;
  }
}

type FileKind = 'new' | 'plain' | 'unreadable';

function firstBytes(file: string): FileKind {
  if (!existsSync(file)) return 'new';
  const bytes = Buffer.alloc(16);
  const descriptor = openSync(file, 'r');
  try {
    if (readSync(descriptor, bytes) === 0) return 'new';
  } finally {
    closeSync(descriptor);
  }
  return bytes.toString('latin1') === 'SQLite format 3\0' ? 'plain' : 'unreadable';
}

function refuseKeyMismatch(file: string, kind: FileKind, encryptionKey: string | undefined): void {
  if (kind === 'plain' && encryptionKey !== undefined) {
    throw new AquiferError(
      'encryption-key-refused',
      `${file} is not encrypted, but an encryption key was given. Leave the key out, or index into another folder to have an encrypted index.`,
    );
  }
  if (kind === 'unreadable' && encryptionKey === undefined) {
    throw new AquiferError(
      'encryption-key-refused',
      `${file} is encrypted (or damaged), and no encryption key was given. Give the key that the index was made with.`,
    );
  }
}
