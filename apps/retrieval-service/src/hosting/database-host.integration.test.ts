import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { reEmbedKnowledgeBase } from 'aquifer';
import { startTestDatabase } from '../../../../packages/postgres-store/dist/postgres.test-fixture.js';
import { fixedKeys } from '../testing/fixed-keys.js';
import { json, type StartedNative, startNative } from '../testing/native-fixture.js';
import { assertSeesNothing, settle } from '../testing/strangers.js';
import { createDatabaseHost } from './database-host.js';
import type { HostedKnowledgeBase } from './knowledge-base-host.js';

const database = await startTestDatabase();
after(() => database.stop());

const tenantOf = (name: string) => `${name.toLowerCase()} ${process.pid}`;
const key = (accessKeyId: string, tenant: string) => ({
  accessKeyId,
  secretAccessKey: `secret-of-${accessKeyId}`,
  tenant: tenantOf(tenant),
});
const keys = fixedKeys([key('ACME', 'ACME'), key('OTHER', 'OTHER')]);
const as = (name: string) => ({ authorization: `Bearer secret-of-${name}` });

// Each knowledge base that is open has connections of its own.
const skip =
  database.kind === 'pglite' && 'PGlite takes four connections: scripts/test-postgres.sh runs it on a server';

describe('the HTTP API on a database', { skip }, () => {
  const uploadFolder = mkdtempSync(join(tmpdir(), 'aquifer-database-host-'));
  let native: StartedNative;
  const hostOf = () =>
    createDatabaseHost({ knowledgeBase: { location: database.location(), threads: 1 }, uploadFolder });
  before(async () => {
    native = await startNative({ keys, knowledgeBases: { host: hostOf() } });
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

  it('shows one tenant nothing of another, by whatever interface', async () => {
    const acme = await settle(native, key('ACME', 'ACME'), 'of-acme', 'zephyrine');
    const other = await settle(native, key('OTHER', 'OTHER'), 'of-other', 'quillfeather');
    await assertSeesNothing(native, acme.holder, other, acme);
    await assertSeesNothing(native, other.holder, acme, other);
  });

  it('indexes what was sent to any tenant before the service ended', async () => {
    const ids = { ACME: await made('ACME', 'left'), OTHER: await made('OTHER', 'left') };
    // As if the service had been killed between keeping the files and indexing them.
    const host = createDatabaseHost({ knowledgeBase: { location: database.location() }, uploadFolder });
    for (const [name, id] of Object.entries(ids)) {
      const { uploads } = await host.get(tenantOf(name), id);
      await uploads?.keep({ name: 'left.md', content: `Leave that is left to ${name}.`, limit: 1_000 });
    }
    const left = await host.tenantsWithUploads();
    assert.ok(
      Object.keys(ids)
        .map(tenantOf)
        .every((tenant) => left.includes(tenant)),
    );
    await host.close();
    for (const [name, id] of Object.entries(ids)) assert.deepEqual(await texts(name, id), []);

    await native.close();
    native = await startNative({ keys, knowledgeBases: { host: hostOf() } });
    for (const [name, id] of Object.entries(ids)) {
      const deadline = performance.now() + 60_000;
      while ((await texts(name, id)).length === 0 && performance.now() < deadline) await wait(100);
      assert.deepEqual(await texts(name, id), [`Leave that is left to ${name}.`]);
    }
  });

  it('shows what the workers of the database have to do', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aquifer-queued-'));
    const host = hostOf();
    try {
      for (const name of ['one', 'two', 'three']) writeFileSync(join(folder, `${name}.txt`), `${name} ${process.pid}`);
      const { write } = await host.create(tenantOf('ACME'), { name: 'queued' });
      await write((opened) => opened.index(folder, { wait: false }));
      const text = await (await native.send('/metrics', { headers: as('OTHER') })).text();
      const waiting = /^aquifer_queue_waiting (\d+)$/m.exec(text)?.[1];
      // Other tests leave jobs in the same queue.
      assert.ok(Number(waiting) >= 3, text);
      assert.match(text, /^aquifer_queue_running \d+$/m);
      assert.match(text, /^aquifer_queue_workers \d+$/m);
      await host.delete(tenantOf('ACME'), 'queued');
    } finally {
      await host.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('takes its embedder for new ones alone, and its chunks for all; name and tenant of its address count for nothing', async () => {
    const tenant = tenantOf('ACME');
    const location = database.location({ name: 'no name', tenant: 'nobody' });
    const first = createDatabaseHost({
      knowledgeBase: { location, threads: 1, embedder: 'builtin:256' },
      uploadFolder,
    });
    const [own, asked] = [
      await first.create(tenant, { name: 'its own' }),
      await first.create(tenant, { name: 'asked for', embedder: 'builtin' }),
    ];
    const embedderOf = async ({ reader }: HostedKnowledgeBase) => (await reader.status()).embedder.name;
    assert.deepEqual([await embedderOf(own), await embedderOf(asked)], ['builtin:256', 'builtin']);
    assert.deepEqual(await first.list('nobody'), []);
    await first.close();

    const second = createDatabaseHost({
      knowledgeBase: { location, threads: 1, embedder: 'builtin:512', chunkTokens: 32 },
      uploadFolder,
    });
    const text = Array.from({ length: 40 }, (_, n) => `Sentence ${n} speaks of leave and of little else.`).join(' ');
    for (const [name, embedder] of [
      ['its own', 'builtin:256'],
      ['asked for', 'builtin'],
    ] as const) {
      const knowledgeBase = await second.get(tenant, name);
      assert.equal(await embedderOf(knowledgeBase), embedder);
      await knowledgeBase.uploads?.keep({ name: 'long.md', content: text, limit: 10_000 });
      const folder = knowledgeBase.uploads?.path as string;
      await knowledgeBase.write((opened) => opened.index({ folder }));
      const { chunks } = await knowledgeBase.reader.status();
      assert.ok(chunks > 5, `${chunks} chunks`);
      assert.ok((await knowledgeBase.reader.search('leave', { mode: 'dense', limit: 3 })).matches.length === 3);
    }
    assert.equal(await embedderOf(await second.create(tenant, { name: 'newest' })), 'builtin:512');
    await second.close();
  });

  it('goes on with a knowledge base that was embedded again while it was open', async () => {
    const host = hostOf();
    const tenant = tenantOf('OTHER');
    const { reader, write, uploads } = await host.create(tenant, { name: 'again', embedder: 'builtin' });
    await uploads?.keep({ name: 'a.md', content: 'Leave is 52 weeks.', limit: 1_000 });
    await write((opened) => opened.index({ folder: uploads?.path as string }));
    const find = async () =>
      (await reader.search('leave', { mode: 'dense', limit: 3 })).matches.map(({ text }) => text);
    assert.deepEqual(await find(), ['Leave is 52 weeks.']);
    await reEmbedKnowledgeBase({ location: database.location({ tenant, name: 'again' }), embedder: 'builtin:256' });
    assert.deepEqual(await find(), ['Leave is 52 weeks.']);
    assert.equal((await reader.status()).embedder.name, 'builtin:256');
    await host.close();
  });
});
