import type { ScoredChunk, SearchResult } from '@aquifer/contracts';

/** What a search found, as it crosses between threads: a hundred small objects take 90 µs to copy, one text and one array 10. */
export interface PackedMatches extends Pick<SearchResult, 'method'> {
  /** Of each match, the chunk's id and the document's. No id holds a NUL (`store-checks.ts`). */
  readonly ids: string;
  readonly scores: Float64Array;
}

const between = '\0';

export function packMatches({ matches, method }: SearchResult): PackedMatches {
  const ids = matches.map(({ chunkId, documentId }) => `${chunkId}${between}${documentId}`).join(between);
  return { ids, scores: Float64Array.from(matches, ({ score }) => score), method };
}

export function unpackMatches({ ids, scores, method }: PackedMatches): SearchResult {
  const parts = ids.split(between);
  const matches: ScoredChunk[] = [];
  for (let index = 0; index < scores.length; index++) {
    const [chunkId, documentId] = [parts[2 * index] as string, parts[2 * index + 1] as string];
    matches.push({ chunkId, documentId, score: scores[index] as number });
  }
  return { matches, method };
}
