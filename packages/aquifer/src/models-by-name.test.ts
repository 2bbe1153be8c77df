import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { bedrockClient } from '@aquifer/models/bedrock-client';
import { embedderByName, imageGeneratorByName, rerankerFor } from './models-by-name.js';

Object.assign(process.env, {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_REGION: 'us-east-1',
});

describe('a model of Bedrock by its name', () => {
  /** Regions that requests were signed for. */
  const regions: (string | undefined)[] = [];
  const server = http2.createServer();
  let endpoint: string;
  before(async () => {
    server.on('stream', (stream, { authorization }) => {
      regions.push(/\/\d{8}\/([a-z0-9-]+)\//.exec(String(authorization))?.[1]);
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      const embedding = Array.from({ length: 256 }, (_, index) => (index === 0 ? 1 : 0));
      stream.end(JSON.stringify({ results: [{ index: 0, relevanceScore: 0.5 }], embedding, inputTextTokenCount: 1 }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  it('is asked in the region of its ARN, unless another is given: a reranker', async () => {
    const arn = 'arn:aws:bedrock:eu-west-1::foundation-model/amazon.rerank-v1:0';
    for (const [model, bedrock] of [
      [arn, {}],
      [arn, { region: 'ap-northeast-1' }],
      ['amazon.rerank-v1:0', {}],
    ] as const) {
      const reranker = await rerankerFor(model, { bedrock, bedrockAgent: { endpoint } });
      await reranker.rerank('q', ['a']);
      await reranker.close?.();
    }
    assert.deepEqual(regions, ['eu-west-1', 'ap-northeast-1', 'us-east-1']);
  });

  it('is not held to the quota of the embedder: a reranker', async () => {
    const models = { requestsPerMinute: 1, bedrockAgent: { endpoint }, deadlineMs: 60_000 };
    const reranker = await rerankerFor('amazon.rerank-v1:0', models);
    const signal = AbortSignal.timeout(20_000);
    for (let asked = 0; asked < 3; asked++) await reranker.rerank('q', ['a'], { signal });
    await reranker.close?.();
  });

  it('keeps to its quota with all that ask by the same client, and not with those of another', async () => {
    const clients = await Promise.all(['us-east-1', 'eu-west-1'].map((region) => bedrockClient({ region, endpoint })));
    const embed = async (client: (typeof clients)[number] | undefined, requestsPerMinute?: number) => {
      const models = { bedrock: { client }, requestsPerMinute, dimensions: 256 };
      const embedder = await embedderByName('amazon.titan-embed-text-v2:0', models);
      await embedder.embed(['q'], { purpose: 'query', signal: AbortSignal.timeout(20_000) });
    };
    const start = performance.now();
    // One who has no quota to keep to is no reason to have none.
    await embed(clients[0]);
    for (const requestsPerMinute of [60, 60]) await embed(clients[0], requestsPerMinute);
    assert.ok(performance.now() - start > 900, `${performance.now() - start} ms`);
    for (const client of clients) await embed(client, 1);
    for (const client of clients) client.destroy();
  });
});

describe('a model of Bedrock by its name, where nothing listens', () => {
  /** The message says after what time it was given up. */
  const givenUp = { code: 'model-unavailable', message: /(?:Given up after|within).* 0\.\d s/ };
  const models = async () => {
    const closed = http2.createServer();
    closed.listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const endpoint = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    closed.close();
    return { bedrock: { endpoint }, bedrockAgent: { endpoint }, deadlineMs: 300 };
  };

  it('is given up when the time for it is over: a reranker', async () => {
    const reranker = await rerankerFor('cohere.rerank-v3-5:0', await models());
    await assert.rejects(reranker.rerank('q', ['a']), givenUp);
    await reranker.close?.();
  });

  it('is given up when the time for it is over: one that makes pictures', async () => {
    const images = await imageGeneratorByName('amazon.nova-canvas-v1:0', await models());
    await assert.rejects(images.generateImage('a lighthouse'), givenUp);
  });
});
