import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type BedrockAgentClient,
  CreateDataSourceCommand,
  CreateKnowledgeBaseCommand,
  DeleteDataSourceCommand,
  DeleteKnowledgeBaseCommand,
  DeleteKnowledgeBaseDocumentsCommand,
  GetDataSourceCommand,
  GetKnowledgeBaseCommand,
  GetKnowledgeBaseDocumentsCommand,
  IngestKnowledgeBaseDocumentsCommand,
  ListDataSourcesCommand,
  ListKnowledgeBaseDocumentsCommand,
  ListKnowledgeBasesCommand,
  paginateListKnowledgeBaseDocuments,
  UpdateDataSourceCommand,
  UpdateKnowledgeBaseCommand,
} from '@aws-sdk/client-bedrock-agent';
import { type BedrockAgentRuntimeClient, RetrieveCommand } from '@aws-sdk/client-bedrock-agent-runtime';
import {
  agentClient,
  customIdentifier,
  inlineText,
  newKnowledgeBase,
  untilStatus,
} from '../testing/control-fixture.js';
import { type StartedNative, startNative } from '../testing/native-fixture.js';
import { runtimeClient } from '../testing/runtime-client.js';

describe('the control plane of Bedrock Knowledge Bases, by the unmodified SDK', () => {
  let native: StartedNative;
  let client: BedrockAgentClient;
  let runtime: BedrockAgentRuntimeClient;
  let knowledgeBaseId: string;
  let dataSourceId: string;
  before(async () => {
    native = await startNative();
    client = agentClient(native.endpoint);
    runtime = runtimeClient(native.endpoint);
  });
  after(async () => {
    client.destroy();
    runtime.destroy();
    await native.close();
    assert.deepEqual(native.failures, []);
  });

  it('makes a knowledge base and says what it was made with', async () => {
    const { knowledgeBase } = await client.send(new CreateKnowledgeBaseCommand(newKnowledgeBase('handbook')));
    knowledgeBaseId = knowledgeBase?.knowledgeBaseId ?? '';
    assert.match(knowledgeBaseId, /^[0-9a-zA-Z]{10}$/);
    const got = (await client.send(new GetKnowledgeBaseCommand({ knowledgeBaseId }))).knowledgeBase;
    assert.deepEqual(got, knowledgeBase);
    assert.equal(got?.status, 'ACTIVE');
    assert.equal(got?.description, 'of the company');
    assert.equal(got?.knowledgeBaseArn, `arn:aws:bedrock:us-east-1:000000000000:knowledge-base/${knowledgeBaseId}`);
    assert.ok(Math.abs(Date.now() - (got?.createdAt?.getTime() ?? 0)) < 60_000);
    const { knowledgeBaseSummaries } = await client.send(new ListKnowledgeBasesCommand({ maxResults: 10 }));
    assert.deepEqual(
      knowledgeBaseSummaries?.map(({ name, status }) => [name, status]),
      [['handbook', 'ACTIVE']],
    );
  });

  it('refuses a second one in a folder, and a name twice', async () => {
    await assert.rejects(client.send(new CreateKnowledgeBaseCommand(newKnowledgeBase('handbook'))), {
      name: 'ConflictException',
    });
    await assert.rejects(client.send(new CreateKnowledgeBaseCommand(newKnowledgeBase('another'))), (error: Error) => {
      assert.equal(error.name, 'ServiceQuotaExceededException');
      assert.equal((error as unknown as { $metadata: { httpStatusCode: number } }).$metadata.httpStatusCode, 402);
      return true;
    });
  });

  it('changes its description, and nothing that cannot change', async () => {
    const { clientToken: _, ...wanted } = newKnowledgeBase('handbook');
    const { knowledgeBase } = await client.send(
      new UpdateKnowledgeBaseCommand({ ...wanted, knowledgeBaseId, description: 'of all of us' }),
    );
    assert.equal(knowledgeBase?.description, 'of all of us');
    await assert.rejects(client.send(new UpdateKnowledgeBaseCommand({ ...wanted, knowledgeBaseId, name: 'other' })), {
      name: 'ValidationException',
      message: /another name/,
    });
  });

  it('makes, lists and changes data sources', async () => {
    const made = await client.send(
      new CreateDataSourceCommand({
        knowledgeBaseId,
        name: 'notes',
        clientToken: 'a-token-of-thirty-three-characters-or-more',
        dataSourceConfiguration: { type: 'CUSTOM' },
        vectorIngestionConfiguration: {
          chunkingConfiguration: {
            chunkingStrategy: 'FIXED_SIZE',
            fixedSizeChunkingConfiguration: { maxTokens: 300, overlapPercentage: 20 },
          },
        },
      }),
    );
    dataSourceId = made.dataSource?.dataSourceId ?? '';
    const again = await client.send(
      new CreateDataSourceCommand({
        knowledgeBaseId,
        name: 'notes',
        clientToken: 'a-token-of-thirty-three-characters-or-more',
        dataSourceConfiguration: { type: 'CUSTOM' },
      }),
    );
    assert.equal(again.dataSource?.dataSourceId, dataSourceId);
    await assert.rejects(
      client.send(
        new CreateDataSourceCommand({ knowledgeBaseId, name: 'notes', dataSourceConfiguration: { type: 'CUSTOM' } }),
      ),
      { name: 'ConflictException' },
    );
    const changed = await client.send(
      new UpdateDataSourceCommand({
        knowledgeBaseId,
        dataSourceId,
        name: 'minutes',
        description: 'of meetings',
        dataSourceConfiguration: { type: 'CUSTOM' },
      }),
    );
    assert.equal(changed.dataSource?.status, 'AVAILABLE');
    assert.equal(changed.dataSource?.dataDeletionPolicy, 'DELETE');
    const got = await client.send(new GetDataSourceCommand({ knowledgeBaseId, dataSourceId }));
    assert.deepEqual(got.dataSource, changed.dataSource);
    const { dataSourceSummaries } = await client.send(new ListDataSourcesCommand({ knowledgeBaseId }));
    assert.deepEqual(
      dataSourceSummaries?.map(({ name, description }) => [name, description]),
      [['minutes', 'of meetings']],
    );
  });

  it('takes documents, says how they are, and finds them', async () => {
    const { documentDetails } = await client.send(
      new IngestKnowledgeBaseDocumentsCommand({
        knowledgeBaseId,
        dataSourceId,
        documents: [
          inlineText('people/leave', 'Employees in Japan may take 52 weeks of parental leave.', { country: 'JP' }),
          inlineText('people', 'Everybody who works here is listed in the directory.'),
          {
            content: {
              dataSourceType: 'CUSTOM',
              custom: {
                customDocumentIdentifier: { id: '100%' },
                sourceType: 'IN_LINE',
                inlineContent: {
                  type: 'BYTE',
                  byteContent: {
                    mimeType: 'text/markdown',
                    data: Buffer.from('# Coffee\n\nThe espresso machine is on floor seven.'),
                  },
                },
              },
            },
          },
        ],
      }),
    );
    assert.deepEqual(
      documentDetails?.map(({ status }) => status),
      ['STARTING', 'STARTING', 'STARTING'],
    );
    const key = { knowledgeBaseId, dataSourceId };
    await untilStatus(client, key, ['people/leave', 'people', '100%'], 'INDEXED');
    const { retrievalResults } = await runtime.send(
      new RetrieveCommand({
        knowledgeBaseId,
        retrievalQuery: { text: 'parental leave' },
        retrievalConfiguration: {
          vectorSearchConfiguration: {
            filter: { equals: { key: 'x-amz-bedrock-kb-data-source-id', value: dataSourceId } },
          },
        },
      }),
    );
    const [best] = retrievalResults ?? [];
    assert.match(best?.content?.text ?? '', /52 weeks/);
    assert.deepEqual(best?.location, { type: 'CUSTOM', customDocumentLocation: { id: 'people/leave' } });
    assert.equal(best?.metadata?.country, 'JP');
    assert.equal(best?.metadata?.['x-amz-bedrock-kb-source-uri'], 'people/leave');
    assert.equal(retrievalResults?.length, 3);
  });

  it('replaces a document, and leaves those beside it alone', async () => {
    const key = { knowledgeBaseId, dataSourceId };
    await client.send(
      new IngestKnowledgeBaseDocumentsCommand({
        ...key,
        documents: [inlineText('people', 'The directory of everybody has moved to the intranet.')],
      }),
    );
    await untilStatus(client, key, ['people', 'people/leave'], 'INDEXED');
    const found = await runtime.send(new RetrieveCommand({ knowledgeBaseId, retrievalQuery: { text: 'directory' } }));
    const texts = found.retrievalResults?.map(({ content }) => content?.text).join();
    assert.match(texts ?? '', /intranet/);
    assert.doesNotMatch(texts ?? '', /works here/);
    const listed: (string | undefined)[] = [];
    for await (const page of paginateListKnowledgeBaseDocuments({ client, pageSize: 2 }, key)) {
      assert.ok((page.documentDetails?.length ?? 0) <= 2);
      for (const { identifier } of page.documentDetails ?? []) listed.push(identifier?.custom?.id);
    }
    assert.deepEqual(listed.sort(), ['100%', 'people', 'people/leave']);
  });

  it('deletes documents, and knows none that are not there', async () => {
    const key = { knowledgeBaseId, dataSourceId };
    const { documentDetails } = await client.send(
      new DeleteKnowledgeBaseDocumentsCommand({
        ...key,
        documentIdentifiers: [customIdentifier('people'), customIdentifier('nobody')],
      }),
    );
    assert.deepEqual(
      documentDetails?.map(({ status }) => status),
      ['DELETING', 'NOT_FOUND'],
    );
    await untilStatus(client, key, ['people'], 'NOT_FOUND');
    const left = await client.send(
      new GetKnowledgeBaseDocumentsCommand({
        ...key,
        documentIdentifiers: [customIdentifier('people/leave'), customIdentifier('people')],
      }),
    );
    assert.deepEqual(
      left.documentDetails?.map(({ status }) => status),
      ['INDEXED', 'NOT_FOUND'],
    );
  });

  it('says which documents could not be read', async () => {
    const key = { knowledgeBaseId, dataSourceId };
    const broken = {
      content: {
        dataSourceType: 'CUSTOM' as const,
        custom: {
          customDocumentIdentifier: { id: 'broken.pdf' },
          sourceType: 'IN_LINE' as const,
          inlineContent: {
            type: 'BYTE' as const,
            byteContent: { mimeType: 'application/pdf', data: Buffer.from('%PDF-1.7 and nothing else') },
          },
        },
      },
    };
    await client.send(new IngestKnowledgeBaseDocumentsCommand({ ...key, documents: [broken] }));
    const [failed] = await untilStatus(client, key, ['broken.pdf'], 'FAILED');
    assert.match(failed?.statusReason ?? '', /./);
  });

  it('deletes a data source with its documents, and the knowledge base', async () => {
    const key = { knowledgeBaseId, dataSourceId };
    assert.equal((await client.send(new DeleteDataSourceCommand(key))).status, 'DELETING');
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const { dataSourceSummaries } = await client.send(new ListDataSourcesCommand({ knowledgeBaseId }));
      if (dataSourceSummaries?.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await assert.rejects(client.send(new ListKnowledgeBaseDocumentsCommand(key)), {
      name: 'ResourceNotFoundException',
    });
    const found = await runtime.send(new RetrieveCommand({ knowledgeBaseId, retrievalQuery: { text: 'leave' } }));
    assert.deepEqual(found.retrievalResults, []);
    assert.equal((await client.send(new DeleteKnowledgeBaseCommand({ knowledgeBaseId }))).status, 'DELETING');
    await assert.rejects(client.send(new GetKnowledgeBaseCommand({ knowledgeBaseId })), {
      name: 'ResourceNotFoundException',
    });
    assert.deepEqual((await client.send(new ListKnowledgeBasesCommand({}))).knowledgeBaseSummaries, []);
  });
});
