import { setTimeout as wait } from 'node:timers/promises';
import { AquiferError, type DocumentRecord, isAquiferError } from '@aquifer/contracts';
import type { Runner } from 'graphile-worker';
import { isPassing } from '../database-errors.js';
import { documentFromRow, recordText } from '../document-rows.js';
import { lockWriting } from '../embedder-fence.js';
import { migrate } from '../migrations.js';
import { parsePostgresLocation } from '../postgres-location.js';
import { createTransactions, type Query } from '../transactions.js';
import { claimed, claimKeys, claimLost, type JobClaim } from './job-claim.js';
import {
  addJobs,
  createQueuePool,
  flagOf,
  type JobReference,
  prepareQueue,
  queueSchema,
  silentLogger,
  taskName,
} from './queue-schema.js';
import { createWorkerRegistry } from './worker-registry.js';

export type { JobClaim };

export interface TakenJob {
  readonly tenant: string;
  readonly knowledgeBase: string;
  readonly documentId: string;
  /** What was enqueued with it. */
  readonly work: unknown;
  /** This one included. */
  readonly attempts: number;
  /** For the store: see `PostgresStore.claimedBy`. */
  readonly claim: JobClaim;
}

/** How a job ended in a worker. */
export type JobEnd =
  | { readonly kind: 'done'; readonly outcome: unknown }
  /** This worker cannot do jobs of this knowledge base: it leaves them to others for a while. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Stopped in the middle, by the signal. */
  | { readonly kind: 'handed-back' };

export interface JobTrouble {
  readonly message: string;
  /** Absent where it is trouble with the queue itself. */
  readonly job?: TakenJob;
  /** `retry`: it is tried again. `dead`: it is given up. `refused`: it is left to other workers. */
  readonly how?: 'retry' | 'dead' | 'refused';
}

export interface JobWorkerOptions {
  /** The database. Jobs of every knowledge base in it are taken, whichever the address names. */
  readonly location: string;
  /** Whose jobs are taken; none that names nobody. Default: those of all tenants. */
  readonly tenants?: readonly string[] | undefined;
  /** Jobs at a time. */
  readonly concurrency: number;
  /**
   * Does one job, whose effect must be the same done once or twice: a worker that is killed does not say how far it was. An error that it throws
   * ends the attempt; another follows, later each time.
   */
  readonly work: (job: TakenJob, signal: AbortSignal) => Promise<JobEnd>;
  /** Told of jobs that failed, and of trouble with the queue itself. */
  readonly onTrouble?: (trouble: JobTrouble) => void;
  /** A worker that gave no sign for this long is dead, and its jobs go to others. Default 20,000. */
  readonly deadAfterMs?: number | undefined;
  /** After so many failures, or deaths of workers, a document is given up. Default 4. */
  readonly maxAttempts?: number | undefined;
  /** How long jobs in work may go on after `stop`. Default 2,500. */
  readonly graceMs?: number | undefined;
  /** How long jobs of a knowledge base that was refused are left to others. Default 60,000. */
  readonly refusalMs?: number | undefined;
  /** How often the queue is looked at where no notification came. Default 2,000. */
  readonly pollMs?: number | undefined;
}

export interface JobWorker {
  readonly id: string;
  /** Takes no more jobs; those in work end or, after `graceMs`, go back. Idempotent. */
  stop(): Promise<void>;
  /** Resolves after `stop`; rejects where the queue could not be asked any more. */
  readonly ended: Promise<void>;
}

const defaults = { deadAfterMs: 20_000, maxAttempts: 4, graceMs: 2_500, refusalMs: 60_000, pollMs: 2_000 };

/**
 * Takes ingestion jobs from the queue until it is told to stop.
 *
 * @throws `index-unavailable`, `index-read-only`, `index-too-new`, `missing-dependency`
 * @example
 * const worker = await startJobWorker({ location: 'postgres://aquifer@db.internal/aquifer', concurrency: 4, work });
 * await worker.stop();
 */
