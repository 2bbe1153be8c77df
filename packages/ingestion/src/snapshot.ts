import type { DocumentRecord, Source, SourceItem, SourceOmission, Store } from '@aquifer/contracts';
import { throwIfAborted } from '@aquifer/contracts';
import { isFailedAlready, isUnfinished, isUpToDate, type Processing } from './document-stamp.js';
import { createStoredAttachments, type StoredAttachments } from './stored-attachments.js';

export interface WorkItem {
  readonly item: SourceItem;
  readonly existing?: DocumentRecord;
  /** Of a document that was recorded as `pending` and not read yet: it has an id, and counts as new. */
  readonly id?: string;
}

/** What a run has to do, decided before anything is changed. */
export interface Snapshot {
  /** Files that are new or may have changed, in order of listing. */
  readonly work: readonly WorkItem[];
  readonly unchanged: number;
  /** Documents that failed before, are as they were then, and are not tried again. */
  readonly stillFailed: number;
  /** The documents inside of others, which come and go with them. They are counted in `unchanged` and `stillFailed`. */
  readonly attachments: StoredAttachments;
  /** Documents in scope whose files are not listed any more, by content hash, so that moved files find theirs. */
  readonly vanished: readonly DocumentRecord[];
  /** Documents that the store held in the scope of this run. */
  readonly storedInScope: number;
  readonly unreadable: readonly SourceOmission[];
  /** What the source left out on purpose, files and folders. */
  readonly leftOut: Readonly<Record<Exclude<SourceOmission['omitted'], 'unreadable'>, number>>;
  /** Left out, though this run was asked for this very path. */
  readonly askedButLeftOut: readonly SourceOmission[];
  /** Why a vanished document went, where its file is still there but left out. */
  readonly leftOutReason: (path: string) => string | undefined;
  /** Ids of all documents of the source, in scope or not. */
  readonly documentIds: readonly string[];
}

/** Lists the source completely, then the store, and compares. Opens no file. */
export async function takeSnapshot(
  source: Source,
  store: Pick<Store, 'listDocuments'>,
  processing: Processing,
  { signal, retryFailed = true }: { readonly signal?: AbortSignal; readonly retryFailed?: boolean },
): Promise<Snapshot> {
  const items = new Map<string, SourceItem>();
  const unreadable = new Map<string, SourceOmission>();
  const reasons = new Map<string, SourceOmission>();
  const leftOut = { unsupported: 0, hidden: 0, excluded: 0, outside: 0 };
  for await (const entry of source.list(signal)) {
    throwIfAborted(signal);
    if (!('omitted' in entry)) {
      items.set(entry.path, entry);
    } else if (entry.omitted === 'unreadable') {
      unreadable.set(entry.path, entry);
    } else {
      leftOut[entry.omitted] += 1;
      reasons.set(entry.path, entry);
    }
  }

  const stored = await listAllDocuments(store, source.id, signal);
  const attachments = createStoredAttachments(stored);
  const files = stored.filter(({ parentId }) => parentId === undefined);
  const inScope = files.filter((record) => source.scope.some((scope) => isAtOrBelow(record.source, scope)));
  const bySource = new Map(inScope.map((record) => [record.source, record]));
  const work: WorkItem[] = [];
  let [unchanged, stillFailed] = [0, 0];
  for (const item of items.values()) {
    const existing = bySource.get(item.path);
    if (existing && isUpToDate(existing, item, processing)) {
      const inside = attachments.within(existing.id);
      const failed = inside.filter(({ status }) => status === 'failed').length;
      const unfinished = inside.filter(isUnfinished).length;
      if (retryFailed ? unfinished > 0 : unfinished > failed) {
        work.push({ item, existing });
      } else {
        unchanged += 1 + inside.length - failed;
        stillFailed += failed;
      }
    } else if (existing && !retryFailed && isFailedAlready(existing, item, processing)) stillFailed += 1;
    else work.push(workOn(item, existing));
  }
  const vanished = inScope.filter((record) => !items.has(record.source) && !atOrAbove(record.source, unreadable));
  return {
    work,
    unchanged,
    stillFailed,
    attachments,
    vanished,
    storedInScope: inScope.length,
    unreadable: [...unreadable.values()],
    leftOut,
    askedButLeftOut: source.scope.flatMap((path) => {
      const omission = atOrAbove(path, reasons);
      return omission === undefined ? [] : [{ ...omission, path }];
    }),
    leftOutReason: (path) => atOrAbove(path, reasons)?.reason,
    documentIds: stored.map(({ id }) => id),
  };
}

function workOn(item: SourceItem, existing: DocumentRecord | undefined): WorkItem {
  if (existing === undefined) return { item };
  const isUnread = existing.status === 'pending' && existing.contentHash === '';
  return isUnread ? { item, id: existing.id } : { item, existing };
}

async function listAllDocuments(
  store: Pick<Store, 'listDocuments'>,
  sourceId: string,
  signal: AbortSignal | undefined,
): Promise<DocumentRecord[]> {
  const pageSize = 1_000;
  const records: DocumentRecord[] = [];
  for (let after: string | undefined; ; after = records.at(-1)?.id) {
    throwIfAborted(signal);
    const page = await store.listDocuments({ sourceId, limit: pageSize, ...(after === undefined ? {} : { after }) });
    records.push(...page);
    if (page.length < pageSize) return records;
  }
}

/** The entry of this path or of the nearest folder above it. */
function atOrAbove<Entry>(path: string, entries: ReadonlyMap<string, Entry>): Entry | undefined {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const entry = entries.get(path.slice(0, end));
    if (entry !== undefined) return entry;
  }
  return entries.get('');
}

function isAtOrBelow(path: string, scope: string): boolean {
  return scope === '' || path === scope || path.startsWith(`${scope}/`);
}
