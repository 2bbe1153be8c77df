import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BedrockAgentRuntimeClient } from '@aws-sdk/client-bedrock-agent-runtime';
import { type Answer, generateImage, isAquiferError, openKnowledgeBase } from 'aquifer';
import { type StartedService, startService } from './testing/service-fixture.js';

const handbook = fileURLToPath(new URL('../../../examples/handbook', import.meta.url));
const png = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

describe('the library with models of Bedrock, by a client that was passed in', () => {
  let started: StartedService;
  let folder: string;
  before(async () => {
    started = await startService();
    folder = mkdtempSync(join(tmpdir(), 'aquifer-library-'));
  });
  after(async () => {
    await started.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('indexes, reranks and answers', async () => {
    const agent = new BedrockAgentRuntimeClient({
      endpoint: started.endpoint,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const location = join(folder, 'index');
    const knowledgeBase = await openKnowledgeBase({
      location,
      embedder: 'cohere.embed-multilingual-v3',
      model: 'anthropic.claude-haiku-4-5-20251001-v1:0',
      reranker: 'cohere.rerank-v3-5:0',
      models: { bedrock: { client: started.client() }, bedrockAgent: { client: agent } },
    });
    try {
      const { failed, embedded, requests } = await knowledgeBase.index(handbook);
      assert.equal(failed, 0);
      assert.ok(requests > 0 && requests < embedded, `${requests} requests for ${embedded} texts`);
      const { matches } = await knowledgeBase.search('How long is parental leave in Japan?', { limit: 5 });
      const scores = matches.map(({ scores: { rerank } }) => rerank ?? Number.NaN);
      assert.deepEqual(
        scores,
        scores.toSorted((a, b) => b - a),
      );
      let answer: Answer | undefined;
      for await (const event of knowledgeBase.ask('How long is parental leave in Japan?')) {
        if (event.type === 'answer') answer = event.answer;
      }
      assert.match(answer?.answer ?? '', /52 weeks/);
      assert.ok(answer?.citations.every(({ references }) => references.every(({ verified }) => verified)));
      assert.ok(answer !== undefined && (answer.usage.costUsd ?? 0) > 0);
    } finally {
      await knowledgeBase.close();
      agent.destroy();
    }
  });

  for (const model of [
    'stability.stable-diffusion-xl-v1',
    'stability.sd3-5-large-v1:0',
    'amazon.titan-image-generator-v2:0',
    'amazon.nova-canvas-v1:0',
  ]) {
    it(`makes pictures with ${model}, the same ones for the same seed`, async () => {
      const models = { bedrock: { client: started.client() } };
      const options = { model, models, seed: 7, count: 2 };
      const { images } = await generateImage('a lighthouse at dawn', options);
      assert.equal(images.length, 2);
      for (const { bytes, mediaType } of images) {
        assert.equal(mediaType, 'image/png');
        assert.deepEqual(Buffer.from(bytes.subarray(0, 4)), png);
      }
      assert.deepEqual((await generateImage('a lighthouse at dawn', options)).images, images);
    });
  }

  it('takes no model that makes none', async () => {
    await assert.rejects(generateImage('a lighthouse', { model: 'amazon.nova-lite-v1:0' }), (error) =>
      isAquiferError(error, 'invalid-options'),
    );
    await assert.rejects(generateImage('a lighthouse', { model: 'dall-e' }), (error) =>
      isAquiferError(error, 'model-not-found'),
    );
  });
});
