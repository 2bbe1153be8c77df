import { toUSVString } from 'node:util';
import { AquiferError, parseBedrockModelId, type Reranker, throwIfAborted } from '@aquifer/contracts';
import { estimateTokens } from '@aquifer/text-analysis';
import type {
  BedrockAgentRuntimeClient,
  RerankCommandInput,
  RerankResult,
} from '@aws-sdk/client-bedrock-agent-runtime';
import { bedrockAddress } from '../bedrock/bedrock-client.js';
import { type BedrockRequestContext, describeBedrockError } from '../bedrock/bedrock-errors.js';
import { hiddenModel } from '../bedrock/hidden-model.js';
import { describeModel } from '../bedrock/model-catalogue.js';
import type { Pacer } from '../pacing/pacer.js';
import { sharedPacer } from '../pacing/shared-pacers.js';
import { partsThatFit } from '../pacing/text-parts.js';
import { type BedrockAgentConnection, bedrockAgentClient } from './bedrock-agent-client.js';

export interface BedrockRerankerOptions {
  /** A model id or ARN: `cohere.rerank-v3-5:0`, `amazon.rerank-v1:0`. */
  readonly model: string;
  readonly connection?: BedrockAgentConnection;
  /** Default: the one that all requests of this process to this model at this address share. */
  readonly pacer?: Pacer;
}

/** Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html */
const maxSources = 1000;
const maxCharacters = 32_000;
/** What is charged as one query, and as one of its texts, the question included. Source: https://aws.amazon.com/bedrock/pricing/ */
const textsPerQuery = 100;
const tokensPerText = 512;

/**
 * A reranking model of Amazon Bedrock by its id, through the API Rerank. More than 1,000 texts take several requests. A text of more than 32,000
 * characters is scored in parts, and its best part counts; how the model reads long parts is the model's own affair. Nothing is asked before
 * the first `rerank`.
 *
 * The account must allow `bedrock:Rerank` and `bedrock:InvokeModel`.
 *
 * @throws `model-not-found` for an id of no known family, `invalid-options` for a model that does not rerank, where no region is known,
 *   and for a client that retries by itself.
 *
 * @example
 * const reranker = await createBedrockReranker({ model: 'cohere.rerank-v3-5:0', connection: { region: 'eu-central-1' } });
 * const scores = await reranker.rerank('How long is parental leave?', passages);
 */
export async function createBedrockReranker(options: BedrockRerankerOptions): Promise<Reranker> {
  const { model: name, connection = {} } = options;
  const parsed = parseBedrockModelId(name);
  if (parsed === undefined) {
    throw new AquiferError(
      'model-not-found',
      `"${name}" is no id of a Bedrock model that is known here. Rerankers are cohere.rerank-v3-5:0 and amazon.rerank-v1:0.`,
    );
  }
  if (parsed.hidesModel) throw hiddenModel(name, 'cohere.rerank-v3-5:0');
  if (parsed.family !== 'rerank') {
    throw new AquiferError('invalid-options', `${name} does not rerank. Use a reranker, such as cohere.rerank-v3-5:0.`);
  }
  const { id: modelId, region } = parsed;
  const client = await bedrockAgentClient({
    ...(region !== undefined && { region }),
    ...connection,
  });
  const address = await bedrockAddress(client);
  const context = { modelId, ...address };
  const modelArn = arnOf(modelId, address.region);
  const usdPerThousandQueries = describeModel(name)?.description.usdPerThousandQueries;
  const pacer =
    options.pacer ??
    sharedPacer(`bedrock-agent|${address.endpoint ?? ''}|${modelId}`, {
      name: address.region === undefined ? modelId : `${modelId} in ${address.region}`,
    });

  return {
    id: name,
    async rerank(query, texts, { signal } = {}) {
      throwIfAborted(signal);
      const question = notEmpty(query);
      if (question.length > maxCharacters) {
        throw new AquiferError(
          'too-large',
          `The query has ${question.length} characters, and Bedrock's Rerank takes ${maxCharacters}. Ask a shorter question.`,
        );
      }
      const parts = texts.flatMap((text, index) =>
        partsThatFit(notEmpty(text), (part) => part.length <= maxCharacters).map((part) => ({ index, part })),
      );
      const scores = texts.map(() => Number.NEGATIVE_INFINITY);
      for (let start = 0; start < parts.length; start += maxSources) {
        const batch = parts.slice(start, start + maxSources);
        const input = rerankInput(
          modelArn,
          question,
          batch.map(({ part }) => part),
        );
        const found = await pacer.run({
          tokens: batch.reduce((sum, { part }) => sum + estimateTokens(part), estimateTokens(question)),
          ...(signal && { signal }),
          attempt: async (attemptSignal) => ({
            value: await rerankAll(client, input, batch.length, context, attemptSignal),
          }),
        });
        for (const [place, { index }] of batch.entries()) scores[index] = Math.max(scores[index]!, found[place]!);
      }
      return scores;
    },
    ...(usdPerThousandQueries !== undefined && {
      costUsd: (query, texts) => (chargedQueries(query, texts) * usdPerThousandQueries) / 1000,
    }),
    async close() {
      if (!connection.client) client.destroy();
    },
  };
}

