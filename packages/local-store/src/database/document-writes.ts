import {
  AquiferError,
  type Chunk,
  checkVector,
  type DocumentRecord,
  type DocumentWrite,
  isAquiferError,
  type PlainError,
  toPlainError,
} from '@aquifer/contracts';
import { contextPadding } from '../keyword/keyword-terms.js';
import { checksumOf } from './checksums.js';
import { inSavepoint, inTransaction } from './database.js';
import { chunkValues, documentColumns, documentFromRow, documentValues } from './document-rows.js';
import { createEmbeddingCache } from './embedding-cache.js';
import { metadataRows } from './filter-sql.js';
import type { SqlDatabase, SqlValue } from './sqlite-driver.js';
import { createTextParts } from './text-parts.js';

/** A chunk as it comes to the writing thread: without its text, which is a slice of the document's. */
export interface ChunkToWrite extends Omit<Chunk, 'text'> {
  readonly embeddingKey: string;
  readonly vector?: Float32Array;
  /** The analyser's terms, those of the body as text or in UTF-8; left out for chunks that the index is thought to hold already. */
  readonly terms?: { readonly context: string; readonly body: string | Uint8Array };
}

export interface DocumentToWrite extends Pick<DocumentWrite, 'document'> {
  /** In the parts of `text-parts.ts`; bytes are UTF-8. */
  readonly text: readonly (string | Uint8Array)[];
  /** As JSON. */
  readonly pages: string;
  /** As `stored-blocks.ts` makes them. */
  readonly blocks: string;
  readonly chunks: readonly ChunkToWrite[];
}

export interface DocumentWriter {
  /** Ids of those of the document's chunks that are in the index already, with the same embedding. */
  keptChunks(documentId: string, chunks: readonly { readonly id: string; readonly embeddingKey: string }[]): string[];
  /**
   * Replaces documents, each of them wholly or not at all, in one transaction: most of what a small document costs is the
   * pages that its commit touches. One error a document, where there is one.
   */
  replace(writes: readonly DocumentToWrite[], dimensions: number | undefined): (PlainError | undefined)[];
  update(id: string, changes: Partial<Omit<DocumentRecord, 'id'>>): void;
  remove(ids: readonly string[]): number;
}

interface OldChunk {
  readonly number: number;
  readonly embeddingKey: string;
  /** The columns that `chunkValues` gives. */
  readonly values: readonly SqlValue[];
}

