import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseBedrockModelId } from './bedrock-model-id.js';

describe('parseBedrockModelId', () => {
  it('knows the families by id', () => {
    const families: Record<string, string> = {
      'amazon.titan-embed-text-v1': 'titan-embed-text-v1',
      'amazon.titan-embed-g1-text-02': 'titan-embed-text-v1',
      'amazon.titan-embed-text-v2:0': 'titan-embed-text-v2',
      'amazon.titan-embed-image-v1': 'titan-embed-image',
      'cohere.embed-multilingual-v3': 'cohere-embed',
      'anthropic.claude-3-5-sonnet-20240620-v1:0': 'claude-messages',
      'anthropic.claude-sonnet-4-20250514-v1:0': 'claude-messages',
      'anthropic.claude-v2:1': 'claude-completions',
      'anthropic.claude-instant-v1': 'claude-completions',
      'ai21.j2-ultra-v1': 'jurassic',
      'ai21.j2-mid-v1': 'jurassic',
      'ai21.jamba-1-5-large-v1:0': 'jamba',
      'amazon.titan-text-express-v1': 'titan-text',
      'amazon.titan-image-generator-v2:0': 'titan-image',
      'amazon.nova-canvas-v1:0': 'titan-image',
      'amazon.nova-lite-v1:0': 'nova',
      'amazon.nova-2-lite-v1:0': 'nova',
      'stability.stable-diffusion-xl-v1': 'stable-diffusion',
      'stability.sd3-5-large-v1:0': 'stability-image',
      'amazon.rerank-v1:0': 'rerank',
      'cohere.rerank-v3-5:0': 'rerank',
      'meta.llama3-3-70b-instruct-v1:0': 'converse',
    };
    for (const [id, family] of Object.entries(families)) assert.equal(parseBedrockModelId(id)?.family, family, id);
  });

  it('looks through inference profiles and ARNs', () => {
    assert.deepEqual(parseBedrockModelId('us.anthropic.claude-sonnet-4-20250514-v1:0'), {
      id: 'us.anthropic.claude-sonnet-4-20250514-v1:0',
      baseId: 'anthropic.claude-sonnet-4-20250514-v1:0',
      inferenceProfile: 'us',
      family: 'claude-messages',
    });
    assert.equal(parseBedrockModelId('us-gov.anthropic.claude-3-haiku-20240307-v1:0')?.inferenceProfile, 'us-gov');
    assert.equal(parseBedrockModelId('global.amazon.nova-2-lite-v1:0')?.family, 'nova');
    const arn = 'arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.titan-embed-text-v2:0';
    assert.deepEqual(parseBedrockModelId(arn), {
      id: arn,
      baseId: 'amazon.titan-embed-text-v2:0',
      family: 'titan-embed-text-v2',
      region: 'us-gov-west-1',
    });
  });

  it('takes the model behind a resource of an account from whoever names it', () => {
    const profile = 'arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123';
    assert.deepEqual(parseBedrockModelId(profile), {
      id: profile,
      baseId: 'abc123',
      region: 'eu-west-1',
      resource: 'application-inference-profile',
      hidesModel: true,
      family: 'converse',
    });
    assert.deepEqual(parseBedrockModelId(`${profile}@eu.anthropic.claude-sonnet-4-20250514-v1:0`), {
      id: profile,
      baseId: 'anthropic.claude-sonnet-4-20250514-v1:0',
      inferenceProfile: 'eu',
      region: 'eu-west-1',
      resource: 'application-inference-profile',
      family: 'claude-messages',
    });
    const provisioned = 'arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc123';
    const titan = 'arn:aws:bedrock:us-west-2::foundation-model/amazon.titan-embed-text-v2:0';
    assert.deepEqual(parseBedrockModelId(`${provisioned}@${titan}`), {
      id: provisioned,
      baseId: 'amazon.titan-embed-text-v2:0',
      region: 'us-east-1',
      resource: 'provisioned-model',
      family: 'titan-embed-text-v2',
    });
    for (const id of [
      `${profile}@`,
      `${profile}@titan`,
      `${profile}@${provisioned}`,
      `${profile}@amazon.titan-embed-text-v2:0@amazon.titan-embed-text-v1`,
      `${titan}@amazon.titan-embed-text-v1`,
      'amazon.titan-embed-text-v2:0@amazon.titan-embed-text-v1',
    ]) {
      assert.equal(parseBedrockModelId(id), undefined, id);
    }
  });

  it('does not know what is no model of text, vectors, scores or pictures', () => {
    for (const id of ['', 'builtin', 'gpt-4o', 'amazon.nova-sonic-v1:0', 'amazon.nova-reel-v1:0', 'example.model']) {
      assert.equal(parseBedrockModelId(id), undefined, id);
    }
  });
});
