import { type FSWatcher, statSync, watch } from 'node:fs';
import { type DiskPath, diskPathKey, readableDiskPath } from './disk-path.js';

export interface FolderWatchOptions {
  /** Something in one of the folders was made, changed, renamed or deleted. Called often; says nothing of what it was. */
  readonly onChange: () => void;
  /** A folder cannot be watched (any more): changes in it are not noticed. */
  readonly onBlind?: (folder: string, reason: string) => void;
}

export interface FolderWatch {
  /** Watches these folders (not what is below them) and no others. Returns how many of them were not watched before. */
  watch(folders: readonly DiskPath[]): number;
  /** How many folders are watched. */
  readonly size: number;
  close(): void;
}

/**
 * Notices that something has changed in folders. One kernel watch a folder, however many files are in it: watching files one by
 * one would use up what Linux allows at 65,536 of them, and an editor that writes by renaming would take the watch along.
 */
export function createFolderWatch({ onChange, onBlind }: FolderWatchOptions): FolderWatch {
  const watchers = new Map<string, { readonly watcher: FSWatcher; readonly identity: string | undefined }>();
  const blind = new Set<string>();

  const drop = (key: string) => {
    watchers.get(key)?.watcher.close();
    watchers.delete(key);
  };

  const add = (key: string, folder: DiskPath): boolean => {
    const fail = (error: unknown) => {
      drop(key);
      if (blind.has(key)) return;
      blind.add(key);
      onBlind?.(readableDiskPath(folder), watchFailure(error));
    };
    try {
      const identity = identityOf(folder);
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        // Hidden files are no documents, but the ignore file decides which are.
        if (typeof name === 'string' && name.startsWith('.') && name !== '.aquiferignore') return;
        onChange();
      });
      watcher.on('error', (error) => {
        fail(error);
        // On some systems this is how the folder's own end is told.
        onChange();
      });
      watchers.set(key, { watcher, identity });
      blind.delete(key);
      return true;
    } catch (error) {
      fail(error);
      return false;
    }
  };

  return {
    watch(folders) {
      const wanted = new Map(folders.map((folder) => [diskPathKey(folder), folder]));
      for (const key of [...watchers.keys()]) if (!wanted.has(key)) drop(key);
      let added = 0;
      for (const [key, folder] of wanted) {
        // A kernel watches a folder, not its path: where another folder has taken its place, that one is not watched yet.
        if (watchers.get(key)?.identity !== identityOf(folder)) drop(key);
        if (!watchers.has(key) && add(key, folder)) added += 1;
      }
      return added;
    },
    get size() {
      return watchers.size;
    },
    close() {
      for (const key of [...watchers.keys()]) drop(key);
    },
  };
}

function identityOf(folder: DiskPath): string | undefined {
  const attributes = statSync(folder, { throwIfNoEntry: false });
  return attributes && `${attributes.dev} ${attributes.ino} ${attributes.birthtimeMs}`;
}

function watchFailure(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return 'the system allows no more watches (Linux: raise fs.inotify.max_user_watches)';
  if (code === 'EMFILE') return 'the system allows no more watchers (Linux: raise fs.inotify.max_user_instances)';
  return message;
}
