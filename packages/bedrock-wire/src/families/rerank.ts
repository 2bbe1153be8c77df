import { frameworkWords, schemaWords } from '../field-words.js';
import type { ModelBackend } from '../model-backend.js';
import { type Fields, readFields } from '../request-fields.js';
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
  const queryText = (query!.object('textQuery') ?? query!.missing('textQuery')).requiredText('text', {
    min: 1,
    max: 32_000,
  });
  const sources = fields.objects('sources', { min: 1, max: maxDocuments }) ?? fields.missing('sources');
  const settings = fields.object('rerankingConfiguration') ?? fields.missing('rerankingConfiguration');
  const bedrock = settings.object('bedrockRerankingConfiguration') ?? settings.missing('bedrockRerankingConfiguration');
  const model = bedrock.object('modelConfiguration') ?? bedrock.missing('modelConfiguration');
  const modelId = model.requiredText('modelArn');
  const count = bedrock.integer('numberOfResults', { min: 1, max: maxDocuments }) ?? sources.length;
  const texts = sources.map(sourceText);
  const best = bestOf(await backend.rerank({ modelId, query: queryText, texts, signal }), count);
  return { results: best.map(({ index, score }) => ({ index, relevanceScore: score })) };
}

function sourceText(source: Fields): string {
  const inline = source.object('inlineDocumentSource') ?? source.missing('inlineDocumentSource');
  const text = inline.object('textDocument')?.requiredText('text', { min: 1 });
  if (text !== undefined) return text;
  if (!inline.has('jsonDocument')) throw invalidRequest('A source must have a textDocument or a jsonDocument.');
  return JSON.stringify(inline.raw('jsonDocument'));
}

function bestOf(scores: readonly number[], count: number): { index: number; score: number }[] {
  return [...scores.entries()]
    .map(([index, score]) => ({ index, score }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, count);
}
