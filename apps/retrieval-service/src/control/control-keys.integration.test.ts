import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ControlOperation, controlOperations } from '@aquifer/bedrock-wire';
import * as sdk from '@aws-sdk/client-bedrock-agent';
import {
  agentClient,
  inlineText,
  makeCustomSource,
  makeKnowledgeBase,
  untilStatus,
} from '../testing/control-fixture.js';
import { fixedKeys } from '../testing/fixed-keys.js';
import { type StartedNative, startNative } from '../testing/native-fixture.js';
import { controlCommand, controlRequests } from '../testing/strangers.js';

const secretOf = (name: string) => `the-secret-of-${name}`;
const key = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: secretOf(accessKeyId) });
const keys = fixedKeys([
  key('OWNER'),
  { ...key('READER'), scopes: ['read'] },
  { ...key('WRITER'), scopes: ['read', 'write'] },
  { ...key('MODELS'), scopes: ['model'] },
]);

describe('the control plane of Bedrock Knowledge Bases with keys', () => {
  let native: StartedNative;
  const clients = new Map<string, sdk.BedrockAgentClient>();
  let ids: { knowledgeBaseId: string; dataSourceId: string };
  before(async () => {
    native = await startNative({ keys });
    for (const name of ['OWNER', 'READER', 'WRITER', 'MODELS', 'NOBODY']) {
      clients.set(name, agentClient(native.endpoint, name, secretOf(name)));
    }
    const owner = clients.get('OWNER')!;
    ids = await makeCustomSource(owner, await makeKnowledgeBase(owner));
    await owner.send(
      new sdk.IngestKnowledgeBaseDocumentsCommand({ ...ids, documents: [inlineText('leave', 'Leave is 52 weeks.')] }),
    );
    await untilStatus(owner, ids, ['leave'], 'INDEXED');
  });
  after(async () => {
    for (const client of clients.values()) client.destroy();
    await native.close();
    assert.deepEqual(native.failures, []);
  });

  const send = (name: string, operation: ControlOperation): Promise<unknown> =>
    clients.get(name)!.send(controlCommand(operation, controlRequests(ids, 'leave')[operation]));
  const refused = async (name: string, operation: ControlOperation, error: string) =>
    assert.rejects(send(name, operation), (thrown: Error) => {
      assert.equal(thrown.name, error, `${name} ${operation}: ${thrown.message}`);
      assert.doesNotMatch(thrown.message, /52 weeks|leave|notes/);
      return true;
    });

  it('lets each do what its scopes say', async () => {
    const reading = /^(Get|List)/;
    const writing = /IngestionJob$|KnowledgeBaseDocuments$/;
    for (const operation of controlOperations) {
      await refused('MODELS', operation, 'AccessDeniedException');
      await refused('NOBODY', operation, 'UnrecognizedClientException');
      if (!reading.test(operation)) await refused('READER', operation, 'AccessDeniedException');
      if (!reading.test(operation) && !writing.test(operation)) {
        await refused('WRITER', operation, 'AccessDeniedException');
      }
    }
    for (const operation of controlOperations.filter((each) => reading.test(each))) {
      if (operation !== 'GetIngestionJob') await send('READER', operation);
    }
    await send('WRITER', 'IngestKnowledgeBaseDocuments');
    await untilStatus(clients.get('READER')!, ids, ['mine'], 'INDEXED');
  });
});
