import type { SourceItem } from '@aquifer/contracts';
import { storableText } from './storable-text.js';

/** A title longer than this is not a title; it would crowd the text out of every chunk. */
const maxTitleCharacters = 200;

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A file name as people would say it: `people/leave-policy_2025.pdf` becomes `leave policy 2025`. */
export function readableFileName(path: string): string {
  const name = fileName(path);
  const dot = name.lastIndexOf('.');
  const stem = dot > 0 ? name.slice(0, dot) : name;
  return tidy(stem.replace(/[-_]+/g, ' ')) || name;
}

/**
 * The source's own title, else the file's, else one made of the file name. A source that gives the empty title says that there
 * is none: paths such as `4711` are keys, and would only be noise in front of every chunk.
 */
export function documentTitle(item: Pick<SourceItem, 'path' | 'title'>, extractedTitle: string | undefined): string {
  const title = tidy(item.title ?? '') || tidy(extractedTitle ?? '');
  return title === '' && item.title === undefined ? readableFileName(item.path) : title;
}

function tidy(title: string): string {
  const oneLine = storableText(title)
    .replace(/[\s\ufffd]+/g, ' ')
    .trim();
  return oneLine.length <= maxTitleCharacters
    ? oneLine
    : Array.from(oneLine).slice(0, maxTitleCharacters).join('').trim();
}