/** By estimates of tokens: a text on the border may be charged as one more or less. */
function chargedQueries(query: string, texts: readonly string[]): number {
  const room = Math.max(1, tokensPerText - estimateTokens(query));
  const charged = texts.reduce((sum, text) => sum + Math.max(1, Math.ceil(estimateTokens(text) / room)), 0);
  return Math.ceil(charged / textsPerQuery);
}

/** Bedrock refuses texts of no character, and halves of one. */
function notEmpty(text: string): string {
  return text === '' ? ' ' : toUSVString(text);
}

function arnOf(modelId: string, region: string | undefined): string {
  if (modelId.startsWith('arn:')) return modelId;
  if (region === undefined) {
    throw new AquiferError(
      'invalid-options',
      `No AWS region for ${modelId}. Set AWS_REGION, "region" of the profile in ~/.aws/config, or the option region.`,
    );
  }
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:bedrock:${region}::foundation-model/${modelId}`;
}

function rerankInput(modelArn: string, query: string, texts: readonly string[]): RerankCommandInput {
  return {
    queries: [{ type: 'TEXT', textQuery: { text: query } }],
    sources: texts.map((text) => ({
      type: 'INLINE',
      inlineDocumentSource: { type: 'TEXT', textDocument: { text } },
    })),
    rerankingConfiguration: {
      type: 'BEDROCK_RERANKING_MODEL',
      bedrockRerankingConfiguration: { numberOfResults: texts.length, modelConfiguration: { modelArn } },
    },
  };
}

/** All pages of one request's results, as scores in the order of its sources. */
async function rerankAll(
  client: BedrockAgentRuntimeClient,
  input: RerankCommandInput,
  count: number,
  context: BedrockRequestContext,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const { RerankCommand } = await import('@aws-sdk/client-bedrock-agent-runtime');
  const scores = new Array<number>(count).fill(Number.NaN);
  let nextToken: string | undefined;
  do {
    let page: { readonly results?: RerankResult[]; readonly nextToken?: string };
    try {
      page = await client.send(new RerankCommand({ ...input, ...(nextToken && { nextToken }) }), {
        abortSignal: signal,
      });
    } catch (error) {
      throw describeBedrockError(error, context);
    }
    const results = page.results ?? [];
    for (const { index, relevanceScore } of results) {
      if (index === undefined || index >= count || relevanceScore === undefined) throw incomplete(context, count);
      scores[index] = relevanceScore;
    }
    if (results.length === 0) break;
    nextToken = page.nextToken;
  } while (nextToken);
  if (!scores.every(Number.isFinite)) throw incomplete(context, count);
  return scores;
}

function incomplete({ modelId }: BedrockRequestContext, count: number): AquiferError {
  return new AquiferError('model-failed', `${modelId} did not give one finite score for each of ${count} texts.`);
}
