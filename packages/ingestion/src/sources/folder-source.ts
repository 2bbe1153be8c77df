import { constants, realpathSync, statSync } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  AquiferError,
  allocateMapped,
  isAquiferError,
  type Metadata,
  type Source,
  type SourceContent,
  type SourceItem,
  type SourceOmission,
  throwIfAborted,
} from '@aquifer/contracts';
import PQueue from 'p-queue';
import { appendToDiskPath, type DiskPath, diskPathOfUri, diskPathUri } from './disk-path.js';
import { unreadableReason, type WalkedFile, walkFolder } from './folder-walk.js';
import { maxSidecarBytes, sidecarEnding } from './listed-names.js';
import { compileGlobs } from './path-globs.js';
import type { FileTimes } from './small-file-worker.js';
import { createSmallFiles, type SmallFiles, smallFileBytes } from './small-files.js';

export interface FolderSourceOptions {
  readonly root: string;
  /** Files and folders below `root` that a run covers, absolute or relative to it. Default: all of it. */
  readonly paths?: readonly string[];
  /** Whether a file of this name can be read. Others are counted and left alone. */
  readonly recognises: (name: string) => boolean;
  /** What a file of another name is and what to do with it, where that is known: the reason that is given for one that was asked for. */
  readonly describeOther?: ((name: string) => string | undefined) | undefined;
  /** Reads `<file>.metadata.json`. @throws `invalid-document` */
  readonly parseSidecar: (bytes: Uint8Array, name: string) => Metadata;
  /** Globs of the files to take: see {@link compileGlobs}. Default: all. Files named in `paths` are asked about as well. */
  readonly include?: readonly string[];
  /** Globs of the files and folders to leave out. */
  readonly exclude?: readonly string[];
  /** Folders below `root` that are no part of it, absolute or relative to it, such as the index itself. */
  readonly without?: readonly string[];
  /** Told of the folders that a listing looked into, as the disk spells them: what a watch has to watch. */
  readonly onFolders?: (folders: readonly (string | Buffer)[]) => void;
}

/** Files read attributes of at once. The thread pool of Node has four threads; a few more keep them busy. */
const statsAtOnce = 32;
const attempts = 3;
/** From this number on, a thread for small files saves more than its start takes. */
const manyFiles = 200;

/**
 * The documents in a folder: all files below it that `recognises` takes, but hidden ones, those of tools (`node_modules`, …),
 * and those that `.aquiferignore` files, `include` or `exclude` leave out. Listing opens no other file. A `<file>.metadata.json` belongs to its file and is no document.
 *
 * What it may not read is reported, and the rest is listed; only what was asked for by name must be readable.
 *
 * @throws `source-not-found` when `root` is not a folder, `invalid-options` when one of `paths` is not below it.
 * @example
 * createFolderSource({ root: './handbook', recognises: (name) => name.endsWith('.md'), parseSidecar: () => ({}) });
 */
export function createFolderSource(options: FolderSourceOptions): Source {
  const root = realRoot(options.root);
  const scope = scopeOf(root, options.root, options.paths ?? ['']);
  const id = pathToFileURL(root).href;
  const asked = new Set(scope.map(({ path }) => path));
  const without = new Set((options.without ?? []).map((path) => pathInRoot(root, resolve(root, path))));

  return {
    id,
    description: options.root,
    scope: [...asked],
    async *list(signal): AsyncGenerator<SourceItem | SourceOmission> {
      const leavesOut = await compileGlobs({ include: options.include ?? [], exclude: options.exclude ?? [] });
      for (const { diskPath, given } of scope) await stat(diskPath).catch((error: unknown) => notFound(given, error));
      const { files, omissions, folders } = await walkFolder({
        root,
        starts: scope,
        recognises: options.recognises,
        describeOther: options.describeOther,
        skips: (path) => without.has(path),
        leavesOut,
        signal,
      });
      const failed = omissions.find(({ path, omitted }) => omitted === 'unreadable' && asked.has(path));
      if (failed) throw new AquiferError('source-unreadable', `${resolve(root, failed.path)}: ${failed.reason}`);
      options.onFolders?.(folders);
      yield* omissions;
      const smallFiles = files.length >= manyFiles ? createSmallFiles() : undefined;
      yield* listItems(files, { parseSidecar: options.parseSidecar, smallFiles }, signal);
    },
  };
}

