import { createHash } from 'node:crypto';
import { AquiferError, throwIfAborted } from '@aquifer/contracts';
import { calibrateGraph, leastCandidates, readCalibration, writeCalibration } from './graph-calibration.js';
import { type GraphCoding, graphCoding, namedRows } from './graph-coding.js';
import { watchIndexBuild } from './index-build.js';
import type { PostgresLocation } from './postgres-location.js';
import type { Query, Transactions } from './transactions.js';

/** `auto` builds a graph for 20,000 vectors and more, `hnsw` for any number, `exact` none and uses none. */
export type GraphKind = 'auto' | 'exact' | 'hnsw';

/** Fewer than this are looked at one by one in some 100 ms. */
export const leastGraphVectors = 20_000;

/** A graph that may be used, and how much it must be asked. */
export interface ReadyGraph {
  readonly coding: GraphCoding;
  readonly candidates: number;
}

export interface VectorGraph {
  /** The graph of these dimensions, where there is one that may be used. */
  ready(query: Query, dimensions: number): Promise<ReadyGraph | undefined>;
  /** Builds what is to be built, outside of any transaction; returns why there is none, where one was wanted. */
  bring(options: {
    readonly dimensions: number;
    readonly vectors: number;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
  }): Promise<string | undefined>;
  /** All that there are of the knowledge base: of any embedder, usable or not. */
  names(query: Query): Promise<string[]>;
  /** Drops these, outside of any transaction. */
  drop(): Promise<void>;
}

const slowNote =
  'These vectors have so little structure that looking at every one is as fast as a graph with the same recall: every search is exact.';

/** What the graph keeps of a vector beside it: neighbours in all layers, and the tuples' heads. */
const graphBytesPerVector = 400;
const leastBuildMegabytes = 64;
/** A graph that grows beyond what the server may keep in memory is built ten times as slowly; one build must not take all of a server's. */
const mostBuildMegabytes = 2_048;

/**
 * The HNSW index of one knowledge base: partial, so that neither building nor searching it meets vectors of others. It is made beside
 * readers and writers (`CONCURRENTLY`), and PostgreSQL keeps it up to date.
 */
