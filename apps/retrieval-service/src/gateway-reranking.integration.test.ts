import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { RerankCall } from '@aquifer/bedrock-wire';
import { type BedrockAgentRuntimeClient, RerankCommand, RetrieveCommand } from '@aws-sdk/client-bedrock-agent-runtime';
import { bedrockUpstream, rerankerFor } from 'aquifer';
import { createBedrockGateway } from './bedrock-gateway.js';
import { createLocalBackend, mappedModel, realBedrock } from './local-backend.js';
import { fixedKeys } from './testing/fixed-keys.js';
import { json, type StartedNative, startNative } from './testing/native-fixture.js';
import { runtimeClient } from './testing/runtime-client.js';
import { modelsByName, type StartedService, startService } from './testing/service-fixture.js';

const key = { accessKeyId: 'AQUIFER-ONE', secretAccessKey: 'first-secret-of-the-tests' };
const upstreamKey = { accessKeyId: 'AWS-ITSELF', secretAccessKey: 'the only credentials of AWS' };
const modelArn = 'arn:aws:bedrock:us-east-1::foundation-model/amazon.rerank-v1:0';
const documents = ['The printer is out of paper.', 'Leave is 52 weeks.', 'Lunch is at noon.'];

for (const pattern of ['*', 'amazon.*']) {
  describe(`a gateway with ${pattern}=bedrock`, () => {
    const asked: RerankCall[] = [];
    const forwarded: string[] = [];
    let upstream: StartedService;
    let upstreamAgent: BedrockAgentRuntimeClient;
    let native: StartedNative;
    let client: BedrockAgentRuntimeClient;
    before(async () => {
      const local = createLocalBackend(modelsByName);
      upstream = await startService({
        keys: fixedKeys([upstreamKey]),
        backend: {
          ...local,
          async rerank(call) {
            asked.push(call);
            // As no embedder would: by what the real model alone says.
            return call.texts.map((text) => (text.includes('printer') ? 0.875 : 0.25));
          },
        },
      });
      upstreamAgent = runtimeClient(upstream.endpoint, upstreamKey.accessKeyId, upstreamKey.secretAccessKey);
      const models = { [pattern]: realBedrock };
      const gateway = createBedrockGateway(
        await bedrockUpstream({ client: upstream.client('h2c', { credentials: upstreamKey }) }),
      );
      native = await startNative({
        keys: fixedKeys([key]),
        backend: createLocalBackend({
          ...modelsByName,
          models,
          rerankerByName: (name) => rerankerFor(name, { bedrockAgent: { client: upstreamAgent } }),
        }),
        passThrough: {
          gateway: {
            forward(request) {
              forwarded.push(request.target);
              return gateway.forward(request);
            },
          },
          includes: (modelId) => mappedModel(models, modelId) === realBedrock,
        },
      });
      client = runtimeClient(native.endpoint, key.accessKeyId, key.secretAccessKey);
    });
    after(async () => {
      client.destroy();
      upstreamAgent.destroy();
      await native.close();
      await upstream.close();
      assert.deepEqual(native.failures, []);
    });

    const rerank = (model: string) =>
      client.send(
        new RerankCommand({
          queries: [{ type: 'TEXT', textQuery: { text: 'How long is leave?' } }],
          sources: documents.map((text) => ({
            type: 'INLINE',
            inlineDocumentSource: { type: 'TEXT', textDocument: { text } },
          })),
          rerankingConfiguration: {
            type: 'BEDROCK_RERANKING_MODEL',
            bedrockRerankingConfiguration: { modelConfiguration: { modelArn: model } },
          },
        }),
      );

    it('asks the real model to rerank, where Bedrock has that operation', async () => {
      asked.length = 0;
      const { results } = await rerank(modelArn);
      assert.deepEqual(
        results?.map(({ index, relevanceScore }) => [index, relevanceScore]),
        [
          [0, 0.875],
          [1, 0.25],
          [2, 0.25],
        ],
      );
      assert.deepEqual(
        asked.map(({ modelId, query, texts }) => ({ modelId, query, texts })),
        [{ modelId: modelArn, query: 'How long is leave?', texts: documents }],
      );
      assert.deepEqual(forwarded, []);
    });

    it('answers for rerankers that are not mapped by itself', async () => {
      asked.length = 0;
      const { results } = await rerank(modelArn.replace('amazon.rerank-v1:0', 'cohere.rerank-v3-5:0'));
      assert.equal(asked.length, pattern === '*' ? 1 : 0);
      assert.equal(results?.[0]?.index, pattern === '*' ? 0 : 1);
    });

    it('has what a knowledge base finds reranked by the real model', async () => {
      const headers = { authorization: `Bearer ${key.secretAccessKey}` };
      const { id: knowledgeBaseId } = await json(
        await native.post('/v1/knowledge-bases', { name: 'default' }, headers),
      );
      const sent = { documents: documents.map((text, index) => ({ name: `${index}.md`, text })) };
      const { job } = await json(await native.post('/v1/knowledge-bases/default/documents', sent, headers));
      await (await native.send(`/v1/jobs/${job.id}/events`, { headers })).text();
      asked.length = 0;
      const { retrievalResults } = await client.send(
        new RetrieveCommand({
          knowledgeBaseId,
          retrievalQuery: { text: 'How long is leave?' },
          retrievalConfiguration: {
            vectorSearchConfiguration: {
              numberOfResults: 3,
              rerankingConfiguration: {
                type: 'BEDROCK_RERANKING_MODEL',
                bedrockRerankingConfiguration: { modelConfiguration: { modelArn } },
              },
            },
          },
        }),
      );
      assert.deepEqual([retrievalResults?.[0]?.content?.text, retrievalResults?.[0]?.score], [documents[0], 0.875]);
      assert.deepEqual(
        asked.map(({ modelId, texts }) => [modelId, [...texts].sort()]),
        [[modelArn, [...documents].sort()]],
      );
    });
  });
}
