import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { isPostgresLocation, parsePostgresLocation } from './postgres-location.js';

describe('the address of a shared index', () => {
  it('names database, knowledge base and tenant', () => {
    assert.deepEqual(
      parsePostgresLocation(
        'postgres://me:pass%40word@db:5433/docs?name=hand%20book&tenant=acme&sslmode=require&max=3',
      ),
      {
        connectionString: 'postgres://me:pass%40word@db:5433/docs?sslmode=require&uselibpqcompat=true',
        knowledgeBase: 'hand book',
        tenant: 'acme',
        maxConnections: 3,
        graph: 'vector',
        mayCopy: true,
        shown: 'postgres://me@db:5433/docs?name=hand+book&tenant=acme&sslmode=require&max=3',
      },
    );
    const { replica } = parsePostgresLocation('postgres://me:hunter2@db:5433/docs?name=n&replica=other:6000');
    assert.equal(replica?.connectionString, 'postgres://me:hunter2@other:6000/docs');
    assert.match(replica?.shown ?? '', /^postgres:..me@other:6000.docs/);
    const { mayCopy, graph } = parsePostgresLocation('postgres://db/docs?copy=off&graph=bit');
    assert.deepEqual([mayCopy, graph], [false, 'bit']);
    const { knowledgeBase, tenant } = parsePostgresLocation('postgresql://db/docs');
    assert.deepEqual([knowledgeBase, tenant], ['default', 'default']);
  });

  it('is told from a folder', () => {
    for (const address of ['postgres://db/docs', 'postgresql://db', 'POSTGRES://db'])
      assert.ok(isPostgresLocation(address));
    for (const folder of ['.aquifer', '/var/postgres', 'postgres:', './postgres://x'])
      assert.ok(!isPostgresLocation(folder));
  });

  it('is never repeated where it cannot be read, for it may hold a password', () => {
    for (const address of [
      'postgres://me:hunter2@db:port/docs',
      'postgres://me:hunter2@db/docs?name=',
      'postgres://me:hunter2@db/docs?max=many',
      'postgres://me:hunter2@db/docs?copy=never',
      'postgres://me:hunter2@db/docs?replica=postgres://x:hunter2@db',
      'postgres://me:hunter2@db/docs?graph=float',
      `postgres://me:hunter2@db/?tenant=${'x'.repeat(101)}`,
    ]) {
      assert.throws(
        () => parsePostgresLocation(address),
        (error) => isAquiferError(error, 'invalid-options') && !error.message.includes('hunter2'),
      );
    }
  });
});
