import type { Manifest, Store } from '@aquifer/contracts';
import type { IngestionSummary } from '@aquifer/ingestion';
import type { IngestionQueue } from '@aquifer/postgres-store/ingestion-queue';
import type { KnowledgeBaseIdentity, KnowledgeBaseStatus } from './knowledge-base.js';

/** Of the value that records it in a store. */
export const lastRunKey = 'last-run';
const failuresListed = 1_000;

export async function writeLastRun(store: Store, summary: IngestionSummary): Promise<void> {
  await store.writeValue(lastRunKey, { ...summary, finishedAt: Date.now() });
}

export async function statusOf(
  store: Store,
  manifest: Manifest,
  identity: KnowledgeBaseIdentity,
  embedderName: string,
  queue: IngestionQueue | undefined,
): Promise<KnowledgeBaseStatus> {
  const [stats, failed, lastRun] = await Promise.all([
    store.stats(),
    store.listDocuments({ status: 'failed', limit: failuresListed }),
    store.readValue(lastRunKey),
  ]);
  const counts = await queue?.counts();
  return {
    knowledgeBase: identity,
    documents: stats.documents,
    failures: failed.map(({ source, statusReason }) => ({ source, reason: statusReason ?? '' })),
    chunks: stats.chunks,
    tokens: stats.tokens,
    embedder: { ...manifest.embedder, name: embedderName },
    index: stats.index,
    bytes: stats.bytes,
    generation: stats.generation,
    createdAt: manifest.createdAt,
    ...(counts === undefined ? {} : { queue: counts }),
    ...(lastRun === undefined ? {} : { lastRun: lastRun as KnowledgeBaseStatus['lastRun'] }),
  };
}