export function createVectorGraph(parts: {
  readonly transactions: Transactions;
  readonly location: PostgresLocation;
  readonly kind: GraphKind;
}): VectorGraph {
  const { transactions, kind, location } = parts;
  const { tenant, knowledgeBase } = location;
  const owner = createHash('sha256')
    .update(JSON.stringify([tenant, knowledgeBase]))
    .digest('hex')
    .slice(0, 24);
  const coding = (dimensions: number): GraphCoding | undefined => graphCoding(location.graph, dimensions);
  // Dimensions and coding are in the name, so that another embedder's graph is another one.
  const nameOf = (of: GraphCoding): string => `embeddings_graph_${owner}_${of.name}`;
  const find = async (query: Query, name: string) => {
    const [row] = await query('SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)', [
      `aquifer.${name}`,
    ]);
    return row as { readonly valid: boolean } | undefined;
  };

  const build = async (
    query: Query,
    name: string,
    of: GraphCoding,
    vectors: number,
    onProcess: (id: number) => void,
  ) => {
    const needed = Math.ceil((1.2 * vectors * (of.bytes + graphBytesPerVector)) / 2 ** 20);
    const megabytes = Math.min(mostBuildMegabytes, Math.max(leastBuildMegabytes, needed));
    const [session] = await query(
      "SELECT pg_backend_pid() AS id, set_config('maintenance_work_mem', greatest($1::bigint, pg_size_bytes(current_setting('maintenance_work_mem')) / 1024)::text, false)",
      [megabytes * 1_024],
    );
    onProcess(session?.id as number);
    try {
      await query(
        `CREATE INDEX CONCURRENTLY ${name} ON aquifer.embeddings USING hnsw (${of.expression('vector')} ${of.operators})
         WHERE ${namedRows(location)}`,
      );
    } finally {
      await query('RESET maintenance_work_mem').catch(() => {});
    }
  };

  const names = async (query: Query): Promise<string[]> => {
    const rows = await query(
      `SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'aquifer' AND starts_with(indexname, $1)`,
      [`embeddings_graph_${owner}_`],
    );
    return rows.map(({ name }) => name as string);
  };

  return {
    names,
    async drop() {
      for (const name of await transactions.read(names)) {
        await transactions.outside((query) => query(`DROP INDEX CONCURRENTLY IF EXISTS aquifer.${name}`));
      }
    },
    async ready(query, dimensions) {
      const of = coding(dimensions);
      if (kind === 'exact' || of === undefined) return undefined;
      const [found, calibration] = await Promise.all([
        find(query, nameOf(of)),
        readCalibration(query, location, nameOf(of)),
      ]);
      if (found?.valid !== true || calibration?.worthwhile === false) return undefined;
      return { coding: of, candidates: calibration?.candidates ?? leastCandidates };
    },
    async bring({ dimensions, vectors, signal, onProgress }) {
      if (kind === 'exact' || vectors === 0 || (kind === 'auto' && vectors < leastGraphVectors)) return undefined;
      const of = coding(dimensions);
      if (of === undefined) {
        return `an HNSW index takes at most 4,000 dimensions, and these have ${dimensions}: every search is exact (?graph=bit takes more)`;
      }
      const name = nameOf(of);
      const before = await transactions.read((query) => readCalibration(query, location, name));
      if (before?.worthwhile === false && vectors < 2 * before.vectors) return slowNote;
      const missing = await transactions.outside(async (query): Promise<string | undefined> => {
        const lock = [`aquifer ${name}`];
        // Two at once would build the same graph twice; the second one has nothing left to do.
        await query('SELECT pg_advisory_lock(hashtextextended($1, 0))', lock);
        let watch: { stop(): void } | undefined;
        try {
          throwIfAborted(signal);
          const found = await find(query, name);
          if (found?.valid) return undefined;
          // What an interrupted building left is no use to anybody.
          if (found !== undefined) await query(`DROP INDEX CONCURRENTLY aquifer.${name}`);
          await build(query, name, of, vectors, (processId) => {
            // With one connection, nobody can look on.
            if (location.maxConnections === 1) return;
            watch = watchIndexBuild({ transactions, processId, vectors, signal, onProgress });
          });
          return undefined;
        } catch (error) {
          if (signal?.aborted) {
            await query(`DROP INDEX CONCURRENTLY IF EXISTS aquifer.${name}`).catch(() => {});
            throwIfAborted(signal);
          }
          const { code } = error as { code?: string };
          if (code === '42501') {
            return 'this role does not own the table aquifer.embeddings, so it cannot build a graph: every search is exact';
          }
          if (code === '0A000') {
            return 'the table aquifer.embeddings is partitioned, so no graph can be built from here: every search is exact';
          }
          throw error;
        } finally {
          watch?.stop();
          await query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock).catch(() => {});
        }
      });
      if (missing !== undefined || (before !== undefined && vectors < 2 * before.vectors)) return missing;
      const calibration = await calibrateGraph({ transactions, location, coding: of, vectors, signal });
      await transactions.write((query) => writeCalibration(query, location, name, calibration));
      if (calibration.worthwhile) return undefined;
      // It would only make writing slower.
      await transactions.outside((query) => query(`DROP INDEX CONCURRENTLY IF EXISTS aquifer.${name}`));
      return slowNote;
    },
  };
}

/** @throws `invalid-options` */
export function checkGraphKind(kind: string): void {
  if (['auto', 'exact', 'hnsw'].includes(kind)) return;
  throw new AquiferError('invalid-options', `The index must be auto, exact or hnsw, not ${JSON.stringify(kind)}.`);
}