/** Everything that changes documents. Each call is one transaction. */
export function createDocumentWriter(database: SqlDatabase): DocumentWriter {
  const cache = createEmbeddingCache(database);
  const textParts = createTextParts(database);
  const selectDocument = database.prepare('SELECT * FROM documents WHERE id = ?');
  const insertDocument = database.prepare(
    `INSERT INTO documents (${documentColumns.join(', ')}) VALUES (${documentColumns.map(() => '?').join(', ')})`,
  );
  const updateDocument = database.prepare(
    `UPDATE documents SET ${documentColumns.map((column) => `${column} = ?`).join(', ')} WHERE number = ?`,
  );
  const deleteDocument = database.prepare('DELETE FROM documents WHERE number = ?');
  const putContent = database.prepare(
    `INSERT INTO contents (document, text, pages, blocks, text_checksum, structure_checksum) VALUES (?, CAST(? AS TEXT), ?, ?, ?, ?)
     ON CONFLICT (document) DO UPDATE SET text = excluded.text, pages = excluded.pages, blocks = excluded.blocks,
       text_checksum = excluded.text_checksum, structure_checksum = excluded.structure_checksum`,
  );
  const selectChildren = database.prepare('SELECT id FROM documents WHERE parent_id = ?');
  const deleteMetadata = database.prepare('DELETE FROM metadata WHERE document = ?');
  const insertMetadata = database.prepare(
    'INSERT INTO metadata (document, key, type, text, number) VALUES (?, ?, ?, ?, ?)',
  );
  const chunkOwner = database.prepare('SELECT document FROM chunks WHERE id = ?');
  const selectChunks = database.prepare(
    `SELECT chunks.id, chunks.number, embeddings.key, ordinal, "start", "end", page_start, page_end, headings, context,
       table_header, tokens
     FROM chunks JOIN embeddings ON embeddings.number = chunks.embedding WHERE document = ?`,
  );
  const insertChunk = database.prepare(
    `INSERT INTO chunks (id, document, embedding, ordinal, "start", "end", page_start, page_end, headings, context,
       table_header, tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const updateChunk = database.prepare(
    `UPDATE chunks SET ordinal = ?, "start" = ?, "end" = ?, page_start = ?, page_end = ?, headings = ?, context = ?,
       table_header = ?, tokens = ? WHERE number = ?`,
  );
  const deleteChunk = database.prepare('DELETE FROM chunks WHERE number = ?');
  const insertTerms = database.prepare(
    'INSERT INTO keywords (rowid, context, body, padding) VALUES (?, ?, CAST(? AS TEXT), ?)',
  );
  const deleteTerms = database.prepare('DELETE FROM keywords WHERE rowid = ?');
  const countCommit = database.prepare(
    'UPDATE counters SET generation = generation + 1, removed_chunks = removed_chunks + ?',
  );

  const oldChunks = (document: number): Map<string, OldChunk> => {
    const rows = selectChunks.rows(document);
    return new Map(
      rows.map(([id, number, embeddingKey, ...values]) => [
        id as string,
        { number: number as number, embeddingKey: embeddingKey as string, values },
      ]),
    );
  };
  const removeChunks = (numbers: readonly number[]): void => {
    for (const number of numbers) {
      deleteTerms.run(number);
      deleteChunk.run(number);
    }
  };
  const numberOf = (id: string): number | undefined => selectDocument.rows(id)[0]?.[0] as number | undefined;

  const putDocument = (record: DocumentRecord): number => {
    const row = selectDocument.rows(record.id)[0];
    const values = documentValues(record);
    const number = (row?.[0] as number | undefined) ?? insertDocument.run(...values).lastInsertRowid;
    if (row !== undefined) updateDocument.run(...values, number);
    const metadata = documentColumns.indexOf('metadata');
    if (row === undefined || row[metadata + 1] !== values[metadata]) {
      deleteMetadata.run(number);
      for (const { key, type, text, number: value } of metadataRows(record.metadata)) {
        insertMetadata.run(number, key, type, text, value);
      }
    }
    return number;
  };

  // Cached vectors first, then those of the write itself, which later chunks with the same text may use too.
  const embeddingOf = (chunk: ChunkToWrite): number => {
    const cached = cache.find(chunk.embeddingKey);
    if (cached !== undefined) return cached;
    if (chunk.vector === undefined) {
      throw new AquiferError(
        'invalid-vector',
        `Chunk ${JSON.stringify(chunk.id)} has no vector, and none is cached under its embedding key.`,
      );
    }
    return cache.add(chunk.embeddingKey, chunk.vector);
  };

  const addChunk = (document: number, chunk: ChunkToWrite): void => {
    if (chunk.terms === undefined) {
      throw new AquiferError('internal', `Document ${chunk.documentId} changed while it was being replaced.`);
    }
    const owner = chunkOwner.rows(chunk.id)[0]?.[0];
    if (owner !== undefined) {
      throw new AquiferError(
        'invalid-document',
        `Chunk ${JSON.stringify(chunk.id)} belongs to another document already; chunk ids are unique in an index.`,
      );
    }
    const number = insertChunk.run(chunk.id, document, embeddingOf(chunk), ...chunkValues(chunk)).lastInsertRowid;
    const { context, body } = chunk.terms;
    insertTerms.run(number, context, body, contextPadding(context));
  };

  const replaceOne = (write: DocumentToWrite, dimensions: number | undefined): void => {
    for (const { id, vector } of write.chunks) {
      if (vector !== undefined) checkVector(vector, dimensions, `chunk ${JSON.stringify(id)}`);
    }
    const document = putDocument(write.document);
    const { text, pages, blocks } = write;
    const [first = '', ...rest] = text;
    putContent.run(document, first, pages, blocks, checksumOf(...text), checksumOf(pages, blocks));
    textParts.put(document, rest);
    // A vector given with any chunk serves every chunk of the same key, whichever comes first.
    for (const { embeddingKey, vector } of write.chunks) if (vector) cache.add(embeddingKey, vector);
    const old = oldChunks(document);
    const added: ChunkToWrite[] = [];
    for (const chunk of write.chunks) {
      const before = old.get(chunk.id);
      if (before === undefined || before.embeddingKey !== chunk.embeddingKey) {
        added.push(chunk);
        continue;
      }
      old.delete(chunk.id);
      const values = chunkValues(chunk);
      if (values.some((value, index) => value !== before.values[index])) updateChunk.run(...values, before.number);
    }
    removeChunks([...old.values()].map(({ number }) => number));
    for (const chunk of added) addChunk(document, chunk);
    countCommit.run(old.size);
  };

  return {
    keptChunks(documentId, chunks) {
      const document = numberOf(documentId);
      if (document === undefined) return [];
      const old = oldChunks(document);
      return chunks.filter(({ id, embeddingKey }) => old.get(id)?.embeddingKey === embeddingKey).map(({ id }) => id);
    },

    replace(writes, dimensions) {
      return inTransaction(database, () =>
        writes.map((write) => {
          try {
            inSavepoint(database, () => replaceOne(write, dimensions));
            return undefined;
          } catch (error) {
            // Anything else, such as a full disk, undoes them all.
            if (isAquiferError(error)) return toPlainError(error);
            throw error;
          }
        }),
      );
    },

    update(id, changes) {
      inTransaction(database, () => {
        const row = selectDocument.rows(id)[0];
        if (row === undefined) {
          throw new AquiferError('document-not-found', `There is no document ${JSON.stringify(id)} in the index.`);
        }
        putDocument({ ...documentFromRow(row), ...changes, id });
        countCommit.run(0);
      });
    },

    remove(ids) {
      return inTransaction(database, () => {
        let documents = 0;
        let chunks = 0;
        // What is added while going through it is gone through as well: documents inside of documents.
        const all = new Set(ids);
        for (const id of all) {
          for (const [child] of selectChildren.rows(id)) all.add(child as string);
          const number = numberOf(id);
          if (number === undefined) continue;
          const numbers = [...oldChunks(number).values()].map((chunk) => chunk.number);
          removeChunks(numbers);
          deleteDocument.run(number);
          documents++;
          chunks += numbers.length;
        }
        if (documents > 0) countCommit.run(chunks);
        return documents;
      });
    },
  };
}
