import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  DeleteKnowledgeBaseDocumentsCommand,
  GetKnowledgeBaseDocumentsCommand,
  IngestKnowledgeBaseDocumentsCommand,
} from '@aws-sdk/client-bedrock-agent';
import { type KnowledgeBase, openKnowledgeBase } from 'aquifer';
import { createFolderHost } from '../hosting/folder-host.js';
import {
  agentClient,
  customIdentifier,
  inlineText,
  makeCustomSource,
  makeKnowledgeBase,
  untilStatus,
} from '../testing/control-fixture.js';
import { withService } from '../testing/service-fixture.js';

describe('what the control plane has accepted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-restart-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const location = join(folder, 'index');
  const host = () =>
    createFolderHost({ knowledgeBase: { location, threads: 1 }, uploadFolder: join(folder, 'uploads') });

  it('is done by the next service, where this one ends before', async () => {
    let writer: KnowledgeBase | undefined;
    let key = { knowledgeBaseId: '', dataSourceId: '' };
    await withService({ knowledgeBases: { host: host() } }, async ({ endpoint }) => {
      const client = agentClient(endpoint);
      key = await makeCustomSource(client, await makeKnowledgeBase(client));
      await client.send(
        new IngestKnowledgeBaseDocumentsCommand({ ...key, documents: [inlineText('old', 'Leave is 14 weeks.')] }),
      );
      await untilStatus(client, key, ['old'], 'INDEXED');

      // While another program writes, nothing can be done.
      writer = await openKnowledgeBase({ location, mode: 'write' });
      await client.send(
        new IngestKnowledgeBaseDocumentsCommand({ ...key, documents: [inlineText('new', 'Leave is 52 weeks.')] }),
      );
      await client.send(
        new DeleteKnowledgeBaseDocumentsCommand({ ...key, documentIdentifiers: [customIdentifier('old')] }),
      );
      const { documentDetails } = await client.send(
        new GetKnowledgeBaseDocumentsCommand({
          ...key,
          documentIdentifiers: [customIdentifier('new'), customIdentifier('old')],
        }),
      );
      assert.deepEqual(
        documentDetails?.map(({ status }) => status),
        ['STARTING', 'DELETING'],
      );
      client.destroy();
    });
    const failures: unknown[] = [];
    await writer?.close();
    await withService(
      { knowledgeBases: { host: host() }, onFailure: ({ error }) => failures.push(error) },
      async ({ endpoint }) => {
        const client = agentClient(endpoint);
        await untilStatus(client, key, ['new'], 'INDEXED');
        await untilStatus(client, key, ['old'], 'NOT_FOUND');
        client.destroy();
      },
    );
    assert.deepEqual(failures, []);
  });
});
