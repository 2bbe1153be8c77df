import { randomUUID } from 'node:crypto';
import { AquiferError } from '@aquifer/contracts';
import type { IngestionEvent, IngestionProgress, IngestionSummary } from 'aquifer';

export type JobStatus = 'queued' | 'running' | 'succeeded' | 'partially-succeeded' | 'failed';

/** Work on a knowledge base that goes on after the request for it was answered. */
export interface Job {
  readonly id: string;
  readonly knowledgeBaseId: string;
  readonly status: JobStatus;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly progress?: IngestionProgress;
  /** Documents that could not be indexed, and why; the first thousand. */
  readonly failures: readonly { readonly source: string; readonly reason: string }[];
  readonly summary?: IngestionSummary;
  /** Why the job as a whole failed, or what it waits for. */
  readonly reason?: string;
}

export type JobEvent =
  | { readonly type: 'job'; readonly data: Job }
  | { readonly type: 'progress'; readonly data: IngestionProgress }
  | { readonly type: 'document'; readonly data: IngestionEvent };

/** With a number that grows by one from 1, for callers that come back after a break. */
export type NumberedJobEvent = JobEvent & { readonly id: number };

/** What a job's work says while it goes on. */
export interface JobReport {
  progress(progress: IngestionProgress): void;
  document(event: IngestionEvent): void;
  waiting(reason: string): void;
}

/** The jobs of this process, of every tenant. */
export interface JobLog {
  /** Begins when the work before it on the same knowledge base is done: whoever gives the work sees to that. */
  start(
    tenant: string,
    knowledgeBaseId: string,
    work: (report: JobReport, begin: () => void) => Promise<IngestionSummary>,
  ): Job;
  /** Newest first, at most `limit`, of those that began before the job `before`. `next` goes into the next `before`, where there are more. */
  list(
    tenant: string,
    page: { readonly limit: number; readonly before?: number | undefined },
  ): { readonly jobs: readonly Job[]; readonly next?: number };
  /** @throws `job-not-found`, also for one of another tenant. */
  get(tenant: string, id: string): Job;
  /**
   * What happened after the event of that number (0: everything that is still known), then what happens, until the job is done.
   *
   * @throws `job-not-found`
   */
  follow(tenant: string, id: string, after: number, signal?: AbortSignal): AsyncIterable<NumberedJobEvent>;
  /** Queued and running jobs. */
  unfinished(): number;
  /** Resolves when no job is left. */
  settled(): Promise<void>;
}

const mostFinished = 1_000;
const mostFailures = 1_000;
/** Of one job; a newer progress replaces the one before it, so these are documents. */
const mostEvents = 10_000;

interface Entry {
  /** Grows by one from job to job. */
  readonly number: number;
  readonly tenant: string;
  job: Job;
  readonly events: NumberedJobEvent[];
  nextId: number;
  readonly waiters: Set<() => void>;
}

const isDone = ({ status }: Job): boolean => status !== 'queued' && status !== 'running';

/**
 * Keeps jobs in memory: of those that are done the newest thousand. A job that a stopped process leaves behind is not lost work, because what
 * was sent is in the upload folder, which is brought up to date when the service starts again.
 */
export function createJobLog(now: () => number = Date.now): JobLog {
  const entries = new Map<string, Entry>();
  const running = new Set<Promise<void>>();
  let started = 0;

  function find(tenant: string, id: string): Entry {
    const entry = entries.get(id);
    if (entry?.tenant === tenant) return entry;
    throw new AquiferError(
      'job-not-found',
      `There is no job ${JSON.stringify(id.slice(0, 80))}. Jobs are forgotten when the service is started again, and a thousand jobs later.`,
    );
  }

  function add(entry: Entry, event: JobEvent): void {
    // A caller that comes late needs no state that another one followed.
    if (event.type === 'progress' && entry.events.at(-1)?.type === 'progress') entry.events.pop();
    entry.events.push({ ...event, id: entry.nextId });
    entry.nextId += 1;
    if (entry.events.length > mostEvents) entry.events.shift();
    for (const wake of entry.waiters) wake();
  }

  function change(entry: Entry, changes: Partial<Job>): void {
    entry.job = { ...entry.job, ...changes };
    add(entry, { type: 'job', data: entry.job });
  }

  function forgetOldest(): void {
    const finished = [...entries].filter(([, { job }]) => isDone(job));
    for (const [id] of finished.slice(0, Math.max(0, finished.length - mostFinished))) entries.delete(id);
  }

  async function run(entry: Entry, work: Parameters<JobLog['start']>[2]): Promise<void> {
    const failures: { source: string; reason: string }[] = [];
    const report: JobReport = {
      progress(progress) {
        entry.job = { ...entry.job, progress };
        add(entry, { type: 'progress', data: progress });
      },
      document(event) {
        if (event.status === 'failed' && failures.length < mostFailures) {
          failures.push({ source: event.source, reason: event.reason ?? '' });
          entry.job = { ...entry.job, failures: [...failures] };
        }
        add(entry, { type: 'document', data: event });
      },
      waiting: (reason) => change(entry, { reason }),
    };
    const begin = () => change(entry, { status: 'running', startedAt: now(), reason: undefined });
    try {
      const summary = await work(report, begin);
      const status = summary.failed > 0 ? 'partially-succeeded' : 'succeeded';
      change(entry, { status, finishedAt: now(), summary, failures });
    } catch (error) {
      change(entry, { status: 'failed', finishedAt: now(), failures, reason: (error as Error).message });
    }
    forgetOldest();
  }

  return {
    start(tenant, knowledgeBaseId, work) {
      const job: Job = { id: randomUUID(), knowledgeBaseId, status: 'queued', createdAt: now(), failures: [] };
      started += 1;
      const entry: Entry = { number: started, tenant, job, events: [], nextId: 1, waiters: new Set() };
      entries.set(job.id, entry);
      add(entry, { type: 'job', data: job });
      const ran = run(entry, work).finally(() => running.delete(ran));
      running.add(ran);
      return job;
    },
    list(tenant, { limit, before = Number.POSITIVE_INFINITY }) {
      const own = [...entries.values()].filter((entry) => entry.tenant === tenant && entry.number < before);
      const page = own.slice(-limit).reverse();
      const last = page.at(-1);
      return { jobs: page.map(({ job }) => job), ...(own.length > limit && last && { next: last.number }) };
    },
    get: (tenant, id) => find(tenant, id).job,
    async *follow(tenant, id, after, signal) {
      const entry = find(tenant, id);
      let last = after;
      while (!signal?.aborted) {
        const news = entry.events.filter((event) => event.id > last);
        for (const event of news) {
          last = event.id;
          yield event;
        }
        if (news.length > 0) continue;
        if (isDone(entry.job)) return;
        await new Promise<void>((resolve) => {
          const wake = () => {
            entry.waiters.delete(wake);
            signal?.removeEventListener('abort', wake);
            resolve();
          };
          entry.waiters.add(wake);
          signal?.addEventListener('abort', wake, { once: true });
        });
      }
    },
    unfinished: () => [...entries.values()].filter(({ job }) => !isDone(job)).length,
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
