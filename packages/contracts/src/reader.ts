import type { PageSpan } from './document.js';
import type { Metadata } from './metadata.js';

/** Stored by their place in this list: new ones go to its end. */
export const blockKinds = ['heading', 'paragraph', 'list-item', 'table-row', 'code'] as const;
export type BlockKind = (typeof blockKinds)[number];

/** A piece of structure: a slice of the extracted text. */
export interface Block {
  readonly kind: BlockKind;
  /** UTF-16 offsets into the extracted text: `text.slice(start, end)`. */
  readonly start: number;
  readonly end: number;
  /** Headings: 1 (highest) to 6. List items: nesting, from 1. */
  readonly level?: number;
  /** Table rows: the row that names the columns (a header row names itself). Absent where a table has no header. */
  readonly header?: { readonly start: number; readonly end: number };
}

/** A file inside of a file, such as what is attached to a message. It becomes a document of its own. */
export interface Attachment {
  /** File name, whose extension says how to read it. Others of the same document may have the same. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a reader makes of a file. */
export interface ExtractedDocument {
  /** The whole text, blocks separated by newlines. Well-formed UTF-16, `\n` line ends, no NUL. */
  readonly text: string;
  /** The file's own title, where it has one. */
  readonly title?: string;
  /** In order, not overlapping; together they hold every character that is not white space. */
  readonly blocks: readonly Block[];
  /** In order, not overlapping. Empty for formats without pages. */
  readonly pages: readonly PageSpan[];
  /** Attributes found in the file, such as front matter. */
  readonly metadata: Metadata;
  /** Parts that could not be read, for people: "12 of 40 pages are scans …". The document is then partially indexed. */
  readonly omissions: readonly string[];
  /** In the order of the file. Absent: none. */
  readonly attachments?: readonly Attachment[];
  /** Whether pictures of text were met: what becomes of them depends on whether OCR is on, and on its languages. */
  readonly dependsOnRecognition?: boolean;
}

export interface ReadInput {
  readonly bytes: Uint8Array;
  /** File name with its extension, for choosing a reader and for messages. */
  readonly name: string;
  readonly mediaType?: string;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Tried in order, after the empty one, on encrypted files. */
  readonly passwords?: readonly string[];
}

/**
 * Reads one format.
 *
 * `read` rejects with `unsupported-format` (the bytes are not what they claim to be), `password-required`,
 * `invalid-document` (damaged), `too-large` or `aborted`, and with nothing else. Same bytes, same result.
 */
export interface Reader {
  readonly id: string;
  /** Lower case, with no parameters. */
  readonly mediaTypes: readonly string[];
  /** Lower case, with the dot. */
  readonly extensions: readonly string[];
  /** Whether the first bytes are of this format, for files whose name lies. Absent: any bytes may be. */
  readonly recognises?: (bytes: Uint8Array) => boolean;
  read(input: ReadInput, options?: ReadOptions): Promise<ExtractedDocument>;
}

/** All readers behind one door: picks by content and name. What ingestion receives. */
export interface DocumentReader {
  /** The media type that would be read, or undefined where no reader takes such a file. By name alone, cheap. */
  mediaType(name: string): string | undefined;
  read(input: ReadInput, options?: ReadOptions): Promise<ExtractedDocument & { readonly mediaType: string }>;
  /** Gives back what is kept for the next file, which then takes longer to begin. Files that are being read go on. */
  rest?(): Promise<void>;
  close(): Promise<void>;
}
