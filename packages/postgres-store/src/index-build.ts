import type { Transactions } from './transactions.js';

const pollMs = 500;

/**
 * Looks on from another connection while a process of the server builds an index: tells how far it is, and cancels it for a signal
 * (postgresql.org/docs/current/progress-reporting.html#CREATE-INDEX-PROGRESS-REPORTING).
 */
export function watchIndexBuild(options: {
  readonly transactions: Transactions;
  readonly processId: number;
  readonly vectors: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}): { stop(): void } {
  const { transactions, processId, vectors, signal, onProgress } = options;
  let furthest = 0;
  let isStopped = false;
  // What fails here is told by the building itself.
  const ask = (sql: string) => transactions.outside((query) => query(sql, [processId])).catch(() => []);
  const poll = async (): Promise<void> => {
    // The table is of all knowledge bases, and its pages are read once; of the graph's own vectors, the server tells the number.
    const [row] = await ask(
      `SELECT tuples_done::float8 AS vectors, blocks_done::float8 / nullif(blocks_total, 0) AS share
       FROM pg_stat_progress_create_index WHERE pid = $1 AND phase LIKE 'building index%'`,
    );
    if (isStopped || row === undefined) return;
    const share = Math.max((row.vectors as number) / vectors, (row.share as number | null) ?? 0);
    const done = Math.min(vectors, Math.round(vectors * share));
    if (done <= furthest) return;
    furthest = done;
    onProgress?.({ done, total: vectors });
  };
  let isPolling = false;
  const timer = setInterval(async () => {
    if (isPolling) return;
    isPolling = true;
    await poll();
    isPolling = false;
  }, pollMs);
  const cancel = (): void => void ask('SELECT pg_cancel_backend($1)');
  signal?.addEventListener('abort', cancel);
  if (signal?.aborted) cancel();
  return {
    stop() {
      isStopped = true;
      clearInterval(timer);
      signal?.removeEventListener('abort', cancel);
    },
  };
}
