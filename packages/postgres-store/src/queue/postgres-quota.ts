import { hash } from 'node:crypto';
import type { SharedQuota } from '@aquifer/contracts';
import { parsePostgresLocation } from '../postgres-location.js';
import { createTransactions } from '../transactions.js';

/** What nobody reserved in the last moment may still be had: late timers must not cost anything, nor a burst be refused by the provider. */
const keptSeconds = 0.1;

export interface PostgresQuota extends SharedQuota {
  close(): Promise<void>;
}

/**
 * Keeps count of the quotas of model providers in a database, by its clock. Reservations are stretches of time that follow each other, so what all
 * processes send together never exceeds the rate. Connects when it is first asked; the schema of an index has to be there.
 *
 * @example
 * const quota = openPostgresQuota('postgres://aquifer@db.internal/aquifer');
 * const { waitMs } = await quota.acquire({ key: 'titan', requests: 8, tokens: 900, requestsPerSecond: 33, tokensPerSecond: Infinity });
 */
export function openPostgresQuota(address: string): PostgresQuota {
  const location = { ...parsePostgresLocation(address), maxConnections: 1 };
  const transactions = createTransactions({ location });
  return {
    async acquire({ key, requests, tokens, requestsPerSecond, tokensPerSecond }) {
      const seconds = Math.max(requests / requestsPerSecond, tokens / tokensPerSecond);
      const [row] = await transactions.write((query) =>
        query(
          `INSERT INTO aquifer.quotas AS q (key, free_at) VALUES ($1, clock_timestamp() + $2 * interval '1 second')
           ON CONFLICT (key) DO UPDATE
             SET free_at = greatest(q.free_at, clock_timestamp() - $3 * interval '1 second') + $2 * interval '1 second'
           RETURNING extract(epoch FROM free_at - clock_timestamp())::float8 * 1000 AS ends`,
          [hash('sha256', key, 'hex'), seconds, keptSeconds],
        ),
      );
      const endsMs = Math.max(0, row?.ends as number);
      const waitMs = Math.max(0, endsMs - seconds * 1000);
      return { waitMs, lengthMs: endsMs - waitMs };
    },
    close: () => transactions.close(),
  };
}
