import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Reranker } from '@aquifer/contracts';
import { rerankerContract } from '@aquifer/contracts/testing';
import { BedrockAgentRuntimeClient } from '@aws-sdk/client-bedrock-agent-runtime';
import {
  type BedrockServer,
  type Respond,
  sendError,
  sendJson,
  startBedrockServer,
  testCredentials,
} from '../bedrock/bedrock-server.test-fixture.js';
import { createPacer } from '../pacing/pacer.js';
import { createBedrockReranker } from './bedrock-reranker.js';

Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' });

const servers: BedrockServer[] = [];
const rerankers: Reranker[] = [];
after(async () => {
  await Promise.all(rerankers.map((reranker) => reranker.close?.()));
  await Promise.all(servers.map((server) => server.close()));
});

interface RerankBody {
  readonly queries: readonly { readonly textQuery: { readonly text: string } }[];
  readonly sources: readonly { readonly inlineDocumentSource: { readonly textDocument: { readonly text: string } } }[];
}

/** The share of the query's words that a text has, best first, as the service gives them. */
function scoresOf({ queries, sources }: RerankBody): { index: number; relevanceScore: number }[] {
  const wordsOf = (text: string) => new Set(text.toLowerCase().match(/\p{L}+/gu));
  const query = wordsOf(queries[0]!.textQuery.text);
  return sources
    .map(({ inlineDocumentSource: { textDocument } }, index) => {
      const words = wordsOf(textDocument.text);
      const shared = [...query].filter((word) => words.has(word)).length;
      return { index, relevanceScore: shared / (query.size + 1) };
    })
    .sort((a, b) => b.relevanceScore - a.relevanceScore);
}

const answer: Respond = ({ body }, stream) => {
  const { queries, sources } = body as RerankBody;
  const texts = [
    ...queries.map((query) => query.textQuery.text),
    ...sources.map((source) => source.inlineDocumentSource.textDocument.text),
  ];
  if (sources.length > 1000 || texts.some((text) => text.length === 0 || text.length > 32_000)) {
    return sendError(stream, 400, 'ValidationException', 'Out of bounds.');
  }
  return sendJson(stream, { results: scoresOf(body) });
};

async function open(respond: Respond = answer, model = 'cohere.rerank-v3-5:0') {
  const server = await startBedrockServer(respond);
  servers.push(server);
  const reranker = await createBedrockReranker({
    model,
    connection: { region: 'us-east-1', endpoint: server.url },
    pacer: createPacer({ name: model }),
  });
  rerankers.push(reranker);
  return { server, reranker };
}

rerankerContract({ describe, it }, { name: 'bedrock', create: async () => (await open()).reranker });

