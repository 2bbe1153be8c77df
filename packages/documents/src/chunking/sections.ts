import type { Block } from '@aquifer/contracts';
import { graphemeCut } from '@aquifer/text-analysis';

/** Headings longer than this are shortened where they say what a chunk is about; the slice holds them whole. */
const maxHeadingLength = 200;

/** A heading and what is under it, or the whole document: the root has level 0 and no heading. */
export interface Section {
  readonly parent: Section | undefined;
  readonly level: number;
  readonly heading: string;
}

export function rootSection(): Section {
  return { parent: undefined, level: 0, heading: '' };
}

/** The section that a heading opens when it follows text of section `current`. */
export function openSection(current: Section, text: string, block: Block): Section {
  const level = Math.min(6, Math.max(1, block.level ?? 1));
  let parent = current;
  while (parent.level >= level && parent.parent !== undefined) parent = parent.parent;
  return { parent, level, heading: shorten(text.slice(block.start, block.end), maxHeadingLength) };
}

/** The innermost section that holds both. Of two places in a document it then holds everything between them. */
export function commonSection(first: Section, last: Section): Section {
  const ancestors = new Set<Section>();
  for (let section: Section | undefined = first; section; section = section.parent) ancestors.add(section);
  let section = last;
  while (!ancestors.has(section)) section = section.parent!;
  return section;
}

/** Whether `section` is `other` or holds it. */
export function isWithin(other: Section, section: Section): boolean {
  let current: Section | undefined = other;
  while (current !== undefined && current !== section) current = current.parent;
  return current === section;
}

/** From the outermost heading to the innermost. */
export function headingPath(section: Section): string[] {
  const path: string[] = [];
  for (let current: Section | undefined = section; current?.parent; current = current.parent) {
    if (current.heading !== '') path.unshift(current.heading);
  }
  return path;
}

/** One line of at most `limit` UTF-16 units, ending in … where something is missing. Looks only at the beginning of the text. */
export function shorten(text: string, limit: number): string {
  const line = text
    .slice(0, limit * 4)
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= limit && text.length <= limit * 4) return line;
  return line.length === 0 ? '' : `${line.slice(0, graphemeCut(line, Math.min(limit - 1, line.length))).trimEnd()}…`;
}
