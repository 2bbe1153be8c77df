import { constants, type Dirent } from 'node:fs';
import { type FileHandle, open, opendir, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type SourceOmission, throwIfAborted } from '@aquifer/contracts';
import PQueue from 'p-queue';
import { storableText } from '../storable-text.js';
import {
  appendToDiskPath,
  type DiskPath,
  diskPathFromBytes,
  diskPathKey,
  isAtOrBelowFolder,
  joinDiskPath,
  readableDiskPath,
} from './disk-path.js';
import { type IgnoreRules, ignoreFileName, maxIgnoreFileBytes, noIgnoreRules } from './ignore-rules.js';
import { hiddenReason, noReader, sidecarEnding, twoFormsOfOneName } from './listed-names.js';
import type { LeavesOut } from './path-globs.js';

/** A file as the walk finds it. */
export interface WalkedFile {
  /** `/` on every system, NFC. */
  readonly path: string;
  readonly diskPath: DiskPath;
  readonly sidecar: boolean;
}

export interface WalkResult {
  /** In order of path (code units). */
  readonly files: readonly WalkedFile[];
  readonly omissions: readonly SourceOmission[];
  /** The folders that were listed, and those of files that were asked for by name. */
  readonly folders: readonly DiskPath[];
}

export interface WalkOptions {
  /** The real path of the folder. */
  readonly root: string;
  /** Files and folders below the root: NFC paths with `/`, `''` for the root itself. */
  readonly starts: readonly { readonly path: string; readonly diskPath: string }[];
  /** Whether a file of this name can be read. */
  readonly recognises: (name: string) => boolean;
  /** What a file of another name is and what to do with it. */
  readonly describeOther?: ((name: string) => string | undefined) | undefined;
  /** Whether a folder belongs to somebody else. It is not entered, and nothing is said about it. */
  readonly skips: (path: string) => boolean;
  /** Why a file or folder is left out. Folders that are left out are not entered. */
  readonly leavesOut: LeavesOut;
  readonly signal?: AbortSignal | undefined;
}

const foldersAtOnce = 16;

interface Link {
  readonly path: string;
  readonly diskPath: DiskPath;
  readonly rules: IgnoreRules;
}

/**
 * Finds the files below a folder, opening none but `.aquiferignore`.
 *
 * Symbolic links are followed when they lead to a place inside the root that is not listed under its own name (as
 * Kubernetes mounts do); each folder is listed once, so loops end. A link that leads out of the root is an omission: what
 * is to be indexed is decided by who names the folder, not by who writes into it. Pipes, sockets and devices are never opened.
 */
