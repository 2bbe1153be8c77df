import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createClient } from '@aquifer/client';
import type { KnowledgeBaseHost } from '../hosting/knowledge-base-host.js';
import { createJobLog } from '../jobs/job-log.js';
import { json, type StartedNative, startNative } from '../testing/native-fixture.js';

const unused = () => assert.fail('not asked');

describe('listings, page by page', () => {
  const names = Array.from({ length: 1_003 }, (_, index) => `kb-${index}`);
  const host: KnowledgeBaseHost = {
    list: async () => names.map((name, index) => ({ id: `KB${String(index).padStart(8, '0')}`, name })),
    get: unused,
    create: unused,
    delete: unused,
    tenantsWithUploads: async () => [],
    close: async () => {},
  };
  let native: StartedNative;
  before(async () => {
    native = await startNative({ knowledgeBases: { host } });
  });
  after(() => native.close());

  it('have every knowledge base once', async () => {
    const found: string[] = [];
    let [cursor, pages]: [string | undefined, number] = ['', 0];
    for (; cursor !== undefined; pages += 1) {
      const page = await json(await native.send(`/v1/knowledge-bases?limit=500${cursor && `&cursor=${cursor}`}`));
      assert.ok(page.knowledgeBases.length <= 500);
      found.push(...page.knowledgeBases.map(({ name }: { name: string }) => name));
      cursor = page.nextCursor;
    }
    assert.deepEqual([pages, found], [3, [...names].sort()]);
    assert.equal((await json(await native.send('/v1/knowledge-bases'))).knowledgeBases.length, 100);
    const all = await createClient({ baseUrl: native.endpoint }).listKnowledgeBases();
    assert.deepEqual(
      all.map(({ name }) => name),
      found,
    );
  });

  it('refuse what no page gave', async () => {
    const foreign = Buffer.from(JSON.stringify({ after: 'x' })).toString('base64url');
    for (const path of ['/v1/knowledge-bases?cursor=x', '/v1/jobs?cursor=x', `/v1/jobs?cursor=${foreign}`]) {
      assert.equal((await native.send(path)).status, 400, path);
    }
    assert.deepEqual(await json(await native.send('/v1/jobs')), { jobs: [] });
  });

  it('have every job once, whatever begins meanwhile', () => {
    const log = createJobLog();
    const start = (tenant: string) => log.start(tenant, 'ABCDEFGHIJ', () => new Promise(() => {})).id;
    const ids = Array.from({ length: 5 }, () => start('acme'));
    start('other');
    const first = log.list('acme', { limit: 2 });
    start('acme');
    const second = log.list('acme', { limit: 2, before: first.next });
    const third = log.list('acme', { limit: 2, before: second.next });
    assert.deepEqual(
      [first, second, third].flatMap(({ jobs }) => jobs.map(({ id }) => id)),
      ids.reverse(),
    );
    assert.equal(third.next, undefined);
  });
});
