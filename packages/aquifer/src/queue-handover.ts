import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { AquiferError } from '@aquifer/contracts';
import type { HandedResult, HandedWork, Handover } from '@aquifer/ingestion';
import type { IngestionQueue } from '@aquifer/postgres-store/ingestion-queue';

/** How files are read, as the run that asks for it was told: part of each job. */
export interface ReadingLimits {
  readonly readTimeoutMs?: number | undefined;
  readonly readMemoryMb?: number | undefined;
  readonly maxFileMb?: number | undefined;
}

/** What a job says, as it stands in the database. */
export interface IngestionJob {
  readonly handed: HandedWork;
  readonly reading: ReadingLimits;
}

const collectEveryMs = 250;
const countEveryMs = 1_000;
/** Where nothing ends for so long, and the jobs come back from the workers, none of them can do these. */
const stuckMs = 30_000;

/**
 * Hands documents to the workers of a knowledge base. Where none of them is alive any more, or none takes these documents, they come back.
 */
export function createQueueHandover(parts: {
  readonly queue: IngestionQueue;
  readonly waits: boolean;
  readonly reading: ReadingLimits;
}): Handover {
  const { queue, waits, reading } = parts;
  const run = randomUUID();
  let given = 0;
  return {
    waits,
    async give(works) {
      given = works.length;
      if (given === 0) return;
      const jobs = works.map(({ handed, pending }) => {
        const before = handed.existing?.status === 'pending' ? undefined : handed.existing;
        return { document: pending, before, work: { handed, reading } satisfies IngestionJob };
      });
      await queue.enqueue(jobs, waits ? run : undefined);
    },

    async wait({ onResult, onProgress, signal }) {
      const returned: string[] = [];
      let ended = 0;
      let endedAt = performance.now();
      let countedAt = Number.NEGATIVE_INFINITY;
      const collect = async (): Promise<number> => {
        const jobs = await queue.collect(run);
        for (const { documentId, ended: how, outcome, note } of jobs) {
          onResult(documentId, how === 'done' ? (outcome as HandedResult) : { failed: note ?? '' });
        }
        ended += jobs.length;
        if (jobs.length > 0) endedAt = performance.now();
        return jobs.length;
      };
      /** Whether there is nothing left to wait for. */
      const look = async (): Promise<boolean> => {
        countedAt = performance.now();
        const counts = await queue.counts();
        onProgress(counts);
        const isStuck = counts.running === 0 && counts.note !== undefined && countedAt - endedAt > stuckMs;
        if (counts.workers === 0 || isStuck) returned.push(...(await queue.withdraw(run)));
        // Of documents that somebody deleted nothing is heard.
        return (await queue.left(run)) === 0;
      };
      try {
        while (ended + returned.length < given) {
          signal.throwIfAborted();
          if ((await collect()) > 0) continue;
          if (performance.now() - countedAt >= countEveryMs && (await look())) {
            await collect();
            break;
          }
          await wait(collectEveryMs, undefined, { signal });
        }
      } catch (error) {
        if (!signal.aborted) throw error;
        await queue.leave(run);
        throw new AquiferError(
          'aborted',
          `Stopped waiting. ${given - ended} documents are left to the workers; npx aquifer status says how far they are.`,
          { cause: error },
        );
      }
      return returned;
    },
  };
}
