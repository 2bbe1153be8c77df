import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { openKeyRing } from './key-ring.js';

const wanted = { tenant: 'acme', scopes: ['read', 'model'] } as const;
const refusal = (pattern: RegExp) => (error: unknown) =>
  isAquiferError(error, 'invalid-options') && pattern.test(error.message);

describe('a file of keys', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-keys-'));
    path = join(folder, 'keys.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('makes keys that work, and stores nothing that opens anything', () => {
    const ring = openKeyRing(path);
    assert.deepEqual(ring.usable(0), []);
    const { record, secret } = ring.create(wanted, 1_000);
    assert.match(record.id, /^AQ[0-9A-F]{18}$/);
    assert.equal(secret.length, 43);
    const [key] = openKeyRing(path).usable(2_000);
    assert.deepEqual([key?.secretAccessKey, key?.tenant, key?.scopes], [secret, 'acme', ['read', 'model']]);
    assert.ok(!readFileSync(path, 'utf8').includes(secret));
    for (const file of [path, `${path}.root`]) assert.equal(statSync(file).mode & 0o077, 0);
    assert.notEqual(ring.create(wanted, 1_000).secret, secret);
  });

  it('lets a key go at its time, and at once when it is revoked elsewhere', () => {
    const [here, elsewhere] = [openKeyRing(path), openKeyRing(path)];
    here.create({ ...wanted, expiresAt: 5_000 }, 1_000);
    const { record } = here.create(wanted, 1_000);
    assert.equal(here.usable(4_999).length, 2);
    assert.equal(here.usable(5_000).length, 1);
    elsewhere.revoke(record.id, 2_000);
    assert.equal(here.usable(2_000).length, 1);
    assert.equal(here.usable(5_000).length, 0);
    assert.equal(here.list()[1]?.revokedAt, 2_000);
    assert.throws(() => here.revoke('AQ00', 0), refusal(/no key AQ00/));
  });

  it('is refused with another root secret, malformed, or open to others', () => {
    const ring = openKeyRing(path);
    ring.create(wanted, 0);
    const kept = readFileSync(`${path}.root`, 'utf8');
    writeFileSync(`${path}.root`, `${'A'.repeat(43)}\n`);
    assert.throws(() => openKeyRing(path).usable(0), refusal(/not made with the root secret/));
    writeFileSync(`${path}.root`, kept);
    if (process.platform !== 'win32') {
      chmodSync(path, 0o640);
      assert.throws(() => openKeyRing(path).usable(0), refusal(/chmod 600/));
      chmodSync(path, 0o600);
    }
    const { keys } = JSON.parse(readFileSync(path, 'utf8'));
    const secret = 'secret-that-must-not-be-told';
    const wrong = [
      `{"keys": ["${secret}`,
      '{}',
      JSON.stringify({ version: 2, keys }),
      JSON.stringify({ version: 1, keys: [...keys, ...keys] }),
      JSON.stringify({ version: 1, keys: [{ ...keys[0], scopes: ['all'] }] }),
      JSON.stringify({ version: 1, keys: [{ accessKeyId: 'A', secretAccessKey: secret }] }),
    ];
    for (const text of wrong) {
      writeFileSync(path, text);
      assert.throws(
        () => openKeyRing(path).usable(0),
        (error) => refusal(/cannot be used/)(error) && !(error as Error).message.includes(secret),
      );
    }
    assert.throws(
      () => openKeyRing(join(folder, 'absent.json'), { mustExist: true }).usable(0),
      refusal(/cannot be used/),
    );
  });
});
