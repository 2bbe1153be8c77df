/** What names say in every listing: of a folder as of a bucket. */

/** `<file>.metadata.json` holds the attributes of `<file>`. */
export const sidecarEnding = '.metadata.json';
export const maxSidecarBytes = 2 ** 20;

export const noReader = 'No reader takes files of this kind.';
export const twoFormsOfOneName = 'Two files here have names that differ only in their Unicode form: rename one.';

/** Folders that hold tools' files, not documents. Those of version control (`.git`, `.hg`, `.svn`) are hidden by their dot. */
const toolFolders = new Set([
  'node_modules',
  'bower_components',
  '__pycache__',
  '__MACOSX',
  'CVS',
  '$RECYCLE.BIN',
  'System Volume Information',
]);

/** Hidden files and folders, the lock files that Office leaves beside an open document, and folders of tools. */
export function hiddenReason(name: string, folder: boolean): string | undefined {
  if (name.startsWith('.')) return 'Hidden: its name begins with a dot.';
  if (name.startsWith('~$')) return 'The lock file of an open document.';
  return folder && toolFolders.has(name) ? 'A folder of tools, not of documents.' : undefined;
}
