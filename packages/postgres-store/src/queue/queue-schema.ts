import { hash } from 'node:crypto';
import pg from 'pg';
import { describeDatabaseError } from '../database-errors.js';
import type { PostgresLocation } from '../postgres-location.js';
import type { Query } from '../transactions.js';

/** The schema that graphile-worker keeps its jobs in. */
export const queueSchema = 'aquifer_queue';
export const taskName = 'index-document';
/** How often a job is tried is counted by Aquifer, which does not count what was handed back. */
const queueAttempts = 1_000;

/** What the queue knows of a job: where its row is. */
export interface JobReference {
  readonly tenant: string;
  readonly knowledgeBase: string;
  readonly documentId: string;
  readonly revision: string;
}

/** Marks the jobs of one knowledge base, so that a worker can leave them to others. */
export const flagOf = ({ tenant, knowledgeBase }: Pick<JobReference, 'tenant' | 'knowledgeBase'>): string =>
  hash('sha256', JSON.stringify([tenant, knowledgeBase]), 'hex').slice(0, 32);

/** Stands for a tenant where other tenants can see it. */
export const markOf = (tenant: string): string => hash('sha256', tenant, 'hex').slice(0, 32);

/** One waiting job a document: the key under which the queue replaces it. */
export const keyOf = ({ tenant, knowledgeBase, documentId }: Omit<JobReference, 'revision'>): string =>
  hash('sha256', JSON.stringify([tenant, knowledgeBase, documentId]), 'hex');

/** Puts jobs into the queue, in the caller's transaction: the first of them first. */
export async function addJobs(query: Query, jobs: readonly JobReference[]): Promise<void> {
  if (jobs.length === 0) return;
  await query(
    `SELECT count(*) FROM ${queueSchema}.add_jobs(ARRAY(
       SELECT ROW($1, n.payload::json, NULL, now() + n.number * interval '1 microsecond', ${queueAttempts}, n.key, 0, ARRAY[n.flag])::${queueSchema}.job_spec
       FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS n (payload, key, flag, number) ORDER BY n.number))`,
    [
      taskName,
      jobs.map(({ tenant, knowledgeBase, documentId, revision }) =>
        JSON.stringify({ tenant, knowledgeBase, documentId, revision }),
      ),
      jobs.map(keyOf),
      jobs.map(flagOf),
    ],
  );
}

/** Takes jobs out of the queue; those in work end without being tried again. */
export async function removeJobs(query: Query, jobs: readonly Omit<JobReference, 'revision'>[]): Promise<void> {
  await query(`SELECT count(${queueSchema}.remove_job(key)) FROM unnest($1::text[]) AS n (key)`, [jobs.map(keyOf)]);
}

/** Any number that other programs in the same database are unlikely to lock. */
const lockNumber = 7_239_140_552;

/** A pool for graphile-worker, which wants one of its own. */
export function createQueuePool({ connectionString, maxConnections }: PostgresLocation, max: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    connectionTimeoutMillis: 10_000,
    application_name: 'aquifer queue',
    max: Math.max(2, Math.min(max, maxConnections ?? max)),
  });
  // A connection that breaks is replaced by the next that is needed.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/**
 * Makes the queue's tables, or brings them up to date. Any number of processes may do it at once.
 *
 * @throws `index-unavailable`, `index-read-only`
 */
export async function prepareQueue(pool: pg.Pool, shown: string): Promise<void> {
  const { runMigrations } = await import('graphile-worker');
  try {
    const client = await pool.connect();
    try {
      await client.query('SELECT pg_advisory_lock($1)', [lockNumber]);
      await runMigrations({ pgPool: pool, schema: queueSchema, noHandleSignals: true, logger: await silentLogger() });
    } finally {
      // Ends the session, and the lock with it.
      client.release(true);
    }
  } catch (error) {
    throw describeDatabaseError(error, shown);
  }
}

/** graphile-worker prints a line a job; what matters of it is reported by the worker itself. */
export async function silentLogger() {
  const { Logger } = await import('graphile-worker');
  return new Logger(() => () => {});
}
