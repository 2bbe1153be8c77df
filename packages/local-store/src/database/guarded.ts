import { accessSync, closeSync, constants, existsSync, openSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AquiferError, isAquiferError } from '@aquifer/contracts';

/** Name of the database inside the index folder. */
export const databaseFileName = 'index.sqlite';

/**
 * Runs `work` and turns what SQLite and the file system throw into errors that name the file and the way out.
 *
 * @throws `disk-full`, `index-corrupt`, `index-locked`, `index-read-only`, `invalid-options`, `too-many-open-files`
 */
export function guarded<Result>(file: string, work: () => Result): Result {
  try {
    const result = work();
    if (!(result instanceof Promise)) return result;
    const explained = result.catch((error: unknown) => {
      throw explain(file, error);
    });
    return explained as Result;
  } catch (error) {
    throw explain(file, error);
  }
}

/** SQLite's name of the error, such as `SQLITE_IOERR_WRITE`; empty for what is no error of SQLite. */
const sqliteCode = (error: unknown): string => {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  // node:sqlite gives SQLite's number, the addon its name.
  if (typeof errcode === 'number') return codeNames[errcode] ?? codeNames[errcode & 0xff] ?? '';
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : '';
};

// sqlite.org/rescode.html
const codeNames: Readonly<Record<number, string>> = {
  5: 'SQLITE_BUSY',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  26: 'SQLITE_NOTADB',
  778: 'SQLITE_IOERR_WRITE',
  1034: 'SQLITE_IOERR_FSYNC',
  1546: 'SQLITE_IOERR_TRUNCATE',
  4874: 'SQLITE_IOERR_SHMSIZE',
};

/** Whether the file is no database, or does not open with the key that was given. */
export const isNotADatabase = (error: unknown): boolean => sqliteCode(error).startsWith('SQLITE_NOTADB');

/** Whether another connection holds a lock that this one needs. */
export const isBusy = (error: unknown): boolean => sqliteCode(error).startsWith('SQLITE_BUSY');

/** Whether a file that SQLite needs beside the database cannot be made here. */
export const cannotBeMade = (error: unknown): boolean => /^SQLITE_(CANTOPEN|READONLY)/.test(sqliteCode(error));

/** A disk with less than this is full: SQLite asks for room by the page and by the 32 KiB of its shared memory. */
const fullBelowBytes = 1 << 20;
/** Where more than this is free, a write has failed for another reason than the disk's size. */
const muchBytes = 256 << 20;

/** Writes that fail although the disk works: it is full, over a quota (EDQUOT), or the file over a limit (EFBIG). */
const noRoomCodes = /^SQLITE_(FULL|IOERR_WRITE|IOERR_SHMSIZE)/;
const noRoomSystemCodes = ['ENOSPC', 'EDQUOT', 'EFBIG'];

function explain(file: string, error: unknown): unknown {
  if (isAquiferError(error)) return error;
  const { message, code: systemCode = '' } = (error ?? {}) as { message?: string; code?: string };
  const code = sqliteCode(error);
  const refuse = (name: AquiferError['code'], text: string, retryable = false): AquiferError =>
    new AquiferError(name, `${text} (${message})`, { cause: error, retryable });
  if (noRoomCodes.test(code) || noRoomSystemCodes.includes(systemCode)) return refuse('disk-full', diskFull(file));
  if (code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB')) {
    return refuse('index-corrupt', damaged(file));
  }
  // SQLite says only that it could not; opening the file once more says why.
  const isVague = code.startsWith('SQLITE_CANTOPEN') || systemCode === 'ENOENT';
  const reason = isVague ? whyItDoesNotOpen(file) : systemCode;
  if (reason === 'EMFILE' || reason === 'ENFILE') {
    return refuse(
      'too-many-open-files',
      `${file} cannot be opened: this process or this machine has as many files open as it may. Raise the limit (ulimit -n), or do less at once.`,
      true,
    );
  }
  if (code.startsWith('SQLITE_READONLY') || ['EROFS', 'EACCES', 'EPERM'].includes(reason)) {
    const folder = dirname(file);
    if (!existsSync(join(folder, databaseFileName))) {
      return refuse(
        'index-read-only',
        `There is no index in ${folder} yet, and none can be made: ${existingAtOrAbove(folder)} is read-only. Change its permissions, or choose another folder with --kb.`,
      );
    }
    return refuse(
      'index-read-only',
      `${file} cannot be written: ${isWritable(folder) ? 'the file' : 'its folder'} is read-only. Searching works; to index or delete, change the permissions, or choose another folder with --kb.`,
    );
  }
  // Making the folder met a file of its name, or of the name of one above it.
  if (systemCode === 'EEXIST' || systemCode === 'ENOTDIR') return fileInTheWay(dirname(file), error) ?? error;
  if (code.startsWith('SQLITE_CANTOPEN')) {
    return refuse('index-read-only', `${file} cannot be opened. Check that the folder exists and its permissions.`);
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return refuse('index-locked', `${file} is being used by another process. Try again in a moment.`, true);
  }
  if (code.startsWith('SQLITE_IOERR')) {
    const free = freeBytes(file);
    if (free !== undefined && free < fullBelowBytes) return refuse('disk-full', diskFull(file));
    return refuse('index-corrupt', `${file} cannot be read or written: the disk reported an error.`);
  }
  return error;
}

/** What to throw where the folder of an index cannot be, because it or one above it is a file. */
export function fileInTheWay(folder: string, cause?: unknown): AquiferError | undefined {
  const existing = existingAtOrAbove(folder);
  if (statSync(existing, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const what = existing === folder ? 'is a file' : `lies below ${existing}, which is a file`;
  return new AquiferError(
    'invalid-options',
    `${folder} ${what}, and an index is a folder: choose another place with --kb.`,
    { cause },
  );
}

/** What to say of a file whose bytes are not as they were written. */
export const damaged = (file: string): string =>
  `${file} is damaged. Restore it from a backup, or run: npx aquifer index <path> --re-embed, which keeps what is whole and reads the rest again. Where that fails too, move the folder away and index again.`;

function diskFull(file: string): string {
  const folder = dirname(file);
  const free = freeBytes(file);
  const what =
    free === undefined || free < muchBytes
      ? `The disk that holds ${folder} is full.`
      : `The disk that holds ${folder} has room, but takes no more of this index: it is over a quota, or over a limit on the size of files (ulimit -f).`;
  return `${what} What was committed before is kept and can be searched; make room and run the same command again, and it goes on from there.`;
}

function freeBytes(file: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The system's code, or an empty string where the file does open, or is not there in a folder that could hold it. */
function whyItDoesNotOpen(file: string): string {
  try {
    closeSync(openSync(file, 'r+'));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return code;
  }
  return isWritable(existingAtOrAbove(dirname(file))) ? '' : 'EACCES';
}

function existingAtOrAbove(folder: string): string {
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  return existing;
}
