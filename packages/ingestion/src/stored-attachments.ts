import type { DocumentRecord } from '@aquifer/contracts';

/** The documents that came inside of others, as the store held them when the run began. */
export interface StoredAttachments {
  /** Those directly inside. */
  of(documentId: string): readonly DocumentRecord[];
  /** Those at any depth inside. */
  within(documentId: string): DocumentRecord[];
}

export function createStoredAttachments(records: readonly DocumentRecord[]): StoredAttachments {
  const byParent = new Map<string, DocumentRecord[]>();
  for (const record of records) {
    if (record.parentId === undefined) continue;
    const siblings = byParent.get(record.parentId);
    if (siblings) siblings.push(record);
    else byParent.set(record.parentId, [record]);
  }
  const of = (documentId: string) => byParent.get(documentId) ?? [];
  return {
    of,
    within(documentId) {
      const found = [...of(documentId)];
      for (const record of found) found.push(...of(record.id));
      return found;
    },
  };
}
