import { endianness } from 'node:os';
import {
  AquiferError,
  type Chunk,
  type ChunkWrite,
  type DocumentContent,
  type DocumentRecord,
  type DocumentWrite,
  type Manifest,
} from '@aquifer/contracts';

/**
 * A knowledge base as lines of JSON, compressed by gzip: a header, the vectors in order of key, the documents in order of id, and an end. The
 * same knowledge base gives the same lines, whatever store it is in. docs/backup.md describes them for others.
 */
export const exportFormat = 'aquifer-export';
export const exportVersion = 1;

/** The first line. */
export interface ExportHeader {
  readonly format: typeof exportFormat;
  readonly version: number;
  readonly manifest: Manifest;
  /** Of the layers above the store, by key. */
  readonly values: Readonly<Record<string, unknown>>;
  /** How many lines of each follow. */
  readonly documents: number;
  readonly embeddings: number;
}

/** The last line. */
export interface ExportEnd {
  readonly type: 'end';
  readonly documents: number;
  readonly chunks: number;
  readonly embeddings: number;
  /** Hex, over the bytes of all lines before this one with their line ends. */
  readonly sha256: string;
}

export interface EmbeddingEntry {
  readonly key: string;
  readonly vector: Float32Array;
}

/** What stands between header and end. */
export type ExportedLine =
  | { readonly type: 'embedding'; readonly entry: EmbeddingEntry }
  | { readonly type: 'document'; readonly write: DocumentWrite };

/** A vector is its 4-byte floats, little-endian, in base64. */
export function embeddingLine({ key, vector }: EmbeddingEntry): string {
  return JSON.stringify({ type: 'embedding', key, vector: littleEndian(vector).toString('base64') });
}

/** Chunks are without their text, which is a slice of the document's. Vectors are found by their keys. */
export function documentLine(
  document: DocumentRecord,
  { text, pages, blocks }: DocumentContent,
  chunks: readonly (Chunk & { readonly embeddingKey: string })[],
): string {
  const slices = chunks.map(
    ({ id, embeddingKey, start, end, pageStart, pageEnd, headings, context, tableHeader, tokens }) => ({
      id,
      embeddingKey,
      start,
      end,
      pageStart,
      pageEnd,
      headings,
      context,
      tableHeader,
      tokens,
    }),
  );
  return JSON.stringify({ type: 'document', document, text, pages, blocks, chunks: slices });
}

/** @throws `invalid-export` for a line that is not one of an export */
export function parseLine(line: Buffer, refuse: (why: string) => never): ExportedLine {
  const parsed = parseJson(line, refuse);
  if (parsed.type === 'embedding' && typeof parsed.key === 'string' && typeof parsed.vector === 'string') {
    const bytes = Buffer.from(parsed.vector, 'base64');
    if (bytes.length % Float32Array.BYTES_PER_ELEMENT !== 0) refuse(`the vector of ${parsed.key} is not whole`);
    return { type: 'embedding', entry: { key: parsed.key, vector: floats(bytes) } };
  }
  const { document, text, pages, blocks, chunks } = parsed;
  if (parsed.type !== 'document' || typeof text !== 'string' || !isRecord(document) || !Array.isArray(chunks)) {
    refuse(`a line is neither a vector nor a document: ${line.subarray(0, 80).toString()}`);
  }
  const { id } = document as unknown as DocumentRecord;
  const writes = (chunks as Omit<ChunkWrite, 'documentId' | 'ordinal' | 'text'>[]).map((chunk, ordinal) => ({
    ...chunk,
    documentId: id,
    ordinal,
    text: (text as string).slice(chunk.start, chunk.end),
  }));
  // The store checks the rest of a document, as it does for every document.
  return { type: 'document', write: { document, text, pages, blocks, chunks: writes } as unknown as DocumentWrite };
}

/** @throws `invalid-export`, `index-too-new` */
export function parseHeader(line: Buffer, file: string, refuse: (why: string) => never): ExportHeader {
  const header = parseJson(line, refuse) as unknown as ExportHeader;
  if (header.format !== exportFormat || !isRecord(header.manifest)) refuse('it is not an export of Aquifer');
  if (header.version > exportVersion) {
    throw new AquiferError('index-too-new', `${file} was written by a newer version of Aquifer: update this one.`);
  }
  return header;
}

/** @throws `invalid-export` */
export function parseEnd(line: Buffer, refuse: (why: string) => never): ExportEnd {
  const end = parseJson(line, refuse) as unknown as ExportEnd;
  if (end.type !== 'end' || typeof end.sha256 !== 'string') refuse('its end is missing');
  return end;
}

function parseJson(line: Buffer, refuse: (why: string) => never): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(line.toString());
    if (isRecord(parsed)) return parsed;
  } catch {
    // Said below.
  }
  return refuse(`a line is not JSON: ${line.subarray(0, 80).toString()}`);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function littleEndian(vector: Float32Array): Buffer {
  const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32();
}

function floats(bytes: Buffer): Float32Array {
  const vector = new Float32Array(bytes.length / Float32Array.BYTES_PER_ELEMENT);
  const own = Buffer.from(vector.buffer);
  bytes.copy(own);
  if (endianness() === 'BE') own.swap32();
  return vector;
}
