import type { ScoredChunk } from '@aquifer/contracts';
import type { Row } from './transactions.js';

/**
 * The `limit` best of rows with `id`, `document_id` and `score`. PostgreSQL gives all that tie with the last one, because its order of
 * strings is by code point and that of the contract by UTF-16 unit.
 */
export function rankMatches(rows: readonly Row[], limit: number): ScoredChunk[] {
  return rows
    .map((row) => ({
      chunkId: row.id as string,
      documentId: row.document_id as string,
      score: row.score as number,
    }))
    .sort((left, right) => right.score - left.score || (left.chunkId < right.chunkId ? -1 : 1))
    .slice(0, limit);
}
