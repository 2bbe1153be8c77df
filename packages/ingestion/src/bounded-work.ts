import { collectGarbage } from '@aquifer/contracts';
import PQueue from 'p-queue';
import { createByteBudget } from './byte-budget.js';

/** A text is some eight times as large with all that is made of it. */
export const defaultMaxBytesInFlight = 16 * 2 ** 20;

export interface WorkLimits<Work> {
  /** Pieces of work at once. */
  readonly concurrency: number;
  /** Bytes at once; one piece that has more is let in alone. */
  readonly maxBytes: number;
  readonly bytesOf: (work: Work) => number;
  /** No more is begun when it is aborted. */
  readonly signal: AbortSignal;
  /** Aborted with the first error, to stop what is going on. */
  readonly stop: AbortController;
}

/**
 * Works through a list, a bounded number of pieces and bytes at once; the first error stops the rest.
 *
 * @throws what the list, or else the first piece, failed with
 */
export async function boundedWork<Work>(
  list: Iterable<Work> | AsyncIterable<Work>,
  act: (work: Work) => Promise<void>,
  { concurrency, maxBytes, bytesOf, signal, stop }: WorkLimits<Work>,
): Promise<void> {
  const queue = new PQueue({ concurrency });
  const budget = createByteBudget(maxBytes);
  let failure: { readonly error: unknown } | undefined;

  const fail = (error: unknown) => {
    failure ??= { error };
    stop.abort(error);
  };

  try {
    for await (const next of list) {
      await queue.onSizeLessThan(1);
      if (signal.aborted) break;
      const bytes = bytesOf(next);
      await budget.take(bytes);
      queue
        .add(() => act(next))
        .catch(fail)
        .finally(() => {
          // Before the next one is let in: what is left of a large document would stay beside it while its reader is waited for.
          if (bytes >= collectedBytes) collectGarbage();
          budget.give(bytes);
        });
    }
  } catch (error) {
    fail(error);
  }
  await queue.onIdle();
  if (failure) throw failure.error;
}

/** Pieces of this size are few, and leave so much behind that collecting it at once is worth some 50 ms. */
const collectedBytes = 8 * 2 ** 20;
