import { type SourceOmission, throwIfAborted } from '@aquifer/contracts';
import { storableText } from '../../storable-text.js';
import { type IgnoreRules, ignoreFileName, noIgnoreRules } from '../ignore-rules.js';
import { hiddenReason, noReader, sidecarEnding, twoFormsOfOneName } from '../listed-names.js';
import type { LeavesOut } from '../path-globs.js';
import type { S3Object } from './s3-bucket.js';

/** An object that is a document, and the one with its attributes. */
export interface SelectedObject {
  /** Inside the source, NFC. */
  readonly path: string;
  readonly object: S3Object;
  readonly sidecar?: S3Object;
}

export interface S3Selection {
  /** In order of path (code units). */
  readonly documents: readonly SelectedObject[];
  readonly omissions: readonly SourceOmission[];
}

export interface S3SelectionOptions {
  /** By their keys without what all keys of the source begin with. */
  readonly objects: ReadonlyMap<string, S3Object>;
  readonly recognises: (name: string) => boolean;
  readonly describeOther?: ((name: string) => string | undefined) | undefined;
  /** Whether a folder belongs to another source. Nothing is said about it. */
  readonly skips: (path: string) => boolean;
  readonly leavesOut: LeavesOut;
  readonly readText: (object: S3Object) => Promise<string>;
  readonly signal?: AbortSignal | undefined;
}

interface Folder {
  readonly isLeftOut: boolean;
  readonly rules: IgnoreRules;
}

/**
 * Which objects are documents, by the rules for the files of a folder: a bucket has no folders, but its keys have slashes, and what
 * is before one is a folder here. Objects whose key ends with a slash, by which consoles show empty folders, are nothing.
 */
export async function selectObjects(options: S3SelectionOptions): Promise<S3Selection> {
  const { objects, recognises, skips, leavesOut, readText, signal } = options;
  const documents = new Map<string, SelectedObject>();
  const omissions: SourceOmission[] = [];
  const folders = new Map<string, Folder>();

  const omit = (path: string, omitted: SourceOmission['omitted'], reason: string) =>
    omissions.push({ path, omitted, reason });

  const isLeftOut = (path: string, folder: boolean, rules: IgnoreRules): boolean => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const hidden = hiddenReason(name, folder);
    // Rules know no names that are empty: two slashes are one to them.
    const plain = path.replace(/\/{2,}/g, '/').replace(/^\//, '');
    const reason = hidden ?? (name === '' ? undefined : (leavesOut(plain, folder) ?? rules.leavesOut(plain, folder)));
    if (reason !== undefined && name !== ignoreFileName) omit(path, hidden ? 'hidden' : 'excluded', reason);
    return reason !== undefined;
  };

  /** @param folder As the keys spell it, with the slash at its end; empty for the whole source. */
  const enter = async (folder: string): Promise<Folder> => {
    const known = folders.get(folder);
    if (known) return known;
    const entered = folder === '' ? await withIgnoreFile('', noIgnoreRules) : await enterBelow(folder);
    folders.set(folder, entered);
    return entered;
  };

  const enterBelow = async (folder: string): Promise<Folder> => {
    const above = await enter(parentOf(folder.slice(0, -1)));
    const path = pathOf(folder.slice(0, -1));
    if (above.isLeftOut || skips(path) || isLeftOut(path, true, above.rules)) return { ...above, isLeftOut: true };
    return await withIgnoreFile(folder, above.rules);
  };

  const withIgnoreFile = async (folder: string, rules: IgnoreRules): Promise<Folder> => {
    const file = objects.get(folder + ignoreFileName);
    if (file === undefined) return { isLeftOut: false, rules };
    const path = pathOf(folder).replace(/\/$/, '');
    try {
      return { isLeftOut: false, rules: await rules.with(path, await readText(file)) };
    } catch (error) {
      throwIfAborted(signal);
      // Without knowing the rules nothing may be listed, nor deleted.
      omit(path, 'unreadable', `its ${ignoreFileName} cannot be read: ${(error as Error).message}`);
      return { isLeftOut: true, rules };
    }
  };

  for (const [key, object] of objects) {
    if (key.endsWith(sidecarEnding) || (key.endsWith('/') && object.bytes === 0)) continue;
    throwIfAborted(signal);
    const folder = await enter(parentOf(key));
    const path = pathOf(key);
    if (folder.isLeftOut || isLeftOut(path, false, folder.rules)) continue;
    const sidecar = objects.get(key + sidecarEnding);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!recognises(name)) omit(path, 'unsupported', options.describeOther?.(name) ?? noReader);
    else if (documents.has(path)) omit(path, 'unreadable', twoFormsOfOneName);
    else documents.set(path, { path, object, ...(sidecar && { sidecar }) });
  }
  return { documents: [...documents.values()].sort(byPath), omissions: omissions.sort(byPath) };
}

/** A key as a path of a source. */
export function pathOf(key: string): string {
  return storableText(key).normalize('NFC');
}

/** What is before the last slash, and the slash. */
function parentOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
