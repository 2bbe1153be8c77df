import { checkRecord, type DocumentRecord } from '@aquifer/contracts';
import { recordText } from '../document-rows.js';
import { lockWriting } from '../embedder-fence.js';
import { parsePostgresLocation } from '../postgres-location.js';
import { createTransactions, type Query } from '../transactions.js';
import { addJobs, createQueuePool, markOf, prepareQueue, removeJobs } from './queue-schema.js';

/** A document that workers are to bring up to date. */
export interface JobToEnqueue {
  /** As the knowledge base shows it until then: `pending`. */
  readonly document: DocumentRecord;
  /** As it was, where it is there already: what comes back when the job fails for good. */
  readonly before?: DocumentRecord | undefined;
  /** What a worker needs to know; JSON. */
  readonly work: unknown;
}

/** What became of a job. */
export interface EndedJob {
  readonly documentId: string;
  /** `failed`: given up, for the reason in `note`, which the document has as well. */
  readonly ended: 'done' | 'failed';
  /** What the worker made of a job that is done; JSON. */
  readonly outcome: unknown;
  readonly note: string | undefined;
}

/** Of one knowledge base, but for the workers, which take jobs of all. */
export interface QueueCounts {
  readonly waiting: number;
  readonly running: number;
  /** Given up, until the document is indexed after all: the dead letters. */
  readonly failed: number;
  /** Processes that take jobs of this tenant, by the heartbeat that they leave in the database. */
  readonly workers: number;
  /** Why a job was last given back or failed, where one that waits was. */
  readonly note?: string;
}

/** The jobs of one knowledge base in PostgreSQL. */
export interface IngestionQueue {
  /** Those that take jobs of this tenant. */
  workersAlive(): Promise<number>;
  counts(): Promise<QueueCounts>;
  /** Records the documents as they are given, and their jobs, in the same transaction. The first job is the first to be taken. */
  enqueue(jobs: readonly JobToEnqueue[], run?: string): Promise<void>;
  /** Jobs of a run that ended; each is given once. */
  collect(run: string): Promise<EndedJob[]>;
  /** Jobs of a run that have not ended. */
  left(run: string): Promise<number>;
  /** Takes back the jobs of a run that no living worker has in work; returns the ids of their documents. */
  withdraw(run: string): Promise<string[]>;
  /** Nobody waits for the jobs of a run any more: they go on without it. */
  leave(run: string): Promise<void>;
  close(): Promise<void>;
}

const jobsPerTransaction = 500;
const ofOwn = 'tenant = $1 AND knowledge_base = $2';
const isAlive = 'EXISTS (SELECT FROM aquifer.workers w WHERE w.id = j.worker AND w.alive_until > now())';

/**
 * The queue beside the index at a location. The schema of the index has to be there.
 *
 * @example
 * const queue = createIngestionQueue('postgres://aquifer@db.internal/aquifer?name=handbook');
 * const { waiting, running } = await queue.counts();
 * await queue.close();
 */