/**
 * Reads a file that a listing of a folder found, in this process or on another machine that has the folder at the same place.
 *
 * @throws `source-not-found` where the whole folder is not there, `source-unreadable`, `source-changed`, `invalid-document` (sidecar)
 */
export async function readFolderItem(
  { sourceId, item }: { readonly sourceId: string; readonly item: Omit<SourceItem, 'read'> },
  parseSidecar: FolderSourceOptions['parseSidecar'],
  signal: AbortSignal,
): Promise<SourceContent> {
  const diskPath = diskPathOfUri(item.uri);
  const sidecarFile = await lstat(appendToDiskPath(diskPath, sidecarEnding)).catch(() => undefined);
  const file = { path: item.path, diskPath, sidecar: sidecarFile?.isFile() ?? false };
  try {
    return await readFile(file, item.bytes, { parseSidecar, smallFiles: undefined }, signal);
  } catch (error) {
    await stat(diskPathOfUri(sourceId)).catch((cause: unknown) => {
      throw new AquiferError('source-not-found', `There is no folder ${sourceId} on ${hostname()}.`, { cause });
    });
    throw error;
  }
}

function realRoot(root: string): string {
  try {
    const real = realpathSync(root);
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    notFound(root, error);
  }
  throw new AquiferError('source-not-found', `${root} is not a folder.`);
}

/** Spelled as the walk spells it. */
function pathInRoot(root: string, path: string): string {
  let real = path;
  try {
    real = realpathSync(path);
  } catch {
    // What is not there is not met either.
  }
  return relative(root, real).split(sep).join('/').normalize('NFC');
}

function notFound(path: string, cause: unknown): never {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT' || (cause as NodeJS.ErrnoException).code === 'ENOTDIR') {
    throw new AquiferError('source-not-found', `There is no file or folder ${path}: check the path.`, { cause });
  }
  throw new AquiferError('source-unreadable', `${path}: ${unreadableReason(cause, 'folder')}`, { cause });
}

function scopeOf(root: string, givenRoot: string, paths: readonly string[]) {
  return paths.map((given) => {
    const absolute = isAbsolute(given) ? given : resolve(root, given);
    const inner = [root, resolve(givenRoot)]
      .map((base) => relative(base, absolute))
      .find((path) => path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path));
    if (inner === undefined) {
      throw new AquiferError('invalid-options', `${given} is not below ${givenRoot}.`);
    }
    return { path: inner.split(sep).join('/').normalize('NFC'), diskPath: resolve(root, inner), given };
  });
}

interface ReadingWays {
  readonly parseSidecar: FolderSourceOptions['parseSidecar'];
  readonly smallFiles: SmallFiles | undefined;
}

/** Reads attributes ahead, in bounded numbers, and yields in order. */
async function* listItems(
  files: readonly WalkedFile[],
  ways: ReadingWays,
  signal: AbortSignal | undefined,
): AsyncGenerator<SourceItem | SourceOmission> {
  const queue = new PQueue({ concurrency: statsAtOnce });
  const window = statsAtOnce * 8;
  for (let start = 0; start < files.length; start += window) {
    throwIfAborted(signal);
    const slice = files.slice(start, start + window);
    const items = ways.smallFiles
      ? await Promise.all(slice.map((file) => listItem(file, ways)))
      : await queue.addAll(slice.map((file) => () => listItem(file, ways)));
    for (const item of items) if (item !== undefined) yield item;
  }
}

