import assert from 'node:assert/strict';
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
