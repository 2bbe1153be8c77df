import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { rerankerFor } from './models-by-name.js';

describe('a reranker of Bedrock by its name', () => {
  /** Regions that requests were signed for. */
  const regions: (string | undefined)[] = [];
  const server = http2.createServer();
  let endpoint: string;
  before(async () => {
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_REGION: 'us-east-1',
    });
    server.on('stream', (stream, { authorization }) => {
      regions.push(/\/\d{8}\/([a-z0-9-]+)\//.exec(String(authorization))?.[1]);
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      stream.end(JSON.stringify({ results: [{ index: 0, relevanceScore: 0.5 }] }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  it('is asked in the region of its ARN, unless another is given', async () => {
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
});