describe('bedrock reranker', () => {
  it('sends what the API wants, and gives the scores in the order of the texts', async () => {
    const { server, reranker } = await open();
    assert.equal(reranker.id, 'cohere.rerank-v3-5:0');
    const scores = await reranker.rerank('leave policy', ['jam', 'leave policy', 'leave']);
    assert.deepEqual(scores, [0, 2 / 3, 1 / 3]);
    const source = (text: string) => ({
      type: 'INLINE',
      inlineDocumentSource: { type: 'TEXT', textDocument: { text } },
    });
    assert.deepEqual(server.requests[0]!.body, {
      queries: [{ type: 'TEXT', textQuery: { text: 'leave policy' } }],
      sources: ['jam', 'leave policy', 'leave'].map(source),
      rerankingConfiguration: {
        type: 'BEDROCK_RERANKING_MODEL',
        bedrockRerankingConfiguration: {
          numberOfResults: 3,
          modelConfiguration: { modelArn: 'arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0' },
        },
      },
    });
  });

  it('takes the model behind an ARN of the account from its name, and cannot do without', async () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123';
    const { server, reranker } = await open(answer, `${arn}@cohere.rerank-v3-5:0`);
    await reranker.rerank('leave', ['leave']);
    const { modelConfiguration } = server.requests[0]!.body.rerankingConfiguration.bedrockRerankingConfiguration;
    assert.deepEqual(modelConfiguration, { modelArn: arn });
    await assert.rejects(createBedrockReranker({ model: arn }), {
      code: 'invalid-options',
      message: /does not say which model.*abc123@cohere\.rerank/,
    });
  });

  it('sends at most 1,000 texts at once', async () => {
    const { server, reranker } = await open();
    const texts = Array.from({ length: 2100 }, (_, index) => (index === 2050 ? 'leave' : `jam ${index}`));
    const scores = await reranker.rerank('leave', texts);
    assert.deepEqual(
      server.requests.map(({ body }) => (body as RerankBody).sources.length),
      [1000, 1000, 100],
    );
    assert.equal(scores.length, 2100);
    assert.equal(scores.indexOf(Math.max(...scores)), 2050);
  });

  it('scores a text over 32,000 characters by its best part, and loses nothing of it', async () => {
    const { server, reranker } = await open();
    const long = `${'The weather is fine. '.repeat(4000)}Parental leave is 52 weeks.`;
    const scores = await reranker.rerank('parental leave', ['jam', long, 'leave']);
    assert.deepEqual(scores, [0, 2 / 3, 1 / 3]);
    const sent = (server.requests[0]!.body as RerankBody).sources.map(
      (source) => source.inlineDocumentSource.textDocument.text,
    );
    assert.equal(sent.slice(1, -1).join(''), long);
  });

  it('says what is charged, by the query of 100 texts of 512 tokens', async () => {
    const { reranker } = await open();
    const costUsd = (count: number, text = 'Leave is 52 weeks.') => {
      return reranker.costUsd?.(
        'How long is leave?',
        Array.from({ length: count }, () => text),
      );
    };
    assert.deepEqual(
      [1, 50, 100, 101, 1000].map((count) => costUsd(count)),
      [0.002, 0.002, 0.002, 0.004, 0.02],
    );
    // Each of some 1,200 tokens.
    assert.equal(costUsd(50, 'The weather is fine. '.repeat(240)), 0.004);
    const { reranker: amazon } = await open(answer, 'arn:aws:bedrock:us-east-1::foundation-model/amazon.rerank-v1:0');
    assert.equal(amazon.costUsd?.('q', ['a']), 0.001);
    const { reranker: unknown } = await open(answer, 'cohere.rerank-v9:0');
    assert.equal(unknown.costUsd, undefined);
  });

  it('refuses a query that is too long', async () => {
    const { server, reranker } = await open();
    await assert.rejects(reranker.rerank('x'.repeat(32_001), ['a']), {
      code: 'too-large',
      message: /32001 characters/,
    });
    assert.equal(server.requests.length, 0);
  });

  it('reads all pages of the results', async () => {
    const { reranker } = await open(({ body }, stream) => {
      const all = scoresOf(body);
      const from = Number(body.nextToken ?? 0);
      const nextToken = from + 2 < all.length ? String(from + 2) : undefined;
      sendJson(stream, { results: all.slice(from, from + 2), ...(nextToken && { nextToken }) });
    });
    const scores = await reranker.rerank('leave', ['leave', 'a', 'b', 'c', 'd']);
    assert.deepEqual(scores, [0.5, 0, 0, 0, 0]);
  });

  it('keeps nothing of an answer that is not one score a text', async () => {
    for (const results of [
      [],
      [{ index: 0, relevanceScore: 0.5 }],
      [
        { index: 0, relevanceScore: 0.5 },
        { index: 2, relevanceScore: 0.5 },
      ],
      [{ index: 0 }, { index: 1, relevanceScore: 0.5 }],
      [
        { index: 0, relevanceScore: 'NaN' },
        { index: 1, relevanceScore: 0.5 },
      ],
    ]) {
      const { reranker } = await open((_, stream) => sendJson(stream, { results }));
      await assert.rejects(reranker.rerank('q', ['a', 'b']), { code: 'model-failed' });
    }
  });

  it('tries again what is temporary, and asks once otherwise', async () => {
    let asked = 0;
    const throttled = await open((request, stream) => {
      if (asked++ === 0) sendError(stream, 429, 'ThrottlingException', 'Too many.', { 'x-amz-retry-after': '5' });
      else return answer(request, stream);
    });
    assert.equal((await throttled.reranker.rerank('q', ['a'])).length, 1);
    for (const [status, name, code] of [
      [400, 'ValidationException', 'model-rejected'],
      [403, 'AccessDeniedException', 'model-access-denied'],
      [404, 'ResourceNotFoundException', 'model-not-found'],
    ] as const) {
      const { server, reranker } = await open((_, stream) => sendError(stream, status, name, 'No.'));
      await assert.rejects(reranker.rerank('q', ['a']), { code, name });
      assert.equal(server.requests.length, 1);
    }
  });

  it('takes ARNs and ready clients, and no models that do not rerank', async () => {
    const { server } = await open();
    const settings = { region: 'eu-west-1', endpoint: server.url, credentials: testCredentials };
    const client = new BedrockAgentRuntimeClient({ ...settings, maxAttempts: 1 });
    const model = 'arn:aws:bedrock:eu-west-1::foundation-model/amazon.rerank-v1:0';
    const reranker = await createBedrockReranker({ model, connection: { client } });
    await reranker.rerank('q', ['a']);
    await reranker.close?.();
    await reranker.rerank('q', ['a']);
    client.destroy();
    const { modelArn } =
      server.requests[0]!.body.rerankingConfiguration.bedrockRerankingConfiguration.modelConfiguration;
    assert.equal(modelArn, model);
    const retrying = new BedrockAgentRuntimeClient({ ...settings, maxAttempts: 3 });
    await assert.rejects(createBedrockReranker({ model, connection: { client: retrying } }), {
      code: 'invalid-options',
      message: /3 times/,
    });
    await assert.rejects(createBedrockReranker({ model: 'amazon.nova-lite-v1:0' }), { code: 'invalid-options' });
    await assert.rejects(createBedrockReranker({ model: 'nobody.knows' }), { code: 'model-not-found' });
  });
});
