import { readFile } from 'node:fs/promises';
import type { Answer } from 'aquifer';
import { type Context, printJson, settingsOf, withKnowledgeBase } from '../context.js';
import { createLineWrapper } from '../terminal/line-wrapper.js';
import { dollars } from '../terminal/money.js';
import { count, counted } from '../terminal/progress-bar.js';
import { plainLine } from '../terminal/terminal.js';
import { openAskSession } from './ask-session.js';
import { placeLine, quoteLine } from './passage-lines.js';
import { type SearchingOptions, searchOptions } from './search-options.js';

export async function run(
  context: Context,
  question: string,
  options: SearchingOptions & {
    readonly showPrompt?: boolean;
    readonly promptTemplate?: string;
    readonly session?: string;
  },
): Promise<void> {
  const settings = await settingsOf(context, options);
  const parsed = await searchOptions(options, settings, context.signal);
  const promptTemplate = options.promptTemplate === undefined ? undefined : await readTemplate(options.promptTemplate);
  await withKnowledgeBase(context, settings, 'read', async (knowledgeBase) => {
    const { out } = context;
    const session =
      options.session === undefined ? undefined : await openAskSession(options.session, knowledgeBase, settings);
    const sources = createSourceNumbers();
    const wrapper = options.json ? undefined : createLineWrapper(out.write, Math.min(out.columns, 100));
    for await (const event of knowledgeBase.ask(question, {
      ...parsed,
      model: settings.values.model,
      includePrompt: options.showPrompt === true,
      ...(promptTemplate !== undefined && { promptTemplate }),
      ...(session && { conversation: session.turns }),
    })) {
      if (event.type === 'text') wrapper?.write(printable(event.text));
      if (event.type === 'citation') wrapper?.write(out.style('cyan', sources.markers(event.citation)));
      if (event.type === 'interrupted') {
        wrapper?.end();
        const { answer, citations, reason } = event;
        if (options.json) printJson(context, { question, answer, interrupted: true, citations, reason });
        else out.line(out.style('yellow', '  … interrupted: this is not a whole answer'));
      }
      if (event.type === 'answer') {
        wrapper?.end();
        await session?.keep(event.answer);
        if (options.json) printJson(context, event.answer);
        else showSources(context, event.answer, sources, options);
      }
    }
  });
}

async function readTemplate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { AquiferError } = await import('aquifer');
    throw new AquiferError('invalid-options', `--prompt-template: cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** What is sent, in the provider's own format; else the prompt that the model here is given. */
function promptParts({ request, system, user }: NonNullable<Answer['prompt']>) {
  if (request) return [{ title: request.operation, text: JSON.stringify(request.body, undefined, 2) }];
  return [
    { title: 'system', text: system },
    { title: 'user', text: user },
  ];
}

function usageOf({ inputTokens, outputTokens, costUsd }: Answer['usage']): string[] {
  // The built-in answerer's tokens are estimates of nothing that anybody pays.
  if (costUsd === 0) return [];
  const tokens = `${count(inputTokens)} + ${counted(outputTokens, 'token')}`;
  return [costUsd === undefined ? tokens : `${tokens}, ${dollars(costUsd)}`];
}

type Citation = Answer['citations'][number];
type Reference = Citation['references'][number];

// A model's words are other people's bytes too: line ends stay, whatever could move the cursor goes.
function printable(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const clean = plainLine(line);
      return `${/^\s/.test(line) ? ' ' : ''}${clean}${clean && /\s$/.test(line) ? ' ' : ''}`;
    })
    .join('\n');
}

/** Numbers sources in the order in which the answer cites them. */
function createSourceNumbers() {
  const numbered = new Map<string, { number: number; reference: Reference }>();
  return {
    markers(citation: Citation): string {
      const numbers = citation.references.map((reference) => {
        const key = `${reference.documentId} ${reference.start} ${reference.end}`;
        const known = numbered.get(key) ?? { number: numbered.size + 1, reference };
        numbered.set(key, known);
        return known.number;
      });
      return numbers.length === 0 ? '' : ` [${[...new Set(numbers)].join('][')}]`;
    },
    list: () => [...numbered.values()],
  };
}

function showSources(
  { out }: Context,
  answer: Answer,
  sources: ReturnType<typeof createSourceNumbers>,
  options: { readonly showPrompt?: boolean; readonly explain?: boolean },
): void {
  for (const citation of answer.citations) sources.markers(citation);
  out.line();
  for (const { number, reference } of sources.list()) {
    const doubt = reference.verified ? '' : '  (not verified)';
    const place = placeLine(out, reference, '  1  '.length + doubt.length);
    out.line(`${out.style('bold', String(number).padStart(3))}  ${place}${out.style('yellow', doubt)}`);
    out.line(quoteLine(out, reference.quote, 5));
  }
  if (answer.unsupported.length > 0) {
    out.line();
    for (const { start, end } of answer.unsupported) {
      out.line(out.style('yellow', `  not supported by the sources: “${plainLine(answer.answer.slice(start, end))}”`));
    }
  }
  if (options.showPrompt && answer.prompt) {
    out.line();
    for (const { title, text } of promptParts(answer.prompt)) {
      out.line(out.style('dim', `  ${title}`));
      for (const line of text.split('\n')) out.line(printable(line));
    }
  }
  if (sources.list().length > 0 || answer.unsupported.length > 0) out.line();
  if (answer.standaloneQuestion !== undefined) {
    out.line(out.style('dim', `  asked as: ${plainLine(answer.standaloneQuestion)}`));
  }
  const facts = [
    answer.modelDescription,
    `${counted(answer.considered, 'passage')} considered`,
    ...usageOf(answer.usage),
    `${Math.round(answer.ms.total)} ms`,
  ];
  out.line(out.style('dim', `  ${facts.join(' · ')}`));
  if (options.explain) {
    const stages = Object.entries(answer.ms).map(([stage, value]) => `${stage} ${Number(value).toFixed(1)} ms`);
    out.line(out.style('dim', `  ${stages.join(' · ')}`));
  }
}
