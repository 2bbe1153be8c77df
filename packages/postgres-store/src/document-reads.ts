import {
  type Chunk,
  type DocumentContent,
  type DocumentRecord,
  isStorable,
  type ListDocumentsQuery,
  type StoredChunk,
} from '@aquifer/contracts';
import { chunkColumns, chunkFromRow, documentFromRow } from './document-rows.js';
import { createParameters } from './filter-sql.js';
import type { Query } from './transactions.js';

const defaultListLimit = 1_000;
const ofOwn = 'tenant = $1 AND knowledge_base = $2';

/** Everything that is read of documents. The transactions see one snapshot. */
export function createDocumentReads(tenant: string, knowledgeBase: string) {
  const own = [tenant, knowledgeBase];
  return {
    async get(query: Query, id: string): Promise<DocumentRecord | undefined> {
      if (!isStorable(id)) return undefined;
      const [row] = await query(`SELECT record FROM aquifer.documents WHERE ${ofOwn} AND id = $3`, [...own, id]);
      return row && documentFromRow(row);
    },

    async list(query: Query, asked: ListDocumentsQuery): Promise<DocumentRecord[]> {
      const { sourceId, status, parentId, after, limit = defaultListLimit } = asked;
      const { values, bind } = createParameters(...own);
      const conditions = [ofOwn];
      for (const [condition, value] of [
        ['source_id =', sourceId],
        ['status =', status],
        ['parent_id =', parentId],
        ['id >', after],
      ] as const) {
        if (value === undefined) continue;
        // What no database keeps is nobody's source, status or parent.
        if (!isStorable(value)) return [];
        conditions.push(`${condition} ${bind(value)}`);
      }
      const rows = await query(
        `SELECT record FROM aquifer.documents WHERE ${conditions.join(' AND ')} ORDER BY id LIMIT ${bind(limit)}`,
        values,
      );
      return rows.map(documentFromRow);
    },

    async content(query: Query, id: string): Promise<DocumentContent | undefined> {
      if (!isStorable(id)) return undefined;
      const [row] = await query(
        `SELECT text, pages, blocks FROM aquifer.contents WHERE ${ofOwn} AND document_id = $3`,
        [...own, id],
      );
      if (row === undefined) return undefined;
      return {
        text: row.text as string,
        pages: JSON.parse(row.pages as string),
        blocks: JSON.parse(row.blocks as string),
      };
    },

    async chunks(query: Query, ids: readonly string[]): Promise<StoredChunk[]> {
      const rows = await query(`SELECT ${chunkColumns} FROM aquifer.chunks WHERE ${ofOwn} AND id = ANY($3::text[])`, [
        ...own,
        ids.filter(isStorable),
      ]);
      const documentIds = [...new Set(rows.map((row) => row.document_id))];
      const records = await query(`SELECT record FROM aquifer.documents WHERE ${ofOwn} AND id = ANY($3::text[])`, [
        ...own,
        documentIds,
      ]);
      const documents = new Map(records.map(documentFromRow).map((record) => [record.id, record]));
      const found = new Map(
        rows.map(chunkFromRow).map((chunk) => {
          return [chunk.id, { document: documents.get(chunk.documentId) as DocumentRecord, ...chunk }];
        }),
      );
      return ids.flatMap((id) => found.get(id) ?? []);
    },

    async chunksOf(query: Query, documentId: string, from: number, to: number): Promise<Chunk[]> {
      if (!isStorable(documentId)) return [];
      const rows = await query(
        `SELECT ${chunkColumns} FROM aquifer.chunks
         WHERE ${ofOwn} AND document_id = $3 AND ordinal >= $4::bigint AND ordinal < $5::bigint ORDER BY ordinal`,
        [...own, documentId, from, to],
      );
      return rows.map(chunkFromRow);
    },
  };
}
