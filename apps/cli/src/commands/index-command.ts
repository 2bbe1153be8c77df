import type { IndexSummary, IngestionEvent, KnowledgeBase } from 'aquifer';
import { type CommandOptions, type Context, printJson, settingsOf, withKnowledgeBase } from '../context.js';
import { count, createProgressBar, duration } from '../terminal/progress-bar.js';
import { plainLine, truncate } from '../terminal/terminal.js';

const failuresShown = 50;
/** How often a run says where it is when nobody can watch a bar. */
const plainProgressMs = 10_000;

export async function run(
  context: Context,
  paths: string[],
  options: CommandOptions & { readonly reEmbed?: boolean },
): Promise<void> {
  const settings = await settingsOf(context, options);
  if (options.reEmbed) {
    const { knowledgeBaseOptions, reEmbedKnowledgeBase } = await import('aquifer');
    const bar = createProgressBar(context.err);
    await reEmbedKnowledgeBase(await knowledgeBaseOptions(settings.values), {
      signal: context.signal,
      onProgress: ({ done, total }) => bar.update({ label: 're-embedding', done, total, unit: 'documents' }),
    });
    bar.clear();
  }
  const summary = await withKnowledgeBase(settings, 'write', (knowledgeBase) =>
    indexPaths(context, knowledgeBase, paths, settings.values.maxDelete, options.json === true),
  );
  context.setExitCode(summary.failed > 0 ? 3 : 0);
}

async function indexPaths(
  context: Context,
  knowledgeBase: KnowledgeBase,
  paths: string[],
  maxDeletePercent: number | undefined,
  json: boolean,
): Promise<IndexSummary> {
  const { out, err } = context;
  const bar = createProgressBar(err);
  let saidAt = Date.now();
  let failures = 0;

  const onEvent = (event: IngestionEvent) => {
    if (json) {
      printJson(context, event);
    } else if (event.status === 'failed' || event.status === 'partially-indexed') {
      if (++failures > failuresShown) return;
      const mark = event.status === 'failed' ? out.style('red', '✖') : out.style('yellow', '◐');
      const line = `${plainLine(event.source)}   ${plainLine(event.reason ?? '')}`;
      bar.clear();
      out.line(`  ${mark} ${out.isInteractive ? truncate(line, out.columns - 4) : line}`);
    }
  };

  const summary = await knowledgeBase.index(paths, {
    signal: context.signal,
    maxDeletePercent,
    onEvent,
    onProgress: ({ phase, done, total, chunks, chunksPerSecond }) => {
      const detail = `${count(chunks)} chunks · ${count(chunksPerSecond)} chunks/s`;
      bar.update({ label: phase, done, total, unit: 'files', detail: chunks > 0 ? detail : undefined });
      if (!err.isInteractive && Date.now() - saidAt > plainProgressMs) {
        saidAt = Date.now();
        err.line(`  ${phase} ${count(done)}/${count(total)} files · ${detail}`);
      }
    },
    onOptimise: ({ done, total }) => bar.update({ label: 'building the graph', done, total, unit: 'vectors' }),
  });
  bar.clear();
  if (json) printJson(context, { type: 'summary', ...summary });
  else showSummary(context, summary);
  return summary;
}

function showSummary({ out }: Context, summary: IndexSummary): void {
  const { new: added, modified, moved, unchanged, deleted, failed, skipped, chunks, embedded, cacheHits, ms } = summary;
  const files = [
    `${count(added + modified)} indexed`,
    unchanged > 0 && `${count(unchanged)} unchanged`,
    moved > 0 && `${count(moved)} moved`,
    failed > 0 ? out.style('red', `${count(failed)} failed`) : '0 failed',
    `${count(deleted)} deleted`,
    skipped > 0 && `${count(skipped)} skipped (no reader for their kind)`,
  ].filter(Boolean);
  const work = [
    `${count(chunks)} chunks`,
    `${count(embedded)} embedded (${summary.embedder})`,
    `${count(cacheHits)} from cache`,
  ];
  out.line(`  ${files.join(', ')} · ${work.join(', ')} · ${duration(ms / 1000)}`);
  if (summary.failed > failuresShown) out.line(`  … all failures: npx aquifer status --json`);
  out.line(out.style('dim', '  next: npx aquifer ask "…"'));
}
