import type { DocumentRecord } from 'aquifer';
import { type CommandOptions, type Context, printJson, settingsOf, withKnowledgeBase } from '../context.js';
import { count, counted, size } from '../terminal/progress-bar.js';
import { table } from '../terminal/table.js';
import { plainLine, plainName, truncate } from '../terminal/terminal.js';

const pageSize = 1_000;

export async function run(context: Context, id: string | undefined, options: CommandOptions): Promise<void> {
  const settings = await settingsOf(context, options);
  await withKnowledgeBase(context, settings, 'read', async (knowledgeBase) => {
    if (id !== undefined) {
      const document = await knowledgeBase.document(id);
      if (options.json) printJson(context, document);
      else showOne(context, document);
      return;
    }
    const documents: DocumentRecord[] = [];
    for (;;) {
      const page = await knowledgeBase.documents({ after: documents.at(-1)?.id, limit: pageSize });
      documents.push(...page);
      if (page.length < pageSize) break;
    }
    documents.sort((a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : 0));
    if (options.json) printJson(context, { documents });
    else showAll(context, documents);
  });
}

function showAll(context: Context, documents: readonly DocumentRecord[]): void {
  if (documents.length === 0) {
    context.out.line('  no documents yet; next: npx aquifer index <folder>');
    return;
  }
  const columns = [
    { title: 'id' },
    { title: 'document', shrinks: true },
    { title: 'status' },
    { title: 'pages', align: 'right', expendable: true },
    { title: 'chunks', align: 'right', expendable: true },
    { title: 'size', align: 'right' },
  ] as const;
  const rows = documents.map((document) => [
    document.id,
    plainName(document.source),
    document.status,
    document.pageCount === undefined ? '' : count(document.pageCount),
    count(document.chunkCount),
    size(document.bytes),
  ]);
  for (const line of table(context.out, columns, rows)) context.out.line(line);
  context.out.line();
  context.out.line('  next: npx aquifer documents <id>');
}

function showOne(
  context: Context,
  document: DocumentRecord & {
    chunks: readonly {
      ordinal: number;
      tokens: number;
      headings: readonly string[];
      pageStart?: number;
      text: string;
    }[];
  },
): void {
  const { out } = context;
  out.line(`  ${out.style('bold', plainLine(document.title))}`);
  const facts: [string, string][] = [
    ['source', plainName(document.source)],
    ['original', plainLine(document.uri)],
    ['type', document.mediaType],
    ['status', document.statusReason ? `${document.status}: ${plainLine(document.statusReason)}` : document.status],
    ['size', `${size(document.bytes)}${document.pageCount ? `, ${counted(document.pageCount, 'page')}` : ''}`],
    ['indexed', new Date(document.indexedAt).toISOString()],
    ...Object.entries(document.metadata).map(([key, value]): [string, string] => [
      plainLine(key),
      plainLine(Array.isArray(value) ? value.join(', ') : String(value)),
    ]),
  ];
  for (const [name, value] of facts) out.line(`  ${out.style('dim', name.padEnd(10))} ${value}`);
  out.line();
  for (const chunk of document.chunks) {
    const place = [
      chunk.pageStart === undefined ? '' : `page ${chunk.pageStart}`,
      chunk.headings.map(plainLine).join(' › '),
    ];
    out.line(
      `  ${out.style('bold', String(chunk.ordinal))}  ${out.style('dim', [`${chunk.tokens} tokens`, ...place].filter(Boolean).join(' · '))}`,
    );
    out.line(`     ${truncate(plainLine(chunk.text), out.columns - 6)}`);
  }
}
