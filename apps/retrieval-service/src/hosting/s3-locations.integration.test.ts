import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BedrockAgentRuntimeClient, RetrieveAndGenerateCommand } from '@aws-sdk/client-bedrock-agent-runtime';
import {
  createTestBucket,
  needsS3,
  type TestBucket,
} from '../../../../packages/ingestion/dist/sources/s3/s3.test-fixture.js';
import { type StartedNative, startNative } from '../testing/native-fixture.js';

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
    client = new BedrockAgentRuntimeClient({
      endpoint: native.endpoint,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
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
            modelArn: 'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0',
            sources: [{ sourceType: 'S3', s3Location: { uri: `s3://${bucket.name}/${key}` } }],
          },
        },
      }),
    );

  it('are external sources where the service may read them, and nowhere else', async () => {
    const { output } = await answered('public/leave.md');
    assert.match(output?.text ?? '', /52 weeks/);
    const refused = (key: string, message: RegExp) =>
      assert.rejects(answered(key), { name: 'ValidationException', message });
    await refused('publications.md', /may not read/);
    await refused('public/../publications.md', /may not read/);
    await refused('public/missing.md', /There is no object/);
    await refused('public', /There is no object/);
    await refused('public/large.txt', /at most 10485760/);
  });
});
