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
import { checksumOf, extendChecksum } from './checksums.js';
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

/** A part of a document that is replaced piece by piece. */
export interface DocumentPiece {
  /** What follows of the text, in the parts of `text-parts.ts`. */
  readonly text?: readonly (string | Uint8Array)[];
  /** Of chunks that come behind them, without any. */
  readonly vectors?: readonly Pick<ChunkToWrite, 'id' | 'embeddingKey' | 'vector'>[];
  readonly chunks?: readonly ChunkToWrite[];
  /** The memory in which its texts stand, which goes back with the answer. */
  readonly memory: readonly ArrayBuffer[];
}

/** A replacement that has begun, in a transaction that is still open. */
export interface OpenReplacement {
  /** The chunks that the index holds of the document. Of those that come again no terms are needed. */
  readonly held: readonly { readonly id: string; readonly embeddingKey: string }[];
  add(piece: Omit<DocumentPiece, 'memory'>): void;
  /** Removes the chunks that did not come again, and makes what came the content of the document. */
  finish(structure: Pick<DocumentToWrite, 'pages' | 'blocks'>): void;
}

export interface DocumentWriter {
  /** Ids of those of the document's chunks that are in the index already, with the same embedding. */
  keptChunks(documentId: string, chunks: readonly { readonly id: string; readonly embeddingKey: string }[]): string[];
  /**
   * Replaces documents, each of them wholly or not at all, in one transaction: most of what a small document costs is the
   * pages that its commit touches. One error a document, where there is one.
   */
  replace(writes: readonly DocumentToWrite[], dimensions: number | undefined): (PlainError | undefined)[];
  /** Begins to replace a document in the transaction that the caller has opened, and commits or rolls back. */
  begin(document: DocumentRecord, dimensions: number | undefined): OpenReplacement;
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
  const removeChunk = (number: number): void => {
    deleteTerms.run(number);
    deleteChunk.run(number);
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

  const begin = (record: DocumentRecord, dimensions: number | undefined): OpenReplacement => {
    const document = putDocument(record);
    const old = oldChunks(document);
    let removed = 0;
    const remove = (id: string, { number }: OldChunk): void => {
      old.delete(id);
      removeChunk(number);
      removed++;
    };
    textParts.remove(document);
    let first: string | Uint8Array = '';
    let parts = 0;
    let checksum = 0;

    const addText = (part: string | Uint8Array): void => {
      // Kept until the end, while the memory in which it came goes back.
      if (parts === 0) first = typeof part === 'string' ? part : part.slice();
      else textParts.add(document, parts, part);
      parts++;
      checksum = extendChecksum(checksum, part);
    };
    const putChunk = (chunk: ChunkToWrite): void => {
      const before = old.get(chunk.id);
      if (before !== undefined && before.embeddingKey === chunk.embeddingKey) {
        old.delete(chunk.id);
        const values = chunkValues(chunk);
        if (values.some((value, index) => value !== before.values[index])) updateChunk.run(...values, before.number);
        return;
      }
      if (before !== undefined) remove(chunk.id, before);
      addChunk(document, chunk);
    };

    return {
      held: [...old].map(([id, { embeddingKey }]) => ({ id, embeddingKey })),
      add({ text = [], vectors = [], chunks = [] }) {
        for (const part of text) addText(part);
        const withVector = [...vectors, ...chunks];
        for (const { id, vector } of withVector) {
          if (vector !== undefined) checkVector(vector, dimensions, `chunk ${JSON.stringify(id)}`);
        }
        // A vector given with any chunk serves every chunk of the same key, whichever comes first.
        for (const { embeddingKey, vector } of withVector) if (vector) cache.add(embeddingKey, vector);
        for (const chunk of chunks) putChunk(chunk);
      },
      finish({ pages, blocks }) {
        for (const [id, chunk] of old) remove(id, chunk);
        putContent.run(document, first, pages, blocks, checksum, checksumOf(pages, blocks));
        countCommit.run(removed);
      },
    };
  };

  const replaceOne = (write: DocumentToWrite, dimensions: number | undefined): void => {
    const replacement = begin(write.document, dimensions);
    replacement.add(write);
    replacement.finish(write);
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

    begin,

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
          const old = oldChunks(number);
          for (const chunk of old.values()) removeChunk(chunk.number);
          deleteDocument.run(number);
          documents++;
          chunks += old.size;
        }
        if (documents > 0) countCommit.run(chunks);
        return documents;
      });
    },
  };
}
