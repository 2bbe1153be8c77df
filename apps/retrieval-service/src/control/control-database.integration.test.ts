import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  type BedrockAgentClient,
  DeleteDataSourceCommand,
  DeleteKnowledgeBaseCommand,
  DeleteKnowledgeBaseDocumentsCommand,
  GetDataSourceCommand,
  GetKnowledgeBaseCommand,
  IngestKnowledgeBaseDocumentsCommand,
  paginateListKnowledgeBases,
} from '@aws-sdk/client-bedrock-agent';
import { RetrieveCommand } from '@aws-sdk/client-bedrock-agent-runtime';
import { startTestDatabase } from '../../../../packages/postgres-store/dist/postgres.test-fixture.js';
import { createDatabaseHost } from '../hosting/database-host.js';
import {
  agentClient,
  customIdentifier,
  inlineText,
  makeCustomSource,
  makeKnowledgeBase,
  untilStatus,
} from '../testing/control-fixture.js';
import { fixedKeys } from '../testing/fixed-keys.js';
import { type StartedNative, startNative } from '../testing/native-fixture.js';
import { runtimeClient } from '../testing/runtime-client.js';

const database = await startTestDatabase();
after(() => database.stop());

const key = (accessKeyId: string, tenant: string) => ({
  accessKeyId,
  secretAccessKey: `secret-of-${accessKeyId}`,
  tenant: `control ${tenant} ${process.pid}`,
});
const keys = fixedKeys([key('ACME', 'acme'), key('OTHER', 'other')]);

// Each knowledge base that is open has connections of its own.
const skip =
  database.kind === 'pglite' && 'PGlite takes four connections: scripts/test-postgres.sh runs it on a server';

describe('the control plane of Bedrock Knowledge Bases on a database', { skip }, () => {
  const uploadFolder = mkdtempSync(join(tmpdir(), 'aquifer-control-database-'));
  const services: StartedNative[] = [];
  const clients: BedrockAgentClient[] = [];
  before(async () => {
    // As behind a balancer: two services share the database and the folder of what is sent.
    for (const name of ['ACME', 'ACME', 'OTHER']) {
      const host = createDatabaseHost({ knowledgeBase: { location: database.location(), threads: 1 }, uploadFolder });
      const service = await startNative({ keys, knowledgeBases: { host } });
      services.push(service);
      clients.push(agentClient(service.endpoint, name, `secret-of-${name}`));
    }
  });
  after(async () => {
    for (const client of clients) client.destroy();
    for (const service of services) await service.close();
    rmSync(uploadFolder, { recursive: true, force: true });
    for (const { failures } of services) assert.deepEqual(failures, []);
  });

  it('has any number of knowledge bases, page by page, the same by every service', async () => {
    const [first, second, other] = clients as [BedrockAgentClient, BedrockAgentClient, BedrockAgentClient];
    for (const name of ['notes', 'handbook', 'wiki']) await makeKnowledgeBase(first, name);
    await makeKnowledgeBase(other, 'handbook');
    await assert.rejects(makeKnowledgeBase(second, 'wiki'), { name: 'ConflictException' });
    const names: (string | undefined)[] = [];
    for await (const page of paginateListKnowledgeBases({ client: second, pageSize: 2 }, {})) {
      assert.ok((page.knowledgeBaseSummaries?.length ?? 0) <= 2);
      for (const { name, description } of page.knowledgeBaseSummaries ?? []) {
        assert.equal(description, 'of the company');
        names.push(name);
      }
    }
    assert.deepEqual(names, ['handbook', 'notes', 'wiki']);
  });

  it('takes documents by one service that another one finds and deletes', async () => {
    const [first, second, other] = clients as [BedrockAgentClient, BedrockAgentClient, BedrockAgentClient];
    const knowledgeBaseId = await makeKnowledgeBase(first, 'leave');
    const ids = await makeCustomSource(first, knowledgeBaseId);
    const documents = [inlineText('japan', 'Leave in Japan is 52 weeks.'), inlineText('germany', 'Leave is 3 years.')];
    await first.send(new IngestKnowledgeBaseDocumentsCommand({ ...ids, documents }));
    await untilStatus(second, ids, ['japan', 'germany'], 'INDEXED');
    const runtime = runtimeClient(services[1]?.endpoint ?? '', 'ACME', 'secret-of-ACME');
    const { retrievalResults } = await runtime.send(
      new RetrieveCommand({ knowledgeBaseId, retrievalQuery: { text: 'leave in Japan' } }),
    );
    runtime.destroy();
    assert.equal(retrievalResults?.[0]?.location?.customDocumentLocation?.id, 'japan');
    await second.send(
      new DeleteKnowledgeBaseDocumentsCommand({ ...ids, documentIdentifiers: [customIdentifier('japan')] }),
    );
    await untilStatus(first, ids, ['japan'], 'NOT_FOUND');
    await assert.rejects(other.send(new GetDataSourceCommand(ids)), { name: 'ResourceNotFoundException' });
    await second.send(new DeleteDataSourceCommand(ids));
    await first.send(new DeleteKnowledgeBaseCommand({ knowledgeBaseId }));
    await assert.rejects(first.send(new GetKnowledgeBaseCommand({ knowledgeBaseId })), {
      name: 'ResourceNotFoundException',
    });
  });
});
