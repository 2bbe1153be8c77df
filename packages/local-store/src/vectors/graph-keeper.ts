import type { StoreStats } from '@aquifer/contracts';
import { calibrate } from './graph-calibration.js';
import { createHnswGraph, type HnswGraph, type HnswLibrary, largestNumber, loadHnswLibrary } from './hnsw-graph.js';
import { type IndexKind, maxRemovedShare, type SearchSituation, wantsGraph } from './search-plan.js';
import type { VectorTable } from './vector-table.js';

export interface GraphKeeperOptions {
  readonly location: string;
  readonly kind: IndexKind;
  readonly savesGraph: boolean;
  readonly encrypted: boolean;
  /** Of the database: a graph of another one is no use. */
  readonly identity: string;
}

export interface GraphBuildOptions {
  readonly generation: number;
  readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void;
  /** Lets searches run; throws when building should stop. */
  readonly pause: () => Promise<void>;
}

/** Owns the graph: loads it when it pays, builds it, keeps it on disk, and forgets it. */
export interface GraphKeeper {
  situation(table: VectorTable): SearchSituation['graph'];
  /** Numbers that the graph finds, and those that it does not hold. */
  search(table: VectorTable, vector: Float32Array, count: number, ef: number): number[];
  /** A search has come: after some of them, the graph on disk is loaded in the background. */
  noteSearch(table: VectorTable): void;
  remove(number: number): void;
  /** The vectors are of other dimensions now. */
  drop(): void;
  /** Whether optimising builds a graph for so many vectors. If not, they need not be in memory for it. */
  isBuilt(vectors: number, dimensions: number): boolean;
  optimise(table: VectorTable, options: GraphBuildOptions): Promise<void>;
  /** Instead of optimising: a graph that is of no use for so many vectors goes. */
  retire(vectors: number, dimensions: number): Promise<void>;
  stats(
    vectors: number,
    dimensions: number,
    numbers: () => readonly number[],
  ): Promise<Omit<StoreStats['index'], 'vectors'>>;
}

/** One question is answered sooner by a scan than by a graph that must be read first. */
const searchesBeforeLoading = 3;

/** How long adding may hold up a search. */
const sliceMs = 8;

/** Progress is for people; telling it more often would only keep the other thread busy. */
const progressMs = 50;

// Most indexes have no graph, and then the modules that read and write one are not loaded.
const snapshots = (): Promise<typeof import('./graph-snapshot.js')> => import('./graph-snapshot.js');

interface OwnedGraph {
  readonly graph: HnswGraph;
  ef: number;
  worthwhile: boolean;
}

