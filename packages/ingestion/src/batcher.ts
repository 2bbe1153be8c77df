import type PQueue from 'p-queue';

export interface BatcherOptions<Input, Output> {
  readonly maxBatch: number;
  /** Its concurrency is the number of batches in flight. */
  readonly queue: PQueue;
  /** Whether a batch that is not full waits while another is in flight, because each costs whatever it holds. Default false. */
  readonly fill?: boolean;
  /** One outcome per input, in order. Rejecting rejects every input of the batch. */
  readonly run: (inputs: readonly Input[]) => Promise<readonly BatchOutcome<Output>[]>;
}

export type BatchOutcome<Output> = { readonly value: Output } | { readonly error: unknown };

/**
 * Collects single requests into batches. Nothing waits for a batch to fill: whenever a slot of the queue is free, all
 * that is waiting goes, up to `maxBatch`. A slow `run` therefore gets full batches, a fast one gets prompt ones, and a
 * last half-full batch needs no timer. With `fill`, full batches go as they did, and one that is not full goes when
 * nothing else is in flight, as small packets do (Nagle's algorithm, RFC 896).
 */
export function createBatcher<Input, Output>(
  options: BatcherOptions<Input, Output>,
): (input: Input) => Promise<Output> {
  const { maxBatch, queue, run, fill = false } = options;
  const waiting: {
    readonly input: Input;
    readonly resolve: (output: Output) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  let scheduled = false;
  let inFlight = 0;

  const drain = async () => {
    const batch = waiting.splice(0, maxBatch);
    scheduled = false;
    if (batch.length === 0) return;
    inFlight += 1;
    if (waiting.length > 0) schedule();
    try {
      const outcomes = await run(batch.map(({ input }) => input));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index];
        if (outcome && 'value' in outcome) resolve(outcome.value);
        else reject(outcome?.error ?? new Error(`A batch of ${batch.length} gave ${outcomes.length} outcomes.`));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      inFlight -= 1;
      if (waiting.length > 0 && !scheduled) schedule();
    }
  };
  const schedule = () => {
    scheduled = true;
    // After all that this turn of the event loop makes ready, so that its requests share a batch.
    setImmediate(() => {
      if (fill && inFlight > 0 && waiting.length < maxBatch) scheduled = false;
      else queue.add(drain);
    });
  };

  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      if (!scheduled) schedule();
    });
}
