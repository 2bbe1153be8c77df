import { hash } from 'node:crypto';

/**
 * Gives new documents their ids: the first 32 hex digits of SHA-256 over source and path. A document keeps its id when
 * its file moves, so the id of a path may be taken; then a number is hashed along with it.
 *
 * @param taken Ids of all documents of this source.
 */
export function createDocumentIds(sourceId: string, taken: Iterable<string>): (path: string) => string {
  const used = new Set(taken);
  return (path) => {
    for (let attempt = 0; ; attempt += 1) {
      const name = attempt === 0 ? `${sourceId}\n${path}` : `${sourceId}\n${path}\n${attempt}`;
      const id = hash('sha256', name, 'hex').slice(0, 32);
      if (used.has(id)) continue;
      used.add(id);
      return id;
    }
  };
}
