import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type BedrockAgentClient,
  CreateDataSourceCommand,
  DeleteKnowledgeBaseDocumentsCommand,
  GetIngestionJobCommand,
  type IngestionJob,
  IngestKnowledgeBaseDocumentsCommand,
  ListIngestionJobsCommand,
  ListKnowledgeBaseDocumentsCommand,
  StartIngestionJobCommand,
  StopIngestionJobCommand,
} from '@aws-sdk/client-bedrock-agent';
import { type BedrockAgentRuntimeClient, RetrieveCommand } from '@aws-sdk/client-bedrock-agent-runtime';
import {
  createTestBucket,
  needsS3,
  type TestBucket,
} from '../../../../packages/ingestion/dist/sources/s3/s3.test-fixture.js';
import { agentClient, makeCustomSource, makeKnowledgeBase, untilStatus } from '../testing/control-fixture.js';
import { type StartedNative, startNative } from '../testing/native-fixture.js';
import { runtimeClient } from '../testing/runtime-client.js';

describe('data sources of S3, by the unmodified SDK', needsS3, () => {
  let bucket: TestBucket;
  let native: StartedNative;
  let client: BedrockAgentClient;
  let runtime: BedrockAgentRuntimeClient;
  let key: { knowledgeBaseId: string; dataSourceId: string };
  before(async () => {
    bucket = await createTestBucket();
    native = await startNative({
      index: { s3: { client: bucket.client } },
      dataSources: [`s3://${bucket.name}/people`, 's3://aquifer-nowhere'],
    });
    client = agentClient(native.endpoint);
    runtime = runtimeClient(native.endpoint);
    key = { knowledgeBaseId: await makeKnowledgeBase(client), dataSourceId: '' };
  });
  after(async () => {
    client.destroy();
    runtime.destroy();
    await native.close();
    bucket.client.destroy();
    assert.deepEqual(native.failures, []);
  });

  const s3 = (prefix?: string) => ({
    type: 'S3' as const,
    s3Configuration: {
      bucketArn: `arn:aws:s3:::${bucket.name}`,
      ...(prefix !== undefined && { inclusionPrefixes: [prefix] }),
    },
  });
  const uri = (name: string) => `s3://${bucket.name}/${name}`;
  const object = (name: string) => ({ dataSourceType: 'S3' as const, s3: { uri: uri(name) } });

  /** A job from its start to its end. */
  async function ran(): Promise<IngestionJob> {
    const { ingestionJob } = await client.send(new StartIngestionJobCommand(key));
    assert.equal(ingestionJob?.status, 'STARTING');
    for (let attempt = 0; attempt < 600; attempt += 1) {
      const job = await client.send(
        new GetIngestionJobCommand({ ...key, ingestionJobId: ingestionJob?.ingestionJobId }),
      );
      if (!['STARTING', 'IN_PROGRESS'].includes(job.ingestionJob?.status ?? '')) return job.ingestionJob!;
      await delay(50);
    }
    return assert.fail('The job is not over after 30 s.');
  }

  const listed = async () => {
    const { documentDetails } = await client.send(new ListKnowledgeBaseDocumentsCommand(key));
    return documentDetails?.map(({ identifier, status }) => `${identifier?.s3?.uri} ${status}`).sort();
  };

  it('reads only what the settings of the service name', async () => {
    const refused = (prefix?: string) =>
      assert.rejects(
        client.send(new CreateDataSourceCommand({ ...key, name: 'secret', dataSourceConfiguration: s3(prefix) })),
        { name: 'ValidationException', message: /dataSources/ },
      );
    await refused();
    await refused('people');
    await refused('people/../secret');
    await refused('secret/');
  });

  it('indexes what has the prefix, with its attributes, and says how much there was', async () => {
    await bucket.put('people/a-leave.md', '# Leave\n\nEmployees in Japan may take 52 weeks of parental leave.');
    await bucket.put('people/a-leave.md.metadata.json', JSON.stringify({ metadataAttributes: { country: 'JP' } }));
    await bucket.put('people/a-pay.md', '# Pay\n\nSalaries are paid on the 25th of each month.');
    await bucket.put('people/a-broken.pdf', '%PDF-1.7 and nothing else');
    await bucket.put('people/b-secret.md', '# Secret\n\nNobody may read this about leave.');
    const { dataSource } = await client.send(
      new CreateDataSourceCommand({ ...key, name: 'people', dataSourceConfiguration: s3('people/a') }),
    );
    key.dataSourceId = dataSource?.dataSourceId ?? '';
    const job = await ran();
    assert.equal(job.status, 'COMPLETE', job.failureReasons?.join());
    assert.deepEqual(job.statistics, {
      numberOfDocumentsScanned: 3,
      numberOfMetadataDocumentsScanned: 1,
      numberOfNewDocumentsIndexed: 2,
      numberOfModifiedDocumentsIndexed: 0,
      numberOfDocumentsDeleted: 0,
      numberOfDocumentsFailed: 1,
      numberOfDocumentsSkipped: 0,
    });
    assert.match(job.failureReasons?.[0] ?? '', /^a-broken\.pdf: /);
    assert.deepEqual(await listed(), [
      `${uri('people/a-broken.pdf')} FAILED`,
      `${uri('people/a-leave.md')} INDEXED`,
      `${uri('people/a-pay.md')} INDEXED`,
    ]);
    const { retrievalResults } = await runtime.send(
      new RetrieveCommand({
        knowledgeBaseId: key.knowledgeBaseId,
        retrievalQuery: { text: 'parental leave' },
        retrievalConfiguration: {
          vectorSearchConfiguration: { filter: { equals: { key: 'country', value: 'JP' } } },
        },
      }),
    );
    assert.deepEqual(
      retrievalResults?.map(({ location }) => location),
      [{ type: 'S3', s3Location: { uri: uri('people/a-leave.md') } }],
    );
  });

  it('brings the index up to date with what is new, other and gone', async () => {
    await bucket.put('people/a-pay.md', '# Pay\n\nSalaries are paid on the last day of each month.');
    await bucket.put('people/a-travel.md', '# Travel\n\nTrains are booked at the front desk.');
    await bucket.delete('people/a-broken.pdf');
    const job = await ran();
    assert.equal(job.status, 'COMPLETE');
    assert.equal(job.statistics?.numberOfDocumentsScanned, 3);
    assert.equal(job.statistics?.numberOfNewDocumentsIndexed, 1);
    assert.equal(job.statistics?.numberOfModifiedDocumentsIndexed, 1);
    assert.equal(job.statistics?.numberOfDocumentsDeleted, 1);
    const { ingestionJobSummaries } = await client.send(
      new ListIngestionJobsCommand({
        ...key,
        filters: [{ attribute: 'STATUS', operator: 'EQ', values: ['COMPLETE'] }],
        sortBy: { attribute: 'STARTED_AT', order: 'DESCENDING' },
      }),
    );
    assert.equal(ingestionJobSummaries?.length, 2);
    assert.equal(ingestionJobSummaries?.[0]?.ingestionJobId, job.ingestionJobId);
    await assert.rejects(client.send(new StopIngestionJobCommand({ ...key, ingestionJobId: job.ingestionJobId })), {
      name: 'ConflictException',
    });
  });

  it('finds a moved object where it is now', async () => {
    await bucket.delete('people/a-travel.md');
    await bucket.put('people/a-journeys.md', '# Travel\n\nTrains are booked at the front desk.');
    const job = await ran();
    assert.equal(job.statistics?.numberOfNewDocumentsIndexed, 1);
    assert.equal(job.statistics?.numberOfDocumentsDeleted, 1);
    await untilStatus(client, key, [object('people/a-journeys.md')], 'INDEXED');
    await untilStatus(client, key, [object('people/a-travel.md')], 'NOT_FOUND');
    const { retrievalResults } = await runtime.send(
      new RetrieveCommand({ knowledgeBaseId: key.knowledgeBaseId, retrievalQuery: { text: 'trains front desk' } }),
    );
    assert.equal(retrievalResults?.[0]?.location?.s3Location?.uri, uri('people/a-journeys.md'));
  });

  it('takes single objects', async () => {
    await bucket.put('people/a-food.md', '# Food\n\nLunch is served at noon.');
    const ingest = (name: string) =>
      client.send(
        new IngestKnowledgeBaseDocumentsCommand({
          ...key,
          documents: [{ content: { dataSourceType: 'S3', s3: { s3Location: { uri: uri(name) } } } }],
        }),
      );
    await ingest('people/a-food.md');
    await untilStatus(client, key, [object('people/a-food.md')], 'INDEXED');
    await ingest('people/a-nothing.md');
    await untilStatus(client, key, [object('people/a-nothing.md')], 'FAILED');
    await bucket.put('people/a-film.mp4', 'film');
    await ingest('people/a-film.mp4');
    await untilStatus(client, key, [object('people/a-film.mp4')], 'IGNORED');
    await assert.rejects(ingest('people/b-secret.md'), { name: 'ValidationException', message: /not in the bucket/ });
    await client.send(
      new DeleteKnowledgeBaseDocumentsCommand({ ...key, documentIdentifiers: [object('people/a-food.md')] }),
    );
    await untilStatus(client, key, [object('people/a-food.md')], 'NOT_FOUND');
  });

  it('takes objects for documents of another id, where the service may read them', async () => {
    const notes = await makeCustomSource(client, key.knowledgeBaseId);
    const ingest = (name: string) =>
      client.send(
        new IngestKnowledgeBaseDocumentsCommand({
          ...notes,
          documents: [
            {
              content: {
                dataSourceType: 'CUSTOM',
                custom: {
                  customDocumentIdentifier: { id: 'leave' },
                  sourceType: 'S3_LOCATION',
                  s3Location: { uri: uri(name) },
                },
              },
            },
          ],
        }),
      );
    await ingest('people/a-leave.md');
    await untilStatus(client, notes, ['leave'], 'INDEXED');
    await bucket.put('people/a-film.mp4', 'film');
    await ingest('people/a-film.mp4');
    await untilStatus(client, notes, ['leave'], 'IGNORED');
    await ingest('people/a-leave.md');
    await untilStatus(client, notes, ['leave'], 'INDEXED');
    await assert.rejects(ingest('secret/plans.md'), { name: 'ValidationException', message: /dataSources/ });
    await assert.rejects(client.send(new StartIngestionJobCommand(notes)), {
      name: 'ValidationException',
      message: /IngestKnowledgeBaseDocuments/,
    });
  });

  it('says why a job failed', async () => {
    const nowhere = {
      type: 'S3' as const,
      s3Configuration: { bucketArn: 'arn:aws:s3:::aquifer-nowhere' },
    };
    const { dataSource } = await client.send(
      new CreateDataSourceCommand({ ...key, name: 'nowhere', dataSourceConfiguration: nowhere }),
    );
    const { dataSourceId } = key;
    key.dataSourceId = dataSource?.dataSourceId ?? '';
    const job = await ran();
    key.dataSourceId = dataSourceId;
    assert.equal(job.status, 'FAILED');
    assert.match(job.failureReasons?.[0] ?? '', /aquifer-nowhere/);
  });

  it('stops a job, and refuses a second one beside it', async () => {
    const more = Array.from({ length: 60 }, (_, index) => `people/a-many/${index}.md`);
    await Promise.all(more.map((name) => bucket.put(name, name)));
    const { ingestionJob } = await client.send(new StartIngestionJobCommand(key));
    const ingestionJobId = ingestionJob?.ingestionJobId;
    await assert.rejects(client.send(new StartIngestionJobCommand(key)), { name: 'ConflictException' });
    const stopping = await client.send(new StopIngestionJobCommand({ ...key, ingestionJobId }));
    assert.equal(stopping.ingestionJob?.status, 'STOPPING');
    for (let attempt = 0; attempt < 600; attempt += 1) {
      const { ingestionJob: job } = await client.send(new GetIngestionJobCommand({ ...key, ingestionJobId }));
      if (job?.status === 'STOPPED') break;
      assert.equal(job?.status, 'STOPPING');
      await delay(50);
    }
    assert.equal((await ran()).status, 'COMPLETE');
  });
});
