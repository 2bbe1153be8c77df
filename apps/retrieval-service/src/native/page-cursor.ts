import { z } from '@hono/zod-openapi';
import { Problem } from './problem.js';

/** What every listing takes. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.string().max(4_096).optional().describe('What the page before gave as nextCursor'),
});

/** Where a page ends. Opaque to callers: the order it stands for may change. */
export function pageCursor(last: string): string {
  return Buffer.from(JSON.stringify({ after: last })).toString('base64url');
}

/** @throws `Problem` for anything that {@link pageCursor} has not made. */
export function cursorAfter(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  try {
    const { after } = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as { after?: unknown };
    if (typeof after === 'string') return after;
  } catch {
    // Said below.
  }
  throw new Problem('invalid-request', 'The cursor is not one that a page of this listing gave.');
}
