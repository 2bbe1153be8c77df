import { isAquiferError, type Metadata } from '@aquifer/contracts';
import { createMemorySource, type IngestionEvent, type KnowledgeBase, type Source, type SourceItem } from 'aquifer';
import type { HostedKnowledgeBase } from '../hosting/knowledge-base-host.js';
import { whenUnlocked } from '../hosting/when-unlocked.js';
import { type DataSourceRecord, keptControlFolder, sourceIdOf } from './control-folder.js';
import { bucketDocuments, objectAsDocument } from './data-source-documents.js';
import { attributesOf, documentsAt, pathOf } from './document-places.js';
import type { WaitingDocument, WaitingDocuments, WaitingFailure } from './waiting-documents.js';

/** Does what was asked for single documents, in the order in which it was asked for each data source. */
export interface DocumentWorker {
  /** Sees to all that waits; what is asked for while it does, too. */
  start(tenant: string, knowledgeBase: HostedKnowledgeBase, source: DataSourceRecord): void;
  /** Whether it is being done at this moment, by this process. */
  isAt(waiting: WaitingDocument): boolean;
  /** Resolves when nothing is done for a data source any more. */
  idle(tenant: string, knowledgeBaseId: string, dataSourceId: string): Promise<void>;
  settled(): Promise<void>;
}

export interface DocumentWorkerOptions {
  /** Fires when the service ends: what is not done waits for the next start. */
  readonly signal: AbortSignal;
  readonly onFailure?: ((failure: { readonly requestId: string; readonly error: unknown }) => void) | undefined;
}

/** Of documents that are done together. */
const mostTogether = 100;

