/** A piece of a document's text that lies in the same chunks throughout. */
export interface ChunkSegment {
  readonly start: number;
  readonly end: number;
  /** Positions in the list of chunks that hold it: none between chunks, two where chunks overlap. */
  readonly chunks: readonly number[];
  /** Chunks that begin here. */
  readonly begins: readonly number[];
}

/** Cuts a text of some length where chunks begin and end. @param chunks in the order of the text. */
export function chunkSegments(
  length: number,
  chunks: readonly { readonly start: number; readonly end: number }[],
): ChunkSegment[] {
  const cuts = [...new Set([0, length, ...chunks.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  const segments: ChunkSegment[] = [];
  let first = 0;
  for (const [index, start] of cuts.slice(0, -1).entries()) {
    const end = cuts[index + 1]!;
    while (first < chunks.length && chunks[first]!.end <= start) first += 1;
    const covering: number[] = [];
    const begins: number[] = [];
    for (let at = first; at < chunks.length && chunks[at]!.start <= start; at++) {
      if (chunks[at]!.end > start) covering.push(at);
      if (chunks[at]!.start === start) begins.push(at);
    }
    segments.push({ start, end, chunks: covering, begins });
  }
  return segments;
}
