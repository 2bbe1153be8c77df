import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Store } from '@aquifer/contracts';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import pg from 'pg';
import { openPostgresStore } from './open-postgres-store.js';
import { noOwnServer, type OwnServer, startOwnServer } from './own-server.test-fixture.js';

const unprivileged = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

describe('searches on a replica', { skip: noOwnServer }, () => {
  let primary: OwnServer;
  let folder: string;
  let port: number;
  const call = (program: string, ...parameters: readonly string[]) =>
    promisify(execFile)(join(process.env.AQUIFER_TEST_POSTGRES_PROGRAMS as string, program), parameters, {
      cwd: folder,
      ...unprivileged,
    });
  const control = (...parameters: readonly string[]) =>
    call('pg_ctl', '-D', join(folder, 'data'), '-w', '-s', ...parameters);
  const ofReplica = async (sql: string) => {
    const client = new pg.Client({ connectionString: `postgres://postgres@127.0.0.1:${port}/aquifer` });
    await client.connect();
    try {
      return (await client.query(sql)).rows[0];
    } finally {
      await client.end();
    }
  };
  before(async () => {
    primary = await startOwnServer(['wal_level = replica', 'max_wal_senders = 4']);
    folder = await mkdtemp(join(tmpdir(), 'aquifer-replica-'));
    if (unprivileged.uid) await chown(folder, unprivileged.uid, unprivileged.gid as number);
    port = primary.port + 1;
    await call(
      'pg_basebackup',
      '-h',
      '127.0.0.1',
      '-p',
      `${primary.port}`,
      '-U',
      'postgres',
      '-D',
      join(folder, 'data'),
      '-R',
      '--checkpoint=fast',
    );
    await appendFile(
      join(folder, 'data', 'postgresql.conf'),
      `\nport = ${port}\nunix_socket_directories = '${folder}'\nhot_standby = on\n`,
    );
    await control('-l', join(folder, 'log'), 'start');
  });
  after(async () => {
    await control('-m', 'immediate', 'stop').catch(() => {});
    await primary?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const caughtUp = async (): Promise<void> => {
    const position = await primary.administer(
      async (client) => (await client.query('SELECT pg_current_wal_lsn() AS position')).rows[0].position,
    );
    while (!(await ofReplica(`SELECT pg_last_wal_replay_lsn() >= '${position}' AS there`)).there) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  it('sees what it wrote, whether the replica has it or not, and outlives the replica', async () => {
    const warnings: string[] = [];
    const store: Store = await openPostgresStore({
      location: primary.location({ name: 'kb', replica: `127.0.0.1:${port}` }),
      analyser: suiteAnalyser,
      onWarning: (message) => warnings.push(message),
    });
    const found = async (text: string) => (await store.searchKeyword({ text, limit: 5 })).matches.length;
    await store.writeManifest(suiteManifest(4));
    await store.replaceDocument(sketchDocument('a', [{ text: 'first' }]));
    await caughtUp();
    assert.equal(await found('first'), 1);
    await ofReplica('SELECT pg_wal_replay_pause()');
    const elsewhere = await openPostgresStore({ location: primary.location({ name: 'kb' }), analyser: suiteAnalyser });
    await elsewhere.replaceDocument(sketchDocument('b', [{ text: 'elsewhere' }]));
    assert.equal((await elsewhere.searchKeyword({ text: 'elsewhere', limit: 5 })).matches.length, 1);
    await elsewhere.close();
    assert.equal(await found('elsewhere'), 0, 'the replica answers, which does not know it yet');
    await store.replaceDocument(sketchDocument('c', [{ text: 'second' }]));
    assert.equal(await found('second'), 1, 'the primary answers what the replica cannot know yet');
    await ofReplica('SELECT pg_wal_replay_resume()');
    await caughtUp();
    assert.equal(await found('second'), 1);
    assert.deepEqual(warnings, []);
    await control('-m', 'immediate', 'stop');
    for (let round = 0; round < 3; round++) assert.equal(await found('second'), 1);
    assert.equal(warnings.length, 1);
    assert.match(String(warnings[0]), /The replica postgres:.*cannot answer.*searches go to the primary/);
    await store.close();
  });
});
