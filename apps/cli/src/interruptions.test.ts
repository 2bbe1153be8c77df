import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { outcomeOf, program, startCommand } from './command.test-fixture.js';

const files = 600;

describe('what happens to a command from outside', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-interruptions-'));
    mkdirSync(join(folder, 'notes'));
    for (let n = 0; n < files; n++) {
      writeFileSync(join(folder, 'notes', `${n}.md`), `# Note ${n}\n\nThe number of this note is ${n * 7}.\n`);
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = (...args: string[]) => startCommand(folder, ...args);
  const firstOutput = (child: ChildProcess) => once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  const indexedIn = async (kb: string): Promise<number> => {
    const { out, err } = await outcomeOf(start('status', '--kb', kb, '--json'));
    assert.notEqual(out, '', err);
    return JSON.parse(out).documents.indexed ?? 0;
  };
  /** The same command again ends where it would have. */
  async function assertGoesOn(kb: string): Promise<void> {
    const before = await indexedIn(kb);
    const { status, out, err } = await outcomeOf(start('index', 'notes', '--kb', kb, '--json'));
    assert.equal(status, 0, err);
    assert.equal(JSON.parse(out.trimEnd().split('\n').at(-1) ?? '').new, files - before);
    assert.equal(await indexedIn(kb), files);
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`${signal} ends a run with status 130, and the next one goes on`, async (context) => {
      if (process.platform === 'win32') return context.skip('Windows has no signals');
      const kb = `${signal}.kb`;
      const child = start('index', 'notes', '--kb', kb, '--json');
      const outcome = outcomeOf(child);
      await firstOutput(child);
      child.kill(signal);
      const { status, err } = await outcome;
      assert.equal(status, 130, err);
      assert.match(err, /run the same command again/);
      assert.equal(existsSync(join(folder, kb, 'writer.json')), false);
      await assertGoesOn(kb);
    });
  }

  it('a second signal does not wait', async (context) => {
    if (process.platform === 'win32') return context.skip('Windows has no signals');
    const child = start('index', 'notes', '--kb', 'twice.kb', '--json');
    const outcome = outcomeOf(child);
    await firstOutput(child);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    assert.equal((await outcome).status, 130);
    await assertGoesOn('twice.kb');
  });

  it('a second run at once is told who the first is', async () => {
    const first = start('index', 'notes', '--kb', 'two.kb', '--json');
    const outcome = outcomeOf(first);
    await firstOutput(first);
    const second = await outcomeOf(start('index', 'notes', '--kb', 'two.kb'));
    const { status, err } = await outcome;
    assert.equal(status, 0, err);
    assert.equal(second.status, 1);
    assert.match(second.err, new RegExp(`process ${first.pid} `));
    assert.equal(await indexedIn('two.kb'), files);
  });

  it('a reader that has seen enough is no failure, and a run goes on without one', async () => {
    const run = start('index', 'notes', '--kb', 'unread.kb', '--json');
    const outcome = outcomeOf(run);
    await firstOutput(run);
    run.stdout?.destroy();
    run.stderr?.destroy();
    assert.equal((await outcome).status, 0);
    assert.equal(await indexedIn('unread.kb'), files);

    for (const args of [['documents'], ['documents', '--json']]) {
      const child = start(...args, '--kb', 'unread.kb');
      let err = '';
      child.stderr?.on('data', (text) => {
        err += text;
      });
      const end = once(child, 'exit');
      await firstOutput(child);
      child.stdout?.destroy();
      assert.deepEqual(await end, [0, null]);
      assert.equal(err, '');
    }
  });

  it('an output that takes no more is said, without a stack', async (context) => {
    if (!existsSync('/dev/full')) return context.skip('there is no /dev/full here');
    assert.equal((await outcomeOf(start('index', 'notes', '--kb', 'full.kb'))).status, 0);
    const child = spawn('sh', ['-c', '"$0" "$1" documents --kb full.kb > /dev/full', process.execPath, program], {
      cwd: folder,
    });
    const { status, err } = await outcomeOf(child);
    assert.equal(status, 1);
    assert.match(err, /^✖ the output cannot be written: .*ENOSPC/);
    assert.doesNotMatch(err, /\n\s+at /);
  });
});
