import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { keepingProcessAlive } from './keeping-process-alive.js';

describe('keeping the process alive', () => {
  it('waits for a promise that nothing else keeps alive, and lets go afterwards', async () => {
    const source = `
      import { keepingProcessAlive } from ${JSON.stringify(new URL('./keeping-process-alive.js', import.meta.url).href)};
      const unreferenced = () => new Promise((resolve) => setTimeout(() => resolve('done'), 20).unref());
      process.stdout.write(await keepingProcessAlive(unreferenced));
    `;
    // Without it, Node ends with status 13: "unsettled top-level await".
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', source]);
    assert.equal(stdout, 'done');
  });

  it('hands on what the work throws', async () => {
    await assert.rejects(
      keepingProcessAlive(async () => {
        throw new TypeError('broken');
      }),
      TypeError,
    );
  });
});
