import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { collectGarbage } from './collect-garbage.js';

describe('collecting garbage', () => {
  it('gives back what nobody has any more', async () => {
    let kept: WeakRef<object> | undefined;
    (() => {
      kept = new WeakRef({ large: new Array(1_000) });
    })();
    // What a weak reference was made of lives until the turn ends.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    assert.equal(kept?.deref(), undefined);
  });

  it('gives it back, too, where V8 had begun to collect when it was in use still', async () => {
    const size = 20_000_000;
    const before = process.memoryUsage().external;
    // It begins at different points of these rounds.
    for (let round = 1; round <= 12; round++) {
      await (async () => {
        const text = Buffer.alloc(size, 'a').toString('latin1');
        const slices: object[] = [];
        for (let start = 0; start < round * 20_000; start++) slices.push({ slice: text.slice(start, start + 100) });
        await new Promise((resolve) => setImmediate(resolve));
      })();
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
      assert.ok(process.memoryUsage().external < before + size / 2, `in round ${round}`);
    }
  });

  it('may be done by several threads at once', async () => {
    const module = JSON.stringify(new URL('./collect-garbage.js', import.meta.url).href);
    const code = `import(${module}).then(({ collectGarbage }) => { for (let n = 0; n < 50; n++) collectGarbage(); });`;
    const workers = Array.from({ length: 4 }, () => new Worker(code, { eval: true }));
    const codes = await Promise.all(workers.map(async (worker) => (await once(worker, 'exit'))[0]));
    assert.deepEqual(codes, [0, 0, 0, 0]);
  });
});
