import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Terminal } from '../terminal/terminal.js';
import { failureLines } from './failure-lines.js';

const terminal = (columns: number, isInteractive: boolean): Terminal => ({
  columns,
  isInteractive,
  style: (_style, text) => text,
  write: () => {},
  line: () => {},
});

describe('failure lines', () => {
  const reason = 'lease.pdf is encrypted: give its password.';

  it('say the whole reason on as many lines as it takes', () => {
    assert.deepEqual(failureLines(terminal(40, true), '✖', 'scans/old lease.pdf', reason), [
      '  ✖ scans/old lease.pdf   lease.pdf is',
      '    encrypted: give its password.',
    ]);
    assert.deepEqual(failureLines(terminal(60, true), '✖', `${'deep  er/'.repeat(5)}lease.pdf`, reason), [
      `  ✖ ${'deep  er/'.repeat(5)}lease.pdf`,
      '    lease.pdf is encrypted: give its password.',
    ]);
    assert.deepEqual(failureLines(terminal(100, true), '✖', 'a.pdf', reason), [`  ✖ a.pdf   ${reason}`]);
    assert.ok(failureLines(terminal(40, true), '✖', '休業.pdf', '暗号化されている。'.repeat(9)).length > 4);
  });

  it('stay on one line where nobody reads along', () => {
    assert.deepEqual(failureLines(terminal(40, false), '✖', 'a\nb.pdf', `${reason}\u001b[2J`), [
      `  ✖ a\\nb.pdf   ${reason} [2J`,
    ]);
  });
});
