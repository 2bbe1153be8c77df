import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createPacer } from '../../pacing/pacer.js';
import { closeBedrockClients } from '../bedrock-client.js';
import {
  type BedrockServer,
  type Respond,
  sendError,
  sendJson,
  startBedrockServer,
} from '../bedrock-server.test-fixture.js';
import { createBedrockImageGenerator } from './bedrock-image-generator.js';

Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' });

const servers: BedrockServer[] = [];
after(async () => {
  await closeBedrockClients();
  await Promise.all(servers.map((server) => server.close()));
});

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const base64 = png.toString('base64');

async function open(model: string, respond: Respond) {
  const server = await startBedrockServer(respond);
  servers.push(server);
  const pacer = createPacer({ name: model });
  const generator = await createBedrockImageGenerator({
    model,
    connection: { region: 'us-east-1', endpoint: server.url },
    pacer,
  });
  return { server, generator };
}

const titanAnswer: Respond = ({ body }, stream) =>
  sendJson(stream, { images: new Array(body.imageGenerationConfig.numberOfImages).fill(base64), error: null });

describe('bedrock image generator', () => {
  it('speaks with Titan and Nova Canvas in their own form', async () => {
    for (const model of ['amazon.titan-image-generator-v2:0', 'amazon.nova-canvas-v1:0']) {
      const { server, generator } = await open(model, titanAnswer);
      assert.equal(generator.id, model);
      const { images } = await generator.generateImage('a lighthouse', {
        negativePrompt: 'people',
        width: 512,
        height: 512,
        seed: 7,
      });
      assert.deepEqual(server.requests[0]!.body, {
        taskType: 'TEXT_IMAGE',
        textToImageParams: { text: 'a lighthouse', negativeText: 'people' },
        imageGenerationConfig: { numberOfImages: 1, width: 512, height: 512, seed: 7 },
      });
      assert.equal(server.requests[0]!.modelId, model);
      assert.deepEqual(images, [{ bytes: new Uint8Array(png), mediaType: 'image/png', seed: 7 }]);
    }
  });

  it('takes the model behind an ARN of the account from its name, and cannot do without', async () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc123';
    const { server, generator } = await open(`${arn}@amazon.nova-canvas-v1:0`, titanAnswer);
    await generator.generateImage('a lighthouse');
    assert.deepEqual([server.requests[0]!.modelId, server.requests[0]!.body.taskType], [arn, 'TEXT_IMAGE']);
    await assert.rejects(createBedrockImageGenerator({ model: arn }), {
      code: 'invalid-options',
      message: /does not say which model/,
    });
  });

  it('speaks with SDXL in its own form', async () => {
    const { server, generator } = await open('stability.stable-diffusion-xl-v1', (_, stream) =>
      sendJson(stream, { result: 'success', artifacts: [{ seed: 9, base64, finishReason: 'SUCCESS' }] }),
    );
    const { images } = await generator.generateImage('a lighthouse', {
      negativePrompt: 'people',
      width: 1216,
      height: 832,
      seed: 9,
    });
    assert.deepEqual(server.requests[0]!.body, {
      text_prompts: [
        { text: 'a lighthouse', weight: 1 },
        { text: 'people', weight: -1 },
      ],
      width: 1216,
      height: 832,
      seed: 9,
    });
    assert.equal(images[0]!.seed, 9);
  });

  it('speaks with Stable Image and SD3 in their own form, with a shape for a size', async () => {
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0]);
    const { server, generator } = await open('stability.sd3-5-large-v1:0', (_, stream) =>
      sendJson(stream, { seeds: [11], finish_reasons: [null], images: [jpeg.toString('base64')] }),
    );
    const { images } = await generator.generateImage('a lighthouse', {
      width: 1344,
      height: 768,
      negativePrompt: 'people',
    });
    assert.deepEqual(server.requests[0]!.body, {
      prompt: 'a lighthouse',
      negative_prompt: 'people',
      aspect_ratio: '16:9',
      output_format: 'png',
    });
    assert.deepEqual(images, [{ bytes: new Uint8Array(jpeg), mediaType: 'image/jpeg', seed: 11 }]);
    await assert.rejects(generator.generateImage('x', { width: 1000, height: 100 }), {
      code: 'model-rejected',
      message: /1000 × 100.*16:9/,
    });
    await assert.rejects(generator.generateImage('x', { width: 1024 }), { code: 'invalid-options' });
    assert.equal(server.requests.length, 1);
  });

  it('makes as many pictures as were asked for, each with a seed of its own', async () => {
    const titan = await open('amazon.nova-canvas-v1:0', titanAnswer);
    assert.equal((await titan.generator.generateImage('x', { count: 7, seed: 1 })).images.length, 7);
    assert.deepEqual(
      titan.server.requests.map(({ body }) => body.imageGenerationConfig),
      [
        { numberOfImages: 5, seed: 1 },
        { numberOfImages: 2, seed: 6 },
      ],
    );
    const core = await open('stability.stable-image-core-v1:1', ({ body }, stream) =>
      sendJson(stream, { seeds: [body.seed], finish_reasons: [null], images: [base64] }),
    );
    const { images } = await core.generator.generateImage('x', { count: 3, seed: 1 });
    assert.deepEqual(
      images.map(({ seed }) => seed),
      [1, 2, 3],
    );
    await assert.rejects(core.generator.generateImage('x', { count: 0 }), { code: 'invalid-options' });
  });

  it('says that a picture was withheld, in the words of every family', async () => {
    const answers: readonly (readonly [string, object])[] = [
      ['stability.stable-diffusion-xl-v1', { artifacts: [{ seed: 1, base64, finishReason: 'CONTENT_FILTERED' }] }],
      ['stability.stable-image-ultra-v1:1', { finish_reasons: ['Filter reason: prompt'] }],
      ['amazon.nova-canvas-v1:0', { images: [], error: 'This request has been blocked by our content policy.' }],
    ];
    for (const [model, answer] of answers) {
      const { server, generator } = await open(model, (_, stream) => sendJson(stream, answer));
      await assert.rejects(generator.generateImage('x'), { code: 'model-filtered', retryable: false });
      assert.equal(server.requests.length, 1);
    }
    const { generator } = await open('amazon.titan-image-generator-v1', (_, stream) =>
      sendError(stream, 400, 'ValidationException', 'This request has been blocked by our content filters.'),
    );
    await assert.rejects(generator.generateImage('x'), { code: 'model-filtered', name: 'ValidationException' });
  });

  it('tries again what is temporary, and asks once otherwise', async () => {
    let asked = 0;
    const throttled = await open('amazon.nova-canvas-v1:0', (request, stream) => {
      if (asked++ === 0) sendError(stream, 429, 'ThrottlingException', 'Too many.', { 'x-amz-retry-after': '5' });
      else return titanAnswer(request, stream);
    });
    assert.equal((await throttled.generator.generateImage('x')).images.length, 1);
    const denied = await open('amazon.nova-canvas-v1:0', (_, stream) =>
      sendError(stream, 403, 'AccessDeniedException', "You don't have access to the model."),
    );
    await assert.rejects(denied.generator.generateImage('x'), { code: 'model-access-denied' });
    assert.equal(denied.server.requests.length, 1);
  });

  it('keeps nothing of an answer that is no picture', async () => {
    const answers: readonly (readonly [unknown, RegExp])[] = [
      [{}, /cannot be read: images is no list/],
      [{ images: [7] }, /cannot be read: images is number/],
      [{ images: [Buffer.from('<html>').toString('base64')] }, /no picture \(6 bytes\)/],
      [{ images: [] }, /0 pictures where 1/],
    ];
    for (const [answer, message] of answers) {
      const { generator } = await open('amazon.nova-canvas-v1:0', (_, stream) => sendJson(stream, answer));
      await assert.rejects(generator.generateImage('x'), { code: 'model-failed', message });
    }
  });

  it('takes models that make pictures only', async () => {
    await assert.rejects(createBedrockImageGenerator({ model: 'amazon.titan-embed-text-v2:0' }), {
      code: 'invalid-options',
    });
    await assert.rejects(createBedrockImageGenerator({ model: 'nobody.knows' }), { code: 'model-not-found' });
  });

  it('stops when it is told to', async () => {
    const { generator } = await open('amazon.nova-canvas-v1:0', () => {});
    const signal = AbortSignal.timeout(30);
    await assert.rejects(generator.generateImage('x', { signal }), { code: 'aborted' });
    await assert.rejects(generator.generateImage('x', { signal: AbortSignal.abort() }), { code: 'aborted' });
  });
});
