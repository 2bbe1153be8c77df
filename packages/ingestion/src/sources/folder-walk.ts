import type { Dirent } from 'node:fs';
import { opendir, readlink, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type SourceOmission, throwIfAborted } from '@aquifer/contracts';
import PQueue from 'p-queue';
import { storableText } from '../storable-text.js';

export const sidecarEnding = '.metadata.json';

/** A file as the walk finds it. */
export interface WalkedFile {
  /** `/` on every system, NFC. */
  readonly path: string;
  /** As the disk spells it. */
  readonly diskPath: string;
  readonly sidecar: boolean;
}

export interface WalkResult {
  /** In order of path (code units). */
  readonly files: readonly WalkedFile[];
  readonly omissions: readonly SourceOmission[];
}

export interface WalkOptions {
  /** The real path of the folder. */
  readonly root: string;
  /** Files and folders below the root: NFC paths with `/`, `''` for the root itself. Must exist. */
  readonly starts: readonly { readonly path: string; readonly diskPath: string; readonly folder: boolean }[];
  /** Whether a file of this name can be read. */
  readonly recognises: (name: string) => boolean;
  /** Whether a file or folder is left out. Folders that are left out are not entered. */
  readonly excludes: (path: string, folder: boolean) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Folders that hold tools' files, not documents. Hidden ones (`.git`, `.aquifer`, …) are left out by their dot. */
const toolFolders = new Set(['node_modules', '__pycache__', '__MACOSX', '$RECYCLE.BIN', 'System Volume Information']);
const foldersAtOnce = 16;

interface Link {
  readonly path: string;
  readonly diskPath: string;
}

/**
 * Finds the files below a folder without opening any.
 *
 * Symbolic links are followed when they lead to a place inside the root that is not listed under its own name (as
 * Kubernetes mounts do); each folder is listed once, so loops end. A link that leads out of the root is an omission: what
 * is to be indexed is decided by who names the folder, not by who writes into it.
 */
export async function walkFolder(options: WalkOptions): Promise<WalkResult> {
  const { root, recognises, excludes, signal } = options;
  const queue = new PQueue({ concurrency: foldersAtOnce });
  const files = new Map<string, WalkedFile>();
  const omissions: SourceOmission[] = [];
  const enteredFolders = new Set<string>();
  const listedFiles = new Set<string>();
  let links: Link[] = [];
  let failure: unknown;

  const omit = (path: string, omitted: SourceOmission['omitted'], reason: string) =>
    omissions.push({ path, omitted, reason });

  const addFile = (path: string, diskPath: string, sidecar: boolean) => {
    const known = files.get(path);
    if (known) {
      if (known.diskPath !== diskPath) {
        omit(path, 'unreadable', 'Two files here have names that differ only in their Unicode form: rename one.');
      }
      return;
    }
    listedFiles.add(diskPath);
    files.set(path, { path, diskPath, sidecar });
  };

  const enter = (path: string, diskPath: string) => {
    if (enteredFolders.has(diskPath)) return;
    enteredFolders.add(diskPath);
    queue
      .add(() => listFolder(path, diskPath))
      .catch((error) => {
        failure ??= error;
        queue.clear();
      });
  };

  const listFolder = async (folder: string, diskFolder: string) => {
    throwIfAborted(signal);
    let entries: Dirent[];
    try {
      entries = await readEntries(diskFolder, signal);
    } catch (error) {
      throwIfAborted(signal);
      omit(folder, 'unreadable', unreadableReason(error, 'folder'));
      return;
    }
    const names = new Set(entries.map((entry) => entry.name));
    for (const entry of entries) {
      const { name } = entry;
      if (isHidden(name)) continue;
      const normal = storableText(name).normalize('NFC');
      const path = folder === '' ? normal : `${folder}/${normal}`;
      const diskPath = diskFolder.endsWith(sep) ? `${diskFolder}${name}` : `${diskFolder}${sep}${name}`;
      if (entry.isDirectory()) {
        if (!toolFolders.has(name) && !excludes(path, true)) enter(path, diskPath);
      } else if (entry.isSymbolicLink()) {
        links.push({ path, diskPath });
      } else if (entry.isFile()) {
        considerFile(path, diskPath, names.has(`${name}${sidecarEnding}`));
      }
    }
  };

  const considerFile = (path: string, diskPath: string, sidecar: boolean) => {
    if (path.endsWith(sidecarEnding) || excludes(path, false)) return;
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (recognises(name)) addFile(path, diskPath, sidecar);
    else omit(path, 'unsupported', 'No reader takes files of this kind.');
  };

  const followLink = async ({ path, diskPath }: Link) => {
    throwIfAborted(signal);
    try {
      const target = await realpath(diskPath);
      if (target !== root && !target.startsWith(root.endsWith(sep) ? root : root + sep)) {
        omit(path, 'unsupported', `A symbolic link that leads out of the folder, to ${await readlink(diskPath)}.`);
        return;
      }
      const attributes = await stat(target);
      if (attributes.isDirectory()) {
        if (!excludes(path, true)) enter(path, target);
      } else if (attributes.isFile() && !listedFiles.has(target)) {
        considerFile(path, target, await exists(target + sidecarEnding));
      }
    } catch (error) {
      throwIfAborted(signal);
      omit(path, 'unreadable', unreadableReason(error, 'symbolic link'));
    }
  };

  const settle = async () => {
    await queue.onIdle();
    if (failure !== undefined) throw failure;
  };

  for (const start of options.starts) {
    if (start.folder) enter(start.path, start.diskPath);
    else considerFile(start.path, start.diskPath, await exists(start.diskPath + sidecarEnding));
  }
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
  return { files: [...files.values()].sort(byPath), omissions: omissions.sort(byPath) };
}

async function readEntries(folder: string, signal: AbortSignal | undefined): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  for await (const entry of await opendir(folder, { bufferSize: 1_000 })) {
    entries.push(entry);
    if (entries.length % 1_000 === 0) throwIfAborted(signal);
  }
  return entries;
}

/** Hidden files, and the lock files that Office leaves beside an open document. */
function isHidden(name: string): boolean {
  return name.startsWith('.') || name.startsWith('~$');
}

async function exists(path: string): Promise<boolean> {
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
  if (code === 'ENOENT')
    return `This ${what} cannot be found: it is gone, it leads nowhere, or its name is not valid Unicode.`;
  if (code === 'ELOOP') return `This ${what} is part of a loop of symbolic links.`;
  if (code === 'EMFILE' || code === 'ENFILE') return `Too many files are open to read this ${what}: run again.`;
  return `This ${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}

/** Joins a path with `/` to the real root. */
export function diskPathOf(root: string, path: string): string {
  return path === '' ? root : join(root, ...path.split('/'));
}
