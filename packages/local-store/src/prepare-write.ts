import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Analyser, ChunkWrite, DocumentWrite } from '@aquifer/contracts';
import type { ChunkToWrite, DocumentToWrite } from './database/document-writes.js';
import { textParts } from './database/text-parts.js';
import { storedTerms } from './keyword/keyword-terms.js';

/** A replacement as the store thread takes it, with the memory that is handed over to it. */
export interface PreparedWrite {
  readonly write: DocumentToWrite;
  readonly transfer: readonly ArrayBuffer[];
}

// The analyser runs on the calling thread, because a function cannot be sent to another; a breath after this many
// characters (some 5 ms) keeps that thread answering.
const charactersPerTurn = 40_000;

/** Characters from which a document's texts go as bytes. Memory that is handed over is freed late, so short ones are copied. */
const longText = 2 ** 18;

const encoder = new TextEncoder();

/**
 * The texts of a long document go as the bytes that SQLite stores: handed over and not copied, and never strings on the other side.
 * One of 90 MB would else be four times in memory, and its terms three times.
 *
 * @param kept Ids of chunks that the index holds already: their terms are not made.
 */
export async function prepareWrite(
  { document, text, pages, blocks, chunks }: DocumentWrite,
  kept: ReadonlySet<string>,
  analyser: Analyser,
): Promise<PreparedWrite> {
  const transfer: ArrayBuffer[] = [];
  const stored = (value: string): string | Uint8Array => {
    if (text.length < longText) return value;
    const bytes = encoder.encode(value);
    transfer.push(bytes.buffer);
    return bytes;
  };
  const termsOf = ({ context, tableHeader, text: body }: ChunkWrite): ChunkToWrite['terms'] => ({
    context: storedTerms([...analyser.terms(context), ...analyser.terms(tableHeader)]),
    body: stored(storedTerms(analyser.terms(body))),
  });

  const prepared: ChunkToWrite[] = [];
  let characters = 0;
  for (const chunk of chunks) {
    const { text: body, vector, ...rest } = chunk;
    // A view of a large buffer would take the whole buffer along to the other thread.
    const own = vector?.slice();
    if (own !== undefined) transfer.push(own.buffer);
    const isKept = kept.has(chunk.id);
    prepared.push({ ...rest, ...(own && { vector: own }), ...(!isKept && { terms: termsOf(chunk) }) });
    if (isKept) continue;
    characters += body.length + chunk.context.length;
    if (characters > charactersPerTurn) {
      characters = 0;
      await nextTurn();
    }
  }
  const write = {
    document,
    text: textParts(text).map(stored),
    pages: JSON.stringify(pages),
    blocks: JSON.stringify(blocks),
    chunks: prepared,
  };
  return { write, transfer };
}
