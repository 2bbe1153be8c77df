import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';

it('sets only what the V8 of this Node knows', () => {
  const tune = new URL('./tune-for-indexing.js', import.meta.url);
  const program = `import { tuneForIndexing } from ${JSON.stringify(tune)}; tuneForIndexing();`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  // V8 prints an error for a setting that it does not know, and goes on.
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
});