export async function walkFolder(options: WalkOptions): Promise<WalkResult> {
  const { root, recognises, skips, leavesOut, signal } = options;
  const queue = new PQueue({ concurrency: foldersAtOnce });
  const files = new Map<string, WalkedFile>();
  const omissions: SourceOmission[] = [];
  const enteredFolders = new Map<string, DiskPath>();
  const askedFilesFolders = new Set<string>();
  const listedFiles = new Set<string>();
  let links: Link[] = [];
  let failure: unknown;

  const omit = (path: string, omitted: SourceOmission['omitted'], reason: string) =>
    omissions.push({ path, omitted, reason });

  const addFile = (path: string, diskPath: DiskPath, sidecar: boolean) => {
    const known = files.get(path);
    if (known) {
      if (diskPathKey(known.diskPath) !== diskPathKey(diskPath)) {
        omit(path, 'unreadable', twoFormsOfOneName);
      }
      return;
    }
    files.set(path, { path, diskPath, sidecar });
  };

  const enter = (path: string, diskPath: DiskPath, rules: IgnoreRules) => {
    const key = diskPathKey(diskPath);
    if (enteredFolders.has(key)) return;
    enteredFolders.set(key, diskPath);
    queue
      .add(() => listFolder(path, diskPath, rules))
      .catch((error) => {
        failure ??= error;
        queue.clear();
      });
  };

  /** Whether a file or folder is left out, without rules for being hidden only; says so. */
  const isLeftOut = (path: string, folder: boolean, rules: IgnoreRules | undefined): boolean => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const hidden = hiddenReason(name, folder);
    const reason = hidden ?? (rules && (leavesOut(path, folder) ?? rules.leavesOut(path, folder)));
    // Nobody takes an ignore file for a document.
    if (reason !== undefined && name !== ignoreFileName) omit(path, hidden ? 'hidden' : 'excluded', reason);
    return reason !== undefined;
  };

  const listFolder = async (folder: string, diskFolder: DiskPath, rulesAbove: IgnoreRules) => {
    throwIfAborted(signal);
    const candidates: { readonly path: string; readonly diskPath: DiskPath }[] = [];
    const sidecars = new Set<string>();
    let hasUnspellable = false;
    try {
      const rules = await withIgnoreFile(rulesAbove, folder, diskFolder);
      const consider = (entry: Dirent | Dirent<Buffer>, name: DiskPath) => {
        const normal = storableText(readableDiskPath(name)).normalize('NFC');
        const path = folder === '' ? normal : `${folder}/${normal}`;
        const diskPath = joinDiskPath(diskFolder, name);
        if (entry.isDirectory()) {
          if (!skips(path) && !isLeftOut(path, true, rules)) enter(path, diskPath, rules);
        } else if (normal.endsWith(sidecarEnding)) {
          sidecars.add(diskPathKey(diskPath));
        } else if (entry.isSymbolicLink()) {
          // Whether it leads to a file or a folder, which rules tell apart, is not known yet.
          if (!isLeftOut(path, false, undefined)) links.push({ path, diskPath, rules });
        } else if (!isLeftOut(path, false, rules)) {
          if (!entry.isFile()) omit(path, 'unsupported', notAFile);
          else if (recognises(normal)) candidates.push({ path, diskPath });
          else omit(path, 'unsupported', noReader);
        }
      };
      let entries = 0;
      for await (const entry of await opendir(diskFolder, { bufferSize: 1_000 })) {
        if (++entries % 1_000 === 0) throwIfAborted(signal);
        if (entry.name.includes('\ufffd')) hasUnspellable = true;
        else consider(entry, entry.name);
      }
      if (hasUnspellable) {
        for (const entry of await readdir(diskFolder, { encoding: 'buffer', withFileTypes: true })) {
          const name = diskPathFromBytes(entry.name);
          if (typeof name !== 'string' || name.includes('\ufffd')) consider(entry, name);
        }
      }
    } catch (error) {
      throwIfAborted(signal);
      omit(folder, 'unreadable', unreadableReason(error, 'folder'));
    }
    for (const { path, diskPath } of candidates) {
      listedFiles.add(diskPathKey(diskPath));
      addFile(path, diskPath, sidecars.has(diskPathKey(appendToDiskPath(diskPath, sidecarEnding))));
    }
  };

  const considerFile = async (path: string, diskPath: DiskPath) => {
    if (path.endsWith(sidecarEnding)) return;
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!recognises(name)) return omit(path, 'unsupported', options.describeOther?.(name) ?? noReader);
    listedFiles.add(diskPathKey(diskPath));
    addFile(path, diskPath, await isFile(appendToDiskPath(diskPath, sidecarEnding)));
  };

  const followLink = async ({ path, diskPath, rules }: Link) => {
    throwIfAborted(signal);
    try {
      const target = diskPathFromBytes(await realpath(diskPath, 'buffer'));
      if (!isAtOrBelowFolder(target, root)) {
        const place = readableDiskPath(diskPathFromBytes(await readlink(diskPath, 'buffer')));
        omit(path, 'outside', `A symbolic link that leads out of the folder, to ${place}.`);
        return;
      }
      const attributes = await stat(target);
      if (attributes.isDirectory()) {
        if (!skips(path) && !isLeftOut(path, true, rules)) enter(path, target, rules);
      } else if (!attributes.isFile()) {
        omit(path, 'unsupported', notAFile);
      } else if (!listedFiles.has(diskPathKey(target)) && !isLeftOut(path, false, rules)) {
        await considerFile(path, target);
      }
    } catch (error) {
      throwIfAborted(signal);
      const isBroken = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const isDocument = recognises(path.slice(path.lastIndexOf('/') + 1));
      omit(path, isBroken && !isDocument ? 'unsupported' : 'unreadable', unreadableReason(error, 'symbolic link'));
    }
  };

  /** Goes down to a start by the folders above it, whose ignore files count for it as well. */
  const begin = async ({ path, diskPath }: WalkOptions['starts'][number]) => {
    const segments = path === '' ? [] : path.split('/');
    const diskFolders: string[] = [];
    for (const _ of segments) diskFolders.unshift(dirname(diskFolders[0] ?? diskPath));
    let rules = noIgnoreRules;
    try {
      const attributes = await stat(diskPath);
      for (const [depth, diskFolder] of diskFolders.entries()) {
        rules = await withIgnoreFile(rules, segments.slice(0, depth).join('/'), diskFolder);
        const isFolder = depth < segments.length - 1 || attributes.isDirectory();
        if (isLeftOut(segments.slice(0, depth + 1).join('/'), isFolder, rules)) return;
      }
      if (attributes.isDirectory()) enter(path, diskPath, rules);
      else if (attributes.isFile()) await considerFile(path, diskPath);
      else omit(path, 'unsupported', notAFile);
      if (!attributes.isDirectory()) askedFilesFolders.add(dirname(diskPath));
    } catch (error) {
      omit(path, 'unreadable', unreadableReason(error, 'file or folder'));
    }
  };

  const settle = async () => {
    await queue.onIdle();
    if (failure !== undefined) throw failure;
  };

  for (const start of options.starts) await begin(start);
  await settle();
  // Real folders first, then links in order, one after the other: which of two names is listed does not depend on timing.
  while (links.length > 0) {
    const round = links.sort(byPath);
    links = [];
    for (const link of round) {
      await followLink(link);
      await settle();
    }
  }
  return {
    files: [...files.values()].sort(byPath),
    omissions: omissions.sort(byPath),
    folders: [...enteredFolders.values(), ...askedFilesFolders],
  };
}

