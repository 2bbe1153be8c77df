import { AquiferError, type Store } from '@aquifer/contracts';

/** Which files of a folder are documents, besides what its ignore files say. Globs: `compileGlobs` in `@aquifer/ingestion`. */
export interface FolderSelection {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** A folder that was indexed, and with which selection: later runs that do not say otherwise keep to it. */
export interface FolderRoot extends FolderSelection {
  /** Its `file:` URL. */
  readonly uri: string;
}

/** Of the value that records them in a store. */
export const rootsKey = 'folder-roots';

export async function readFolderRoots(store: Pick<Store, 'readValue'>): Promise<FolderRoot[]> {
  // At first these were URLs alone.
  const stored = ((await store.readValue(rootsKey)) ?? []) as (string | FolderRoot)[];
  return stored.map((root) => (typeof root === 'string' ? { uri: root, include: [], exclude: [] } : root));
}

export async function writeFolderRoots(store: Pick<Store, 'writeValue'>, roots: readonly FolderRoot[]): Promise<void> {
  await store.writeValue(rootsKey, roots);
}

/**
 * The selection of a run over a folder, or over a part of it.
 *
 * @throws `invalid-options` when a part of a folder is asked for with another selection than the folder has: files of the other
 *   parts would come and go with whichever run was the last.
 */
export function selectionFor(
  recorded: FolderRoot | undefined,
  asked: Partial<FolderSelection>,
  folder: string,
  coverage: 'asked-for' | 'part-asked-for' | 'below-what-was-asked-for',
): FolderSelection {
  const kept = recorded ?? { include: [], exclude: [] };
  if (coverage === 'below-what-was-asked-for') return kept;
  const wanted = { include: asked.include ?? kept.include, exclude: asked.exclude ?? kept.exclude };
  if (recorded !== undefined && coverage === 'part-asked-for' && !isSameSelection(wanted, recorded)) {
    throw new AquiferError(
      'invalid-options',
      `--include and --exclude hold for a whole folder, and ${folder} has others: ${describeSelection(recorded)}. ` +
        'Index that folder with the new ones, or leave them out here.',
    );
  }
  return wanted;
}

export function isSameSelection(left: FolderSelection, right: FolderSelection): boolean {
  return describeSelection(left) === describeSelection(right);
}

function describeSelection({ include, exclude }: FolderSelection): string {
  const flags = [...include.map((glob) => ['--include', glob]), ...exclude.map((glob) => ['--exclude', glob])];
  return flags.map(([flag, glob]) => `${flag} ${JSON.stringify(glob)}`).join(' ') || 'none';
}