export function createIngestionQueue(address: string): IngestionQueue {
  const location = parsePostgresLocation(address);
  const { tenant, knowledgeBase } = location;
  const own = [tenant, knowledgeBase];
  const transactions = createTransactions({ location });

  let preparing: Promise<void> | undefined;
  const prepare = (): Promise<void> => {
    preparing ??= (async () => {
      const pool = createQueuePool(location, 2);
      await prepareQueue(pool, location.shown).finally(() => pool.end());
    })();
    return preparing;
  };

  async function put(query: Query, jobs: readonly JobToEnqueue[], run: string | undefined): Promise<void> {
    await query(lockWriting(location, 'shared'));
    await query(
      `INSERT INTO aquifer.documents (tenant, knowledge_base, id, source_id, status, record, attributes)
       SELECT $1, $2, n.id, n.source_id, n.status, n.record, n.attributes::jsonb
       FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) AS n (id, source_id, status, record, attributes)
       ON CONFLICT (tenant, knowledge_base, id) DO UPDATE SET source_id = excluded.source_id, status = excluded.status,
         record = excluded.record, attributes = excluded.attributes`,
      [
        ...own,
        jobs.map(({ document }) => document.id),
        jobs.map(({ document }) => document.sourceId),
        jobs.map(({ document }) => document.status),
        jobs.map(({ document }) => recordText(document)),
        jobs.map(({ document }) => JSON.stringify(document.metadata)),
      ],
    );
    const rows = await query(
      `INSERT INTO aquifer.ingestion_jobs AS j (tenant, knowledge_base, document_id, runs, work, record_before)
       SELECT $1, $2, n.id, $6::text[], n.work, n.record_before
       FROM unnest($3::text[], $4::text[], $5::text[]) AS n (id, work, record_before)
       ON CONFLICT (tenant, knowledge_base, document_id) DO UPDATE SET revision = excluded.revision, work = excluded.work,
         runs = (j.runs || excluded.runs)[greatest(1, cardinality(j.runs) - 3):],
         record_before = CASE WHEN j.ended IS NULL THEN coalesce(j.record_before, excluded.record_before) ELSE excluded.record_before END,
         attempts = 0, worker = NULL, note = NULL, ended = NULL, outcome = NULL, enqueued_at = now(), started_at = NULL, ended_at = NULL
       RETURNING document_id, revision`,
      [
        ...own,
        jobs.map(({ document }) => document.id),
        jobs.map(({ work }) => JSON.stringify(work)),
        jobs.map(({ before }) => (before === undefined ? null : recordText(before))),
        run === undefined ? [] : [run],
      ],
    );
    const revisions = new Map(rows.map((row) => [row.document_id, String(row.revision)]));
    await addJobs(
      query,
      jobs.map(({ document: { id } }) => ({
        tenant,
        knowledgeBase,
        documentId: id,
        revision: revisions.get(id) ?? '',
      })),
    );
    await query(`UPDATE aquifer.knowledge_bases SET generation = generation + 1 WHERE ${ofOwn}`, own);
  }

  const workersAlive = async (query: Query): Promise<number> => {
    const [row] = await query(
      'SELECT count(*)::int AS workers FROM aquifer.workers WHERE alive_until > now() AND (tenants IS NULL OR $1 = ANY(tenants))',
      [markOf(tenant)],
    );
    return row?.workers as number;
  };

  return {
    workersAlive: () => transactions.read(workersAlive),

    counts: () =>
      transactions.read(async (query) => {
        const [open] = await query(
          `SELECT count(*) FILTER (WHERE NOT ${isAlive})::int AS waiting, count(*) FILTER (WHERE ${isAlive})::int AS running,
             (array_agg(note ORDER BY started_at DESC NULLS LAST) FILTER (WHERE note IS NOT NULL))[1] AS note
           FROM aquifer.ingestion_jobs j WHERE ${ofOwn} AND ended IS NULL`,
          own,
        );
        const [dead] = await query(
          `SELECT count(*)::int AS failed FROM aquifer.ingestion_jobs WHERE ${ofOwn} AND ended IS NOT NULL AND ended = 'failed'`,
          own,
        );
        return {
          waiting: open?.waiting as number,
          running: open?.running as number,
          failed: dead?.failed as number,
          workers: await workersAlive(query),
          ...(open?.note == null ? {} : { note: open.note as string }),
        };
      }),

    async enqueue(jobs, run) {
      for (const { document } of jobs) checkRecord(document);
      await prepare();
      for (let start = 0; start < jobs.length; start += jobsPerTransaction) {
        const batch = jobs.slice(start, start + jobsPerTransaction);
        await transactions.write((query) => put(query, batch, run));
      }
    },

    collect: (run) =>
      transactions.write(async (query) => {
        const rows = await query(
          `WITH mine AS (
             UPDATE aquifer.ingestion_jobs SET runs = array_remove(runs, $3)
             WHERE ${ofOwn} AND ended IS NOT NULL AND $3 = ANY(runs)
             RETURNING document_id, ended, outcome, note)
           SELECT document_id, ended, outcome, note FROM mine`,
          [...own, run],
        );
        await dropCollected(query);
        return rows.map((row) => ({
          documentId: row.document_id as string,
          ended: row.ended as EndedJob['ended'],
          outcome: row.outcome === null ? undefined : JSON.parse(row.outcome as string),
          note: (row.note as string | null) ?? undefined,
        }));
      }),

    left: (run) =>
      transactions.read(async (query) => {
        const [row] = await query(
          `SELECT count(*)::int AS jobs FROM aquifer.ingestion_jobs WHERE ${ofOwn} AND ended IS NULL AND $3 = ANY(runs)`,
          [...own, run],
        );
        return row?.jobs as number;
      }),

    withdraw: (run) =>
      transactions.write(async (query) => {
        const rows = await query(
          `DELETE FROM aquifer.ingestion_jobs j
           WHERE ${ofOwn} AND ended IS NULL AND runs = ARRAY[$3] AND NOT ${isAlive} RETURNING document_id`,
          [...own, run],
        );
        const ids = rows.map((row) => row.document_id as string);
        await removeJobs(
          query,
          ids.map((documentId) => ({ tenant, knowledgeBase, documentId })),
        );
        // Another run waits for these, too: they stay for whoever comes, and doing them twice does no harm.
        const shared = await query(
          `UPDATE aquifer.ingestion_jobs j SET runs = array_remove(runs, $3)
           WHERE ${ofOwn} AND ended IS NULL AND $3 = ANY(runs) AND NOT ${isAlive} RETURNING document_id`,
          [...own, run],
        );
        return [...ids, ...shared.map((row) => row.document_id as string)];
      }),

    leave: (run) =>
      transactions.write(async (query) => {
        await query(
          `UPDATE aquifer.ingestion_jobs SET runs = array_remove(runs, $3) WHERE ${ofOwn} AND $3 = ANY(runs)`,
          [...own, run],
        );
        await dropCollected(query);
      }),

    close: () => transactions.close(),
  };

  /** What is done needs no row once nobody waits for it. Failures stay: they are the dead letters. */
  async function dropCollected(query: Query): Promise<void> {
    await query(
      `DELETE FROM aquifer.ingestion_jobs WHERE ${ofOwn} AND ended IS NOT NULL AND ended = 'done' AND cardinality(runs) = 0`,
      own,
    );
  }
}
