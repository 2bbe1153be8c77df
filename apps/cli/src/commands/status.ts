import type { KnowledgeBaseStatus } from 'aquifer';
import { type CommandOptions, type Context, printJson, settingsOf, withKnowledgeBase } from '../context.js';
import { count, counted, duration, size } from '../terminal/progress-bar.js';
import { plainLine } from '../terminal/terminal.js';
import { failureLines } from './failure-lines.js';

const failuresShown = 20;

export async function run(context: Context, options: CommandOptions): Promise<void> {
  const settings = await settingsOf(context, options);
  const status = await withKnowledgeBase(context, settings, 'read', (knowledgeBase) => knowledgeBase.status());
  if (options.json) printJson(context, status);
  else show(context, status);
}

function show({ out }: Context, status: KnowledgeBaseStatus): void {
  const row = (name: string, value: string) => out.line(`  ${out.style('dim', name.padEnd(11))} ${value}`);
  const { knowledgeBase, index, lastRun } = status;
  row('knowledge', `${knowledgeBase.name} (${knowledgeBase.id}) in ${knowledgeBase.location}`);
  const documents = Object.entries(status.documents).map(([name, value]) => `${count(value ?? 0)} ${name}`);
  row('documents', documents.join(', ') || 'none yet; next: npx aquifer index <folder>');
  row('chunks', `${count(status.chunks)} · ${count(status.tokens)} tokens`);
  row('embedder', `${status.embedder.name}, ${status.embedder.dimensions} dimensions`);
  row(
    'index',
    `${index.kind}, ${count(index.vectors)} vectors${index.pending ? `, ${count(index.pending)} not in the graph yet` : ''}`,
  );
  if (index.note) row('', index.note);
  if (status.queue) {
    const { waiting, running, failed, workers, note } = status.queue;
    row(
      'queue',
      `${count(waiting)} waiting, ${count(running)} running, ${count(failed)} failed · ${counted(workers, 'worker')} alive`,
    );
    if (note && waiting > 0) row('', plainLine(note));
  }
  row('size', size(status.bytes));
  if (lastRun) {
    const when = new Date(lastRun.finishedAt).toISOString().replace('T', ' ').slice(0, 16);
    const failed = lastRun.failed > 0 ? `, ${count(lastRun.failed)} failed,` : '';
    row('last run', `${when} UTC: ${count(lastRun.scanned)} files${failed} in ${duration(lastRun.ms / 1000)}`);
  }
  if (status.failures.length === 0) return;
  out.line();
  out.line(`  ${out.style('red', `${count(status.failures.length)} failed`)}; they are tried again on the next run`);
  for (const { source, reason } of status.failures.slice(0, failuresShown)) {
    for (const line of failureLines(out, '✖', source, reason)) out.line(line);
  }
  if (status.failures.length > failuresShown) {
    out.line(`  … and ${count(status.failures.length - failuresShown)} more: npx aquifer status --json`);
  }
}
