import type { ListedModel } from 'aquifer';
import { type CommandOptions, type Context, printJson } from '../context.js';
import { type Column, table } from '../terminal/table.js';

interface ModelColumn extends Column {
  cell(model: ListedModel): string;
}

const id: ModelColumn = { title: 'id', cell: (model) => model.id };
const context: ModelColumn = { title: 'context', align: 'right', cell: (model) => tokens(model.contextTokens) };
const input: ModelColumn = { title: '$ in', align: 'right', cell: (model) => price(model.usdPerMillionInputTokens) };
const traits: ModelColumn = { title: '', shrinks: true, cell: traitsOf };

/** What a model is used for, in the order of the list, and what one wants to know of it then. */
const uses: readonly { kind: ListedModel['kind']; flag: string; columns: readonly ModelColumn[] }[] = [
  {
    kind: 'embedding',
    flag: '--embedder',
    columns: [
      id,
      { title: 'dimensions', align: 'right', cell: ({ dimensions = [] }) => dimensions.join(' ') },
      { title: 'tokens', align: 'right', cell: (model) => tokens(model.maxInputTokens) },
      { title: 'texts', align: 'right', expendable: true, cell: (model) => String(model.textsPerRequest ?? '–') },
      input,
      traits,
    ],
  },
  {
    kind: 'text',
    flag: '--model',
    columns: [
      id,
      context,
      { title: 'answer', align: 'right', expendable: true, cell: (model) => tokens(model.maxOutputTokens) },
      input,
      { title: 'out', align: 'right', cell: (model) => price(model.usdPerMillionOutputTokens) },
      traits,
    ],
  },
  {
    kind: 'rerank',
    flag: '--reranker',
    columns: [
      id,
      context,
      { title: '$ per 1,000 queries', align: 'right', cell: (model) => price(model.usdPerThousandQueries) },
      traits,
    ],
  },
  { kind: 'image', flag: 'generateImage', columns: [id, traits] },
];

export async function run(context: Context, options: CommandOptions): Promise<void> {
  const { listModels } = await import('aquifer');
  const models = await listModels();
  if (options.json) {
    printJson(context, { models });
    return;
  }
  const { out } = context;
  for (const { kind, flag, columns } of uses) {
    out.line(out.style('bold', `  ${flag}`));
    const rows = models.filter((model) => model.kind === kind).map((model) => columns.map(({ cell }) => cell(model)));
    for (const line of table(out, columns, rows)) out.line(line);
    out.line();
  }
  const asOf = models.map((model) => model.pricesAsOf).find((month) => month !== undefined);
  for (const line of [
    'tokens: of one text; texts: of one request; context: tokens of prompt and',
    'answer together; answer: tokens of the longest; cites: quotes by itself;',
    'query: a question with up to 100 passages',
    `$: USD per million tokens, on demand in us-east-1, as published in ${asOf}`,
    'also: onnx:<folder or hub id>, ollama:<model>, openai:<model>,',
    'sagemaker:<endpoint>; other ids of these families, inference profiles',
    '(us.…, global.…), ARNs; arn:…@<id> for what is in your account',
  ]) {
    out.line(out.style('dim', `  ${line}`));
  }
}

function traitsOf(model: ListedModel): string {
  return [
    model.citesNatively && 'cites',
    model.isLegacy && 'legacy',
    model.kind === 'text' && model.streams === false && 'does not stream',
    model.note,
  ]
    .filter(Boolean)
    .join('; ');
}

function price(usd: number | undefined): string {
  return usd === undefined ? '–' : usd === 0 ? 'free' : String(usd);
}

function tokens(count: number | undefined): string {
  if (count === undefined) return '–';
  if (count < 1000) return String(count);
  return count >= 1e6 ? `${count / 1e6}M` : `${Math.round(count / 1000)}k`;
}
