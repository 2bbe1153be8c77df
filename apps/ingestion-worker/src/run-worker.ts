import {
  type IngestionWorker,
  type IngestionWorkerOptions,
  startIngestionWorker,
  tuneForIndexing,
  type WorkerEvent,
} from 'aquifer';
import { type MetricsServer, startMetricsServer } from './metrics-server.js';
import { createWorkerMetrics } from './worker-metrics.js';

export interface RunWorkerOptions extends IngestionWorkerOptions {
  /** Fires when the worker is to stop. */
  readonly signal: AbortSignal;
  /** Answers `GET /metrics` there; 0 takes any free port. Default: nowhere. */
  readonly metricsPort?: number | undefined;
  readonly onStart?: (started: { readonly id: string; readonly metricsPort?: number }) => void;
}

/** What takes longer to hand back than this is freed by the other workers, when this one gives no sign any more. */
const longestStopMs = 4_000;

/**
 * Sets the process up for indexing and takes ingestion jobs until the signal fires, and returns within five seconds then: whether everything was put away. Where it was not, as when
 * the database does not answer, the process has to be ended.
 *
 * @throws `invalid-options`, `index-unavailable`, `index-not-found`, `index-read-only`
 */
export async function runWorker(options: RunWorkerOptions): Promise<{ readonly isClean: boolean }> {
  const { signal, onStart, metricsPort } = options;
  const metrics = createWorkerMetrics();
  const onEvent = (event: WorkerEvent): void => {
    metrics.count(event);
    options.onEvent?.(event);
  };
  signal.throwIfAborted();
  tuneForIndexing();
  const worker: IngestionWorker = await startIngestionWorker({ ...options, onEvent });
  let server: MetricsServer | undefined;
  try {
    if (metricsPort !== undefined) {
      server = await startMetricsServer(metricsPort, () => metrics.text(worker.stageSeconds));
    }
    onStart?.({ id: worker.id, ...(server && { metricsPort: server.port }) });
    await Promise.race([worker.ended, fired(signal)]);
  } catch (error) {
    await stopInTime(worker);
    throw error;
  } finally {
    await server?.close();
  }
  return { isClean: await stopInTime(worker) };
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Whether it was in time. */
async function stopInTime(worker: IngestionWorker): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), longestStopMs);
  });
  try {
    return await Promise.race([worker.stop().then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
