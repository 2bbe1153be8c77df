import { AquiferError } from '@aquifer/contracts';

/** Which files of a folder are documents, by globs on their paths. */
export interface PathGlobs {
  /** Only files that one of these matches, or that lie in a folder that one of these matches. Empty: all. */
  readonly include: readonly string[];
  /** Not the files and folders that one of these matches. Wins over `include`. */
  readonly exclude: readonly string[];
}

/** Why a path is left out, for people; undefined for one that is not. Folders above it are not looked at for `exclude`. */
export type LeavesOut = (path: string, folder: boolean) => string | undefined;

type Matches = (text: string) => boolean;

/**
 * Compiles globs of `picomatch` (`*`, `**`, `?`, `[a-z]`, `{a,b}`, `!(…)`). One without a slash matches names at any depth, one
 * with a slash the path from the root of the folder; a slash at the end says that only a folder is meant. What matches a
 * folder takes all that is in it.
 *
 * @throws `invalid-options` for a glob that is empty, begins with `!` or `../`, or is absolute
 */
export async function compileGlobs({ include, exclude }: PathGlobs): Promise<LeavesOut> {
  if (include.length === 0 && exclude.length === 0) return () => undefined;
  const { default: picomatch } = await import('picomatch');
  const compile = (glob: string, flag: string) => {
    const pattern = checkedGlob(glob, flag);
    const foldersOnly = pattern.endsWith('/');
    const body = pattern.replace(/^\//, '').replace(/\/+$/, '');
    const matches: Matches = picomatch(body, { dot: true, nonegate: true });
    const byName = !pattern.replace(/\/+$/, '').includes('/');
    return (path: string, folder: boolean) =>
      (folder || !foldersOnly) && matches(byName ? path.slice(path.lastIndexOf('/') + 1) : path);
  };
  const excluded = exclude.map((glob) => ({ glob, matches: compile(glob, '--exclude') }));
  const included = include.map((glob) => compile(glob, '--include'));
  const isIncluded = (path: string) => {
    if (included.some((matches) => matches(path, false))) return true;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const folder = path.slice(0, slash);
      if (included.some((matches) => matches(folder, true))) return true;
    }
    return false;
  };
  return (path, folder) => {
    const by = excluded.find(({ matches }) => matches(path, folder));
    if (by) return `Left out by --exclude ${by.glob}`;
    return folder || included.length === 0 || isIncluded(path) ? undefined : 'No --include takes it';
  };
}

function checkedGlob(glob: string, flag: string): string {
  const refuse = (why: string): never => {
    throw new AquiferError('invalid-options', `${flag} ${JSON.stringify(glob)}: ${why}`);
  };
  const pattern = glob.normalize('NFC').replace(/^(\.\/)+/, '');
  if (pattern.trim() === '' || pattern === '/') return refuse('the glob is empty.');
  if (pattern.startsWith('!') && !pattern.startsWith('!('))
    return refuse('a glob that begins with ! is not known here: use --exclude for what is to be left out.');
  if (/(^|\/)\.\.(\/|$)/.test(pattern)) return refuse('globs match paths inside the folder, so ".." matches nothing.');
  // Longer ones are refused by picomatch itself.
  if (pattern.length > 65_536) return refuse('the glob is too long.');
  return pattern;
}
