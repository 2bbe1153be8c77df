import type { EmbedderFingerprint } from './embedder.js';

/** What an index was built with. Opening it with another embedder is an error. */
export interface Manifest {
  readonly schemaVersion: number;
  readonly knowledgeBase: { readonly id: string; readonly name: string };
  readonly embedder: EmbedderFingerprint;
  /** Fingerprint of the chunker of the last run; empty before the first one. */
  readonly chunker: string;
  readonly analyser: string;
  readonly metric: 'cosine';
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** What is being put into it: the SHA-256 of an export, or the id of a run that embeds another index again. Until it is complete, the index is none. */
  readonly importing?: string;
}
