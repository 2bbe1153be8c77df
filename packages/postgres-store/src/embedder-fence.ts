import { AquiferError, fingerprintText, type Manifest } from '@aquifer/contracts';
import pg from 'pg';
import type { PostgresLocation } from './postgres-location.js';
import type { Query } from './transactions.js';

/**
 * Keeps whoever opened a knowledge base to the vectors of the embedder that it had then: another process may put an index of another embedder in
 * its place at any time (see `re-embedding.ts`).
 */
export interface EmbedderFence {
  /** What the manifest says to whoever reads or writes it first holds for all that follows. */
  hold(manifest: Manifest | undefined, isOwn?: boolean): void;
  /** To be sent before anything that compares or writes vectors, in the same transaction. @throws `embedder-mismatch` (retryable) */
  assert(query: Query): Promise<void>;
}

/** What makes two manifests those of the same vectors. */
const madeBy = ({ embedder, importing = '' }: Manifest): string =>
  JSON.stringify([fingerprintText(embedder), importing]);

export const isMadeAlike = (one: Manifest, other: Manifest): boolean => madeBy(one) === madeBy(other);

export const replacedMeanwhile = (now: Manifest, shown: string): AquiferError =>
  new AquiferError(
    'embedder-mismatch',
    `The knowledge base at ${shown} was embedded again since it was opened here, by ${fingerprintText(now.embedder)}: open it again. ` +
      'Nothing was found or written with the vectors of the embedder before.',
    { retryable: true },
  );

export function createEmbedderFence({
  tenant,
  knowledgeBase,
  shown,
}: Pick<PostgresLocation, 'tenant' | 'knowledgeBase' | 'shown'>): EmbedderFence {
  let held: Manifest | undefined;
  return {
    hold(manifest, isOwn = false) {
      if (isOwn || held === undefined) held = manifest;
    },
    async assert(query) {
      const expected = held;
      if (expected === undefined) return;
      const [row] = await query.prepared(
        'SELECT manifest FROM aquifer.knowledge_bases WHERE tenant = $1 AND knowledge_base = $2',
        [tenant, knowledgeBase],
      );
      if (row === undefined) return;
      const now = JSON.parse(row.manifest as string) as Manifest;
      if (!isMadeAlike(now, expected)) throw replacedMeanwhile(now, shown);
    },
  };
}

/**
 * Statements that hold a lock until the transaction ends: those who write a knowledge base share it, and who puts another index in its place has it
 * alone. Taken first of all, so that nobody who waits for it holds up anybody; it is waited for however long that takes, since its end is certain.
 */
export function lockWriting(
  { tenant, knowledgeBase }: Pick<PostgresLocation, 'tenant' | 'knowledgeBase'>,
  how: 'shared' | 'alone',
): string {
  const key = pg.escapeLiteral(`aquifer writing ${JSON.stringify([tenant, knowledgeBase])}`);
  return `SELECT set_config('aquifer.lock_timeout', current_setting('lock_timeout'), true), set_config('lock_timeout', '0', true);
    SELECT pg_advisory_xact_lock${how === 'shared' ? '_shared' : ''}(hashtextextended(${key}, 0));
    SELECT set_config('lock_timeout', current_setting('aquifer.lock_timeout'), true)`;
}
