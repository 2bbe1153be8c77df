import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTestDatabase } from '../../../postgres-store/dist/postgres.test-fixture.js';
import { openKnowledgeBase } from '../open-knowledge-base.js';

const handbook = fileURLToPath(new URL('../../../../examples/handbook', import.meta.url));
const { AQUIFER_TEST_POSTGRES: server, AQUIFER_TEST_POSTGRES_PROGRAMS: programs } = process.env;
const needsServer = server && programs ? {} : { skip: 'scripts/test-postgres.sh gives the server and pg_dump' };

/** The same place as another role, and in another database. */
function address(location: string, user: string, database?: string): string {
  const url = new URL(location);
  url.username = user;
  if (database !== undefined) url.pathname = `/${database}`;
  return url.href;
}

const run = (program: string, ...args: string[]) =>
  spawnSync(join(programs ?? '', program), args, { encoding: 'utf8' });

function succeed(program: string, ...args: string[]): void {
  const { status, stderr } = run(program, ...args);
  assert.equal(status, 0, `${program}: ${stderr}`);
}

describe('pg_dump and pg_restore', needsServer, () => {
  it('bring a shared index back in another database, as docs/backup.md has it', async () => {
    const database = await startTestDatabase();
    const folder = mkdtempSync(join(tmpdir(), 'aquifer-dump-'));
    const location = database.location({ tenant: 'dumped' });
    const bare = new URL(location);
    bare.search = '';
    const name = `restored_${process.pid}`;
    const admin = address(bare.href, 'postgres');
    const search = async (at: string) => {
      const knowledgeBase = await openKnowledgeBase({ location: at });
      try {
        const { matches } = await knowledgeBase.search('parental leave in Japan', { limit: 5 });
        const { unchanged } = await knowledgeBase.index(handbook);
        return { matches, unchanged };
      } finally {
        await knowledgeBase.close();
      }
    };
    try {
      const knowledgeBase = await openKnowledgeBase({ location });
      await knowledgeBase.index(handbook);
      await knowledgeBase.close();
      const expected = await search(location);
      assert.ok(expected.matches.length === 5 && expected.unchanged >= 20);

      const dump = join(folder, 'aquifer.dump');
      const refused = run('pg_dump', '--format=custom', `--file=${dump}`, bare.href);
      assert.notEqual(refused.status, 0);
      assert.match(refused.stderr, /row-level security/);

      succeed('pg_dump', '--format=custom', `--file=${dump}`, admin);
      succeed(
        'createdb',
        `--maintenance-db=${admin}`,
        '--owner=aquifer',
        '--encoding=UTF8',
        '--template=template0',
        name,
      );
      succeed('pg_restore', `--dbname=${address(bare.href, 'postgres', name)}`, '--exit-on-error', dump);
      assert.deepEqual(await search(address(location, 'aquifer', name)), expected);
    } finally {
      run('dropdb', `--maintenance-db=${admin}`, '--if-exists', '--force', name);
      rmSync(folder, { recursive: true, force: true });
      await database.stop();
    }
  });
});
