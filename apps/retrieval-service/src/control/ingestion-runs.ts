import type { IngestionJobStatus } from '@aquifer/bedrock-wire';
import { isAquiferError } from '@aquifer/contracts';
import type { IngestionEvent, IngestionSummary, Source } from 'aquifer';
import type { HostedKnowledgeBase } from '../hosting/knowledge-base-host.js';
import { createTurns } from '../hosting/turns.js';
import { whenUnlocked } from '../hosting/when-unlocked.js';
import { type DataSourceRecord, type IngestionJobRecord, keptControlFolder } from './control-folder.js';
import { bucketDocuments } from './data-source-documents.js';

/** The ingestion jobs that this process has at work. */
export interface IngestionRuns {
  start(tenant: string, knowledgeBase: HostedKnowledgeBase, source: DataSourceRecord, job: IngestionJobRecord): void;
  /** Those of a data source that this process runs stop after the document that they are at; resolves when they have. */
  stop(tenant: string, knowledgeBaseId: string, dataSourceId: string): Promise<void>;
  settled(): Promise<void>;
}

export interface IngestionRunsOptions {
  /** Fires when the service ends. */
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** How often a job says that it is alive, and looks whether it is to stop. */
const signMs = 2_000;
/** A job that has not said so for so long has died with its process. */
const deadAfterMs = 60_000;
/** As many reasons as Bedrock gives, each as long. */
const mostReasons = 2_048;
const mostReasonLength = 2_048;

const unfinished: readonly IngestionJobStatus[] = ['STARTING', 'IN_PROGRESS', 'STOPPING'];
export const isUnfinished = ({ status }: Pick<IngestionJobRecord, 'status'>): boolean => unfinished.includes(status);

/** A job as it is now: one that died says so. */
export function currentJob(job: IngestionJobRecord, now: number): IngestionJobRecord {
  if (!isUnfinished(job) || now - job.updatedAt < deadAfterMs) return job;
  return {
    ...job,
    status: 'FAILED',
    failureReasons: ['The service ended during the job. What was indexed until then stays: start another job.'],
  };
}

export function createIngestionRuns({ signal, now }: IngestionRunsOptions): IngestionRuns {
  interface Running {
    readonly key: string;
    readonly stop: AbortController;
    readonly done: Promise<void>;
  }
  const running = new Map<string, Running>();
  const keyOf = (...parts: readonly string[]) => JSON.stringify(parts);

  async function run(
    knowledgeBase: HostedKnowledgeBase,
    source: DataSourceRecord,
    begun: IngestionJobRecord,
    stop: AbortController,
  ): Promise<void> {
    const { jobs, stops } = keptControlFolder(knowledgeBase);
    const { dataSourceId } = source;
    const takeTurn = createTurns();
    let job = begun;
    const change = (changes: Partial<IngestionJobRecord>) =>
      takeTurn(async () => {
        job = { ...job, ...changes, updatedAt: now() };
        await jobs(dataSourceId).write(job.ingestionJobId, job);
      });
    const sign = async () => {
      // It may have been stopped by way of another process.
      if ((await stops(dataSourceId).read(job.ingestionJobId)) !== undefined) stop.abort();
      await change({});
    };
    const timer = setInterval(() => void sign().catch(() => {}), signMs);
    const stopped = AbortSignal.any([signal, stop.signal]);
    const reasons: string[] = [];
    const onEvent = ({ status, source: path, reason = '' }: IngestionEvent) => {
      if (status === 'failed' && reasons.length < mostReasons) {
        reasons.push(`${path}: ${reason}`.slice(0, mostReasonLength));
      }
    };
    try {
      let sidecars = 0;
      const summary = await whenUnlocked(
        () =>
          knowledgeBase.write(async (opened) => {
            await change({ status: 'IN_PROGRESS' });
            const documents = counted(await bucketDocuments(opened, source), (count) => {
              sidecars = count;
            });
            return opened.index(documents, {
              signal: stopped,
              maxDeletePercent: 100,
              onEvent,
              onProgress: ({ total }) => {
                job = { ...job, statistics: { ...job.statistics, numberOfDocumentsScanned: total } };
              },
            });
          }),
        stopped,
      );
      await change({
        status: 'COMPLETE',
        statistics: statisticsOf(summary, sidecars),
        ...(reasons.length > 0 && { failureReasons: reasons }),
      });
    } catch (error) {
      if (stop.signal.aborted && !signal.aborted) await change({ status: 'STOPPED' });
      else
        await change({ status: 'FAILED', failureReasons: [reasonOf(error, signal), ...reasons].slice(0, mostReasons) });
    } finally {
      clearInterval(timer);
      await stops(dataSourceId).remove(job.ingestionJobId);
    }
  }

  return {
    start(tenant, knowledgeBase, source, job) {
      const stop = new AbortController();
      const key = keyOf(tenant, knowledgeBase.id, source.dataSourceId);
      const done = run(knowledgeBase, source, job, stop)
        // Its knowledge base and all records of it have been deleted meanwhile.
        .catch(() => {})
        .finally(() => running.delete(job.ingestionJobId));
      running.set(job.ingestionJobId, { key, stop, done });
    },
    async stop(...parts) {
      const own = [...running.values()].filter(({ key }) => key === keyOf(...parts));
      for (const { stop } of own) stop.abort();
      await Promise.all(own.map(({ done }) => done));
    },
    async settled() {
      while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'The service ended during the job. What was indexed until then stays: start another job.';
  return isAquiferError(error)
    ? error.message.slice(0, mostReasonLength)
    : 'The service failed on this job. Its log says why.';
}

/** Tells how many documents have attributes beside them. */
function counted(source: Source, onCount: (sidecars: number) => void): Source {
  return {
    ...source,
    async *list(signal) {
      let sidecars = 0;
      for await (const item of source.list(signal)) {
        if (!('omitted' in item) && item.hasSidecar) sidecars += 1;
        yield item;
      }
      onCount(sidecars);
    },
  };
}

/** A moved file is a new and a deleted one to Bedrock. */
function statisticsOf(summary: IngestionSummary, sidecars: number): IngestionJobRecord['statistics'] {
  const { scanned, new: added, modified, moved, deleted, failed, ignored, skipped } = summary;
  return {
    numberOfDocumentsScanned: scanned,
    numberOfMetadataDocumentsScanned: sidecars,
    numberOfNewDocumentsIndexed: added + moved,
    numberOfModifiedDocumentsIndexed: modified,
    numberOfDocumentsDeleted: deleted + moved,
    numberOfDocumentsFailed: failed,
    numberOfDocumentsSkipped: ignored + skipped,
  };
}
