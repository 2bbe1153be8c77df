import { AquiferError } from '@aquifer/contracts';
import type { IngestionSummary } from 'aquifer';
import type { HostedKnowledgeBase } from '../hosting/knowledge-base-host.js';
import { whenUnlocked } from '../hosting/when-unlocked.js';
import type { Job, JobLog, JobReport } from './job-log.js';

/** How long a job waits for another program that writes the index. */
const longestWaitMs = 60 * 60_000;

/** Starts a job that brings the index up to date with files of the upload folder, or with all of it. */
export function startIndexingUploads(
  jobs: JobLog,
  tenant: string,
  knowledgeBase: HostedKnowledgeBase,
  { paths, signal }: { readonly paths?: readonly string[]; readonly signal: AbortSignal },
): Job {
  return jobs.start(tenant, knowledgeBase.id, (report, begin) =>
    indexUploads(knowledgeBase, paths, { report, begin, signal }),
  );
}

/**
 * Brings the index up to date with files of the upload folder, or with all of it.
 *
 * @throws what `KnowledgeBase.index` does; `aborted`
 */
async function indexUploads(
  knowledgeBase: HostedKnowledgeBase,
  paths: readonly string[] | undefined,
  { report, begin, signal }: { readonly report: JobReport; readonly begin: () => void; readonly signal: AbortSignal },
): Promise<IngestionSummary> {
  const { uploads } = knowledgeBase;
  if (uploads === undefined) throw new AquiferError('invalid-options', 'This service keeps no uploads.');
  const { knowledgeBase: _, ...summary } = await whenUnlocked(
    () =>
      knowledgeBase.indexFolder(
        { folder: uploads.path, paths, maxDeletePercent: 100 },
        { signal, onOpened: begin, onProgress: report.progress, onEvent: report.document },
      ),
    signal,
    { longestWaitMs, onWait: report.waiting },
  );
  // Where the index is on the disk is nobody's business out there.
  return summary;
}
