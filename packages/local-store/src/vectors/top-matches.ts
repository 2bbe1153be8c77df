import type { ScoredChunk } from '@aquifer/contracts';
import type { SqlDatabase } from '../database/sqlite-driver.js';
import { createHighestScores } from './highest-scores.js';

/** Chunk numbers with their scores, in no order. */
export interface Candidates {
  readonly numbers: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  readonly length: number;
}

/**
 * The `limit` best candidates, ties broken by chunk id: exactly `min(limit, length)` of them. Ids are looked up only for
 * the winners and for those who tie with the last of them.
 */
export function topMatches(
  candidates: Candidates,
  limit: number,
  idsOf: (numbers: readonly number[]) => Map<number, ChunkIds>,
): ScoredChunk[] {
  const { numbers, scores, length } = candidates;
  const threshold = length > limit ? nthBest(scores, length, limit) : Number.NEGATIVE_INFINITY;
  const winners: { number: number; score: number }[] = [];
  for (let index = 0; index < length; index++) {
    const score = scores[index] as number;
    if (score >= threshold) winners.push({ number: numbers[index] as number, score });
  }
  const ids = idsOf(winners.map((winner) => winner.number));
  return winners
    .map(({ number, score }) => {
      const { chunkId, documentId } = ids.get(number) as ChunkIds;
      return { chunkId, documentId, score };
    })
    .sort((left, right) => right.score - left.score || (left.chunkId < right.chunkId ? -1 : 1))
    .slice(0, limit);
}

function nthBest(scores: ArrayLike<number>, length: number, rank: number): number {
  const highest = createHighestScores(rank);
  for (let index = 0; index < length; index++) highest.add(scores[index] as number);
  return highest.lowest();
}

type ChunkIds = Pick<ScoredChunk, 'chunkId' | 'documentId'>;

/** Some 20 MB of them. */
const mostKnownIds = 100_000;

/** Looks up the ids of chunks and of their documents by number, and remembers them: no number is ever that of another chunk. */
export function createChunkIdLookup(database: SqlDatabase): (numbers: readonly number[]) => Map<number, ChunkIds> {
  const select = database.prepare(
    `SELECT chunks.number, chunks.id, documents.id AS document_id FROM chunks JOIN documents ON documents.number = chunks.document
     WHERE chunks.number IN (SELECT value FROM json_each(?)) ORDER BY chunks.number`,
  );
  const known = new Map<number, ChunkIds>();
  return (numbers) => {
    if (known.size > mostKnownIds) known.clear();
    const missing = numbers.filter((number) => !known.has(number));
    if (missing.length > 0) {
      for (const row of select.rows(JSON.stringify(missing))) {
        const [number, chunkId, documentId] = row as [number, string, string];
        known.set(number, { chunkId, documentId });
      }
    }
    return known;
  };
}
