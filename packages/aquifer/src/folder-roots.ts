/** A folder of the knowledge base, or a prefix of a bucket, and the part of it that this run covers. */
export interface FolderRun {
  readonly root: string;
  /** Files or folders at or below `root`, written as it is. */
  readonly paths: readonly string[];
  /** Other roots below `root`: their documents are theirs. */
  readonly exclude: readonly string[];
}

export interface RequestedPath {
  /** Absolute, with symbolic links resolved; or `s3://bucket/key`, without a slash at its end. */
  readonly path: string;
  /** The path itself, or the folder that the file is in. */
  readonly folder: string;
}

/**
 * Decides which root each requested path belongs to, so that a file is one document however it was asked for:
 * a path inside a known root is a part of that root; any other folder, or the folder of any other file, becomes a new
 * root; known roots below a requested folder are brought up to date as themselves.
 *
 * @param separator Of the parts of a path.
 */
export function planFolderRuns(
  known: readonly string[],
  requested: readonly RequestedPath[],
  separator: string,
): FolderRun[] {
  const isWithin = (path: string, folder: string): boolean =>
    path === folder || path.startsWith(folder.endsWith(separator) ? folder : folder + separator);
  const roots = new Set(known);
  const coverage = new Map<string, Set<string>>();
  const cover = (root: string, path: string) => coverage.set(root, (coverage.get(root) ?? new Set()).add(path));

  // Shortest first, so that a requested folder is known before what lies in it.
  for (const { path, folder } of [...requested].sort((a, b) => a.path.length - b.path.length)) {
    const containing = [...roots].filter((root) => isWithin(path, root)).sort((a, b) => b.length - a.length)[0];
    const root = containing ?? folder;
    roots.add(root);
    cover(root, path);
    if (folder === path) for (const inner of roots) if (inner !== root && isWithin(inner, path)) cover(inner, inner);
  }

  return [...coverage].map(([root, paths]) => ({
    root,
    paths: [...paths].filter((path) => ![...paths].some((other) => other !== path && isWithin(path, other))),
    exclude: [...roots].filter((other) => other !== root && isWithin(other, root)),
  }));
}
