import type { DocumentWrite } from '@aquifer/contracts';

/** A call of `replaceDocument` that waits. */
export interface Replacement {
  readonly write: DocumentWrite;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Replacements that will share a transaction. Small documents gain most: a commit of one touches some twenty pages of
 * 16 KiB, a commit of fifty hardly more than two hundred (3,000 documents of one chunk: 400 a second one by one, 1,200 in
 * groups).
 */
export interface ReplacementGroup {
  readonly replacements: readonly Replacement[];
  /** Also true for a second version of the same document: which of its chunks are there must be known before. */
  isFullFor(write: DocumentWrite): boolean;
  add(replacement: Replacement): void;
}

const maxDocuments = 64;
/** Bounds the memory of a group and how long a transaction holds off other calls. */
const maxChunks = 512;

export function createReplacementGroup(): ReplacementGroup {
  const replacements: Replacement[] = [];
  const documentIds = new Set<string>();
  let chunks = 0;
  return {
    replacements,
    isFullFor: ({ document, chunks: more }) =>
      replacements.length > 0 &&
      (replacements.length >= maxDocuments || chunks + more.length > maxChunks || documentIds.has(document.id)),
    add(replacement) {
      replacements.push(replacement);
      documentIds.add(replacement.write.document.id);
      chunks += replacement.write.chunks.length;
    },
  };
}
