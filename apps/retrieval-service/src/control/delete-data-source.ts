import type { HostedKnowledgeBase } from '../hosting/knowledge-base-host.js';
import { whenUnlocked } from '../hosting/when-unlocked.js';
import { type DataSourceRecord, keptControlFolder, sourceIdOf } from './control-folder.js';
import type { DocumentWorker } from './document-worker.js';
import type { IngestionRuns } from './ingestion-runs.js';

export interface DataSourceDeletions {
  /** Deletes one that is marked as `DELETING`, with its documents where its policy says so. */
  start(tenant: string, knowledgeBase: HostedKnowledgeBase, source: DataSourceRecord): void;
  settled(): Promise<void>;
}

export interface DataSourceDeletionsOptions {
  readonly worker: Pick<DocumentWorker, 'idle'>;
  readonly runs: Pick<IngestionRuns, 'stop'>;
  /** Fires when the service ends: what is not deleted then is at the next start. */
  readonly signal: AbortSignal;
  readonly onFailure?: ((failure: { readonly requestId: string; readonly error: unknown }) => void) | undefined;
}

const mostTogether = 1_000;

export function createDataSourceDeletions(options: DataSourceDeletionsOptions): DataSourceDeletions {
  const { worker, runs, signal, onFailure } = options;
  const running = new Set<Promise<void>>();

  async function remove(tenant: string, knowledgeBase: HostedKnowledgeBase, source: DataSourceRecord): Promise<void> {
    const { dataSourceId, dataDeletionPolicy } = source;
    const folder = keptControlFolder(knowledgeBase);
    try {
      await runs.stop(tenant, knowledgeBase.id, dataSourceId);
      await folder.forgetWaiting(dataSourceId);
      await worker.idle(tenant, knowledgeBase.id, dataSourceId);
      if (dataDeletionPolicy === 'DELETE')
        await whenUnlocked(() => deleteDocuments(knowledgeBase, dataSourceId), signal);
      await folder.forget(dataSourceId);
    } catch (error) {
      if (signal.aborted) return;
      onFailure?.({ requestId: `deletion of ${dataSourceId}`, error });
      const failureReasons = [(error as Error).message];
      await folder.dataSources.write(dataSourceId, { ...source, status: 'DELETE_UNSUCCESSFUL', failureReasons });
    }
  }

  return {
    start(tenant, knowledgeBase, source) {
      const ran = remove(tenant, knowledgeBase, source)
        .catch((error: unknown) => onFailure?.({ requestId: `deletion of ${source.dataSourceId}`, error }))
        .finally(() => running.delete(ran));
      running.add(ran);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

async function deleteDocuments(knowledgeBase: HostedKnowledgeBase, dataSourceId: string): Promise<void> {
  await knowledgeBase.write(async (opened) => {
    const query = { sourceId: sourceIdOf(dataSourceId), limit: mostTogether };
    for (;;) {
      const documents = await opened.documents(query);
      if (documents.length === 0) return;
      await opened.delete(documents.map(({ id }) => id));
    }
  });
}
