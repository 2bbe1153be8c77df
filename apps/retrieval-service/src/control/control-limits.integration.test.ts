import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as sdk from '@aws-sdk/client-bedrock-agent';
import {
  agentClient,
  customIdentifier,
  inlineText,
  makeCustomSource,
  makeKnowledgeBase,
  newKnowledgeBase,
  untilStatus,
} from '../testing/control-fixture.js';
import { type StartedNative, startNative } from '../testing/native-fixture.js';

describe('what the control plane of Bedrock Knowledge Bases refuses', () => {
  let native: StartedNative;
  let client: sdk.BedrockAgentClient;
  let ids: { knowledgeBaseId: string; dataSourceId: string };
  before(async () => {
    native = await startNative();
    client = agentClient(native.endpoint);
    ids = await makeCustomSource(client, await makeKnowledgeBase(client));
  });
  after(async () => {
    client.destroy();
    await native.close();
    assert.deepEqual(native.failures, []);
  });

  const invalid = (sent: Promise<unknown>, message: RegExp) =>
    assert.rejects(sent, (error: Error) => {
      assert.equal(error.name, 'ValidationException', error.message);
      assert.match(error.message, message);
      return true;
    });
  const missing = (sent: Promise<unknown>) => assert.rejects(sent, { name: 'ResourceNotFoundException' });

  it('contents that no reader takes, once they are read', async () => {
    const byteContent = { mimeType: 'video/mp4', data: Buffer.from('\0\0\0 ftypisom', 'latin1') };
    const custom = {
      customDocumentIdentifier: { id: 'film.mp4' },
      sourceType: 'IN_LINE' as const,
      inlineContent: { type: 'BYTE' as const, byteContent },
    };
    const documents = [{ content: { dataSourceType: 'CUSTOM' as const, custom } }];
    await client.send(new sdk.IngestKnowledgeBaseDocumentsCommand({ ...ids, documents }));
    const [detail] = await untilStatus(client, ids, ['film.mp4'], 'FAILED');
    assert.match(detail?.statusReason ?? '', /a video.*for which there is no reader/);
    const documentIdentifiers = [customIdentifier('film.mp4')];
    await client.send(new sdk.DeleteKnowledgeBaseDocumentsCommand({ ...ids, documentIdentifiers }));
    await untilStatus(client, ids, ['film.mp4'], 'NOT_FOUND');
  });

  it('knowledge bases of other kinds, stores and forms', async () => {
    const make = (changes: object) =>
      client.send(new sdk.CreateKnowledgeBaseCommand({ ...newKnowledgeBase('another'), ...changes }));
    await invalid(make({ name: '-handbook' }), /'name' failed to satisfy constraint/);
    await invalid(make({ name: 'a'.repeat(101) }), /'name' failed to satisfy constraint/);
    await invalid(make({ description: 'a'.repeat(201) }), /'description'.*less than or equal to 200/);
    await invalid(make({ roleArn: 'me' }), /'roleArn' failed to satisfy constraint/);
    await invalid(make({ roleArn: undefined }), /'roleArn'.*not be null/);
    await invalid(make({ clientToken: 'short' }), /'clientToken'.*greater than or equal to 33/);
    await invalid(make({ knowledgeBaseConfiguration: { type: 'KENDRA' } }), /KENDRA are not supported/);
    await invalid(make({ knowledgeBaseConfiguration: { type: 'SQL' } }), /SQL are not supported/);
    await invalid(
      make({ storageConfiguration: { type: 'PINECONE', pineconeConfiguration: undefined } }),
      /PINECONE is not supported/,
    );
    await invalid(make({ tags: { team: 'people' } }), /tags are not supported/);
  });

  it('data sources of other kinds, chunks of other forms, and buckets that nobody has allowed', async () => {
    const make = (dataSourceConfiguration: object, others: object = {}) =>
      client.send(
        new sdk.CreateDataSourceCommand({
          ...ids,
          name: 'more',
          dataSourceConfiguration: dataSourceConfiguration as sdk.DataSourceConfiguration,
          ...others,
        }),
      );
    const custom = { type: 'CUSTOM' };
    await invalid(make({ type: 'WEB' }), /WEB are not supported/);
    await invalid(make({ type: 'NOTHING' }), /enum value set/);
    await invalid(make({ type: 'S3' }), /s3Configuration.*not be null/);
    await invalid(
      make({ type: 'S3', s3Configuration: { bucketArn: 'arn:aws:s3:::handbook' } }),
      /the setting dataSources/,
    );
    await invalid(make({ type: 'S3', s3Configuration: { bucketArn: 'handbook' } }), /bucketArn' failed to satisfy/);
    const chunked = (chunkingStrategy: string) => ({
      vectorIngestionConfiguration: { chunkingConfiguration: { chunkingStrategy } },
    });
    await invalid(make(custom, chunked('SEMANTIC')), /SEMANTIC is not supported/);
    await invalid(make(custom, chunked('FIXED_SIZE')), /fixedSizeChunkingConfiguration.*not be null/);
    await invalid(
      make(custom, { serverSideEncryptionConfiguration: { kmsKeyArn: 'arn' } }),
      /serverSideEncryptionConfiguration is not supported/,
    );
  });

  it('ids of the wrong form, and what is not there', async () => {
    const { knowledgeBaseId } = ids;
    await invalid(client.send(new sdk.GetKnowledgeBaseCommand({ knowledgeBaseId: 'short' })), /\[0-9a-zA-Z\]\{10\}/);
    await invalid(client.send(new sdk.GetKnowledgeBaseCommand({ knowledgeBaseId: '../handbook' })), /knowledgeBaseId/);
    await missing(client.send(new sdk.GetKnowledgeBaseCommand({ knowledgeBaseId: 'ABCDEFGHIJ' })));
    await missing(client.send(new sdk.GetDataSourceCommand({ knowledgeBaseId, dataSourceId: 'ABCDEFGHIJ' })));
    await missing(client.send(new sdk.GetIngestionJobCommand({ ...ids, ingestionJobId: 'ABCDEFGHIJ' })));
    await missing(client.send(new sdk.StopIngestionJobCommand({ ...ids, ingestionJobId: 'ABCDEFGHIJ' })));
  });

  it('documents of the wrong number, size and form', async () => {
    const ingest = (...documents: object[]) =>
      client.send(
        new sdk.IngestKnowledgeBaseDocumentsCommand({ ...ids, documents: documents as sdk.KnowledgeBaseDocument[] }),
      );
    const eleven = Array.from({ length: 11 }, (_, index) => inlineText(String(index), 'text'));
    await invalid(ingest(), /'documents'.*greater than or equal to 1/);
    await invalid(ingest(...eleven), /'documents'.*less than or equal to 10/);
    await invalid(ingest(inlineText('a', 'text'), inlineText('a', 'more')), /in the request twice/);
    await invalid(ingest(inlineText('a'.repeat(2_049), 'text')), /less than or equal to 2048/);
    await invalid(ingest(inlineText('a', 'a'.repeat(5_242_881))), /less than or equal to 5242880/);
    await invalid(ingest(inlineText('a', 'text', { k: 'v'.repeat(2_049) })), /less than or equal to 2048/);
    const attributes = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`key${index}`, 'value']));
    await invalid(ingest(inlineText('a', 'text', attributes)), /inlineAttributes.*less than or equal to 50/);
    await invalid(
      ingest({ content: { dataSourceType: 'S3', s3: { s3Location: { uri: 's3://handbook/a.md' } } } }),
      /has the type CUSTOM/,
    );
    await invalid(
      client.send(new sdk.GetKnowledgeBaseDocumentsCommand({ ...ids, documentIdentifiers: [] })),
      /documentIdentifiers/,
    );
    await invalid(
      client.send(
        new sdk.DeleteKnowledgeBaseDocumentsCommand({
          ...ids,
          documentIdentifiers: eleven.map((_, index) => customIdentifier(String(index))),
        }),
      ),
      /less than or equal to 10/,
    );
    await invalid(client.send(new sdk.ListKnowledgeBaseDocumentsCommand({ ...ids, maxResults: 1_001 })), /maxResults/);
    await invalid(
      client.send(new sdk.ListKnowledgeBaseDocumentsCommand({ ...ids, nextToken: 'nonsense' })),
      /nextToken/,
    );
    const { documentDetails } = await client.send(new sdk.ListKnowledgeBaseDocumentsCommand(ids));
    assert.deepEqual(documentDetails, []);
  });
});