export function createGraphKeeper(options: GraphKeeperOptions): GraphKeeper {
  const { location, kind, identity, encrypted } = options;
  let library: HnswLibrary | undefined;
  let active: OwnedGraph | undefined;
  let building: HnswGraph | undefined;
  let loading: Promise<void> | undefined;
  let searches = 0;
  // What the graph does not hold, gathered once for each state of table and graph.
  let pendingOf: { readonly table: VectorTable; readonly revision: number; readonly numbers: number[] } | undefined;

  const wanted = (vectors: number, dimensions: number): boolean => !encrypted && wantsGraph(kind, vectors, dimensions);

  const pending = (table: VectorTable, graph: HnswGraph): number[] => {
    if (pendingOf?.table !== table || pendingOf.revision !== table.revision()) {
      const numbers = [...table.numbers()].filter((number) => !graph.has(number));
      pendingOf = { table, revision: table.revision(), numbers };
    }
    return pendingOf.numbers;
  };

  const use = (owned: OwnedGraph | undefined): void => {
    active = owned;
    pendingOf = undefined;
  };

  const load = async (table: VectorTable): Promise<void> => {
    library ??= loadHnswLibrary();
    if (library === undefined) return;
    const { readGraph, readGraphHeader } = await snapshots();
    const snapshot = await readGraphHeader(location, { identity, dimensions: table.dimensions });
    if (snapshot === undefined) return;
    const graph = await readGraph(location, snapshot, library);
    if (graph === undefined || active !== undefined) return;
    for (const number of [...graph.numbers()]) if (!table.has(number)) graph.remove(number);
    use({ graph, ef: snapshot.header.ef, worthwhile: snapshot.header.worthwhile });
  };
  const loadOnce = (table: VectorTable): Promise<void> => {
    // A graph that cannot be loaded costs time, not answers: the scan goes on serving, and optimising builds another.
    loading ??= load(table).catch(() => {});
    return loading;
  };

  /** Adds what is missing, a slice at a time; vectors that come meanwhile are added too. */
  const fill = async (
    graph: HnswGraph,
    table: VectorTable,
    { onProgress, pause }: GraphBuildOptions,
  ): Promise<void> => {
    let toldAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      const missing = [...table.numbers()].filter((number) => number <= largestNumber && !graph.has(number));
      if (missing.length === 0) return;
      let sliceEnd = performance.now() + sliceMs;
      let added = 0;
      for (const number of missing) {
        const vector = table.vector(number);
        if (vector !== undefined) {
          graph.add(number, vector);
          added++;
        }
        if (performance.now() < sliceEnd) continue;
        if (performance.now() > toldAt + progressMs) {
          toldAt = performance.now();
          onProgress({ done: Math.min(graph.size(), table.size()), total: table.size() });
        }
        await pause();
        sliceEnd = performance.now() + sliceMs;
      }
      // What is left was deleted while the graph grew, and the next search will say so.
      if (added === 0) return;
    }
  };

  return {
    situation(table) {
      if (active === undefined) return undefined;
      const { graph, ef, worthwhile } = active;
      return { pending: pending(table, graph).length, removedShare: graph.removedShare(), ef, worthwhile };
    },
    search(table, vector, count, ef) {
      if (active === undefined) return [];
      return [...active.graph.search(vector, count, ef), ...pending(table, active.graph)];
    },
    noteSearch(table) {
      if (active !== undefined || loading !== undefined || !wanted(table.size(), table.dimensions)) return;
      if (++searches > searchesBeforeLoading) void loadOnce(table);
    },
    remove(number) {
      active?.graph.remove(number);
      building?.remove(number);
    },
    drop() {
      use(undefined);
      building = undefined;
      loading = undefined;
    },

    isBuilt(vectors, dimensions) {
      if (kind !== 'hnsw' || !wanted(vectors, dimensions)) return false;
      library ??= loadHnswLibrary();
      return library !== undefined;
    },

    async retire(vectors, dimensions) {
      if (kind === 'auto' && wanted(vectors, dimensions)) return;
      use(undefined);
      if (options.savesGraph) await (await snapshots()).removeGraphFiles(location);
    },

    async optimise(table, build) {
      if (library === undefined) return;
      await loadOnce(table);
      const before = active;
      const isFresh = before !== undefined && pending(table, before.graph).length === 0;
      if (isFresh && before.graph.removedShare() <= maxRemovedShare) {
        build.onProgress({ done: table.size(), total: table.size() });
        const { dimensions } = table;
        if (options.savesGraph) await (await snapshots()).removeReplacedGraphs(location, { identity, dimensions });
        return;
      }
      // A graph with many removed nodes is built anew beside the one that serves.
      const again = before === undefined || before.graph.removedShare() > maxRemovedShare;
      if (again) building ??= createHnswGraph(library, table.dimensions, Math.ceil(table.size() * 1.1));
      const graph = again ? (building as HnswGraph) : before.graph;
      try {
        await fill(graph, table, build);
      } finally {
        pendingOf = undefined;
      }
      const calibration = await calibrate(graph, table, build.pause);
      use({ graph, ...calibration });
      if (again) building = undefined;
      build.onProgress({ done: table.size(), total: table.size() });
      if (!options.savesGraph) return;
      await (await snapshots()).writeGraphSnapshot(location, graph, {
        identity,
        generation: build.generation,
        ...calibration,
      });
    },

    async stats(vectors, dimensions, numbers) {
      if (encrypted) {
        const asked = kind === 'hnsw' || wantsGraph(kind, vectors, dimensions);
        return { kind: 'exact', ...(asked ? { note: encryptedNote } : {}) };
      }
      if (!wanted(vectors, dimensions)) return { kind: 'exact' };
      library ??= loadHnswLibrary();
      if (library === undefined) return { kind: 'exact', note: missingNote };
      const held = active?.graph ?? (await (await snapshots()).readGraphHeader(location, { identity, dimensions }));
      if (held === undefined) return { kind: 'exact', note: kind === 'auto' ? offeredNote : unbuiltNote };
      const known = 'header' in held ? new Set(held.numbers) : held;
      const worthwhile = 'header' in held ? held.header.worthwhile : active?.worthwhile === true;
      const missing = numbers().filter((number) => !known.has(number)).length;
      if (!worthwhile) return { kind: 'exact', note: slowNote };
      return { kind: 'hnsw', pending: missing };
    },
  };
}

const missingNote =
  'hnswlib-node is not built here, so each search looks at every vector: exact, but slower on large indexes. To build it, run: npm rebuild hnswlib-node --ignore-scripts=false';
const encryptedNote =
  'An encrypted index keeps no graph, because a graph on disk would show what the texts are about; each search looks at every vector.';
const unbuiltNote =
  'The graph is not built yet; each search looks at every vector until the next indexing run has built it.';
const offeredNote =
  'Each search looks at every vector. A graph answers sooner at this size, and takes some minutes and 4 KB of memory a vector to build: for one, index with --index-kind hnsw.';
const slowNote =
  'These vectors have so little structure that looking at every one is faster than a graph with the same recall.';
