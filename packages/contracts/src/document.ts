import type { Metadata } from './metadata.js';

/**
 * - `pending`: known, not read yet. `indexed`: searchable. `partially-indexed`: searchable, but part of the file could
 *   not be read (the reason says which). `failed`: not searchable (the reason says why); tried again on the next run.
 * - `ignored`: deliberately not indexed, such as an empty file. `deleting`: being removed.
 */
export type DocumentStatus = (typeof documentStatuses)[number];

export const documentStatuses = ['pending', 'indexed', 'partially-indexed', 'failed', 'ignored', 'deleting'] as const;

/** One source file, or one attachment inside of one, as the store knows it. Its text is stored beside it, once. */
export interface DocumentRecord {
  /** Stable across runs: it stays when the content changes and when the file moves. */
  readonly id: string;
  /** Which source (for example which indexed folder) it came from. */
  readonly sourceId: string;
  /** Path inside the source, with `/` on every system. What people see. */
  readonly source: string;
  /** Where the original is, such as `file:///home/me/handbook/leave.pdf`. */
  readonly uri: string;
  readonly mediaType: string;
  readonly title: string;
  /** Equal stamps mean that the file need not be read: size and modification time, or an ETag. Opaque. */
  readonly stamp: string;
  /** SHA-256 of the file's bytes, hex. Empty where the bytes could not be read. */
  readonly contentHash: string;
  /** Size of the original in bytes. */
  readonly bytes: number;
  readonly metadata: Metadata;
  readonly status: DocumentStatus;
  /**
   * For people: what happened and what to do. Present unless the status is `indexed` or `pending`; an `indexed` document may have a remark
   * here, such as that the embedder took some of its chunks in parts only.
   */
  readonly statusReason?: string;
  readonly pageCount?: number;
  /** Id of the document that this one came inside of, such as the message of an attachment. It is deleted with it. */
  readonly parentId?: string;
  readonly chunkCount: number;
  /** Tokens of all embedded texts. */
  readonly tokenCount: number;
  /** When this version was committed, milliseconds since 1970, by the clock of the store. */
  readonly indexedAt: number;
}

/** A page of the original and its part of the extracted text. */
export interface PageSpan {
  /** Counted from 1, as PDF viewers do. */
  readonly page: number;
  readonly start: number;
  readonly end: number;
}

/** Where a piece of a document is, for people and programs that look it up. */
export interface PassagePlace {
  readonly documentId: string;
  readonly source: string;
  readonly title: string;
  /** From the outermost heading to the innermost. */
  readonly headings: readonly string[];
  readonly pageStart?: number;
  readonly pageEnd?: number;
  /** UTF-16 offsets in the document's stored text. */
  readonly start: number;
  readonly end: number;
}

/** The pages that `[start, end)` touches, or undefined where the document has no pages there. */
export function pageRange(
  pages: readonly PageSpan[],
  start: number,
  end: number,
): { readonly pageStart: number; readonly pageEnd: number } | undefined {
  const touched = pages.filter((page) => page.start < Math.max(end, start + 1) && page.end > start);
  const first = touched[0];
  const last = touched.at(-1);
  return first && last ? { pageStart: first.page, pageEnd: last.page } : undefined;
}
