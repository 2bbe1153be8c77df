import type { DocumentRecord } from '@aquifer/contracts';
import type { Processing } from './document-stamp.js';
import { timeIn } from './dry-run.js';
import type { HandedProgress, HandedResult, HandedWork, Handover } from './handover.js';
import { type DocumentContext, describe } from './ingest-document.js';
import type { Snapshot, WorkItem } from './snapshot.js';

export interface HandOverParts {
  readonly handover: Handover;
  readonly snapshot: Snapshot;
  /** All work of the run, in the order in which it should be done. */
  readonly work: readonly WorkItem[];
  readonly context: DocumentContext;
  readonly processing: Processing;
  readonly processHere: (work: readonly WorkItem[]) => Promise<void>;
  readonly onResult: (work: WorkItem, result: HandedResult) => void;
  readonly onProgress: (progress: HandedProgress) => void;
}

/**
 * Lets others do what they can and does the rest here; returns how many documents were left to others without waiting for them.
 *
 * A file that may be a moved one is for the run itself: only it knows which documents lost their files.
 */
export async function handOver(parts: HandOverParts): Promise<number> {
  const { handover, snapshot, work, context, processHere } = parts;
  const vanishedSizes = new Set(snapshot.vanished.flatMap(({ contentHash, bytes }) => (contentHash ? [bytes] : [])));
  const mayHaveMoved = ({ item, existing }: WorkItem) => existing === undefined && vanishedSizes.has(item.bytes);
  const given = new Map<string, WorkItem>();
  const works: HandedWork[] = [];
  for (const each of work) {
    if (mayHaveMoved(each)) continue;
    const id = each.existing?.id ?? each.id ?? (await context.newDocumentId(each.item.path));
    given.set(id, { ...each, id });
    const { read: _, ...item } = each.item;
    works.push({
      sourceId: context.sourceId,
      item,
      id,
      ...(each.existing === undefined ? {} : { existing: each.existing }),
      inside: snapshot.attachments.within(id),
      processing: parts.processing.pictured,
      maxDocumentBytes: context.maxDocumentBytes,
    });
  }
  const now = await timeIn(context.store);
  await handover.give(
    works.map((handed) => ({ handed, pending: pendingRecord(handed, context, now) })),
    context.signal,
  );
  await processHere(work.filter(mayHaveMoved));
  if (!handover.waits) return works.length;
  const returned = await handover.wait({
    signal: context.signal,
    onProgress: parts.onProgress,
    onResult: (id, result) => {
      const known = given.get(id);
      if (known === undefined) return;
      parts.onResult(known, 'failed' in result ? failedResult(known, result.failed) : result);
    },
  });
  await processHere(returned.flatMap((id) => given.get(id) ?? []));
  return 0;
}

/** The document as it is shown until its turn comes. */
function pendingRecord({ id, item, existing }: HandedWork, context: DocumentContext, now: number): DocumentRecord {
  if (existing !== undefined) return { ...existing, status: 'pending' };
  return {
    ...describe(item, context),
    id,
    stamp: '',
    contentHash: '',
    bytes: item.bytes,
    metadata: {},
    status: 'pending',
    chunkCount: 0,
    tokenCount: 0,
    indexedAt: now,
  };
}

function failedResult({ item, existing }: WorkItem, reason: string): HandedResult {
  return {
    document: {
      path: item.path,
      outcome: { status: 'failed', isNew: existing === undefined, reason, chunks: 0 },
      ms: 0,
    },
    attachments: [],
    attachmentsGone: [],
    skippedAttachments: 0,
    embedding: { embedded: 0, cacheHits: 0, tokens: 0, requests: 0 },
  };
}
