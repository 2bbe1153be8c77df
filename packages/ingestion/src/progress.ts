import type { HandedProgress } from './handover.js';

/** How far a run is, for a progress bar. */
export interface IngestionProgress {
  /** `listing`: finding out what has changed. `reading`: working through the files. `deleting`: removing what is gone. */
  readonly phase: 'listing' | 'reading' | 'deleting';
  /** Files that are done, those that did not change included. */
  readonly done: number;
  /** All files of the run; 0 while listing. */
  readonly total: number;
  /** Chunks written so far. */
  readonly chunks: number;
  readonly chunksPerSecond: number;
  /** Estimated from the bytes that are left; absent until there is something to go by. */
  readonly msLeft?: number;
  /** Where workers do the work: how far they are. */
  readonly workers?: HandedProgress;
}

/** Often enough for a smooth bar, seldom enough to cost nothing. */
const intervalMs = 50;
/** An estimate from less than this jumps about. */
const minElapsedForEstimateMs = 500;

export interface ProgressFeed {
  phase(phase: IngestionProgress['phase']): void;
  /** The listing is known: how many files, how many of them are done already, and the bytes of the others. */
  start(plan: { readonly total: number; readonly done: number; readonly bytes: number }): void;
  finished(file: { readonly bytes: number; readonly chunks: number }): void;
  workers(progress: HandedProgress): void;
  /** Reports the present state, whenever the last report was. */
  flush(): void;
}

export function createProgressFeed(onProgress: ((progress: IngestionProgress) => void) | undefined): ProgressFeed {
  let phase: IngestionProgress['phase'] = 'listing';
  let [total, done, chunks, bytesLeft, bytesDone] = [0, 0, 0, 0, 0];
  let startedAt = performance.now();
  let reportedAt = Number.NEGATIVE_INFINITY;
  let workers: HandedProgress | undefined;

  const report = (always: boolean) => {
    const now = performance.now();
    if (!onProgress || (!always && now - reportedAt < intervalMs)) return;
    reportedAt = now;
    const elapsedMs = now - startedAt;
    const canEstimate = bytesDone > 0 && elapsedMs >= minElapsedForEstimateMs;
    onProgress({
      phase,
      done,
      total,
      chunks,
      chunksPerSecond: elapsedMs > 0 ? (chunks * 1_000) / elapsedMs : 0,
      ...(canEstimate ? { msLeft: (elapsedMs * bytesLeft) / bytesDone } : {}),
      ...(workers === undefined ? {} : { workers }),
    });
  };

  return {
    phase(next) {
      phase = next;
      report(true);
    },
    start(plan) {
      ({ total, done } = plan);
      bytesLeft = plan.bytes;
      startedAt = performance.now();
    },
    finished(file) {
      done += 1;
      chunks += file.chunks;
      bytesDone += file.bytes;
      bytesLeft -= file.bytes;
      report(false);
    },
    workers(next) {
      workers = next;
      report(true);
    },
    flush: () => report(true),
  };
}
