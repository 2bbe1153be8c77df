import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AmazonKnowledgeBaseRetriever, BedrockEmbeddings, ChatBedrockConverse } from '@langchain/aws';
import { answer, prompt } from './testing/model-bodies.js';
import { json, startNative } from './testing/native-fixture.js';
import { type StartedService, startService } from './testing/service-fixture.js';

/** Nothing but the environment leads to the service. */
const environment = (endpoint: string): Record<string, string> => ({
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME: endpoint,
  AWS_REGION: 'us-east-1',
  // LangChain's chat model looks at this one.
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
});

describe('LangChain', () => {
  let started: StartedService;
  const saved = { ...process.env };
  before(async () => {
    started = await startService();
    Object.assign(process.env, environment(started.endpoint));
  });
  after(async () => {
    for (const name of Object.keys(environment(''))) {
      if (saved[name] === undefined) delete process.env[name];
      else process.env[name] = saved[name];
    }
    await started.close();
  });

  it('embeds with BedrockEmbeddings', async () => {
    const embeddings = new BedrockEmbeddings({ model: 'amazon.titan-embed-text-v2:0', dimensions: 512 });
    const [question, ...documents] = await Promise.all([
      embeddings.embedQuery('How long is parental leave?'),
      ...(await embeddings.embedDocuments(['Parental leave is 52 weeks.', 'The printer is out of paper.'])),
    ]);
    const product = (a: number[], b: number[]) => a.reduce((sum, value, index) => sum + value * b[index]!, 0);
    assert.equal(question!.length, 512);
    assert.ok(product(question!, documents[0]!) > product(question!, documents[1]!));
    embeddings.client.destroy();
  });

  it('chats with ChatBedrockConverse, whole and streamed', async () => {
    const model = new ChatBedrockConverse({ model: 'anthropic.claude-3-haiku-20240307-v1:0', maxTokens: 300 });
    const whole = await model.invoke([
      ['system', 'Answer from the passages.'],
      ['human', prompt],
    ]);
    assert.match(String(whole.content), answer);
    assert.ok(whole.usage_metadata!.output_tokens > 5);

    let text = '';
    for await (const chunk of await model.stream(prompt)) text += chunk.text;
    assert.match(text, answer);
    model.client.destroy();
  });

  it('retrieves with AmazonKnowledgeBaseRetriever', async () => {
    const native = await startNative();
    try {
      const { id } = await json(await native.post('/v1/knowledge-bases', { name: 'default' }));
      const documents = [
        { name: 'leave.md', text: 'Parental leave in Japan is 52 weeks.', metadata: { country: 'JP' } },
        { name: 'leave-de.md', text: 'Parental leave in Germany is three years.', metadata: { country: 'DE' } },
      ];
      await native.finished(await native.post('/v1/knowledge-bases/default/documents', { documents }));
      const retriever = new AmazonKnowledgeBaseRetriever({
        knowledgeBaseId: id,
        topK: 1,
        region: 'us-east-1',
        filter: { equals: { key: 'country', value: 'DE' } },
        overrideSearchType: 'HYBRID',
        clientOptions: { endpoint: native.endpoint },
      });
      const [found, ...others] = await retriever.invoke('How long is parental leave?');
      assert.match(found!.pageContent, /three years/);
      assert.equal(found!.metadata.country, 'DE');
      assert.ok(found!.metadata.score > 0);
      assert.deepEqual(others, []);
      retriever.bedrockAgentRuntimeClient.destroy();
    } finally {
      await native.close();
    }
  });
});
