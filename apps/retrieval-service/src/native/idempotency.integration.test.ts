import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { json, type StartedNative, startNative } from '../testing/native-fixture.js';

const base = '/v1/knowledge-bases/default';

describe('an idempotency key', () => {
  let native: StartedNative;
  before(async () => {
    native = await startNative();
    assert.equal((await native.post('/v1/knowledge-bases', { name: 'default' })).status, 201);
  });
  after(() => native.close());

  it('takes files once for each idempotency key, and others with it not at all', async () => {
    const send = (files: Readonly<Record<string, string>>, country = 'JP') => {
      const form = new FormData();
      form.append('metadata', JSON.stringify({ country }));
      for (const [name, text] of Object.entries(files)) form.append('file', new Blob([text]), name);
      // Each form has a boundary of its own.
      const headers = { 'idempotency-key': 'files' };
      return native.send(`${base}/documents`, { method: 'POST', body: form, headers });
    };
    const files = { 'once/one.txt': 'One.', '../not-taken.txt': 'Two.', 'once/long.txt': 'x'.repeat(1024 * 1024 + 1) };
    const [first, meanwhile] = await Promise.all([send(files), send(files)]);
    const { job, kept } = await json(first);
    assert.deepEqual(kept, ['once/one.txt']);
    assert.equal((await json(meanwhile)).job.id, job.id);
    assert.equal((await json(await send(files))).job.id, job.id);
    const others: readonly Promise<Response>[] = [
      send({ 'once/two.txt': 'One.' }),
      send({ ...files, 'once/one.txt': 'Two.' }),
      send({ ...files, 'once/two.txt': 'Two.' }),
      send({ ...files, 'once/long.txt': `${'x'.repeat(1024 * 1024)}y` }),
      send(files, 'DE'),
      native.post(`${base}/documents`, { documents: [{ name: 'a.txt', text: 'A.' }] }, { 'idempotency-key': 'files' }),
    ];
    for (const other of await Promise.all(others)) {
      assert.deepEqual([other.status, (await json(other)).error.code], [409, 'idempotency-conflict']);
    }
    assert.deepEqual(readdirSync(join(native.uploadFolder, 'once')), ['one.txt', 'one.txt.metadata.json']);
    assert.equal(readFileSync(join(native.uploadFolder, 'once/one.txt'), 'utf8'), 'One.');
    await (await native.send(`/v1/jobs/${job.id}/events`)).text();
  });
});
