import type { DocumentRecord } from '@aquifer/contracts';
import { type OpenDatabaseOptions, openDatabase } from '../database/database.js';
import { createDocumentWriter, type DocumentPiece, type DocumentToWrite } from '../database/document-writes.js';

/** A document that is being replaced over several calls, wholly or not at all. */
export interface PiecewiseReplacement {
  /** The chunks that the index holds of the document. */
  readonly held: readonly { readonly id: string; readonly embeddingKey: string }[];
  /** Returns the memory of the piece, for the next one. */
  add(piece: DocumentPiece): readonly ArrayBuffer[];
  commit(structure: Pick<DocumentToWrite, 'pages' | 'blocks'>): void;
  /** Undoes what was not committed. */
  close(): void;
}

/**
 * Begins a transaction on a connection of its own, so that what is asked between the pieces is answered by what was there before.
 * Only one writer may be at work.
 */
export function beginReplacement(
  options: OpenDatabaseOptions,
  document: DocumentRecord,
  dimensions: number | undefined,
): PiecewiseReplacement {
  const database = openDatabase(options);
  try {
    database.exec('BEGIN IMMEDIATE');
    const { held, add, finish } = createDocumentWriter(database).begin(document, dimensions);
    return {
      held,
      add(piece) {
        add(piece);
        return piece.memory;
      },
      commit(structure) {
        finish(structure);
        database.exec('COMMIT');
      },
      // SQLite rolls back what is open.
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}
