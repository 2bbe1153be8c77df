import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type BedrockAgentRuntimeClient,
  RetrieveAndGenerateCommand,
  RetrieveCommand,
} from '@aws-sdk/client-bedrock-agent-runtime';
import {
  createTestBucket,
  needsS3,
  type TestBucket,
} from '../../../../packages/ingestion/dist/sources/s3/s3.test-fixture.js';
import { json, type StartedNative, startNative } from '../testing/native-fixture.js';
import { runtimeClient } from '../testing/runtime-client.js';

const claude = 'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0';

describe('objects of S3 in the API of Bedrock Knowledge Bases', needsS3, () => {
  let bucket: TestBucket;
  let native: StartedNative;
  let client: BedrockAgentRuntimeClient;
  before(async () => {
    bucket = await createTestBucket();
    await bucket.put('public/leave.md', '# Leave\n\nFull-time employees in Japan may take 52 weeks of parental leave.');
    await bucket.put('public/large.txt', new Uint8Array(10_485_761).fill(97));
    await bucket.put('publications.md', '# Secret\n\nNobody may read this.');
    const s3 = { client: bucket.client };
    native = await startNative({
      index: { s3 },
      externalDocuments: { knowledgeBase: { s3 }, allowedObjects: [`s3://${bucket.name}/public`] },
    });
    client = runtimeClient(native.endpoint);
  });
  after(async () => {
    client.destroy();
    await native.close();
    bucket.client.destroy();
    assert.deepEqual(native.failures, []);
  });

  const answered = (key: string) =>
    client.send(
      new RetrieveAndGenerateCommand({
        input: { text: 'How long is parental leave in Japan?' },
        retrieveAndGenerateConfiguration: {
          type: 'EXTERNAL_SOURCES',
          externalSourcesConfiguration: {
            modelArn: claude,
            sources: [{ sourceType: 'S3', s3Location: { uri: `s3://${bucket.name}/${key}` } }],
          },
        },
      }),
    );

  const locationOf = (key: string) => ({ type: 'S3', s3Location: { uri: `s3://${bucket.name}/${key}` } });

  it('are named by their URI in what is found and cited', async () => {
    const { id: knowledgeBaseId } = await json(await native.post('/v1/knowledge-bases', { name: 'default' }));
    const hosted = await native.host.get('default', knowledgeBaseId);
    await hosted.write((opened) => opened.index(`s3://${bucket.name}/public/leave.md`));
    const text = 'How long is parental leave in Japan?';
    const { retrievalResults } = await client.send(new RetrieveCommand({ knowledgeBaseId, retrievalQuery: { text } }));
    const answer = await client.send(
      new RetrieveAndGenerateCommand({
        input: { text },
        retrieveAndGenerateConfiguration: {
          type: 'KNOWLEDGE_BASE',
          knowledgeBaseConfiguration: { knowledgeBaseId, modelArn: claude },
        },
      }),
    );
    for (const found of [retrievalResults?.[0], answer.citations?.[0]?.retrievedReferences?.[0]]) {
      assert.deepEqual(found?.location, locationOf('public/leave.md'));
      assert.equal(found?.metadata?.['x-amz-bedrock-kb-source-uri'], `s3://${bucket.name}/public/leave.md`);
    }
  });

  it('are external sources where the service may read them, and nowhere else', async () => {
    const { output, citations } = await answered('public/leave.md');
    assert.match(output?.text ?? '', /52 weeks/);
    assert.deepEqual(citations?.[0]?.retrievedReferences?.[0]?.location, locationOf('public/leave.md'));
    const refused = (key: string, message: RegExp) =>
      assert.rejects(answered(key), { name: 'ValidationException', message });
    await refused('publications.md', /may not read/);
    await refused('public/../publications.md', /may not read/);
    await refused('public/missing.md', /There is no object/);
    await refused('public', /There is no object/);
    await refused('public/large.txt', /at most 10485760/);
  });
});
