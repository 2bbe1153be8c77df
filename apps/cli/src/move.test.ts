import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { outcomeOf, startCommand } from './command.test-fixture.js';

const documents = 1_500;

describe('aquifer export and import', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-move-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = (...args: string[]) => startCommand(folder, ...args);
  const run = (...args: string[]) => outcomeOf(start(...args));

  before(async () => {
    mkdirSync(join(folder, 'notes'));
    for (let n = 0; n < documents; n++) {
      writeFileSync(join(folder, 'notes', `${n}.md`), `# Note ${n}\n\nThe number of this note is ${n * 7}.\n`);
    }
    const { status, err } = await run('index', 'notes');
    assert.equal(status, 0, err);
  });

  it('says what was moved, and goes on with an import that was killed, however often', async () => {
    const exported = await run('export', 'notes.aquifer', '--json');
    assert.equal(exported.status, 0, exported.err);
    const { sha256, ...counts } = JSON.parse(exported.out);
    assert.deepEqual([counts.type, counts.documents], ['export', documents]);

    let kills = 0;
    for (let waitMs = 300; ; waitMs += 150) {
      const child = start('import', 'notes.aquifer', '--kb', 'killed', '--json');
      const outcome = outcomeOf(child);
      const finished = await Promise.race([outcome, pause(waitMs, undefined)]);
      if (finished !== undefined) {
        // The last kill may have come after everything was there.
        if (finished.status !== 0) assert.match(finished.err, /There is a knowledge base/);
        else assert.equal(JSON.parse(finished.out).sha256, sha256);
        break;
      }
      child.kill('SIGKILL');
      await outcome;
      kills += 1;
    }
    assert.ok(kills > 0);
    const again = await run('export', 'again.aquifer', '--kb', 'killed', '--json');
    assert.equal(JSON.parse(again.out).sha256, sha256, again.err);
    const indexed = await run('index', 'notes', '--kb', 'killed', '--json');
    assert.equal(JSON.parse(indexed.out.trimEnd().split('\n').at(-1) ?? '').unchanged, documents);
  });

  it('leaves the export that was there when a new one is stopped by Ctrl-C', async (context) => {
    if (process.platform === 'win32') return context.skip('Windows has no signals');
    writeFileSync(join(folder, 'kept.aquifer'), 'an earlier one');
    for (const waitMs of [200, 350, 500]) {
      const child = start('export', 'kept.aquifer');
      const outcome = outcomeOf(child);
      await pause(waitMs);
      child.kill('SIGINT');
      const { status, signal } = await outcome;
      // Before the command has begun to listen, the signal ends it by itself.
      if (status === 0) break;
      assert.ok(status === 130 || signal === 'SIGINT');
      assert.equal(readFileSync(join(folder, 'kept.aquifer'), 'utf8'), 'an earlier one');
      assert.ok(!existsSync(join(folder, 'kept.aquifer.part')));
    }
  });

  it('says which file is no export, and which place is taken', async () => {
    writeFileSync(join(folder, 'other.aquifer'), 'something else');
    const other = await run('import', 'other.aquifer', '--kb', 'new');
    assert.equal(other.status, 1);
    assert.match(other.err, /other\.aquifer cannot be imported: it is no export of Aquifer/);
    const taken = await run('import', 'notes.aquifer');
    assert.equal(taken.status, 2);
    assert.match(taken.err, /There is a knowledge base at .*\.aquifer already/);
  });

  it('warns where an encrypted index is written in plain', async (context) => {
    writeFileSync(join(folder, 'key'), 'a key for this test\n');
    writeFileSync(join(folder, 'secret.json'), JSON.stringify({ kb: 'secret', encryptionKeyFile: 'key' }));
    const imported = await run('import', 'notes.aquifer', '--config', 'secret.json');
    if (/cannot encrypt|not built/.test(imported.err)) return context.skip('the SQLite addon is not built');
    assert.equal(imported.status, 0, imported.err);
    const { status, err } = await run('export', 'plain.aquifer', '--config', 'secret.json');
    assert.equal(status, 0);
    assert.match(err, /plain\.aquifer is not encrypted/);
  });
});
