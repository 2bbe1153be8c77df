import type { MoveProgress, MoveSummary } from 'aquifer';
import { type CommandOptions, type Context, optionsOf, printJson, settingsOf } from '../context.js';
import { counted, createProgressBar, size } from '../terminal/progress-bar.js';
import { plainName } from '../terminal/terminal.js';

export async function runExport(context: Context, file: string, options: CommandOptions): Promise<void> {
  const { exportKnowledgeBase } = await import('aquifer');
  const { location, encryptionKey } = await optionsOf(context, await settingsOf(context, options));
  const summary = await withProgress(context, (onProgress) =>
    exportKnowledgeBase({ location, encryptionKey }, file, { signal: context.signal, onProgress }),
  );
  const { err } = context;
  if (encryptionKey !== undefined) {
    err.line(
      `${err.style('yellow', '!')} ${plainName(file)} is not encrypted: whoever has it can read every document.`,
    );
  }
  const { out } = context;
  if (options.json) return printJson(context, { type: 'export', file, ...summary });
  out.line(`  exported ${contents(summary)} · ${size(summary.bytes)} · SHA-256 ${summary.sha256}`);
  out.line(out.style('dim', `  next: npx aquifer import ${plainName(file)} --kb <a new folder, or postgres://…>`));
}

export async function runImport(context: Context, file: string, options: CommandOptions): Promise<void> {
  const { importKnowledgeBase } = await import('aquifer');
  const asked = await optionsOf(context, await settingsOf(context, options));
  const { location, name, encryptionKey, indexKind } = asked;
  const summary = await withProgress(context, (onProgress) =>
    importKnowledgeBase({ location, name, encryptionKey, indexKind }, file, { signal: context.signal, onProgress }),
  );
  const { out } = context;
  if (options.json) return printJson(context, { type: 'import', file, ...summary });
  const { knowledgeBase } = summary;
  out.line(`  imported ${contents(summary)} into ${plainName(knowledgeBase.location)} · SHA-256 ${summary.sha256}`);
  out.line(out.style('dim', `  next: npx aquifer ask "…" --kb ${plainName(knowledgeBase.location)}`));
}

const contents = ({ documents, chunks, embeddings }: MoveSummary): string =>
  [counted(documents, 'document'), counted(chunks, 'chunk'), counted(embeddings, 'vector')].join(', ');

async function withProgress<Result>(
  context: Context,
  move: (onProgress: (progress: MoveProgress) => void) => Promise<Result>,
): Promise<Result> {
  const bar = createProgressBar(context.err);
  try {
    return await move(({ phase, done, total }) =>
      bar.update({ label: phase, done, total, unit: phase === 'documents' ? 'documents' : 'vectors' }),
    );
  } finally {
    bar.clear();
  }
}
