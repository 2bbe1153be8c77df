import { hostname } from 'node:os';
import type { Transactions } from '../transactions.js';
import { markOf, queueSchema } from './queue-schema.js';

/** Where workers say that they live, and whose jobs are free again because they do not say so any more. */
export interface WorkerRegistry {
  /** Puts off the end of this worker, by the server's clock. */
  beat(id: string, concurrency: number): Promise<void>;
  /** Frees jobs that are locked for this worker though it has not got them: the answer was lost on its way. */
  freeJobsOf(id: string, inWork: readonly string[]): Promise<void>;
  /** Frees the jobs of workers that are dead: at once where they are known, else once they have had a job for that long. */
  freeJobsOfDead(): Promise<void>;
  leave(id: string): Promise<void>;
}

export function createWorkerRegistry(
  transactions: Transactions,
  deadAfterMs: number,
  /** Those whose jobs this worker takes. Default: all. */
  tenants: readonly string[] | undefined,
): WorkerRegistry {
  return {
    beat: (id, concurrency) =>
      transactions.write(async (query) => {
        await query(
          `INSERT INTO aquifer.workers (id, host, process, concurrency, alive_until, tenants)
           VALUES ($1, $2, $3, $4, now() + $5 * interval '1 millisecond', $6)
           ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`,
          [id, hostname(), process.pid, concurrency, deadAfterMs, tenants?.map(markOf) ?? null],
        );
      }),

    freeJobsOf: (id, inWork) =>
      transactions.write(async (query) => {
        await query(
          `UPDATE ${queueSchema}._private_jobs SET locked_by = NULL, locked_at = NULL
           WHERE locked_by = $1 AND locked_at < now() - $2 * interval '1 millisecond' AND NOT id = ANY($3::bigint[])`,
          [id, deadAfterMs, inWork],
        );
      }),

    freeJobsOfDead: () =>
      transactions.write(async (query) => {
        await query(
          `SELECT ${queueSchema}.force_unlock_workers(array_agg(DISTINCT j.locked_by))
           FROM ${queueSchema}.jobs j LEFT JOIN aquifer.workers w ON w.id = j.locked_by
           WHERE j.locked_by IS NOT NULL AND (w.alive_until < now()
             OR (w.id IS NULL AND j.locked_at < now() - $1 * interval '1 millisecond'))`,
          [deadAfterMs],
        );
        await query("DELETE FROM aquifer.workers WHERE alive_until < now() - interval '1 hour'");
      }),

    leave: (id) =>
      transactions.write(async (query) => {
        await query(`SELECT ${queueSchema}.force_unlock_workers(ARRAY[$1::text])`, [id]);
        await query('DELETE FROM aquifer.workers WHERE id = $1', [id]);
      }),
  };
}
