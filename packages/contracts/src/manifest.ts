import type { EmbedderFingerprint } from './embedder.js';

/** What an index was built with. Written once, when the index is created; opening with anything else is an error. */
export interface Manifest {
  readonly schemaVersion: number;
  readonly knowledgeBase: { readonly id: string; readonly name: string };
  readonly embedder: EmbedderFingerprint;
  readonly chunker: string;
  readonly analyser: string;
  readonly metric: 'cosine';
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}
