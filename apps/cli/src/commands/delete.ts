import { type CommandOptions, type Context, printJson, settingsOf, withKnowledgeBase } from '../context.js';
import { count } from '../terminal/progress-bar.js';

export async function run(context: Context, ids: string[], options: CommandOptions): Promise<void> {
  const settings = await settingsOf(context, options);
  // All or none: a mistyped id must not leave half of the request done.
  const deleted = await withKnowledgeBase(context, settings, 'write', (knowledgeBase) =>
    knowledgeBase.delete(ids, { allOrNone: true }),
  );
  if (options.json) printJson(context, { deleted });
  else
    context.out.line(
      `  ${count(deleted)} deleted from the index; the files themselves stay, and indexing them again adds them again`,
    );
}
