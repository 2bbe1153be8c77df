import type { ListedModel } from 'aquifer';
import { type CommandOptions, type Context, printJson } from '../context.js';
import { table } from '../terminal/table.js';

/** What a model is used for, in the order of the list. */
const uses = { embedding: '--embedder', text: '--model', rerank: '--reranker', image: 'generateImage' } as const;

export async function run(context: Context, options: CommandOptions): Promise<void> {
  const { listModels } = await import('aquifer');
  const models = await listModels();
  if (options.json) {
    printJson(context, { models });
    return;
  }
  const { out } = context;
  for (const [kind, flag] of Object.entries(uses)) {
    out.line(out.style('bold', `  ${flag}`));
    const columns = [
      { title: 'id' },
      { title: kind === 'embedding' ? 'dimensions' : 'context', align: 'right' as const },
      { title: 'in $/M', align: 'right' as const },
      { title: 'out $/M', align: 'right' as const },
      { title: '', shrinks: true },
    ];
    const rows = models.filter((model) => model.kind === kind).map(rowOf);
    for (const line of table(out, columns, rows)) out.line(line);
    out.line();
  }
  out.line(out.style('dim', '  also: onnx:<folder or hub id>, ollama:<model>, openai:<model>, sagemaker:<endpoint>;'));
  out.line(
    out.style('dim', '  inference profiles (us.…, global.…) and ARNs of these ids; other ids of these families'),
  );
}

function rowOf(model: ListedModel): string[] {
  const price = (usd: number | undefined) => (usd === undefined ? '–' : usd === 0 ? 'free' : String(usd));
  const traits = [
    model.citesNatively && 'cites by itself',
    model.kind === 'text' && model.streams === false && 'does not stream',
    model.isLegacy && 'legacy',
    model.note,
  ].filter(Boolean);
  return [
    model.id,
    model.kind === 'embedding' ? (model.dimensions ?? []).join(', ') : tokens(model.contextTokens),
    price(model.usdPerMillionInputTokens),
    price(model.usdPerMillionOutputTokens),
    traits.join('; '),
  ];
}

function tokens(count: number | undefined): string {
  if (count === undefined) return '–';
  return count >= 1e6 ? `${count / 1e6}M` : `${Math.round(count / 1000)}k`;
}
