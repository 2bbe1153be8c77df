import type { Finding } from 'aquifer';
import { type CommandOptions, type Context, printJson, settingsOf } from '../context.js';
import { plainLine } from '../terminal/terminal.js';

const marks = { ok: ['green', '✔'], limited: ['yellow', '–'], failed: ['red', '✖'] } as const;

export async function run(context: Context, options: CommandOptions): Promise<void> {
  const { examine, knowledgeBaseOptions } = await import('aquifer');
  const { values } = await settingsOf(context, options);
  const { location, encryptionKey, ocrLanguages } = await knowledgeBaseOptions(values);
  const { works, findings } = await examine({ location, encryptionKey, ocrLanguages });
  const { out } = context;
  const terminal = {
    name: 'terminal',
    status: 'ok',
    found: out.isInteractive
      ? `${out.columns} columns, ${colours(context)}`
      : `no terminal: plain lines, ${colours(context)}`,
  } as const;
  if (!works) context.setExitCode(1);
  const all = [...findings, terminal];
  if (options.json) printJson(context, { works, findings: all });
  else show(context, all, works);
}

function show(
  { out }: Context,
  findings: readonly (Omit<Finding, 'name'> & { readonly name: string })[],
  works: boolean,
): void {
  for (const { name, status, found, fix } of findings) {
    const [colour, mark] = marks[status];
    out.line(`  ${out.style(colour, mark)} ${name.padEnd(14)} ${plainLine(found)}`);
    if (fix !== undefined)
      out.line(
        `    ${' '.repeat(14)} ${out.style('dim', `${status === 'ok' ? 'next' : 'to mend it'}: ${plainLine(fix)}`)}`,
      );
  }
  out.line();
  out.line(
    works
      ? '  indexing, searching and answering work here'
      : `  ${out.style('red', 'this does not work yet')}: see ✖ above`,
  );
}

const colours = ({ out }: Context): string => (out.style('bold', 'x') === 'x' ? 'no colours' : 'colours');