const notAFile = 'A pipe, socket or device, not a file.';

/** The rules for what is in a folder. Without knowing them nothing in it may be listed, so an ignore file that cannot be read throws. */
async function withIgnoreFile(rules: IgnoreRules, folder: string, diskFolder: DiskPath): Promise<IgnoreRules> {
  let handle: FileHandle | undefined;
  try {
    // Not blocking: it may be a pipe.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
    handle = await open(joinDiskPath(diskFolder, ignoreFileName), flags);
    const attributes = await handle.stat();
    if (!attributes.isFile()) return rules;
    if (attributes.size > maxIgnoreFileBytes) throw new Error(`${ignoreFileName} has more than 1 MiB.`);
    return await rules.with(folder, await handle.readFile('utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENXIO') return rules;
    if (handle === undefined && code === 'EACCES' && !(await isThere(joinDiskPath(diskFolder, ignoreFileName))))
      throw error;
    throw new Error(
      `its ${ignoreFileName} cannot be read (${code ?? (error as Error).message}): mend it and run again.`,
    );
  } finally {
    await handle?.close();
  }
}

async function isThere(path: DiskPath): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isFile(path: DiskPath): Promise<boolean> {
  return stat(path).then(
    (attributes) => attributes.isFile(),
    () => false,
  );
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** Why a file or folder could not be listed or read, and what to do, for people. */
export function unreadableReason(error: unknown, what: string): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'EACCES' || code === 'EPERM') return `No permission to read this ${what}: change it and run again.`;
  if (code === 'ENOENT') return `This ${what} cannot be found: it is gone, or it leads nowhere.`;
  if (code === 'ELOOP') return `This ${what} is part of a loop of symbolic links.`;
  if (code === 'ENAMETOOLONG') return `The path of this ${what} is longer than the system allows: shorten a name.`;
  if (code === 'EMFILE' || code === 'ENFILE') return `Too many files are open to read this ${what}: run again.`;
  return `This ${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
