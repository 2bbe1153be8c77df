import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { knowledgeBaseOptions } from './knowledge-base-options.js';

describe('the place of a knowledge base', () => {
  const placeOf = async (kb: string) => {
    const { location, name } = await knowledgeBaseOptions({ kb });
    return [location, name];
  };

  it('may carry the name of a new one, percent-encoded', async () => {
    assert.deepEqual(await placeOf('somewhere/index'), ['somewhere/index', undefined]);
    assert.deepEqual(await placeOf('index?name=team'), ['index', 'team']);
    assert.deepEqual(await placeOf('?name=team'), ['.aquifer', 'team']);
    assert.deepEqual(await placeOf('index?name=%E7%A4%BE%E5%86%85%20100%25'), ['index', '社内 100%']);
  });

  it('takes the password of a database from a file, whatever letters it has', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aquifer-password-'));
    const kbPasswordFile = join(folder, 'password');
    writeFileSync(kbPasswordFile, 'p@ss:w/rd %41#?\n');
    const optionsFor = (kb: string) => knowledgeBaseOptions({ kb, kbPasswordFile });
    const { location } = await optionsFor('postgres://aquifer@database/aquifer?name=team');
    assert.equal(decodeURIComponent(new URL(location).password), 'p@ss:w/rd %41#?');
    assert.equal(new URL(location).searchParams.get('name'), 'team');
    for (const kb of ['.aquifer', 'postgres://aquifer:other@database/aquifer']) {
      await assert.rejects(optionsFor(kb), (error) => isAquiferError(error, 'invalid-options'));
    }
    rmSync(folder, { recursive: true });
  });

  it('is refused with a malformed name', async () => {
    for (const kb of ['index?name=100%', 'index?name=%E7%A4', 'index?name=%zz']) {
      await assert.rejects(placeOf(kb), (error: unknown) => {
        assert.ok(isAquiferError(error, 'invalid-options'), String(error));
        assert.ok(error.message.includes(kb) && error.message.includes('%25'), error.message);
        return true;
      });
    }
  });
});
