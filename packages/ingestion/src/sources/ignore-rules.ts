export const ignoreFileName = '.aquiferignore';
export const maxIgnoreFileBytes = 2 ** 20;

/** What the ignore files of a folder and of those above it say. */
export interface IgnoreRules {
  /**
   * The ignore file and its line that leave a path out, for people; undefined for a path that is not left out. Folders
   * above it are not looked at: those that are left out are not entered.
   */
  leavesOut(path: string, folder: boolean): string | undefined;
  /** These rules and, stronger than them, those of an ignore file deeper down. */
  with(folder: string, text: string): Promise<IgnoreRules>;
}

interface Rule {
  readonly pattern: string;
  /** Where it stands. */
  readonly mark: string;
}

/**
 * The rules of `.gitignore` files (git-scm.com/docs/gitignore): the last line that matches decides, a deeper file after those
 * above it. Letters of another case are other letters on every system, so that an index does not depend on where it was made.
 */
export const noIgnoreRules: IgnoreRules = createIgnoreRules([]);

function createIgnoreRules(rules: readonly Rule[], test?: (path: string) => string | undefined): IgnoreRules {
  return {
    leavesOut: (path, folder) => test?.(folder ? `${path}/` : path),
    async with(folder, text) {
      const added = parseIgnoreFile(folder, text);
      if (added.length === 0) return this;
      const { default: ignore } = await import('ignore');
      const all = [...rules, ...added];
      // One matcher for the whole chain: only so may a file deeper down take in again what one above leaves out.
      const matcher = ignore({ ignorecase: false }).add(all.map((rule) => ({ ...rule })));
      return createIgnoreRules(all, (path) => {
        const { ignored, rule } = matcher.test(path);
        return ignored ? `Left out by ${rule?.mark ?? ignoreFileName}` : undefined;
      });
    },
  };
}

/** Patterns of a file in `folder` (NFC, `/`, `''` for the root) as patterns of the root. */
function parseIgnoreFile(folder: string, text: string): Rule[] {
  const file = folder === '' ? ignoreFileName : `${folder}/${ignoreFileName}`;
  const lines = text
    .replace(/^\ufeff/, '')
    .normalize('NFC')
    .split(/\r?\n/);
  return lines.flatMap((line) => {
    // Spaces at the end do not count unless a backslash is before them.
    const pattern = line.replace(/(?<!\\) +$/, '');
    if (pattern === '' || pattern.startsWith('#')) return [];
    return [{ pattern: folder === '' ? pattern : anchored(pattern, folder), mark: `${file}: ${pattern}` }];
  });
}

function anchored(pattern: string, folder: string): string {
  const negation = pattern.startsWith('!') ? '!' : '';
  const body = pattern.slice(negation.length).replace(/^\\(?=[!#])/, '');
  const prefix = `/${folder.replace(/[\\*?[\] ]/g, '\\$&')}`;
  // A slash at the beginning or in the middle ties a pattern to its folder; others match at any depth.
  const isTied = body.slice(0, -1).includes('/');
  return `${negation}${prefix}/${isTied ? body.replace(/^\//, '') : `**/${body}`}`;
}
