import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isAquiferError } from '@aquifer/contracts';
import { startTestDatabase } from '../../postgres-store/dist/postgres.test-fixture.js';
import { dryRunIndex } from './dry-run-index.js';
import { examine } from './examine.js';
import type { KnowledgeBase } from './knowledge-base.js';
import { openKnowledgeBase } from './open-knowledge-base.js';

const handbook = fileURLToPath(new URL('../../../examples/handbook', import.meta.url));

const database = await startTestDatabase();
after(() => database.stop());

/** Times differ between two indexes of the same documents. */
const timeless = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, item) => (['indexedAt', 'ms'].includes(key) ? undefined : item)));

/** pgvector adds up in 4-byte floats, the embedded index in 8-byte ones. */
const tolerance = 2e-6;

/** Equal in everything but times and the last digits of scores. */
function assertSame(actual: unknown, expected: unknown, what: string): void {
  const compare = (left: unknown, right: unknown, path: string): void => {
    if (typeof left === 'number' && typeof right === 'number') {
      assert.ok(Math.abs(left - right) <= tolerance, `${path}: ${left}, not ${right}`);
    } else if (typeof right === 'object' && right !== null && typeof left === 'object' && left !== null) {
      assert.deepEqual(Object.keys(left), Object.keys(right), path);
      for (const [key, value] of Object.entries(right)) {
        compare((left as Record<string, unknown>)[key], value, `${path}.${key}`);
      }
    } else {
      assert.equal(left, right, path);
    }
  };
  compare(timeless(actual), timeless(expected), what);
}

describe('a knowledge base in PostgreSQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-shared-'));
  const location = database.location();
  let local: KnowledgeBase;
  let shared: KnowledgeBase;
  before(async () => {
    local = await openKnowledgeBase({ location: join(folder, 'index') });
    shared = await openKnowledgeBase({ location });
    await local.index(handbook);
    await shared.index(handbook);
  });
  after(async () => {
    await local.close();
    await shared.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has the name that its address gives', () => {
    assert.equal(shared.name, new URL(location).searchParams.get('name'));
  });

  it('has the same documents and chunks as one in a folder', async () => {
    const [documents, expected] = await Promise.all([shared.documents(), local.documents()]);
    assert.ok(expected.length > 20);
    assertSame(documents, expected, 'documents');
    for (const { id } of expected) {
      assertSame(await shared.document(id), await local.document(id), id);
    }
    const [status, expectedStatus] = await Promise.all([shared.status(), local.status()]);
    assert.deepEqual(status.documents, expectedStatus.documents);
    assert.deepEqual([status.chunks, status.tokens], [expectedStatus.chunks, expectedStatus.tokens]);
    assert.equal(status.index.kind, 'exact');
  });

  it('finds the same with the same scores, with and without filters', async () => {
    const questions = ['parental leave in Japan', 'expense limits', '育児休業', 'VPN', 'who approves travel abroad?'];
    const filters = [
      undefined,
      { startsWith: { key: 'country', value: 'J' } },
      { notEquals: { key: 'country', value: 'JP' } },
    ];
    for (const question of questions) {
      for (const filter of filters) {
        const options = { limit: 10, ...(filter && { filter }) };
        const [found, expected] = await Promise.all([shared, local].map((each) => each.search(question, options)));
        assertSame(found?.matches, expected?.matches, question);
      }
    }
  });

  it('answers the same with the same citations', async () => {
    const answer = async (knowledgeBase: KnowledgeBase) => {
      const events: unknown[] = [];
      for await (const event of knowledgeBase.ask('How long is parental leave in Japan?')) events.push(event);
      return events;
    };
    const expected = await answer(local);
    assert.ok(expected.length > 0);
    assertSame(await answer(shared), expected, 'answer');
  });

  it('reads nothing again that did not change, and says beforehand what it would do', async () => {
    const planned = await dryRunIndex({ location }, handbook);
    assert.deepEqual([planned.new, planned.modified, planned.deleted], [0, 0, 0]);
    const again = await shared.index(handbook);
    assert.deepEqual([again.new, again.modified, again.deleted], [0, 0, 0]);
  });

  it('is examined', async () => {
    const found = async (address: string) =>
      (await examine({ location: address })).findings.filter(({ name }) => name === 'index');
    assert.match((await found(location))[0]?.found ?? '', /answers, and has \d+ chunks/);
    const { findings } = await examine({ location });
    // PGlite has no other role than the superuser.
    const tenants = findings.find(({ name }) => name === 'tenants');
    assert.equal(tenants?.status, database.kind === 'server' ? 'ok' : 'limited');
    const [nothing] = await found('postgres://127.0.0.1:1/docs');
    assert.equal(nothing?.status, 'failed');
  });

  it('says what it cannot do', async () => {
    const refused = (work: Promise<unknown>, message: RegExp) =>
      assert.rejects(work, (error) => isAquiferError(error, 'invalid-options') && message.test(error.message));
    await refused(openKnowledgeBase({ location, encryptionKey: 'key' }), /encrypt the disk/);
    await assert.rejects(openKnowledgeBase({ location: database.location(), mode: 'read' }), (error) =>
      isAquiferError(error, 'index-not-found'),
    );
  });

  it('deletes documents', async () => {
    const [first] = await shared.documents({ limit: 1 });
    assert.ok(first);
    assert.equal(await shared.delete([first.id]), 1);
    assert.equal(
      (await shared.documents()).some(({ id }) => id === first.id),
      false,
    );
    assert.equal((await shared.index(handbook)).new, 1);
  });
});
