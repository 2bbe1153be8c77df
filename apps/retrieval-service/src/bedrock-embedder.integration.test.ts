import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { embedderContract, type RelatedTexts } from '@aquifer/contracts/testing';
import { type BedrockEmbedderOptions, createBedrockEmbedder, createPacer } from '@aquifer/models';
import { parseFaults } from './faults.js';
import { type StartedService, startService } from './testing/service-fixture.js';

const english: readonly RelatedTexts[] = [
  {
    question: 'How long is parental leave?',
    related: 'Parental leave is 52 weeks. It is announced one month before it begins.',
    unrelated: 'The printer on the second floor is out of paper.',
  },
];

describe('Bedrock embedders against the local Bedrock', () => {
  let started: StartedService;
  const opened: StartedService[] = [];
  before(async () => {
    started = await startService();
    opened.push(started);
  });
  after(() => Promise.all(opened.map((service) => service.close())));

  const models: readonly Omit<BedrockEmbedderOptions, 'connection'>[] = [
    { model: 'amazon.titan-embed-text-v1' },
    { model: 'amazon.titan-embed-text-v2:0' },
    { model: 'amazon.titan-embed-text-v2:0', dimensions: 256 },
    { model: 'amazon.titan-embed-text-v2:0', embeddingType: 'binary' },
    { model: 'amazon.titan-embed-image-v1', dimensions: 384 },
    { model: 'cohere.embed-english-v3' },
    { model: 'us.cohere.embed-multilingual-v3' },
    { model: 'cohere.embed-multilingual-v3', embeddingType: 'binary' },
  ];
  for (const options of models) {
    embedderContract(
      { describe, it },
      {
        name: Object.values(options).join(' '),
        create: () => createBedrockEmbedder({ ...options, connection: { client: started.client() } }),
        pairs: english,
      },
    );
  }

  it('embed a long text in parts that together are the text', async () => {
    const embedder = await createBedrockEmbedder({
      model: 'cohere.embed-multilingual-v3',
      connection: { client: started.client() },
    });
    const sentence = '東京都港区の本社では、新しい勤怠規則が四月から適用される。';
    const { tokens, parts } = await embedder.embed(['short', sentence.repeat(100)], { purpose: 'document' });
    assert.ok(parts![1]! >= 6, `${parts}`);
    assert.equal(tokens[1], sentence.length * 100);
  });

  it('lose nothing to throttling and failures, and ask again only for what failed', async () => {
    const faults = parseFaults('throttle=200, error=ThrottlingException:0.1, error=InternalServerException:0.02');
    const service = await startService({ faults });
    opened.push(service);
    const plain = await createBedrockEmbedder({
      model: 'amazon.titan-embed-text-v2:0',
      connection: { client: started.client() },
    });
    let sent = 0;
    const client = service.client();
    client.middlewareStack.add(
      (next) => (args) => {
        sent += 1;
        return next(args);
      },
      { step: 'finalizeRequest', name: 'count' },
    );
    const embedder = await createBedrockEmbedder({
      model: 'amazon.titan-embed-text-v2:0',
      connection: { client },
      pacer: createPacer({ name: 'titan', requestsPerMinute: 12_000 }),
    });
    const texts = Array.from({ length: 300 }, (_, index) => `Rule ${index} is about subject ${index * 7}.`);
    const [expected, { vectors }] = (await Promise.all(
      [plain, embedder].map((each) => each.embed(texts, { purpose: 'document' })),
    )) as [Awaited<ReturnType<typeof plain.embed>>, Awaited<ReturnType<typeof plain.embed>>];
    assert.deepEqual(vectors, expected.vectors);
    assert.ok(sent >= 300 && sent < 450, `${sent} requests for 300 texts`);
  });

  it('give what Bedrock says to an empty text as it is', async () => {
    const client = started.client();
    const embedder = await createBedrockEmbedder({ model: 'amazon.titan-embed-text-v2:0', connection: { client } });
    await assert.rejects(embedder.embed([''], { purpose: 'document' }), {
      code: 'model-rejected',
      name: 'ValidationException',
    });
  });
});
