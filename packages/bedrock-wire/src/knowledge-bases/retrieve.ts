import { parseFilter } from '@aquifer/contracts';
import { frameworkWords } from '../field-words.js';
import { type Fields, readFields, refuseUnsupported } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import type { KnowledgeBaseBackend, RetrieveCall, RetrievedPassage } from './knowledge-base-backend.js';

const maxResults = 100;
const defaultResults = 5;
/** How far pages go: each is found anew, with all before it. */
const mostPaged = 1_000;

/** What RetrievalConfiguration says, which Retrieve and RetrieveAndGenerate share. */
export interface RetrievalConfiguration extends Pick<RetrieveCall, 'mode' | 'filter' | 'reranker'> {
  readonly limit: number;
}

/** Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_KnowledgeBaseRetrievalConfiguration.html */
export function readRetrievalConfiguration(fields: Fields | undefined): RetrievalConfiguration {
  if (fields?.has('managedSearchConfiguration')) {
    throw invalidRequest('managedSearchConfiguration is not supported: use vectorSearchConfiguration.');
  }
  const search = fields?.object('vectorSearchConfiguration');
  fields?.refuseOthers();
  if (search === undefined) return { limit: defaultResults };
  if (search.has('implicitFilterConfiguration')) {
    throw invalidRequest('implicitFilterConfiguration is not supported: give the filter itself.');
  }
  const limit = search.integer('numberOfResults', { min: 1, max: maxResults }) ?? defaultResults;
  const type = search.choice('overrideSearchType', ['HYBRID', 'SEMANTIC']);
  const filter = search.raw('filter');
  const reranking = search.object('rerankingConfiguration');
  search.refuseOthers();
  return {
    limit,
    ...(type && { mode: type === 'HYBRID' ? 'hybrid' : 'dense' }),
    ...(filter !== undefined && { filter: readFilter(filter) }),
    ...(reranking && { reranker: readReranking(reranking, limit) }),
  };
}

function readFilter(value: unknown) {
  refuseShortLists(value);
  return parseFilter(value);
}

/** Bedrock takes two filters or more in `andAll` and `orAll`; the grammar of our own takes any number. */
function refuseShortLists(value: unknown, depth = 0): void {
  // The parser refuses what is deeper.
  if (typeof value !== 'object' || value === null || depth > 64) return;
  for (const operator of ['andAll', 'orAll']) {
    const inner = (value as Record<string, unknown>)[operator];
    if (!Array.isArray(inner)) continue;
    if (inner.length < 2) {
      throw invalidRequest(
        `1 validation error detected: Value at 'retrievalConfiguration.vectorSearchConfiguration.filter.${operator}' failed to satisfy constraint: Member must have length greater than or equal to 2`,
      );
    }
    for (const each of inner) refuseShortLists(each, depth + 1);
  }
}

function readReranking(fields: Fields, limit: number) {
  fields.choice('type', ['BEDROCK_RERANKING_MODEL']) ?? fields.missing('type');
  const bedrock = fields.object('bedrockRerankingConfiguration') ?? fields.missing('bedrockRerankingConfiguration');
  const model = bedrock.object('modelConfiguration') ?? bedrock.missing('modelConfiguration');
  const modelId = model.requiredText('modelArn', { min: 1, max: 2_048 });
  const count = bedrock.integer('numberOfRerankedResults', { min: 1, max: maxResults }) ?? limit;
  if (bedrock.has('metadataConfiguration')) {
    throw invalidRequest(
      'metadataConfiguration of a reranking model is not supported: passages are ranked by their text.',
    );
  }
  if (model.has('additionalModelRequestFields')) {
    throw invalidRequest('additionalModelRequestFields of a reranking model are not supported.');
  }
  for (const each of [model, bedrock, fields]) each.refuseOthers();
  return { modelId, limit: count };
}

/** Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Retrieve.html */
export async function retrieve(
  knowledgeBaseId: string,
  body: unknown,
  backend: KnowledgeBaseBackend,
  signal: AbortSignal | undefined,
): Promise<object> {
  const fields = readFields(body, frameworkWords);
  const asked = fields.object('retrievalQuery') ?? fields.missing('retrievalQuery');
  if (asked.choice('type', ['TEXT', 'IMAGE']) === 'IMAGE' || asked.has('image')) {
    throw invalidRequest('Questions that are pictures are not supported.');
  }
  const query = asked.requiredText('text', { min: 1, max: 20_000 });
  asked.refuseOthers();
  const { limit, ...configuration } = readRetrievalConfiguration(fields.object('retrievalConfiguration'));
  const token = fields.text('nextToken', { min: 1, max: 2_048 });
  refuseGuardrail(fields);
  refuseUserContext(fields);
  fields.refuseOthers();
  const offset = token === undefined ? 0 : readToken(token);
  // One more than is sent says whether there is another page.
  const found = await backend.retrieve({ ...configuration, knowledgeBaseId, query, limit: limit + 1, offset, signal });
  const hasMore = found.length > limit && offset + limit < mostPaged && configuration.reranker === undefined;
  return {
    retrievalResults: found.slice(0, configuration.reranker?.limit ?? limit).map(resultOf),
    ...(hasMore && { nextToken: tokenOf(offset + limit) }),
  };
}

export function refuseGuardrail(fields: Fields): void {
  // There are none here, and an answer that no guardrail has seen must not look like one that passed.
  if (fields.has('guardrailConfiguration')) {
    throw invalidRequest('The guardrail identifier or version provided in the request does not exist.');
  }
}

/** Passages that somebody may not see must not be sent as if it had been looked at who asks. */
export function refuseUserContext(fields: Fields): void {
  refuseUnsupported(fields, { userContext: 'who may read what is decided by keys and their tenants.' });
}

const sourceUri = 'x-amz-bedrock-kb-source-uri';

/** A passage as a result, or as a reference of an answer. */
export function resultOf(passage: RetrievedPassage): object {
  const { text, source, documentId, chunkId, page, score, metadata } = passage;
  const original = passage.uri?.startsWith('s3://') ? passage.uri : source;
  // What a data source brought says itself where it is from.
  const { [sourceUri]: said = original } = metadata;
  const uri = String(said);
  return {
    content: { type: 'TEXT', text },
    location: uri.startsWith('s3://')
      ? { type: 'S3', s3Location: { uri } }
      : { type: 'CUSTOM', customDocumentLocation: { id: uri } },
    ...(score !== undefined && { score }),
    documentId,
    metadata: {
      ...metadata,
      [sourceUri]: uri,
      ...(chunkId !== undefined && { 'x-amz-bedrock-kb-chunk-id': chunkId }),
      ...(page !== undefined && { 'x-amz-bedrock-kb-document-page-number': page }),
    },
  };
}

const tokenOf = (offset: number): string => Buffer.from(`from ${offset}`).toString('base64url');

function readToken(token: string): number {
  const [, offset] = /^from (\d{1,4})$/.exec(Buffer.from(token, 'base64url').toString('latin1')) ?? [];
  if (offset === undefined || Number(offset) > mostPaged) throw invalidRequest('The nextToken provided is not valid.');
  return Number(offset);
}
