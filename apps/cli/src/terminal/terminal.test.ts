import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { displayWidth, padTo } from './display-width.js';
import { createLineWrapper } from './line-wrapper.js';
import { counted, createProgressBar, duration, size } from './progress-bar.js';
import { table } from './table.js';
import { plainLine, plainName, type Terminal, truncate } from './terminal.js';

function recordingTerminal(columns: number, isInteractive = true): Terminal & { written: string } {
  const terminal = {
    columns,
    isInteractive,
    written: '',
    style: (_style: unknown, text: string) => text,
    write(text: string) {
      terminal.written += text;
    },
    line: (text = '') => terminal.write(`${text}\n`),
  };
  return terminal;
}

describe('display width', () => {
  it('counts two columns for full-width characters and none for combining marks', () => {
    assert.equal(displayWidth('abc'), 3);
    assert.equal(displayWidth('育児休業'), 8);
    assert.equal(displayWidth('e\u0301'), 1);
    assert.equal(displayWidth(padTo('休', 6)), 6);
  });

  it('truncates to columns, not characters', () => {
    assert.equal(truncate('育児休業規程', 7), '育児休…');
    assert.equal(truncate('short', 7), 'short');
  });
});

describe('plainName', () => {
  it('spells what could act on the terminal, and tells names apart', () => {
    assert.equal(
      plainName('a\nb\r\t\u001b[2J\u0007\u0085\u202ed/日本.md'),
      'a\\nb\\r\\t\\x1b[2J\\x07\\x85\\u202ed/日本.md',
    );
    assert.notEqual(plainName('a\nb'), plainName('a b'));
  });
});

describe('plainLine', () => {
  it('removes what could move the cursor, recolour the terminal or turn the text around', () => {
    assert.equal(plainLine('a\u001b[31mb\r\nc\u202ed\u0007'), 'a [31mb c d');
  });
});

describe('line wrapper', () => {
  const wrap = (text: string, columns: number, pieces = 1) => {
    let out = '';
    const wrapper = createLineWrapper((part) => {
      out += part;
    }, columns);
    const step = Math.ceil(text.length / pieces);
    for (let at = 0; at < text.length; at += step) wrapper.write(text.slice(at, at + step));
    wrapper.end();
    return out.split('\n').slice(0, -1);
  };

  it('wraps between words', () => {
    assert.deepEqual(wrap('one two three four', 9), ['one two', 'three', 'four']);
  });

  it('wraps Japanese between characters, but not before closing punctuation', () => {
    for (const line of wrap('育児休業は最長で五十二週間取得できます。次の文です。', 16)) {
      assert.ok(displayWidth(line) <= 18, line);
      assert.doesNotMatch(line, /^[。、]/);
    }
  });

  it('does not count colours', () => {
    assert.deepEqual(wrap('one \u001b[36m[1]\u001b[39m two', 11), ['one \u001b[36m[1]\u001b[39m two']);
  });

  it('gives the same lines however the text is cut into pieces', () => {
    const text = 'Full-time employees may take 52 weeks of parental leave. 育児休業は最長で五十二週間取得できます。';
    for (const pieces of [2, 5, 17]) assert.deepEqual(wrap(text, 30, pieces), wrap(text, 30));
  });
});

describe('table', () => {
  it('keeps within the terminal by shrinking one column', () => {
    const columns = [{ title: 'id' }, { title: 'document', shrinks: true }, { title: 'n', align: 'right' as const }];
    const lines = table(recordingTerminal(40), columns, [['abc', '長い名前の文書'.repeat(5), '7']]);
    for (const line of lines) assert.ok(displayWidth(line) <= 40, line);
    assert.match(lines[1] ?? '', /…\s+7$/);
  });

  const columns = [
    { title: 'id' },
    { title: 'document', shrinks: true },
    { title: 'pages', expendable: true },
    { title: 'size' },
  ];
  const rows = [
    ['083e4d010d9c6038b994dbcf54e43c8d', `${'deep/'.repeat(9)}a.pdf`, '12', '1.0 kB'],
    ['360b8c1b77cf731116e2957a7022eef0', 'b.pdf', '3', '99 B'],
  ];

  it('leaves out what can be done without before names become too short to tell apart', () => {
    const narrow = table(recordingTerminal(70), columns, rows);
    for (const line of narrow) assert.ok(displayWidth(line) <= 70, line);
    assert.doesNotMatch(narrow[0] ?? '', /pages/);
    assert.match(narrow[1] ?? '', /(deep\/){4}.*… {2}1\.0 kB$/);
    assert.match(table(recordingTerminal(80), columns, rows)[0] ?? '', /pages/);
    assert.match(
      table(recordingTerminal(60), columns, rows.slice(1))[0] ?? '',
      /pages/,
      'short names need no more room',
    );
  });

  it('is whole where another program reads it', () => {
    assert.ok(table(recordingTerminal(40, false), columns, rows)[1]?.includes(rows[0]?.[1] ?? '?'));
  });
});

describe('progress bar', () => {
  it('draws on a terminal and writes nothing where output is piped', () => {
    let now = 1_000_000;
    const draw = (terminal: ReturnType<typeof recordingTerminal>) => {
      const bar = createProgressBar(terminal, () => now);
      now += 5000;
      bar.update({ label: 'reading', done: 5, total: 10, unit: 'files', details: ['20 chunks', '9 chunks/s'] });
      bar.clear();
      return terminal.written;
    };
    assert.match(draw(recordingTerminal(90)), /reading ━{11}─{11} 5\/10 files · 20 chunks · 9 chunks\/s · 5\.0 s left/);
    assert.equal(draw(recordingTerminal(90, false)), '');
  });

  it('keeps the time that is left where there is not room for everything', () => {
    let now = 1_000_000;
    for (const columns of [40, 60, 80]) {
      const terminal = recordingTerminal(columns);
      const bar = createProgressBar(terminal, () => now);
      now += 250_000;
      bar.update({
        label: 'reading',
        done: 2_741,
        total: 4_000,
        unit: 'files',
        details: ['6,685 chunks', '236 chunks/s'],
      });
      const line = terminal.written.replace('\r\u001b[2K', '');
      assert.ok(displayWidth(line) < columns, `${line} in ${columns} columns`);
      assert.match(line, columns < 60 ? /━+─+ 2,741\/4,000/ : /━+─+ 2,741\/4,000 files .* 1 min 55 s left$/);
    }
  });

  it('clears only what it has drawn', () => {
    const terminal = recordingTerminal(80);
    createProgressBar(terminal).clear();
    assert.equal(terminal.written, '');
  });

  it('counts one and many', () => {
    assert.deepEqual(
      [0, 1, 1_234].map((value) => counted(value, 'chunk')),
      ['0 chunks', '1 chunk', '1,234 chunks'],
    );
  });

  it('writes durations and sizes as people do', () => {
    assert.deepEqual([0.04, 9.94, 59.6, 250, 7500].map(duration), [
      '0.0 s',
      '9.9 s',
      '1 min 0 s',
      '4 min 10 s',
      '2 h 5 min',
    ]);
    assert.deepEqual([999, 1000, 123_456_789].map(size), ['999 B', '1.0 kB', '123 MB']);
  });
});
