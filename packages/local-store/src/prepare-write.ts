import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Analyser, ChunkWrite, DocumentWrite } from '@aquifer/contracts';
import type { ChunkToWrite, DocumentPiece, DocumentToWrite } from './database/document-writes.js';
import { encodeBlocks } from './database/stored-blocks.js';
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

/** Memory is handed over in blocks of this size: a piece for each text would leave as many holes behind. */
const blockBytes = 2 ** 20;

interface TextBlocks {
  readonly blocks: ArrayBuffer[];
  add(text: string): Uint8Array;
}

/**
 * UTF-8 of texts, one behind the other in blocks.
 *
 * @param spare Blocks that are taken before new ones are made.
 */
function createTextBlocks(spare: ArrayBuffer[] = []): TextBlocks {
  const blocks: ArrayBuffer[] = [];
  let free = new Uint8Array(0);
  return {
    blocks,
    add(text) {
      // No UTF-16 unit takes more than three bytes.
      const most = text.length * 3;
      if (free.length < most) {
        const fitting = spare.findIndex(({ byteLength }) => byteLength >= most);
        const [block = new ArrayBuffer(Math.max(blockBytes, most))] = fitting < 0 ? [] : spare.splice(fitting, 1);
        free = new Uint8Array(block);
        blocks.push(block);
      }
      const { written } = encoder.encodeInto(text, free);
      const bytes = free.subarray(0, written);
      free = free.subarray(written);
      return bytes;
    },
  };
}

/**
 * Terms of chunks, made while the thread goes on answering.
 *
 * @param kept Ids of chunks that the index holds already: their terms are not made.
 * @param bodies Where the terms of bodies go as bytes; absent where they go as text.
 */
async function prepareChunks(
  chunks: readonly ChunkWrite[],
  kept: ReadonlySet<string>,
  analyser: Analyser,
  bodies: TextBlocks | undefined,
): Promise<{ readonly chunks: ChunkToWrite[]; readonly transfer: ArrayBuffer[] }> {
  const transfer: ArrayBuffer[] = [];
  const termsOf = ({ context, tableHeader, text: body }: ChunkWrite): ChunkToWrite['terms'] => {
    const terms = storedTerms(analyser.terms(body));
    return {
      context: storedTerms([...analyser.terms(context), ...analyser.terms(tableHeader)]),
      body: bodies?.add(terms) ?? terms,
    };
  };

  const prepared: ChunkToWrite[] = [];
  let characters = 0;
  for (const chunk of chunks) {
    const { text: body, vector, embeddingKey, ...rest } = chunk;
    // A view of a large buffer would take the whole buffer along to the other thread.
    const own = vector?.slice();
    if (own !== undefined) transfer.push(own.buffer);
    const isKept = kept.has(chunk.id);
    prepared.push({ embeddingKey, ...(own && { vector: own }), ...(!isKept && { terms: termsOf(chunk) }), ...rest });
    if (isKept) continue;
    characters += body.length + chunk.context.length;
    if (characters > charactersPerTurn) {
      characters = 0;
      await nextTurn();
    }
  }
  transfer.push(...(bodies?.blocks ?? []));
  return { chunks: prepared, transfer };
}

/**
 * The texts of a long document go as the bytes that SQLite stores: handed over and not copied, and never strings on the other side.
 *
 * @param kept Ids of chunks that the index holds already: their terms are not made.
 */
export async function prepareWrite(
  { document, text, pages, blocks, chunks }: DocumentWrite,
  kept: ReadonlySet<string>,
  analyser: Analyser,
): Promise<PreparedWrite> {
  const isLong = text.length >= longText;
  const prepared = await prepareChunks(chunks, kept, analyser, isLong ? createTextBlocks() : undefined);
  const parts = textParts(text).map((part) => (isLong ? encoder.encode(part) : part));
  const texts = parts.flatMap((part) => (typeof part === 'string' ? [] : [part.buffer]));
  const write = {
    document,
    text: parts,
    pages: JSON.stringify(pages),
    blocks: encodeBlocks(blocks),
    chunks: prepared.chunks,
  };
  return { write, transfer: [...prepared.transfer, ...texts] };
}

/** Characters of chunks that go in one piece. */
const pieceLength = 2 ** 19;
const vectorsPerPiece = 1_024;

/**
 * A very long document in pieces of about a megabyte, none of which is made before the one before it was asked for: as a whole
 * its text and terms take as much again as the document, twice while it is written.
 *
 * @param kept As for {@link prepareWrite}.
 * @param free Memory of pieces that are written. It is used again: new memory for each piece, freed late, became 70 MB.
 */
export async function* preparePieces(
  { text, chunks }: Pick<DocumentWrite, 'text' | 'chunks'>,
  kept: ReadonlySet<string>,
  analyser: Analyser,
  free: ArrayBuffer[],
): AsyncGenerator<{ readonly piece: DocumentPiece; readonly transfer: readonly ArrayBuffer[] }> {
  for (const part of textParts(text)) {
    const texts = createTextBlocks(free);
    yield { piece: { text: [texts.add(part)], memory: texts.blocks }, transfer: texts.blocks };
  }
  const given = chunks.filter(({ vector }) => vector !== undefined);
  for (let start = 0; start < given.length; start += vectorsPerPiece) {
    const vectors = given.slice(start, start + vectorsPerPiece).map(({ id, embeddingKey, vector }) => {
      return { id, embeddingKey, vector: (vector as Float32Array).slice() };
    });
    yield { piece: { vectors, memory: [] }, transfer: vectors.map(({ vector }) => vector.buffer) };
  }
  for (let start = 0, end = 0; start < chunks.length; start = end) {
    for (let length = 0; end < chunks.length && length < pieceLength; end += 1) length += chunks[end]?.text.length ?? 0;
    const rest = chunks.slice(start, end).map(({ vector: _, ...chunk }) => chunk);
    const terms = createTextBlocks(free);
    const { chunks: prepared, transfer } = await prepareChunks(rest, kept, analyser, terms);
    yield { piece: { chunks: prepared, memory: terms.blocks }, transfer };
  }
}
