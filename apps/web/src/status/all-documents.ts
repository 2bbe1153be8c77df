import type { Client, Document } from '@aquifer/client';

/** What a page of the list has of each document, of all pages. */
export async function allDocuments(
  client: Pick<Client, 'listDocuments'>,
  knowledgeBase: string,
  { signal, pageSize = 1_000 }: { readonly signal?: AbortSignal; readonly pageSize?: number } = {},
): Promise<Pick<Document, 'indexedAt' | 'chunkCount'>[]> {
  const all: Pick<Document, 'indexedAt' | 'chunkCount'>[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await client.listDocuments(knowledgeBase, {
      limit: pageSize,
      ...(cursor !== undefined && { cursor }),
      ...(signal && { signal }),
    });
    for (const { indexedAt, chunkCount } of page.documents) all.push({ indexedAt, chunkCount });
    cursor = page.nextCursor;
    if (cursor === undefined) return all;
  }
}
