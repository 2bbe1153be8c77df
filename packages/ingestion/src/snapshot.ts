import type { DocumentRecord, Source, SourceItem, SourceOmission, Store } from '@aquifer/contracts';
import { throwIfAborted } from '@aquifer/contracts';
import { isUpToDate } from './document-stamp.js';

export interface WorkItem {
  readonly item: SourceItem;
  readonly existing?: DocumentRecord;
}

/** What a run has to do, decided before anything is changed. */
export interface Snapshot {
  /** Files that are new or may have changed, in order of listing. */
  readonly work: readonly WorkItem[];
  readonly unchanged: number;
  /** Documents in scope whose files are not listed any more, by content hash, so that moved files find theirs. */
  readonly vanished: readonly DocumentRecord[];
  /** Documents that the store held in the scope of this run. */
  readonly storedInScope: number;
  readonly unreadable: readonly SourceOmission[];
  readonly skipped: number;
  /** Ids of all documents of the source, in scope or not. */
  readonly documentIds: readonly string[];
}

/** Lists the source completely, then the store, and compares. Opens no file. */
export async function takeSnapshot(
  source: Source,
  store: Store,
  processing: string,
  signal: AbortSignal | undefined,
): Promise<Snapshot> {
  const items = new Map<string, SourceItem>();
  const unreadable: SourceOmission[] = [];
  let skipped = 0;
  for await (const entry of source.list(signal)) {
    throwIfAborted(signal);
    if (!('omitted' in entry)) items.set(entry.path, entry);
    else if (entry.omitted === 'unreadable') unreadable.push(entry);
    else skipped += 1;
  }

  const stored = await listAllDocuments(store, source.id, signal);
  const inScope = stored.filter((record) => source.scope.some((scope) => isAtOrBelow(record.source, scope)));
  const bySource = new Map(inScope.map((record) => [record.source, record]));
  const work: WorkItem[] = [];
  let unchanged = 0;
  for (const item of items.values()) {
    const existing = bySource.get(item.path);
    if (existing && isUpToDate(existing, item, processing)) unchanged += 1;
    else work.push(existing ? { item, existing } : { item });
  }
  const vanished = inScope.filter(
    (record) => !items.has(record.source) && !unreadable.some(({ path }) => isAtOrBelow(record.source, path)),
  );
  return {
    work,
    unchanged,
    vanished,
    storedInScope: inScope.length,
    unreadable,
    skipped,
    documentIds: stored.map(({ id }) => id),
  };
}

async function listAllDocuments(
  store: Store,
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

function isAtOrBelow(path: string, scope: string): boolean {
  return scope === '' || path === scope || path.startsWith(`${scope}/`);
}