/** Undefined for a file that went away since its folder was listed. */
async function listItem(file: WalkedFile, ways: ReadingWays): Promise<SourceItem | SourceOmission | undefined> {
  try {
    const attributes = (await ways.smallFiles?.look(file.diskPath)) ?? (await lstat(file.diskPath));
    const sidecarPath = appendToDiskPath(file.diskPath, sidecarEnding);
    const sidecar = file.sidecar ? await lstat(sidecarPath).catch(() => undefined) : undefined;
    return {
      path: file.path,
      uri: diskPathUri(file.diskPath),
      bytes: attributes.size,
      stamp: stampOf(attributes, sidecar, Date.now()),
      read: (signal) => readFile(file, attributes.size, ways, signal),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return { path: file.path, omitted: 'unreadable', reason: unreadableReason(error, 'file') };
  }
}

/**
 * Size and modification time, of the sidecar too. A file that was written within the resolution of the clock that stamps
 * it may be written again with the same stamp (git calls it racily clean); its stamp says so, so that it is read
 * once more. Linux stamps with a tick of at most 10 ms, FAT with whole two seconds.
 */
function stampOf(file: FileTimes, sidecar: FileTimes | undefined, now: number): string {
  const parts = [file, ...(sidecar ? [sidecar] : [])].map(({ size, mtimeMs }) => {
    const resolutionMs = mtimeMs % 1_000 === 0 ? 2_000 : 20;
    return `${size}-${mtimeMs}${Math.abs(now - mtimeMs) < resolutionMs ? '-fresh' : ''}`;
  });
  return parts.join('+');
}

async function readFile(
  file: WalkedFile,
  listedBytes: number,
  { parseSidecar, smallFiles }: ReadingWays,
  signal: AbortSignal | undefined,
): Promise<SourceContent> {
  for (let attempt = 1; ; attempt += 1) {
    throwIfAborted(signal);
    try {
      const sidecar = file.sidecar ? await readSidecar(file) : undefined;
      const small = listedBytes <= smallFileBytes ? await smallFiles?.read(file.diskPath) : undefined;
      const document = small ?? (await readWhole(file.diskPath, file.path, Number.POSITIVE_INFINITY));
      return {
        bytes: document.bytes,
        metadata: sidecar ? parseSidecar(sidecar.bytes, file.path + sidecarEnding) : {},
        stamp: stampOf(document, sidecar, Date.now()),
      };
    } catch (error) {
      if (attempt < attempts && isAquiferError(error, 'source-changed') && error.retryable) continue;
      throw error;
    }
  }
}

async function readSidecar(file: WalkedFile) {
  try {
    return await readWhole(appendToDiskPath(file.diskPath, sidecarEnding), file.path + sidecarEnding, maxSidecarBytes);
  } catch (error) {
    // A sidecar that went away since the listing is no sidecar.
    if (isAquiferError(error, 'source-changed') && !error.retryable) return undefined;
    throw error;
  }
}

/** Reads one state of a file: the attributes before and after must agree. */
async function readWhole(
  diskPath: DiskPath,
  path: string,
  maxBytes: number,
): Promise<FileTimes & { readonly bytes: Uint8Array }> {
  let handle: FileHandle | undefined;
  try {
    // Not blocking: a file may have become a pipe since it was listed.
    handle = await open(diskPath, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const before = await handle.stat();
    if (!before.isFile()) throw new AquiferError('source-unreadable', `${path} is not a file any more.`);
    if (before.size > maxBytes) {
      throw new AquiferError('invalid-document', `${path} has ${before.size} bytes; at most ${maxBytes} are read.`);
    }
    const bytes = allocateMapped(before.size);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    const after = await handle.stat();
    if (filled !== before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
      throw new AquiferError('source-changed', `${path} changed while it was being read: run again.`, {
        retryable: true,
      });
    }
    return { bytes, size: after.size, mtimeMs: after.mtimeMs };
  } catch (error) {
    if (isAquiferError(error)) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new AquiferError('source-changed', `${path} was deleted or renamed during the run.`, { cause: error });
    }
    throw new AquiferError('source-unreadable', `${path}: ${unreadableReason(error, 'file')}`, { cause: error });
  } finally {
    await handle?.close();
  }
}