export function createDocumentWorker({ signal, onFailure }: DocumentWorkerOptions): DocumentWorker {
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const inWork = new Set<string>();
  const keyOf = (...parts: readonly string[]) => JSON.stringify(parts);

  async function drain(key: string, knowledgeBase: HostedKnowledgeBase, source: DataSourceRecord): Promise<void> {
    const waiting = keptControlFolder(knowledgeBase).waiting(source.dataSourceId);
    for (;;) {
      again.delete(key);
      const batch = nextBatch(await waiting.list());
      const isMore = batch.length > 0;
      if (signal.aborted || (!isMore && !again.has(key))) return;
      if (isMore) await doBatch(batch, waiting, knowledgeBase, source);
    }
  }

  async function doBatch(
    batch: readonly WaitingDocument[],
    waiting: WaitingDocuments,
    knowledgeBase: HostedKnowledgeBase,
    source: DataSourceRecord,
  ): Promise<void> {
    // Only the last that was asked for a document counts.
    const last = new Map(batch.map((each) => [pathOf(source, each.identifier), each]));
    try {
      const failures = await whenUnlocked(
        () =>
          knowledgeBase.write((opened) => {
            for (const { name } of batch) inWork.add(name);
            return batch[0]?.operation === 'delete'
              ? deleteDocuments(opened, source, [...last.keys()])
              : ingestDocuments(opened, source, last, waiting, signal);
          }),
        signal,
      );
      for (const each of batch) {
        const failure = failures.get(each);
        await (failure === undefined ? waiting.done(each) : waiting.fail(each, failure));
      }
    } catch (error) {
      if (signal.aborted) return;
      onFailure?.({ requestId: `documents of ${source.dataSourceId}`, error });
      const latest = new Set(last.values());
      for (const each of batch) {
        if (latest.has(each)) await waiting.fail(each, { reason: (error as Error).message });
        else await waiting.done(each);
      }
    } finally {
      for (const { name } of batch) inWork.delete(name);
    }
  }

  return {
    start(tenant, knowledgeBase, source) {
      const key = keyOf(tenant, knowledgeBase.id, source.dataSourceId);
      again.add(key);
      if (running.has(key)) return;
      const ran = drain(key, knowledgeBase, source)
        .catch((error: unknown) => onFailure?.({ requestId: `documents of ${source.dataSourceId}`, error }))
        .finally(() => running.delete(key));
      running.set(key, ran);
    },
    isAt: ({ name }) => inWork.has(name),
    idle: async (...key) => running.get(keyOf(...key)),
    async settled() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}

/** The first that can be done together: as many as ask for the same. */
function nextBatch(waiting: readonly WaitingDocument[]): readonly WaitingDocument[] {
  const open = waiting.filter(({ failure }) => failure === undefined);
  const other = open.findIndex(({ operation }) => operation !== open[0]?.operation);
  return open.slice(0, Math.min(other < 0 ? open.length : other, mostTogether));
}

async function deleteDocuments(
  opened: KnowledgeBase,
  source: DataSourceRecord,
  paths: readonly string[],
): Promise<Failures> {
  const found = await documentsAt({ reader: opened }, source, paths);
  await opened.delete([...found.values()].map(({ id }) => id));
  return new Map();
}

/** Why each that could not be ingested could not. */
type Failures = ReadonlyMap<WaitingDocument, WaitingFailure>;

async function ingestDocuments(
  opened: KnowledgeBase,
  source: DataSourceRecord,
  documents: ReadonlyMap<string, WaitingDocument>,
  waiting: WaitingDocuments,
  signal: AbortSignal,
): Promise<Failures> {
  const failures = new Map<WaitingDocument, WaitingFailure>();
  const items: SourceItem[] = [];
  const index = (what: Source, onEvent?: (event: IngestionEvent) => void) =>
    opened.index(what, { signal, maxDeletePercent: 100, ...(onEvent && { onEvent }) });
  for (const [path, document] of documents) {
    const { content, identifier, metadata } = document;
    try {
      if (content?.type === 'object' && identifier.dataSourceType === 'S3') {
        const { uri } = content;
        await index(await bucketDocuments(opened, source, { paths: [path], metadata }), ({ status, reason }) => {
          if (status === 'left-out')
            failures.set(document, { isIgnored: true, reason: `${uri} is not read: ${reason}.` });
        });
      } else {
        items.push(...(await itemsOf(opened, source, path, document, waiting)));
      }
    } catch (error) {
      // What is wrong with one object says nothing of the others.
      if (content?.type !== 'object' || !isAquiferError(error) || signal.aborted) throw error;
      failures.set(document, { isIgnored: isAquiferError(error, 'unsupported-format'), reason: error.message });
    }
  }
  if (items.length > 0) await index(sourceOf(source, items));
  return failures;
}

/** Of these documents of a data source, whatever else is in it. */
function sourceOf(source: DataSourceRecord, items: readonly SourceItem[]): Source {
  return {
    id: sourceIdOf(source.dataSourceId),
    description: source.name,
    scope: items.map(({ path }) => path),
    async *list() {
      yield* items;
    },
  };
}

async function itemsOf(
  opened: KnowledgeBase,
  { dataSourceId }: DataSourceRecord,
  path: string,
  document: WaitingDocument,
  waiting: WaitingDocuments,
): Promise<readonly SourceItem[]> {
  const { content, identifier } = document;
  if (content === undefined || identifier.dataSourceType !== 'CUSTOM') return [];
  const metadata: Metadata = { ...document.metadata, ...attributesOf(dataSourceId, identifier.custom.id) };
  if (content.type === 'object') {
    const { uri } = content;
    return [await objectAsDocument(opened, uri, { path, metadata })];
  }
  // Another process that has the folder too was faster.
  const bytes = await waiting.bytesOf(document);
  if (bytes === undefined) return [];
  const { mediaType } = content;
  const source = createMemorySource({
    id: sourceIdOf(dataSourceId),
    documents: [{ path, bytes, mediaType, metadata }],
  });
  const items: SourceItem[] = [];
  for await (const item of source.list()) if (!('omitted' in item)) items.push(item);
  return items;
}
