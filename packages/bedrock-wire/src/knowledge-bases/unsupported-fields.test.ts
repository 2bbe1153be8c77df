import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rerankSources } from '../families/rerank.js';
import { WireException } from '../wire-error.js';
import { retrieve } from './retrieve.js';
import { readRetrieveAndGenerate } from './retrieve-and-generate.js';

const never = () => assert.fail('not asked');

function isInvalid(message: RegExp) {
  return (thrown: unknown): boolean => {
    assert.ok(thrown instanceof WireException, String(thrown));
    assert.equal(thrown.error.name, 'ValidationException');
    assert.match(thrown.error.message, message);
    return true;
  };
}

describe('what is not supported is refused, not ignored:', () => {
  const textSource = (text: string) => ({
    type: 'INLINE',
    inlineDocumentSource: { type: 'TEXT', textDocument: { text } },
  });
  const query = { type: 'TEXT', textQuery: { text: 'leave' } };
  const model = { modelArn: 'arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0' };
  const configured = (more: object = {}, ofModel: object = {}) => ({
    type: 'BEDROCK_RERANKING_MODEL',
    bedrockRerankingConfiguration: { modelConfiguration: { ...model, ...ofModel }, ...more },
  });
  const request = { queries: [query], sources: [textSource('a')], rerankingConfiguration: configured() };
  const rerank = (changes: object) =>
    rerankSources(
      { ...request, ...changes },
      { embed: never, generate: never, image: never, rerank: async ({ texts }) => texts.map((text) => text.length) },
    );

  it('Rerank', async () => {
    const sources = [
      textSource('a'),
      { type: 'INLINE', inlineDocumentSource: { type: 'JSON', jsonDocument: { longer: 1 } } },
    ];
    assert.deepEqual(await rerank({ sources }), {
      results: [
        { index: 1, relevanceScore: 12 },
        { index: 0, relevanceScore: 1 },
      ],
    });
    const refused: readonly (readonly [object, RegExp])[] = [
      [{ bogus: 1 }, /bogus/],
      [{ nextToken: 'nonsense' }, /nextToken provided is not valid/],
      [{ queries: [{ ...query, type: 'IMAGE' }] }, /pictures are not supported/],
      [{ queries: [{ textQuery: query.textQuery }] }, /type/],
      [{ queries: [{ ...query, bogus: 1 }] }, /bogus/],
      [{ queries: [{ ...query, textQuery: { text: 'a', bogus: 1 } }] }, /bogus/],
      [{ rerankingConfiguration: { ...configured(), type: undefined } }, /type/],
      [{ rerankingConfiguration: { ...configured(), bogus: 1 } }, /bogus/],
      [{ rerankingConfiguration: configured({ bogus: 1 }) }, /bogus/],
      [{ rerankingConfiguration: configured({}, { bogus: 1 }) }, /bogus/],
      [
        { rerankingConfiguration: configured({}, { additionalModelRequestFields: { top: 1 } }) },
        /additionalModelRequestFields is not supported/,
      ],
      [{ sources: [{ ...textSource('a'), type: undefined }] }, /type/],
      [{ sources: [{ ...textSource('a'), bogus: 1 }] }, /bogus/],
      [{ sources: [{ type: 'INLINE', inlineDocumentSource: { textDocument: { text: 'a' } } }] }, /type/],
      [{ sources: [{ type: 'INLINE', inlineDocumentSource: { type: 'TEXT', jsonDocument: {} } }] }, /textDocument/],
      [{ sources: [{ type: 'INLINE', inlineDocumentSource: { type: 'JSON' } }] }, /jsonDocument/],
      [
        {
          sources: [
            { type: 'INLINE', inlineDocumentSource: { type: 'TEXT', textDocument: { text: 'a' }, jsonDocument: {} } },
          ],
        },
        /jsonDocument/,
      ],
    ];
    for (const [changes, message] of refused) {
      await assert.rejects(rerank(changes), isInvalid(message), JSON.stringify(changes));
    }
  });

  it('RetrieveAndGenerate', () => {
    const knowledgeBase = { knowledgeBaseId: 'ABCDEFGHIJ', modelArn: 'builtin' };
    const ask = (changes: object, ofConfiguration: object = {}, generationConfiguration?: object) =>
      readRetrieveAndGenerate({
        input: { text: 'How long is leave?' },
        retrieveAndGenerateConfiguration: {
          type: 'KNOWLEDGE_BASE',
          knowledgeBaseConfiguration: { ...knowledgeBase, generationConfiguration },
          ...ofConfiguration,
        },
        ...changes,
      });
    const inference = (textInferenceConfig: object, more: object = {}) =>
      ask({}, {}, { inferenceConfig: { textInferenceConfig, ...more } });
    for (const maxTokens of [0, 65_536]) assert.equal(inference({ maxTokens }).maxTokens, maxTokens);
    const refused: readonly (readonly [() => unknown, RegExp])[] = [
      [() => ask({ sessionConfiguration: { kmsKeyArn: 'arn:aws:kms:…' } }), /sessionConfiguration is not supported/],
      [() => ask({ userContext: { userId: 'kim' } }), /userContext is not supported/],
      [() => ask({ input: { text: 'a', bogus: 1 } }), /bogus/],
      [() => ask({}, { bogus: 1 }), /bogus/],
      [() => ask({}, { externalSourcesConfiguration: {} }), /externalSourcesConfiguration/],
      [() => inference({}, { bogus: {} }), /bogus/],
      [() => inference({ maxTokens: -1 }), /greater than or equal to 0/],
      [() => inference({ maxTokens: 65_537 }), /less than or equal to 65536/],
    ];
    for (const [asked, message] of refused) assert.throws(asked, isInvalid(message));
  });

  it('Retrieve', async () => {
    const backend = { retrieve: async () => [], answer: never, answerFrom: never };
    const find = (more: object) =>
      retrieve('ABCDEFGHIJ', { retrievalQuery: { text: 'leave' }, ...more }, backend, undefined);
    assert.deepEqual(await find({}), { retrievalResults: [] });
    await assert.rejects(find({ userContext: { userId: 'kim' } }), isInvalid(/userContext is not supported/));
  });
});
