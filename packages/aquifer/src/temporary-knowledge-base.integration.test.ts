import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, realpathSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTemporaryKnowledgeBase } from './temporary-knowledge-base.js';

if (process.argv[2] === 'child') {
  const knowledgeBase = await openTemporaryKnowledgeBase();
  console.log('open');
  process.stdin.once('end', () => knowledgeBase.close()).resume();
} else {
  describe('temporary knowledge bases', () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'aquifer-temporaries-')));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const names = () => readdirSync(folder);

    async function startChild() {
      const before = new Set(names());
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'child'], {
        env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      const [name] = names().filter((each) => !before.has(each));
      return { child, name: name as string };
    }
    const makeOld = (name: string) => utimesSync(join(folder, name), 0, 0);

    it('are removed after a kill by the next process, and left alone while they are open or new', async () => {
      const [killed, killedJustNow, open] = [await startChild(), await startChild(), await startChild()];
      for (const { child } of [killed, killedJustNow]) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      makeOld(killed.name);
      makeOld(open.name);
      const next = await startChild();
      assert.deepEqual(names().sort(), [killedJustNow.name, open.name, next.name].sort());
      for (const { child } of [open, next]) {
        child.stdin.end();
        const [code] = await once(child, 'exit');
        assert.equal(code, 0);
      }
      assert.deepEqual(names(), [killedJustNow.name]);
    });
  });
}
