import { isAquiferError, throwIfAborted } from '@aquifer/contracts';
import { createChangeGate } from './change-gate.js';
import type { IndexOptions, IndexSummary, KnowledgeBaseOptions } from './knowledge-base.js';
import { openKnowledgeBase } from './open-knowledge-base.js';

export interface WatchIndexOptions extends Omit<IndexOptions, 'dryRun' | 'retryFailed' | 'onFolders'> {
  /** After each round, the first and those that found nothing to do included. */
  readonly onRound?: (summary: IndexSummary) => void;
  /** A round failed. The watch goes on, and the next round does what this one did not. */
  readonly onFailure?: (error: unknown) => void;
  /** Waiting for changes begins. `folders` are watched by the system. */
  readonly onWatching?: (watching: { readonly folders: number }) => void;
  /** The system does not tell of changes in this folder; they are found by the rounds that look at everything. */
  readonly onBlind?: (folder: string, reason: string) => void;
  /** A round begins when nothing has changed for this long. Default 300. */
  readonly quietMs?: number;
  /** Everything is looked at at least this often, for what the system does not tell: network drives, missed events. Default 60,000. */
  readonly checkEveryMs?: number;
  /** Looking at everything takes at most this share of the time (above 0, to 1), however often it is asked for. Default 0.05. */
  readonly checkShare?: number;
}

const maxWaitMs = 5_000;
const [firstRetryMs, lastRetryMs] = [1_000, 60_000];

/**
 * Indexes files and folders and keeps the index up to date with them until the signal fires. The index is open, and its
 * writer's lock held, only while a round runs: searches work all the time, other writers between the rounds.
 *
 * Resolves when the signal fires while nothing is to be done.
 *
 * @throws `aborted` when the signal fires in the middle of a round (what was committed stays), and what the first round
 *   fails with, unless somebody else is writing or too much would be deleted
 * @example
 * await watchIndex({ location: './.aquifer' }, './handbook', { signal, onRound: ({ modified }) => console.log(modified) });
 */
export async function watchIndex(
  options: KnowledgeBaseOptions,
  paths: string | readonly string[],
  watchOptions: WatchIndexOptions = {},
): Promise<void> {
  const { signal, onBlind, onRound, onFailure, quietMs = 300, checkEveryMs = 60_000, checkShare = 0.05 } = watchOptions;
  const { createFolderWatch } = await import('@aquifer/ingestion');
  const gate = createChangeGate({ quietMs, maxWaitMs });
  const watch = createFolderWatch({ onChange: gate.note, onBlind });
  let hasSucceeded = false;
  let retryMs = firstRetryMs;
  try {
    for (;;) {
      const startedAt = performance.now();
      const folders: (string | Buffer)[] = [];
      let waitMs = checkEveryMs;
      try {
        const knowledgeBase = await openKnowledgeBase({ ...options, mode: 'write' });
        try {
          const summary = await knowledgeBase.index(paths, {
            ...watchOptions,
            // What fails for good would fail on every save of another file.
            retryFailed: !hasSucceeded,
            onFolders: (listed) => folders.push(...listed),
          });
          hasSucceeded = true;
          retryMs = firstRetryMs;
          onRound?.(summary);
        } finally {
          await knowledgeBase.close();
        }
        waitMs = Math.max(waitMs, (performance.now() - startedAt) / checkShare);
      } catch (error) {
        throwIfAborted(signal);
        const mayPass = isAquiferError(error, 'index-locked') || isAquiferError(error, 'too-many-deletions');
        if (!hasSucceeded && !mayPass) throw error;
        onFailure?.(error);
        waitMs = Math.min(waitMs, retryMs);
        retryMs = Math.min(retryMs * 2, lastRetryMs);
      }
      // In folders that are watched only from now on, something may have changed since they were listed.
      if (folders.length > 0 && watch.watch(folders) > 0) gate.note();
      watchOptions.onWatching?.({ folders: watch.size });
      await gate.wait(waitMs, signal);
      if (signal?.aborted) return;
    }
  } finally {
    watch.close();
  }
}
