import type { ExtractedDocument } from './reader.js';

/** A slice of a document's extracted text: the unit that is embedded, found and cited. */
export interface Chunk {
  /** Derived from the document id and the embedded text: an unchanged chunk keeps its id when the text above it changes. */
  readonly id: string;
  readonly documentId: string;
  /** Position in the document, from 0. */
  readonly ordinal: number;
  /** UTF-16 offsets into the document's text. */
  readonly start: number;
  readonly end: number;
  readonly pageStart?: number;
  readonly pageEnd?: number;
  /** From the outermost heading to the innermost. */
  readonly headings: readonly string[];
  /** `text.slice(start, end)` of the document. */
  readonly text: string;
  /** What says where the slice comes from: document title and heading path, one a line. */
  readonly context: string;
  /** The header row of a table that was split above this slice, or the empty string. */
  readonly tableHeader: string;
  /** Tokens of {@link embeddedText}. */
  readonly tokens: number;
}

/** The exact text that is embedded: context, table header, slice. */
export function embeddedText(chunk: Pick<Chunk, 'context' | 'tableHeader' | 'text'>): string {
  return [chunk.context, chunk.tableHeader, chunk.text].filter((part) => part.length > 0).join('\n');
}

export interface ChunkInput {
  readonly documentId: string;
  readonly title: string;
  readonly extracted: Pick<ExtractedDocument, 'text' | 'blocks' | 'pages'>;
}

/** Cuts documents into chunks. Deterministic: the same input and options give the same chunks. */
export interface Chunker {
  /** Everything that decides where cuts fall, such as `aquifer-1 512 0 cl100k_base`. Part of the manifest. */
  readonly fingerprint: string;
  chunk(input: ChunkInput): Chunk[];
}

/** Counts tokens as a model does. */
export interface TokenCounter {
  /** Names the vocabulary, such as `cl100k_base`. */
  readonly id: string;
  /** Exact for texts that a model can take; time linear in the length of any text. */
  count(text: string): number;
}
