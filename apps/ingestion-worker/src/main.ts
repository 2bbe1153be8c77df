// The program of the container image: what it is told, it is told by environment variables (docs/workers.md).
import { AquiferError, isAquiferError, knowledgeBaseOptions, loadSettings } from 'aquifer';
import { runWorker } from './run-worker.js';

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stopping.abort(new AquiferError('aborted', `Stopped by ${signal}.`)));
}
const say = (line: unknown): void => {
  process.stderr.write(`${JSON.stringify(line)}\n`);
};

try {
  const { values } = await loadSettings({ flags: {}, environment: process.env });
  const { concurrency, metricsPort, deadAfterSeconds, maxAttempts, tenant } = values;
  await runWorker({
    ...(await knowledgeBaseOptions(values)),
    concurrency,
    metricsPort,
    maxAttempts,
    tenants: tenant?.length === 0 ? undefined : tenant,
    deadAfterMs: deadAfterSeconds === undefined ? undefined : deadAfterSeconds * 1000,
    signal: stopping.signal,
    onStart: (started) => say({ type: 'started', ...started }),
    onEvent: say,
  });
  process.exit(0);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  say({ type: 'failure', ...(isAquiferError(error) && { code: error.code }), message });
  process.exit(1);
}