export async function startJobWorker(options: JobWorkerOptions): Promise<JobWorker> {
  const { concurrency, onTrouble, tenants } = options;
  if (tenants?.length === 0) {
    throw new AquiferError(
      'invalid-options',
      'The tenants of a worker are an empty list: name one, or leave them out to serve all.',
    );
  }
  const set = <Name extends keyof typeof defaults>(name: Name): number => options[name] ?? defaults[name];
  const location = parsePostgresLocation(options.location);
  const pool = createQueuePool(location, concurrency + 2);
  const transactions = createTransactions({ location });
  const registry = createWorkerRegistry(transactions, set('deadAfterMs'), tenants);
  const stopping = new AbortController();
  // What does not heed the signal, such as a statement that waits for a lock, is not waited for either.
  const stopped = new Promise<never>((_resolve, reject) => {
    stopping.signal.addEventListener('abort', () => reject(stopping.signal.reason), { once: true });
  });
  stopped.catch(() => {});
  /** Knowledge bases that are left to others, by flag, and until when. */
  const refused = new Map<string, number>();
  /** The queue's numbers of the jobs in work. */
  const inWork = new Set<string>();
  let id = '';

  async function perform(reference: JobReference): Promise<void> {
    if (tenants !== undefined && !tenants.includes(reference.tenant)) return passOn(reference);
    const job = await begin(reference);
    if (job === undefined) return;
    if (job.attempts > set('maxAttempts')) {
      const reason = `Given up: ${job.attempts - 1} workers ended while they worked on it, the last one ${job.worker}. Is there enough memory?`;
      await giveUp(job, reason);
      onTrouble?.({ message: reason, job, how: 'dead' });
      return;
    }
    let end: JobEnd;
    try {
      end = await Promise.race([options.work(job, stopping.signal), stopped]);
    } catch (error) {
      if (stopping.signal.aborted) return handBack(reference, job, undefined);
      return failed(job, error);
    }
    if (end.kind === 'done') return finish(job, end.outcome);
    if (end.kind === 'refused') {
      refused.set(flagOf(reference), performance.now() + set('refusalMs'));
      onTrouble?.({ message: end.reason, job, how: 'refused' });
    }
    return handBack(reference, job, end.kind === 'refused' ? end.reason : undefined);
  }

  const row = 'tenant = $1 AND knowledge_base = $2 AND document_id = $3 AND revision = $4 AND ended IS NULL';
  const within = <Result>({ tenant }: { readonly tenant: string }, work: (query: Query) => Promise<Result>) =>
    transactions.writeAs(tenant, work);
  const keysOf = ({ tenant, knowledgeBase, claim }: TakenJob) => [tenant, knowledgeBase, ...claimKeys(claim)];

  /** Undefined where there is nothing to do any more: it is done, or was enqueued anew. */
  function begin(reference: JobReference): Promise<(TakenJob & { readonly worker: string | null }) | undefined> {
    const { tenant, knowledgeBase, documentId, revision } = reference;
    const keys = [tenant, knowledgeBase, documentId, revision];
    return within(reference, async (query) => {
      const [before] = await query(`SELECT worker FROM aquifer.ingestion_jobs WHERE ${row} FOR UPDATE`, keys);
      if (before === undefined) return undefined;
      const [begun] = await query(
        `UPDATE aquifer.ingestion_jobs SET attempts = attempts + 1, worker = $5, started_at = now() WHERE ${row} RETURNING work, attempts`,
        [...keys, id],
      );
      const attempts = begun?.attempts as number;
      return {
        tenant,
        knowledgeBase,
        documentId,
        work: JSON.parse(begun?.work as string),
        attempts,
        claim: { documentId, revision, worker: id, attempts },
        worker: before.worker as string | null,
      };
    });
  }

  // Of a job that is somebody else's by now, the queue is told that it failed, which it hears from the one who has it only. That it is done
  // it would believe anybody.
  async function finish(job: TakenJob, outcome: unknown): Promise<void> {
    const isOwn = await within(job, async (query) => {
      // Where nobody waits for it, nothing is left to be said.
      const gone = await query(
        `DELETE FROM aquifer.ingestion_jobs WHERE ${claimed} AND cardinality(runs) = 0 RETURNING 1`,
        keysOf(job),
      );
      const ended = await query(
        `UPDATE aquifer.ingestion_jobs SET ended = 'done', outcome = $7, worker = NULL, note = NULL, ended_at = now() WHERE ${claimed} RETURNING 1`,
        [...keysOf(job), JSON.stringify(outcome)],
      );
      return gone.length + ended.length > 0;
    });
    if (!isOwn) throw claimLost(job.documentId);
  }

  /** A job of a tenant that this worker does not serve: it goes back untouched, and no other of the same knowledge base comes. */
  async function passOn(reference: JobReference): Promise<void> {
    refused.set(flagOf(reference), Number.POSITIVE_INFINITY);
    const { tenant, knowledgeBase, documentId, revision } = reference;
    await within(reference, async (query) => {
      const open = await query(`SELECT 1 AS one FROM aquifer.ingestion_jobs WHERE ${row} FOR SHARE`, [
        tenant,
        knowledgeBase,
        documentId,
        revision,
      ]);
      if (open.length > 0) await addJobs(query, [reference]);
    });
  }

  /** Puts the job back at the end of the queue, as if it had not been taken; the queue forgets the one that was taken when it ends. */
  async function handBack(reference: JobReference, job: TakenJob, note: string | undefined): Promise<void> {
    const isOwn = await within(job, async (query) => {
      const rows = await query(
        `UPDATE aquifer.ingestion_jobs SET attempts = attempts - 1, worker = NULL, note = coalesce($7, note) WHERE ${claimed} RETURNING 1`,
        [...keysOf(job), note ?? null],
      );
      if (rows.length > 0) await addJobs(query, [reference]);
      return rows.length > 0;
    });
    if (!isOwn) throw claimLost(job.documentId);
  }

  async function failed(job: TakenJob, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    const isLast = job.attempts >= set('maxAttempts') || (isAquiferError(error) && isPermanent(error));
    if (isLast) {
      await giveUp(job, reason);
      onTrouble?.({ message: reason, job, how: 'dead' });
      return;
    }
    const rows = await within(job, (query) =>
      query(`UPDATE aquifer.ingestion_jobs SET worker = NULL, note = $7 WHERE ${claimed} RETURNING 1`, [
        ...keysOf(job),
        reason,
      ]),
    );
    if (rows.length > 0) onTrouble?.({ message: reason, job, how: 'retry' });
    // The queue tries again, later each time.
    throw error;
  }

  /** The dead letter: the reason is on the document, whose older version, if there is one, stays searchable. */
  async function giveUp(job: TakenJob, reason: string): Promise<void> {
    const isOwn = await within(job, async (query) => {
      await query(lockWriting(job, 'shared'));
      const own = [job.tenant, job.knowledgeBase, job.documentId];
      const ofOwn = 'tenant = $1 AND knowledge_base = $2';
      const [document] = await query(`SELECT record FROM aquifer.documents WHERE ${ofOwn} AND id = $3 FOR UPDATE`, own);
      const [ended] = await query(
        `UPDATE aquifer.ingestion_jobs SET ended = 'failed', note = $7, worker = NULL, ended_at = now() WHERE ${claimed} RETURNING record_before`,
        [...keysOf(job), reason],
      );
      if (ended === undefined) return false;
      // It was deleted meanwhile.
      if (document === undefined) return true;
      const record = afterFailure(
        documentFromRow(document),
        ended.record_before === null ? undefined : JSON.parse(ended.record_before as string),
        reason,
      );
      if (record === undefined) return true;
      await query(`UPDATE aquifer.documents SET status = $4, record = $5 WHERE ${ofOwn} AND id = $3`, [
        ...own,
        record.status,
        recordText(record),
      ]);
      await query(`UPDATE aquifer.knowledge_bases SET generation = generation + 1 WHERE ${ofOwn}`, own.slice(0, 2));
      return true;
    });
    if (!isOwn) throw claimLost(job.documentId);
  }

  const { run } = await import('graphile-worker');
  try {
    // A worker may well be the first of all to come to a database.
    await transactions.write((query) => migrate(query, 'write', location.shown));
    await prepareQueue(pool, location.shown);
    const events = new (await import('node:events')).EventEmitter();
    events.on('pool:create', ({ workerPool }) => {
      id = workerPool.id;
    });
    const logger = await silentLogger();
    const launch = () =>
      run({
        pgPool: pool,
        schema: queueSchema,
        concurrency,
        pollInterval: set('pollMs'),
        noHandleSignals: true,
        logger,
        events,
        forbiddenFlags: () => {
          for (const [flag, until] of refused) if (until < performance.now()) refused.delete(flag);
          return [...refused.keys()];
        },
        taskList: {
          [taskName]: async (payload, { job }) => {
            inWork.add(job.id);
            await perform(payload as JobReference).finally(() => inWork.delete(job.id));
          },
        },
        // Without batches of one, a database that is away when a job ends would end the process.
        preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
      });
    return keepAlive(launch, await launch());
  } catch (error) {
    await Promise.all([pool.end(), transactions.close()]);
    throw error;
  }

  async function keepAlive(launch: () => Promise<Runner>, first: Runner): Promise<JobWorker> {
    let runner: Promise<Runner> = Promise.resolve(first);
    const beat = async (): Promise<void> => {
      try {
        await registry.beat(id, concurrency);
        await registry.freeJobsOf(id, [...inWork]);
        await registry.freeJobsOfDead();
      } catch (error) {
        onTrouble?.({ message: (error as Error).message });
      }
    };
    await beat();
    let beating = Promise.resolve();
    const timer = setInterval(() => {
      beating = beating.then(beat);
    }, set('deadAfterMs') / 4);
    let ending: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      ending ??= (async () => {
        const grace = setTimeout(
          () => stopping.abort(new AquiferError('aborted', 'The worker stops.')),
          set('graceMs'),
        );
        const last = await runner.catch(() => undefined);
        // One that has ended by itself is as good as stopped.
        await last?.stop().catch(() => {});
        await last?.promise.catch(() => {});
        clearTimeout(grace);
        clearInterval(timer);
        await beating;
        await registry.leave(id).catch((error: Error) => onTrouble?.({ message: error.message }));
        await Promise.all([pool.end(), transactions.close()]);
      })();
      return ending;
    };
    const launchAgain = async (): Promise<Runner> => {
      for (;;) {
        try {
          return await launch();
        } catch (error) {
          if (ending !== undefined || !isPassing(error)) throw error;
          await wait(set('pollMs'));
        }
      }
    };
    // A runner ends by itself where the database goes away in an unlucky moment, as while it is told that a job is done.
    const ended = (async () => {
      for (;;) {
        const reason = await (await runner).promise.then(
          () => 'the queue could not be asked',
          (error: Error) => error.message,
        );
        if (ending !== undefined) return ending;
        onTrouble?.({ message: `The worker begins again: ${reason}.` });
        await registry.leave(id).catch((error: Error) => onTrouble?.({ message: error.message }));
        runner = launchAgain();
        await runner;
        await beat();
      }
    })();
    ended.catch(() => stop());
    return { id, stop, ended };
  }
}

/** What is wrong with the document, or with how it was asked for, is wrong next time too. */
function isPermanent({ code, retryable }: AquiferError): boolean {
  return !retryable && ['invalid-document', 'invalid-vector', 'too-large', 'unsupported-format'].includes(code);
}

/** Undefined where the document is not what the job left it as. */
function afterFailure(
  now: DocumentRecord,
  before: DocumentRecord | undefined,
  reason: string,
): DocumentRecord | undefined {
  if (now.status !== 'pending') return undefined;
  const isSearchable = before?.status === 'indexed' || before?.status === 'partially-indexed';
  if (before === undefined || !isSearchable) return { ...now, status: 'failed', statusReason: reason };
  return { ...before, statusReason: `A newer version could not be indexed: ${reason}` };
}
