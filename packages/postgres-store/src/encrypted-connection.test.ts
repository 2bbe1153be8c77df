import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type ErrorCode, isAquiferError } from '@aquifer/contracts';
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { openPostgresStore } from './open-postgres-store.js';
import { noOwnServer, type OwnServer, ownerOfServers, startOwnServer } from './own-server.test-fixture.js';
import { createIngestionQueue } from './queue/ingestion-queue.js';

describe('the connection to a shared index', { skip: noOwnServer }, () => {
  let server: OwnServer;
  let folder: string;
  const file = (name: string) => join(folder, name);
  const openssl = (...parameters: string[]) => promisify(execFile)('openssl', parameters, { cwd: folder });
  const makeAuthority = (name: string) =>
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
  const at = (host: string, parameters: Readonly<Record<string, string>>): string => {
    const url = new URL(server.location(parameters));
    url.hostname = host;
    return url.href;
  };
  /** Opens, writes and searches; whether the server says that it was encrypted. */
  const isEncrypted = async (location: string): Promise<boolean> => {
    const store = await openPostgresStore({ location, analyser: suiteAnalyser });
    try {
      await store.writeManifest(suiteManifest(4));
      await store.replaceDocument(sketchDocument('a', [{ text: 'secret' }]));
      assert.equal((await store.searchKeyword({ text: 'secret', limit: 5 })).matches.length, 1);
      const states = await server.administer((client) =>
        client.query(
          "SELECT bool_and(ssl) AS every, bool_or(ssl) AS any FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'aquifer'",
        ),
      );
      const { every, any } = states.rows[0];
      assert.equal(every, any);
      return every;
    } finally {
      await store.close();
    }
  };
  const refuses = (location: string, code: ErrorCode, message: RegExp) =>
    assert.rejects(openPostgresStore({ location, analyser: suiteAnalyser }), (error) => {
      assert.ok(isAquiferError(error, code), `${code} expected, not ${error}`);
      assert.match(error.message, message);
      assert.equal(error.retryable, false);
      return true;
    });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aquifer-certificates-'));
    server = await startOwnServer();
    await makeAuthority('authority');
    await makeAuthority('stranger');
    await openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=localhost',
      '-keyout',
      'server.key',
      '-out',
      'server.csr',
    );
    await writeFile(file('names'), 'subjectAltName=DNS:localhost');
    await openssl(
      'x509',
      '-req',
      '-in',
      'server.csr',
      '-CA',
      'authority.pem',
      '-CAkey',
      'authority.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      'names',
      '-out',
      'server.crt',
    );
  });
  after(async () => {
    await server?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('says that the server has no TLS where it was asked for', async () => {
    await refuses(
      at('localhost', { sslmode: 'require' }),
      'index-unavailable',
      /does not support SSL.*sslmode=disable/s,
    );
    assert.equal(await isEncrypted(at('localhost', { sslmode: 'disable' })), false);
  });

  it('is encrypted as sslmode says, to the server that its certificate names', async () => {
    for (const name of ['server.key', 'server.crt']) {
      await writeFile(join(server.data, name), await readFile(file(name)));
      await chmod(join(server.data, name), 0o600);
      if (process.getuid?.() === 0)
        await chown(join(server.data, name), ownerOfServers as number, ownerOfServers as number);
    }
    await appendFile(join(server.data, 'postgresql.conf'), 'ssl = on\n');
    await server.restart('fast');
    const [known, unknown] = [file('authority.pem'), file('stranger.pem')];
    assert.equal(await isEncrypted(at('localhost', { sslmode: 'disable' })), false);
    assert.equal(await isEncrypted(at('localhost', { sslmode: 'require' })), true);
    assert.equal(await isEncrypted(at('127.0.0.1', { sslmode: 'require' })), true);
    assert.equal(await isEncrypted(at('localhost', { sslmode: 'verify-full', sslrootcert: known })), true);
    // The authority is right, and the name does not matter.
    assert.equal(await isEncrypted(at('127.0.0.1', { sslmode: 'verify-ca', sslrootcert: known })), true);

    const wrong = /says: .*certificate.*sslrootcert=/s;
    await refuses(
      at('127.0.0.1', { sslmode: 'verify-full', sslrootcert: known }),
      'index-unavailable',
      /IP.*sslrootcert=/s,
    );
    await refuses(at('localhost', { sslmode: 'verify-full', sslrootcert: unknown }), 'index-unavailable', wrong);
    await refuses(at('localhost', { sslmode: 'verify-ca', sslrootcert: unknown }), 'index-unavailable', wrong);
    await refuses(at('localhost', { sslmode: 'require', sslrootcert: unknown }), 'index-unavailable', wrong);
    await refuses(at('localhost', { sslmode: 'verify-full' }), 'index-unavailable', wrong);
  });

  it('serves the queue as well, and a server that lets nobody in without it says so', async () => {
    const rules = join(server.data, 'pg_hba.conf');
    const before = await readFile(rules, 'utf8');
    await writeFile(rules, before.replace(/^host\b/gm, 'hostssl'));
    await server.restart('fast');
    await refuses(at('localhost', { sslmode: 'disable' }), 'index-unavailable', /no encryption.*sslmode=verify-full/s);
    const location = at('localhost', { sslmode: 'verify-full', sslrootcert: file('authority.pem') });
    const queue = createIngestionQueue(location);
    await queue.enqueue([]);
    assert.equal((await queue.counts()).waiting, 0);
    await queue.close();
  });

  it('says what is wrong with the address', async () => {
    for (const mode of ['prefer', 'allow', 'no-verify', 'yes']) {
      await refuses(
        at('localhost', { sslmode: mode }),
        'invalid-options',
        /must be one of disable, require, verify-ca, verify-full/,
      );
    }
    await refuses(at('localhost', { sslmode: 'verify-ca' }), 'invalid-options', /needs the authority's certificate/);
    const missing = at('localhost', { sslmode: 'verify-full', sslrootcert: file('nothing.pem') });
    await refuses(missing, 'invalid-options', /nothing\.pem \(ENOENT\)/);
  });
});
