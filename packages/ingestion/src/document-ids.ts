import { hash } from 'node:crypto';

/** The id of a path, or, where that is taken by a document that moved, the next one to try. */
export function documentIdOf(sourceId: string, path: string, attempt: number): string {
  const name = attempt === 0 ? `${sourceId}\n${path}` : `${sourceId}\n${path}\n${attempt}`;
  return hash('sha256', name, 'hex').slice(0, 32);
}

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
      const id = documentIdOf(sourceId, path, attempt);
      if (used.has(id)) continue;
      used.add(id);
      return id;
    }
  };
}
