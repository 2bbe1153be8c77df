import { isAquiferError } from '@aquifer/contracts';
import type { PostgresLocation } from './postgres-location.js';
import { createTransactions, type Query, type Transactions } from './transactions.js';

export interface ReplicaReads {
  /** Runs a search: on the replica where it can answer it, else on the primary. */
  read<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  /** Runs what writes, and remembers how far the replica has to be before it may answer the next search. */
  write<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** A replica that did not answer, or is behind, is left in peace for so long. */
const restMs = 5_000;
/** Changes that came in but are not shown yet, where the last one that is shown is so old. */
const mostLagSeconds = 30;

const behind = Symbol('behind');

/**
 * Searches on a read replica. A search sees everything that this process wrote before it: until the replica has replayed that far, the primary
 * answers. The primary answers too while the replica is behind or gone, and `onWarning` is told when that begins.
 */
export function createReplicaReads(options: {
  readonly primary: Transactions;
  readonly location: PostgresLocation;
  readonly onWarning?: ((message: string) => void) | undefined;
}): ReplicaReads | undefined {
  const { primary, location, onWarning } = options;
  const { replica: replicaLocation } = location;
  if (replicaLocation === undefined) return undefined;
  const replica = createTransactions({
    location: { ...location, ...replicaLocation },
    patienceMs: 0,
    connectTimeoutMs: 2_000,
  });
  /** Of the primary's log: what this process wrote is before it. */
  let written: string | undefined;
  let restUntil = 0;
  let wasTold = false;
  const fallBack = (reason: string): void => {
    restUntil = performance.now() + restMs;
    if (wasTold) return;
    wasTold = true;
    onWarning?.(
      `The replica ${replicaLocation.shown} ${reason}: searches go to the primary until it can answer again.`,
    );
  };

  return {
    async read(work) {
      if (performance.now() < restUntil) return primary.read(work);
      try {
        const found = await replica.read(async (query) => {
          const [state] = await query(
            `SELECT NOT pg_is_in_recovery() OR $1::pg_lsn IS NULL OR pg_last_wal_replay_lsn() >= $1::pg_lsn AS holds_own,
               pg_is_in_recovery() AND pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()
                 AND now() - pg_last_xact_replay_timestamp() > make_interval(secs => $2) AS lags`,
            [written ?? null, mostLagSeconds],
          );
          if (state?.lags === true) {
            fallBack('is behind');
            return behind;
          }
          return state?.holds_own === true ? await work(query) : behind;
        });
        if (found !== behind) {
          wasTold = false;
          return found;
        }
      } catch (error) {
        // A query that is wrong is wrong everywhere; everything else may be the replica's own trouble.
        if (
          isAquiferError(error) &&
          !['index-unavailable', 'index-not-found', 'embedder-mismatch', 'internal'].includes(error.code)
        )
          throw error;
        fallBack(`cannot answer (${(error as Error).message})`);
      }
      return primary.read(work);
    },
    async write(work) {
      const result = await primary.write(work);
      const [log] = await primary.read((query) => query('SELECT pg_current_wal_lsn()::text AS position'));
      written = log?.position as string;
      return result;
    },
    close: () => replica.close(),
  };
}
