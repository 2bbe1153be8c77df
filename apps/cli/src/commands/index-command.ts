import type { IndexOptions, IndexSummary, IngestionEvent } from 'aquifer';
import { type CommandOptions, type Context, optionsOf, printJson, settingsOf, withKnowledgeBase } from '../context.js';
import { dollars } from '../terminal/money.js';
import { count, counted, createProgressBar, duration } from '../terminal/progress-bar.js';
import { plainLine } from '../terminal/terminal.js';
import { failureLines } from './failure-lines.js';

const failuresShown = 50;
/** How often a run says where it is when nobody can watch a bar. */
const plainProgressMs = 10_000;

export interface IndexCommandOptions extends CommandOptions {
  readonly reEmbed?: boolean;
  readonly dryRun?: boolean;
  readonly watch?: boolean;
  readonly workers?: boolean;
  readonly wait?: boolean;
}

export async function run(context: Context, paths: string[], options: IndexCommandOptions): Promise<void> {
  const { AquiferError, dryRunIndex, reEmbedKnowledgeBase, tuneForIndexing } = await import('aquifer');
  tuneForIndexing();
  const settings = await settingsOf(context, options);
  if (options.dryRun && (options.watch || options.reEmbed)) {
    throw new AquiferError(
      'invalid-options',
      `--dry-run and ${options.watch ? '--watch' : '--re-embed'} exclude each other.`,
    );
  }
  if (options.reEmbed) {
    const bar = createProgressBar(context.err);
    try {
      await reEmbedKnowledgeBase(await optionsOf(context, settings), {
        signal: context.signal,
        onProgress: ({ done, total }) => bar.update({ label: 're-embedding', done, total, unit: 'documents' }),
      });
    } finally {
      bar.clear();
    }
  }
  const { maxDelete, include, exclude } = settings.values;
  const { workers, wait } = options;
  const indexOptions = { signal: context.signal, maxDeletePercent: maxDelete, include, exclude, workers, wait };
  if (options.watch) {
    const { watch } = await import('./watch.js');
    await watch(context, await optionsOf(context, settings), paths, indexOptions, options.json === true);
    return;
  }
  const report = createRunReport(context, options.json === true);
  const runOptions = { ...indexOptions, ...report.listeners };
  let summary: IndexSummary;
  try {
    summary = options.dryRun
      ? await dryRunIndex(await optionsOf(context, settings), paths, runOptions)
      : await withKnowledgeBase(context, settings, 'write', (knowledgeBase) => knowledgeBase.index(paths, runOptions));
  } finally {
    report.clear();
  }
  report.end(summary);
  if (!options.json) context.out.line(context.out.style('dim', `  next: ${nextCommand(summary)}`));
  context.setExitCode(summary.deletionsRefused !== undefined ? 1 : summary.failed > 0 ? 3 : 0);
}

function nextCommand({ dryRun, scanned, deleted }: IndexSummary): string {
  if (scanned + deleted === 0) return 'npx aquifer index <a folder that holds documents>';
  return dryRun ? 'the same command without --dry-run' : 'npx aquifer ask "…"';
}

export interface RunReport {
  readonly listeners: Pick<IndexOptions, 'onEvent' | 'onProgress' | 'onOptimise'>;
  /** Clears the bar and prints the summary. */
  end(summary: IndexSummary): void;
  /** Clears the bar. */
  clear(): void;
}

