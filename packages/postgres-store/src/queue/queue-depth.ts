import type { Query } from '../transactions.js';
import { queueSchema } from './queue-schema.js';

/** Documents that workers have to bring up to date. */
export interface QueueDepth {
  readonly waiting: number;
  /** In work of a worker that lives. */
  readonly running: number;
  /** Processes that take jobs, by the heartbeat that they leave in the database. */
  readonly workers: number;
}

/** Of all tenants: the queue holds references only, which row-level security does not hide. */
export async function queueDepth(query: Query): Promise<QueueDepth> {
  const [there] = await query('SELECT to_regclass($1) AS jobs, to_regclass($2) AS workers', [
    `${queueSchema}.jobs`,
    'aquifer.workers',
  ]);
  // The one is made by the first worker, the other with the first knowledge base.
  if (there?.jobs == null || there.workers == null) return { waiting: 0, running: 0, workers: 0 };
  const [row] = await query(
    `SELECT count(*)::int AS jobs, count(w.id)::int AS running,
       (SELECT count(*) FROM aquifer.workers WHERE alive_until > now())::int AS workers
     FROM ${queueSchema}.jobs j LEFT JOIN aquifer.workers w ON w.id = j.locked_by AND w.alive_until > now()`,
  );
  const { jobs, running, workers } = row as { jobs: number; running: number; workers: number };
  return { waiting: jobs - running, running, workers };
}
