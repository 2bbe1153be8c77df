import type { HandedResult } from '@aquifer/ingestion';
import type { TakenJob } from '@aquifer/postgres-store/job-worker';
import { createHandedFiles } from './handed-files.js';
import { createJobKnowledgeBases, isRefusal } from './job-knowledge-bases.js';
import type { KnowledgeBaseOptions } from './knowledge-base.js';
import type { IngestionJob } from './queue-handover.js';
import { createStageClock, type Stage } from './stage-clock.js';

export interface IngestionWorkerOptions
  extends Pick<KnowledgeBaseOptions, 'location' | 'embedder' | 'threads' | 'passwords' | 'models' | 's3'> {
  /** Whose documents. Default: those of all tenants of the database. */
  readonly tenants?: readonly string[] | undefined;
  /** Documents at a time. Default 4. */
  readonly concurrency?: number | undefined;
  /** A worker that gave no sign for this long is dead, and its documents go to others. Default 20,000. */
  readonly deadAfterMs?: number | undefined;
  /** Failures, or deaths of workers, after which a document is given up. Default 4. */
  readonly maxAttempts?: number | undefined;
  readonly onEvent?: (event: WorkerEvent) => void;
}

/** What a worker has to say, as `aquifer worker --json` prints it. */
export type WorkerEvent =
  | {
      readonly type: 'job';
      readonly tenant: string;
      readonly knowledgeBase: string;
      /** Path inside the source. */
      readonly source: string;
      /** `retry`: it failed, and is tried again. `dead`: it is given up. `refused`: left to other workers. */
      readonly status: HandedResult['document']['outcome']['status'] | 'retry' | 'dead' | 'refused';
      readonly reason?: string;
      readonly chunks: number;
      readonly tokens: number;
      readonly attempts: number;
      readonly ms: number;
    }
  | { readonly type: 'trouble'; readonly message: string };

export interface IngestionWorker {
  readonly id: string;
  /** Seconds that documents spent in each stage so far. */
  readonly stageSeconds: Readonly<Record<Stage, number>>;
  /** Takes no more documents; those in work are finished, or handed back after 3 s. Idempotent. */
  stop(): Promise<void>;
  /** Resolves after `stop`; rejects where the queue could not be asked any more. */
  readonly ended: Promise<void>;
}

/**
 * Takes documents that `index` left to the workers of a database, of all its knowledge bases and of all tenants or those that are named, until told to
 * stop. The name and tenant in the location do not matter.
 *
 * @throws `invalid-options` where the location is no database; `index-unavailable`, `index-not-found`, `index-read-only`
 * @example
 * const worker = await startIngestionWorker({ location: 'postgres://aquifer@db.internal/aquifer', concurrency: 4 });
 * process.once('SIGTERM', () => worker.stop());
 * await worker.ended;
 */
export async function startIngestionWorker(options: IngestionWorkerOptions): Promise<IngestionWorker> {
  const { concurrency = 4, onEvent } = options;
  const [{ startJobWorker }, { openPostgresQuota }] = await Promise.all([
    import('@aquifer/postgres-store/job-worker'),
    import('@aquifer/postgres-store/postgres-quota'),
  ]);
  const sharedQuota = openPostgresQuota(options.location);
  const clock = createStageClock();
  const bases = createJobKnowledgeBases({
    ...options,
    models: { sharedQuota, ...options.models },
    concurrency,
    clock,
  });
  const close = async (): Promise<void> => {
    files.close();
    await bases.close();
    await sharedQuota.close();
  };
  const files = createHandedFiles(options.s3);
  const startedAt = new Map<TakenJob, number>();

  const describe = (job: TakenJob) => ({
    type: 'job' as const,
    tenant: job.tenant,
    knowledgeBase: job.knowledgeBase,
    source: (job.work as IngestionJob).handed.item.path,
    attempts: job.attempts,
    ms: Math.round(performance.now() - (startedAt.get(job) ?? performance.now())),
  });

  async function perform(job: TakenJob, signal: AbortSignal) {
    const work = job.work as IngestionJob;
    startedAt.set(job, performance.now());
    try {
      const read = () => clock.source(() => files.read(work.handed, signal));
      const result = await bases.use(job, work, (ingestor) => ingestor.ingest(work.handed, read, signal));
      const { status, reason, chunks } = result.document.outcome;
      const why = reason === undefined ? {} : { reason };
      onEvent?.({ ...describe(job), status, chunks, tokens: result.embedding.tokens, ...why });
      return { kind: 'done', outcome: result } as const;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return { kind: 'refused', reason: `${error.code}: ${error.message}` } as const;
    } finally {
      startedAt.delete(job);
    }
  }

  try {
    const worker = await startJobWorker({
      location: options.location,
      concurrency,
      tenants: options.tenants,
      deadAfterMs: options.deadAfterMs,
      maxAttempts: options.maxAttempts,
      work: perform,
      onTrouble: ({ message, job, how }) =>
        onEvent?.(
          job === undefined
            ? { type: 'trouble', message }
            : { ...describe(job), status: how ?? 'retry', reason: message, chunks: 0, tokens: 0 },
        ),
    });
    const ended = worker.ended.finally(close);
    ended.catch(() => {});
    return {
      id: worker.id,
      stageSeconds: clock.seconds,
      ended,
      async stop() {
        await worker.stop();
        await ended.catch(() => {});
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
