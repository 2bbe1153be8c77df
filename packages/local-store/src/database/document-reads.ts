import {
  type Chunk,
  type DocumentContent,
  type DocumentRecord,
  type DocumentStatus,
  isStorable,
  type ListDocumentsQuery,
  type StoredChunk,
} from '@aquifer/contracts';
import { assertIntact } from './checksums.js';
import { inSnapshot } from './database.js';
import { chunkColumns, chunkFromRow, documentFromRow } from './document-rows.js';
import { createRecentlyUsed } from './recently-used.js';
import type { SqlDatabase, SqlValue } from './sqlite-driver.js';
import { decodeBlocks } from './stored-blocks.js';
import { createTextParts } from './text-parts.js';

export interface DocumentReads {
  get(id: string): DocumentRecord | undefined;
  list(query: ListDocumentsQuery): DocumentRecord[];
  content(id: string): DocumentContent | undefined;
  chunks(ids: readonly string[]): StoredChunk[];
  chunksOf(documentId: string, from: number, to: number): Chunk[];
  counts(): {
    readonly documents: Partial<Record<DocumentStatus, number>>;
    readonly chunks: number;
    readonly tokens: number;
    readonly cachedEmbeddings: number;
    readonly generation: number;
  };
}

const defaultListLimit = 1_000;

/** Of chunks that were read last: searches often find the same, and one chunk takes reading and checking the text of its whole document. */
const keptChunkBytes = 8 * 2 ** 20;
/** A chunk beside its text, about. */
const chunkOverheadBytes = 1_024;

/** Everything that is read but searches. Each call sees one snapshot. */
export function createDocumentReads(database: SqlDatabase): DocumentReads {
  const textParts = createTextParts(database);
  const selectDocument = database.prepare('SELECT * FROM documents WHERE id = ?');
  const selectContent = database.prepare(
    `SELECT document, text, pages, blocks, text_checksum, structure_checksum FROM contents
     WHERE document = (SELECT number FROM documents WHERE id = ?)`,
  );
  const selectText = database.prepare('SELECT text, text_checksum FROM contents WHERE document = ?');
  const selectChunk = database.prepare(`SELECT document, ${chunkColumns} FROM chunks WHERE id = ?`);
  const selectNumbered = database.prepare('SELECT * FROM documents WHERE number = ?');
  const selectChunks = database.prepare(
    `SELECT ${chunkColumns} FROM chunks WHERE document = ? AND ordinal >= ? AND ordinal < ? ORDER BY ordinal`,
  );
  const selectGeneration = database.prepare('SELECT generation FROM counters');
  const keptChunks = createRecentlyUsed<string, StoredChunk>(
    keptChunkBytes,
    ({ text }) => text.length * 2 + chunkOverheadBytes,
  );
  let keptGeneration: SqlValue | undefined;
  // A string that no database can hold would find the one that it is turned into.
  const find = (id: string): readonly SqlValue[] | undefined =>
    isStorable(id) ? selectDocument.rows(id)[0] : undefined;
  const wholeText = (document: number, id: string, first: string, checksum: SqlValue | undefined): string => {
    const parts = [first, ...textParts.of(document)];
    assertIntact(`the text of document ${JSON.stringify(id)}`, checksum, ...parts);
    return parts.join('');
  };
  const textOf = (document: number, id: string): string => {
    const [first = '', checksum] = (selectText.rows(document)[0] ?? []) as [string?, SqlValue?];
    return wholeText(document, id, first, checksum);
  };

  return {
    get(id) {
      const row = find(id);
      return row === undefined ? undefined : documentFromRow(row);
    },
    list({ sourceId, status, parentId, after, limit = defaultListLimit }) {
      const conditions: string[] = [];
      const parameters: SqlValue[] = [];
      const add = (condition: string, value: string | undefined): void => {
        if (value === undefined) return;
        conditions.push(condition);
        parameters.push(value);
      };
      add('source_id = ?', sourceId);
      add('status = ?', status);
      add('parent_id = ?', parentId);
      add('id > ?', after);
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
      const rows = database.prepare(`SELECT * FROM documents ${where} ORDER BY id LIMIT ?`).rows(...parameters, limit);
      return rows.map(documentFromRow);
    },
    content: (id) =>
      inSnapshot(database, () => {
        const row = isStorable(id) ? selectContent.rows(id)[0] : undefined;
        if (row === undefined) return undefined;
        const [document, first, pages, blocks, textChecksum, structureChecksum] = row as [
          number,
          string,
          string,
          string,
          SqlValue,
          SqlValue,
        ];
        const text = wholeText(document, id, first, textChecksum);
        assertIntact(`the structure of document ${JSON.stringify(id)}`, structureChecksum, pages, blocks);
        return { text, pages: JSON.parse(pages), blocks: decodeBlocks(blocks) };
      }),
    chunks: (ids) =>
      inSnapshot(database, () => {
        const generation = selectGeneration.rows()[0]?.[0];
        if (generation !== keptGeneration) keptChunks.clear();
        keptGeneration = generation;
        const documents = new Map<number, { readonly record: DocumentRecord; readonly text: string }>();
        return ids.flatMap((id) => {
          const known = keptChunks.get(id);
          if (known !== undefined) return [known];
          const row = isStorable(id) ? selectChunk.rows(id)[0] : undefined;
          if (row === undefined) return [];
          const [number, ...columns] = row as [number, ...SqlValue[]];
          let document = documents.get(number);
          if (document === undefined) {
            const record = documentFromRow(selectNumbered.rows(number)[0] as SqlValue[]);
            document = { record, text: textOf(number, record.id) };
            documents.set(number, document);
          }
          const { record } = document;
          const stored = { document: record, ...chunkFromRow(columns, record.id, document.text) };
          // A text of its own: a slice would keep the whole document's. Half of a pair is lost on the way through UTF-8.
          if (isStorable(stored.text)) keptChunks.set(id, { ...stored, text: Buffer.from(stored.text).toString() });
          return [stored];
        });
      }),
    chunksOf: (documentId, from, to) =>
      inSnapshot(database, () => {
        const row = find(documentId);
        if (row === undefined) return [];
        const number = row[0] as number;
        const text = textOf(number, documentId);
        return selectChunks.rows(number, from, to).map((columns) => chunkFromRow(columns, documentId, text));
      }),
    counts: () =>
      inSnapshot(database, () => {
        const one = (sql: string): number => (database.prepare(sql).rows()[0]?.[0] as number | null) ?? 0;
        const statuses = database.prepare('SELECT status, count(*) FROM documents GROUP BY status').rows();
        return {
          documents: Object.fromEntries(statuses) as Partial<Record<DocumentStatus, number>>,
          chunks: one('SELECT count(*) FROM chunks'),
          tokens: one('SELECT sum(tokens) FROM chunks'),
          cachedEmbeddings: one('SELECT count(*) FROM embeddings'),
          generation: one('SELECT generation FROM counters'),
        };
      }),
  };
}