/** Shows a run while it goes on: a bar and what failed, or a line of JSON a document. */
export function createRunReport(context: Context, json: boolean): RunReport {
  const { out, err } = context;
  const bar = createProgressBar(err);
  let saidAt = Date.now();
  let shown = 0;

  const onEvent = (event: IngestionEvent) => {
    if (json) {
      bar.clear();
      printJson(context, event);
      return;
    }
    const mark = markOf(context, event);
    if (mark === undefined || ++shown > failuresShown) return;
    bar.clear();
    for (const line of failureLines(out, mark, event.source, event.reason ?? '')) out.line(line);
  };

  return {
    listeners: {
      onEvent,
      onProgress: ({ phase, done, total, chunks, chunksPerSecond, workers }) => {
        const details = [
          ...(chunks > 0 ? [counted(chunks, 'chunk'), `${count(chunksPerSecond)} chunks/s`] : []),
          ...(workers === undefined
            ? []
            : [`${counted(workers.workers, 'worker')}, ${count(workers.running)} running`]),
        ];
        bar.update({ label: phase, done, total, unit: 'files', details });
        if (!err.isInteractive && Date.now() - saidAt > plainProgressMs) {
          saidAt = Date.now();
          err.line(`  ${phase} ${count(done)}/${count(total)} files · ${details.join(' · ')}`);
        }
      },
      onOptimise: ({ done, total }) => bar.update({ label: 'building the graph', done, total, unit: 'vectors' }),
    },
    end(summary) {
      bar.clear();
      if (json) printJson(context, { type: 'summary', ...summary });
      else showSummary(context, summary);
    },
    clear: () => bar.clear(),
  };
}

function markOf({ out }: Context, { status }: IngestionEvent): string | undefined {
  if (status === 'failed') return out.style('red', '✖');
  if (status === 'partially-indexed') return out.style('yellow', '◐');
  return status === 'left-out' ? out.style('yellow', '–') : undefined;
}

/** Of an embedder that somebody else runs. */
function charges({ dryRun, tokens, requests, costUsd, minutesAtQuota }: IndexSummary): string[] {
  if (requests === 0) return [];
  return [
    ...(dryRun ? [] : [counted(tokens, 'token')]),
    counted(requests, 'request'),
    ...(costUsd === undefined ? [] : [dollars(costUsd)]),
    ...(minutesAtQuota === undefined ? [] : [`at least ${duration(minutesAtQuota * 60)} at the quota`]),
  ];
}

function showSummary({ out }: Context, summary: IndexSummary): void {
  const { new: added, modified, moved, unchanged, deleted, failed, chunks, embedded, cacheHits, ms, dryRun } = summary;
  const { skipped, hidden, excluded, outside } = summary;
  const files = [
    dryRun ? `${count(added)} new, ${count(modified)} modified` : `${count(added + modified)} indexed`,
    unchanged > 0 && `${count(unchanged)} unchanged`,
    moved > 0 && `${count(moved)} moved`,
    failed > 0 ? out.style('red', `${count(failed)} failed`) : '0 failed',
    `${count(deleted)} deleted`,
  ].filter(Boolean);
  const leftOut = [
    skipped > 0 && `${count(skipped)} of kinds that no reader takes`,
    hidden > 0 && `${count(hidden)} hidden`,
    excluded > 0 && `${count(excluded)} excluded`,
    outside > 0 && `${count(outside)} ${outside === 1 ? 'link that leads' : 'links that lead'} out of the folder`,
  ].filter(Boolean);
  if (summary.enqueued !== undefined) files.push(`${count(summary.enqueued)} left to the workers`);
  const work = [
    counted(chunks, 'chunk'),
    dryRun
      ? `${count(embedded)} to embed (${[summary.embedder, counted(summary.tokens, 'token'), ...charges(summary)].join(', ')})`
      : `${count(embedded)} embedded (${[summary.embedder, ...charges(summary)].join(', ')})`,
    `${count(cacheHits)} from cache`,
  ];
  const would = dryRun ? 'would be: ' : '';
  out.line(`  ${would}${files.join(', ')} · ${work.join(', ')} · ${duration(ms / 1000)}`);
  if (leftOut.length > 0) out.line(out.style('dim', `  left out: ${leftOut.join(', ')}`));
  if (summary.deletionsRefused) out.line(`  ${out.style('red', '✖')} ${plainLine(summary.deletionsRefused)}`);
  if (failed > failuresShown) out.line(`  … all failures: npx aquifer status --json`);
}
