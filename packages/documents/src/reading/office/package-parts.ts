import { childrenOf, parseXml, xmlAttribute } from '../parse-xml.js';
import type { ZipParts } from '../zip-archive.js';

/** What a part refers to, by relationship id. */
export interface Relationship {
  /** The last word of the type's address, such as "slide" or "chart". */
  readonly type: string;
  /** Path of the part, such as "ppt/slides/slide1.xml". */
  readonly path: string;
}

/** The relationships of a part to other parts of its package (ECMA-376 part 2, 6.5), in order. */
export function relationshipsOf(parts: ZipParts, path: string, name: string): ReadonlyMap<string, Relationship> {
  const slash = path.lastIndexOf('/') + 1;
  const part = `${path.slice(0, slash)}_rels/${path.slice(slash)}.rels`;
  const bytes = parts.get(part);
  const found = new Map<string, Relationship>();
  if (!bytes) return found;
  for (const element of childrenOf(parseXml(bytes, { name, part }), 'Relationship')) {
    const id = xmlAttribute(element, 'Id');
    const target = xmlAttribute(element, 'Target');
    if (id === undefined || target === undefined || xmlAttribute(element, 'TargetMode') === 'External') continue;
    const type = (xmlAttribute(element, 'Type') ?? '').split('/').at(-1) ?? '';
    found.set(id, { type, path: resolvePath(path, target) });
  }
  return found;
}

/** The path of a part that another part names relative to itself. */
export function resolvePath(from: string, target: string): string {
  const segments = target.startsWith('/') ? [] : from.split('/').slice(0, -1);
  for (const segment of target.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.join('/');
}
