import type { IndexOptions, IndexSummary, IngestionEvent, KnowledgeBaseOptions } from 'aquifer';
import { type Context, printJson } from '../context.js';
import { counted } from '../terminal/progress-bar.js';
import { plainLine, plainName } from '../terminal/terminal.js';
import { createRunReport } from './index-command.js';

/** Keeps the index up to date until Ctrl-C, saying only what is new: what fails every time is said once. */
export async function watch(
  context: Context,
  knowledgeBase: KnowledgeBaseOptions,
  paths: readonly string[],
  indexOptions: IndexOptions,
  json: boolean,
): Promise<void> {
  const { watchIndex } = await import('aquifer');
  const { out, err } = context;
  const said = new Map<string, string>();
  let report = createRunReport(context, json);
  let failed = 0;
  let rounds = 0;
  let isWatching = false;
  let lastFailure = '';

  const onEvent = (event: IngestionEvent) => {
    const state = `${event.status} ${event.reason ?? ''}`;
    const isKnown = (event.status === 'failed' || event.status === 'left-out') && said.get(event.source) === state;
    said.set(event.source, state);
    if (!isKnown) report.listeners.onEvent?.(event);
  };
  const isNews = ({ new: added, modified, moved, deleted, ignored, failed: failing }: IndexSummary) =>
    rounds === 0 || added + modified + moved + deleted + ignored > 0 || failing !== failed;

  const watching = watchIndex(knowledgeBase, paths, {
    ...indexOptions,
    onEvent,
    onProgress: (progress) => report.listeners.onProgress?.(progress),
    onOptimise: (progress) => report.listeners.onOptimise?.(progress),
    onRound: (summary) => {
      lastFailure = '';
      if (isNews(summary)) {
        report.end(summary);
        isWatching = false;
      } else {
        report.clear();
      }
      rounds += 1;
      failed = summary.failed;
      report = createRunReport(context, json);
    },
    onFailure: (error) => {
      report.clear();
      const message = error instanceof Error ? error.message : String(error);
      if (message === lastFailure) return;
      lastFailure = message;
      isWatching = false;
      if (json) printJson(context, { type: 'failure', message });
      else err.line(`  ${err.style('red', '✖')} ${plainLine(message)} The watch goes on.`);
    },
    onBlind: (folder, reason) =>
      err.line(`  ${plainName(folder)} is not watched: ${plainLine(reason)}. It is looked at every minute.`),
    onWatching: ({ folders }) => {
      if (isWatching) return;
      isWatching = true;
      if (json) printJson(context, { type: 'watching', folders });
      else out.line(out.style('dim', `  ${watched(paths, folders)}; Ctrl-C ends`));
    },
  });
  try {
    await watching;
  } finally {
    report.clear();
  }
}

/** Folders tell of their changes, buckets have to be asked. */
function watched(paths: readonly string[], folders: number): string {
  const buckets = paths.filter((path) => /^s3:/i.test(path)).map(plainName);
  const lookedAt = `${buckets.join(', ')} ${buckets.length === 1 ? 'is' : 'are'} looked at every minute`;
  if (buckets.length === 0) return `watching ${counted(folders, 'folder')}`;
  return folders === 0 ? lookedAt : `watching ${counted(folders, 'folder')}; ${lookedAt}`;
}
