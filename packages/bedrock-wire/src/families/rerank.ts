import { frameworkWords, schemaWords } from '../field-words.js';
import type { ModelBackend } from '../model-backend.js';
import { type Fields, readFields, refuseUnsupported } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import type { WholeFamily } from './family.js';

const maxDocuments = 1_000;

/** `cohere.rerank-v3-5:0` and `amazon.rerank-v1:0`. Source: https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-api.html */
export const rerank: WholeFamily = {
  kind: 'whole',
  async invoke({ body, baseId, modelId, backend, signal }) {
    const fields = readFields(body, schemaWords);
    const query = fields.requiredText('query', { min: 1 });
    const documents = fields.list('documents', { min: 1, max: maxDocuments }) ?? fields.missing('documents');
    const count = fields.integer('top_n', { min: 1 }) ?? documents.length;
    if (baseId.startsWith('cohere.')) {
      if (fields.integer('api_version', { min: 2 }) === undefined) fields.missing('api_version');
      fields.integer('max_tokens_per_doc', { min: 1 });
    }
    fields.refuseOthers();
    const texts = documents.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
    const best = bestOf(await backend.rerank({ modelId, query, texts, signal }), count);
    return {
      body: JSON.stringify({ results: best.map(({ index, score }) => ({ index, relevance_score: score })) }),
    };
  },
};

/** Rerank of bedrock-agent-runtime. Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html */
export async function rerankSources(body: unknown, backend: ModelBackend, signal?: AbortSignal): Promise<object> {
  const fields = readFields(body, frameworkWords);
  const [query] = fields.objects('queries', { min: 1, max: 1 }) ?? fields.missing('queries');
  const queryText = readQuery(query!);
  const sources = fields.objects('sources', { min: 1, max: maxDocuments }) ?? fields.missing('sources');
  // All results are in one answer, so nothing gave it.
  if (fields.has('nextToken')) throw invalidRequest('The nextToken provided is not valid.');
  const settings = fields.object('rerankingConfiguration') ?? fields.missing('rerankingConfiguration');
  settings.choice('type', ['BEDROCK_RERANKING_MODEL']) ?? settings.missing('type');
  const bedrock = settings.object('bedrockRerankingConfiguration') ?? settings.missing('bedrockRerankingConfiguration');
  const model = bedrock.object('modelConfiguration') ?? bedrock.missing('modelConfiguration');
  const modelId = model.requiredText('modelArn');
  const count = bedrock.integer('numberOfResults', { min: 1, max: maxDocuments }) ?? sources.length;
  refuseUnsupported(model, { additionalModelRequestFields: 'the model takes a query and texts.' });
  for (const each of [model, bedrock, settings, fields]) each.refuseOthers();
  const texts = sources.map(sourceText);
  const best = bestOf(await backend.rerank({ modelId, query: queryText, texts, signal }), count);
  return { results: best.map(({ index, score }) => ({ index, relevanceScore: score })) };
}

function readQuery(query: Fields): string {
  if (query.raw('type') === 'IMAGE') throw invalidRequest('Queries that are pictures are not supported.');
  query.choice('type', ['TEXT']) ?? query.missing('type');
  const content = query.object('textQuery') ?? query.missing('textQuery');
  const text = content.requiredText('text', { min: 1, max: 32_000 });
  for (const each of [content, query]) each.refuseOthers();
  return text;
}

function sourceText(source: Fields): string {
  source.choice('type', ['INLINE']) ?? source.missing('type');
  const inline = source.object('inlineDocumentSource') ?? source.missing('inlineDocumentSource');
  const type = inline.choice('type', ['TEXT', 'JSON']) ?? inline.missing('type');
  const read = type === 'TEXT' ? readTextDocument(inline) : JSON.stringify(readJsonDocument(inline));
  for (const each of [inline, source]) each.refuseOthers();
  return read;
}

function readTextDocument(inline: Fields): string {
  const document = inline.object('textDocument') ?? inline.missing('textDocument');
  const text = document.requiredText('text', { min: 1 });
  document.refuseOthers();
  return text;
}

const readJsonDocument = (inline: Fields): unknown => inline.raw('jsonDocument') ?? inline.missing('jsonDocument');

function bestOf(scores: readonly number[], count: number): { index: number; score: number }[] {
  return [...scores.entries()]
    .map(([index, score]) => ({ index, score }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, count);
}
