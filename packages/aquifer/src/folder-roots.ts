import { dirname, sep } from 'node:path';

/** A folder of the knowledge base, and the part of it that this run covers. */
export interface FolderRun {
  readonly root: string;
  /** Absolute paths of files or folders at or below `root`. */
  readonly paths: readonly string[];
  /** Absolute paths of other roots below `root`: their documents are theirs. */
  readonly exclude: readonly string[];
}

export interface RequestedPath {
  /** Absolute, with symbolic links resolved. */
  readonly path: string;
  readonly isFolder: boolean;
}

const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/**
 * Decides which root each requested path belongs to, so that a file is one document however it was asked for:
 * a path inside a known root is a part of that root; any other folder, or the folder of any other file, becomes a new
 * root; known roots below a requested folder are brought up to date as themselves.
 */
export function planFolderRuns(known: readonly string[], requested: readonly RequestedPath[]): FolderRun[] {
  const roots = new Set(known);
  const coverage = new Map<string, Set<string>>();
  const cover = (root: string, path: string) => coverage.set(root, (coverage.get(root) ?? new Set()).add(path));

  // Shortest first, so that a requested folder is known before what lies in it.
  for (const { path, isFolder } of [...requested].sort((a, b) => a.path.length - b.path.length)) {
    const containing = [...roots].filter((root) => isWithin(path, root)).sort((a, b) => b.length - a.length)[0];
    const root = containing ?? (isFolder ? path : dirname(path));
    roots.add(root);
    cover(root, path);
    if (isFolder) for (const inner of roots) if (inner !== root && isWithin(inner, path)) cover(inner, inner);
  }

  return [...coverage].map(([root, paths]) => ({
    root,
    paths: [...paths].filter((path) => ![...paths].some((other) => other !== path && isWithin(path, other))),
    exclude: [...roots].filter((other) => other !== root && isWithin(other, root)),
  }));
}
