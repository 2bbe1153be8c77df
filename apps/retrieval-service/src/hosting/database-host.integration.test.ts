import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestDatabase } from '../../../../packages/postgres-store/dist/postgres.test-fixture.js';
import { fixedKeys } from '../testing/fixed-keys.js';
import { json, type StartedNative, startNative } from '../testing/native-fixture.js';
import { createDatabaseHost } from './database-host.js';

const database = await startTestDatabase();
after(() => database.stop());

const key = (accessKeyId: string, tenant: string) => ({
  accessKeyId,
  secretAccessKey: `secret-of-${accessKeyId}`,
  tenant: `${tenant} ${process.pid}`,
});
const keys = fixedKeys([key('ACME', 'acme'), key('OTHER', 'other')]);
const as = (name: string) => ({ authorization: `Bearer secret-of-${name}` });

// Each knowledge base that is open has connections of its own.
const skip =
  database.kind === 'pglite' && 'PGlite takes four connections: scripts/test-postgres.sh runs it on a server';

describe('the HTTP API on a database', { skip }, () => {
  const uploadFolder = mkdtempSync(join(tmpdir(), 'aquifer-database-host-'));
  let native: StartedNative;
  before(async () => {
    const host = createDatabaseHost({ knowledgeBase: { location: database.location(), threads: 1 }, uploadFolder });
    native = await startNative({ keys, knowledgeBases: { host } });
  });
  after(async () => {
    await native.close();
    rmSync(uploadFolder, { recursive: true, force: true });
    assert.deepEqual(native.failures, []);
  });

  const made = async (tenant: string, name: string) => {
    const answer = await native.post('/v1/knowledge-bases', { name }, as(tenant));
    assert.equal(answer.status, 201, await answer.clone().text());
    return (await json(answer)).id as string;
  };
  const indexed = async (tenant: string, id: string, text: string) => {
    const answer = await native.post(
      `/v1/knowledge-bases/${id}/documents`,
      { documents: [{ name: 'a.md', text }] },
      as(tenant),
    );
    assert.equal(answer.status, 202, await answer.clone().text());
    const { job } = await json(answer);
    await (await native.send(`/v1/jobs/${job.id}/events`, { headers: as(tenant) })).text();
    const done = await json(await native.send(`/v1/jobs/${job.id}`, { headers: as(tenant) }));
    assert.equal(done.status, 'succeeded', done.reason);
  };
  const texts = async (tenant: string, id: string) => {
    const answer = await native.post(`/v1/knowledge-bases/${id}/search`, { query: 'leave' }, as(tenant));
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await json(answer)).matches.map(({ text }: { text: string }) => text);
  };

  it('has any number of them, to each tenant its own', async () => {
    const handbook = await made('ACME', 'handbook');
    const notes = await made('ACME', 'notes');
    const theirs = await made('OTHER', 'handbook');
    assert.equal((await native.post('/v1/knowledge-bases', { name: 'notes' }, as('ACME'))).status, 400);
    await indexed('ACME', handbook, 'Leave is 52 weeks.');
    await indexed('ACME', notes, 'Leave a note.');
    await indexed('OTHER', theirs, 'Leave is three years.');
    assert.deepEqual(await texts('ACME', handbook), ['Leave is 52 weeks.']);
    assert.deepEqual(await texts('ACME', 'notes'), ['Leave a note.']);
    assert.deepEqual(await texts('OTHER', 'handbook'), ['Leave is three years.']);
    const names = async (tenant: string) =>
      (await json(await native.send('/v1/knowledge-bases', { headers: as(tenant) }))).knowledgeBases.map(
        ({ name }: { name: string }) => name,
      );
    assert.deepEqual([await names('ACME'), await names('OTHER')], [['handbook', 'notes'], ['handbook']]);
    assert.equal((await native.send(`/v1/knowledge-bases/${handbook}`, { headers: as('OTHER') })).status, 404);

    assert.equal(
      (await native.send(`/v1/knowledge-bases/${notes}`, { method: 'DELETE', headers: as('ACME') })).status,
      204,
    );
    assert.deepEqual([await names('ACME'), await names('OTHER')], [['handbook'], ['handbook']]);
    assert.equal((await native.send(`/v1/knowledge-bases/${notes}`, { headers: as('ACME') })).status, 404);
    const again = await made('ACME', 'notes');
    assert.deepEqual(await texts('ACME', again), []);
  });
});
