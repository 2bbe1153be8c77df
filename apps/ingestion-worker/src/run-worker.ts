import { type IngestionWorker, type IngestionWorkerOptions, startIngestionWorker, type WorkerEvent } from 'aquifer';
import { startMetricsServer } from './metrics-server.js';
import { createWorkerMetrics } from './worker-metrics.js';

export interface RunWorkerOptions extends IngestionWorkerOptions {
  /** Fires when the worker is to stop. */
  readonly signal: AbortSignal;
  /** Answers `GET /metrics` there; 0 takes any free port. Default: nowhere. */
  readonly metricsPort?: number | undefined;
  readonly onStart?: (started: { readonly id: string; readonly metricsPort?: number }) => void;
}

/** What takes longer to hand back than this is freed by the other workers, when this one gives no sign any more. */
const longestStopMs = 4_800;

/**
 * Takes ingestion jobs until the signal fires, and is gone within five seconds then.
 *
 * @throws `invalid-options`, `index-unavailable`, `index-not-found`, `index-read-only`
 */
export async function runWorker(options: RunWorkerOptions): Promise<void> {
  const { signal, onStart, metricsPort } = options;
  const metrics = createWorkerMetrics();
  const onEvent = (event: WorkerEvent): void => {
    metrics.count(event);
    options.onEvent?.(event);
  };
  signal.throwIfAborted();
  const worker: IngestionWorker = await startIngestionWorker({ ...options, onEvent });
  try {
    const server =
      metricsPort === undefined
        ? undefined
        : await startMetricsServer(metricsPort, () => metrics.text(worker.stageSeconds));
    try {
      onStart?.({ id: worker.id, ...(server && { metricsPort: server.port }) });
      await Promise.race([worker.ended, stopped(worker, signal)]);
    } finally {
      await server?.close();
    }
  } finally {
    await Promise.race([worker.stop(), after(longestStopMs)]);
  }
}

async function stopped(worker: IngestionWorker, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([worker.stop(), after(longestStopMs)]);
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
