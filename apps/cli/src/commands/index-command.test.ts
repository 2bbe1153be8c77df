import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isAquiferError } from 'aquifer';
import type { Terminal } from '../terminal/terminal.js';
import { run } from './index-command.js';

function terminal(write: (text: string) => void): Terminal {
  return { columns: 80, isInteractive: true, style: (_style, text) => text, write, line: (text) => write(`${text}\n`) };
}

describe('index on a terminal', () => {
  it('takes its bar away when it is interrupted, so that what is said next has a line of its own', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aquifer-index-command-'));
    try {
      mkdirSync(join(folder, 'notes'));
      for (let n = 0; n < 300; n++) writeFileSync(join(folder, 'notes', `${n}.md`), `# Note ${n}\n\nNumber ${n}.\n`);
      const interrupted = new AbortController();
      let shown = '';
      const context = {
        out: terminal(() => {}),
        err: terminal((text) => {
          shown += text;
          if (text.includes('reading')) interrupted.abort();
        }),
        signal: interrupted.signal,
        environment: {},
        setExitCode: () => assert.fail('it did not end'),
      };
      const running = run(context, [join(folder, 'notes')], { kb: join(folder, 'kb') });
      await assert.rejects(running, (error) => isAquiferError(error, 'aborted'));
      assert.ok(shown.endsWith('\r\u001b[2K'), shown.slice(-100));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
