import { Problem } from './problem.js';

/** Where a page of documents ends. Opaque to callers: the order it stands for may change. */
export function documentCursor(lastId: string): string {
  return Buffer.from(JSON.stringify({ after: lastId })).toString('base64url');
}

/** @throws `Problem` for anything that {@link documentCursor} has not made. */
export function documentAfter(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  try {
    const { after } = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as { after?: unknown };
    if (typeof after === 'string') return after;
  } catch {
    // Said below.
  }
  throw new Problem('invalid-request', 'The cursor is not one that a page of documents gave.');
}
