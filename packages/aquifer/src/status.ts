import type { Manifest, Store } from '@aquifer/contracts';
import type { IngestionSummary } from '@aquifer/ingestion';
import type { IngestionQueue } from '@aquifer/postgres-store/ingestion-queue';
import type { KnowledgeBaseIdentity, KnowledgeBaseStatus } from './knowledge-base.js';

/** Of the value that records it in a store. */
export const lastRunKey = 'last-run';
const failuresListed = 1_000;
/** Of those that no document stands for: they are written with every run, also of a watch. */
const unlistedKept = 100;

type Failures = KnowledgeBaseStatus['failures'];

/** @param unlisted What could not be listed: no document says so. */
export async function writeLastRun(store: Store, summary: IngestionSummary, unlisted: Failures): Promise<void> {
  await store.writeValue(lastRunKey, {
    ...summary,
    finishedAt: Date.now(),
    ...(unlisted.length > 0 && { unlisted: unlisted.slice(0, unlistedKept) }),
  });
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
  const { unlisted = [], ...ofLastRun } = (lastRun ?? {}) as { readonly unlisted?: Failures };
  return {
    knowledgeBase: identity,
    documents: stats.documents,
    failures: [...failed.map(({ source, statusReason }) => ({ source, reason: statusReason ?? '' })), ...unlisted],
    chunks: stats.chunks,
    tokens: stats.tokens,
    embedder: { ...manifest.embedder, name: embedderName },
    index: stats.index,
    bytes: stats.bytes,
    generation: stats.generation,
    createdAt: manifest.createdAt,
    ...(counts === undefined ? {} : { queue: counts }),
    ...(lastRun === undefined ? {} : { lastRun: ofLastRun as KnowledgeBaseStatus['lastRun'] }),
  };
}
