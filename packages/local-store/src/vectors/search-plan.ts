/**
 * Which kind of vector index to keep. `hnsw` builds a graph; `auto` builds none, and uses one that `hnsw` has left where looking at every
 * vector takes long; `exact` looks at every vector.
 */
export type IndexKind = 'auto' | 'exact' | 'hnsw';

/**
 * Numbers (vectors × dimensions) up to which `auto` uses no graph. An exact scan passes some 9 million numbers a
 * millisecond, so this is about 25 ms (bench/exact-scan.mjs). Beyond, building one takes 2 ms and 4 KB of memory a vector, more
 * than everything else that indexing does, so it is built only where it is asked for.
 */
const exactNumbers = 200_000_000;

/** Whether a graph for so many vectors is used. */
export function wantsGraph(kind: IndexKind, vectors: number, dimensions: number): boolean {
  return kind === 'hnsw' ? vectors > 0 : kind === 'auto' && vectors * dimensions > exactNumbers;
}

/** What the planner knows of a search and of the graph. */
export interface SearchSituation {
  /** All vectors, and those that the filter lets through. */
  readonly vectors: number;
  readonly matching: number;
  readonly limit: number;
  readonly exact: boolean;
  readonly graph?: {
    /** Vectors that it does not hold; they are scanned. */
    readonly pending: number;
    readonly removedShare: number;
    /** What the calibration chose. */
    readonly ef: number;
    readonly worthwhile: boolean;
  };
}

export type SearchPlan =
  | { readonly method: 'exact' }
  /** Ask the graph for `count` candidates with this `ef`, and scan what it does not hold. */
  | { readonly method: 'graph'; readonly count: number; readonly ef: number };

/** Largest share of vectors that may be missing from the graph before scanning them costs more than it saves. */
const maxPendingShare = 0.2;

/** Filters that let through less than this are scanned: neighbours in a graph share subjects, and so do filters. */
const minMatchingShare = 0.5;

/** Removed nodes share the graph's answers until it is built anew. */
export const maxRemovedShare = 0.3;

/** The largest ef that is still faster than a scan on some index. */
export const largestEf = 2_048;

/** The cheapest way to answer that keeps recall. */
export function planSearch(situation: SearchSituation): SearchPlan {
  const { vectors, matching, limit, exact, graph } = situation;
  if (exact || graph === undefined || !graph.worthwhile || matching === 0) return { method: 'exact' };
  if (graph.pending > vectors * maxPendingShare || graph.removedShare > maxRemovedShare) return { method: 'exact' };
  if (matching < vectors * minMatchingShare) return { method: 'exact' };
  // Twice as many as are wanted, and those that the filter will drop.
  const count = Math.ceil((2 * limit * vectors) / matching) + 10;
  const ef = Math.max(Math.ceil((graph.ef * vectors) / matching), count);
  return ef > largestEf || ef * 8 > vectors ? { method: 'exact' } : { method: 'graph', count: ef, ef };
}
