import { runWorker } from '@aquifer/ingestion-worker';
import type { WorkerEvent } from 'aquifer';
import { type CommandOptions, type Context, optionsOf, settingsOf } from '../context.js';
import { counted } from '../terminal/progress-bar.js';
import { plainLine, plainName } from '../terminal/terminal.js';

/** Takes documents from the queue of a database until SIGTERM or Ctrl-C. */
export async function run(context: Context, options: CommandOptions): Promise<void> {
  const settings = await settingsOf(context, options);
  const { concurrency, metricsPort, deadAfterSeconds, maxAttempts, tenant } = settings.values;
  const { err } = context;
  const json = options.json === true;
  const say = (line: unknown): void => err.line(JSON.stringify(line));
  const { isClean } = await runWorker({
    ...(await optionsOf(context, settings)),
    concurrency,
    metricsPort,
    maxAttempts,
    tenants: tenant?.length === 0 ? undefined : tenant,
    deadAfterMs: deadAfterSeconds === undefined ? undefined : deadAfterSeconds * 1000,
    signal: context.signal,
    onStart: ({ id, metricsPort: port }) => {
      if (json) return say({ type: 'started', id, ...(port !== undefined && { metricsPort: port }) });
      const where = port === undefined ? '' : `; metrics: http://127.0.0.1:${port}/metrics`;
      err.line(`  worker ${id} takes ${counted(concurrency ?? 4, 'document')} at a time${where}; Ctrl-C ends`);
    },
    onEvent: (event) => (json ? say(event) : err.line(lineOf(context, event))),
  });
  if (!json) err.line('  stopped; what was in work is back in the queue');
  // A database that does not answer would keep the process for as long.
  if (!isClean) process.exit(0);
}

function lineOf({ err }: Context, event: WorkerEvent): string {
  if (event.type === 'trouble') return `  ${err.style('yellow', '!')} ${plainLine(event.message)}`;
  const isWrong = ['failed', 'dead', 'retry', 'refused'].includes(event.status);
  const mark = isWrong ? err.style(event.status === 'retry' ? 'yellow' : 'red', '✖') : err.style('green', '✔');
  const what = isWrong ? `${event.status}: ${plainLine(event.reason ?? '')}` : counted(event.chunks, 'chunk');
  return `  ${mark} ${plainName(event.source)} · ${what} · ${event.ms} ms`;
}
