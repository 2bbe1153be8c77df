import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bedrockFamilies } from '@aquifer/contracts';
import { describeModel, modelCatalogue } from './model-catalogue.js';

describe('model catalogue', () => {
  it('lists every model once, and models of every family', () => {
    assert.equal(new Set(modelCatalogue.map(({ id }) => id)).size, modelCatalogue.length);
    assert.deepEqual(new Set(modelCatalogue.map(({ family }) => family)), new Set(bedrockFamilies));
  });

  it('says of every model what its kind needs', () => {
    for (const model of modelCatalogue) {
      assert.equal(
        /^20\d\d-\d\d$/.test(model.pricesAsOf ?? ''),
        (model.usdPerMillionInputTokens ?? model.usdPerThousandQueries) !== undefined,
        model.id,
      );
      if (model.kind === 'rerank') assert.ok(model.usdPerThousandQueries! > 0, model.id);
      if (model.kind === 'embedding') {
        assert.ok(model.maxInputTokens! > 0 && model.textsPerRequest! > 0 && model.dimensions!.length > 0, model.id);
      }
      if (model.kind === 'text') {
        assert.ok(model.contextTokens! >= model.maxOutputTokens! && model.streams !== undefined, model.id);
        assert.equal(model.usdPerMillionInputTokens === undefined, model.usdPerMillionOutputTokens === undefined);
      }
    }
  });

  it('knows a model by its id, an inference profile, an ARN and a context variant', () => {
    const id = 'anthropic.claude-sonnet-4-20250514-v1:0';
    for (const name of [
      id,
      `us.${id}`,
      `arn:aws:bedrock:us-east-1::foundation-model/${id}`,
      `arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.${id}`,
      `${id}:200k`,
    ]) {
      const { description, isKnown } = describeModel(name)!;
      assert.deepEqual([description.id, description.usdPerMillionInputTokens, isKnown], [id, 3, true], name);
    }
  });

  it('counts in what a regional profile costs more', () => {
    const prices = (id: string): unknown[] => {
      const { usdPerMillionInputTokens, usdPerMillionOutputTokens } = describeModel(id)!.description;
      return [usdPerMillionInputTokens, usdPerMillionOutputTokens];
    };
    const id = 'anthropic.claude-sonnet-4-5-20250929-v1:0';
    assert.deepEqual(prices(id), [3, 15]);
    assert.deepEqual(prices(`global.${id}`), [3, 15]);
    assert.deepEqual(prices(`jp.${id}`), [3.3, 16.5]);
    assert.deepEqual(prices('us.amazon.nova-pro-v1:0'), [0.8, 3.2]);
  });

  it('gives an unknown model of a known family what holds for the family, and no price', () => {
    const { description, isKnown } = describeModel('eu.anthropic.claude-sonnet-9-20300101-v1:0')!;
    assert.equal(isKnown, false);
    assert.deepEqual(description, {
      id: 'anthropic.claude-sonnet-9-20300101-v1:0',
      provider: 'anthropic',
      family: 'claude-messages',
      kind: 'text',
      contextTokens: 200_000,
      maxOutputTokens: 4096,
      streams: true,
      citesNatively: true,
    });
    assert.equal(describeModel('amazon.titan-embed-text-v3:0')?.description.family, 'titan-embed-text-v2');
  });

  it('knows the model that is named behind the ARN of something in an account, and its price where it is charged by the token', () => {
    const account = 'arn:aws:bedrock:eu-west-1:123456789012';
    const id = 'anthropic.claude-sonnet-4-5-20250929-v1:0';
    const found = (name: string): unknown[] => {
      const { description, isKnown } = describeModel(name)!;
      const { contextTokens, citesNatively, usdPerMillionInputTokens, usdPerMillionOutputTokens } = description;
      return [
        description.id,
        isKnown,
        contextTokens,
        citesNatively,
        usdPerMillionInputTokens,
        usdPerMillionOutputTokens,
      ];
    };
    const profile = `${account}:application-inference-profile/abc123`;
    assert.deepEqual(found(`${profile}@${id}`), [id, true, 200_000, true, 3, 15]);
    assert.deepEqual(found(`${profile}@eu.${id}`), [id, true, 200_000, true, 3.3, 16.5]);
    for (const resource of ['provisioned-model', 'custom-model-deployment', 'imported-model']) {
      const rented = [id, true, 200_000, true, undefined, undefined];
      assert.deepEqual(found(`${account}:${resource}/abc123@${id}`), rented);
      assert.equal(describeModel(`${account}:${resource}/abc123@${id}`)?.description.pricesAsOf, undefined);
    }
    assert.deepEqual(found(profile), ['abc123', false, 8192, undefined, undefined, undefined]);
  });

  it('knows nothing of what is no model of Bedrock', () => {
    for (const id of ['gpt-4o', 'amazon.nova-sonic-v1:0', '']) assert.equal(describeModel(id), undefined);
  });

  it('has the limits that texts and batches are cut by', () => {
    const limits = (id: string): unknown[] => {
      const { maxInputTokens, dimensions, textsPerRequest } = describeModel(id)!.description;
      return [maxInputTokens, dimensions, textsPerRequest];
    };
    assert.deepEqual(limits('amazon.titan-embed-text-v2:0'), [8192, [1024, 512, 256], 1]);
    assert.deepEqual(limits('amazon.titan-embed-text-v1'), [8192, [1536], 1]);
    assert.deepEqual(limits('amazon.titan-embed-image-v1'), [256, [1024, 384, 256], 1]);
    assert.deepEqual(limits('cohere.embed-multilingual-v3'), [512, [1024], 96]);
  });
});
