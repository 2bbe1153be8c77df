import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { markdownReader } from './markdown.js';

describe('markdownReader', () => {
  it('renders clean text', async () => {
    const lines = await outlineOf(
      markdownReader,
      [
        'Leave',
        '=====',
        '',
        'Ask **early**, in *writing*, with `form T-12`; see [the FAQ](faq.html "x") &amp; ~~old~~ <span>inline</span>',
        'on two lines.  ',
        'Hard break.',
        '',
        '## Steps ##',
        '',
        '- one',
        '  - two',
        '- [x] done',
        '',
        '2. second',
        '3. third',
        '',
        '> Quoted.',
        '',
        '```js',
        'const a = "<b>";',
        '```',
        '',
        '![A map of the port](map.png)',
      ].join('\n'),
    );
    assert.deepEqual(lines, [
      'heading 1: Leave',
      'paragraph: Ask early, in writing, with form T-12; see the FAQ & old inline on two lines.\nHard break.',
      'heading 2: Steps',
      'list-item 1: one',
      'list-item 2: two',
      'list-item 1: [x] done',
      'list-item 1: 2. second',
      'list-item 1: 3. third',
      'paragraph: Quoted.',
      'code: const a = "<b>";',
      'paragraph: A map of the port',
    ]);
  });

  it('reads tables with their header', async () => {
    const lines = await outlineOf(
      markdownReader,
      '| Country | Weeks |\n|:--|--:|\n| **Japan** | 52 |\n| a \\| b | |\n',
    );
    assert.deepEqual(lines, [
      'header: Country | Weeks',
      'row of Country | Weeks: Japan | 52',
      'row of Country | Weeks: a | b',
    ]);
  });

  it('joins hard-wrapped Japanese without spaces', async () => {
    assert.deepEqual(await outlineOf(markdownReader, '育児休業は\n52週間です。\n以上'), [
      'paragraph: 育児休業は 52週間です。以上',
    ]);
  });

  it('reads footnotes, also those of one word', async () => {
    const lines = await outlineOf(
      markdownReader,
      'Text.[^1] More.[^note]\n\n[^1]: Short\n[^note]: A longer\n    one.\n',
    );
    assert.deepEqual(lines, [
      'paragraph: Text.[1] More.[note]',
      'paragraph: [1] Short',
      'paragraph: [note] A longer one.',
    ]);
  });

  it('reads HTML inside as HTML', async () => {
    const lines = await outlineOf(
      markdownReader,
      '<details>\n<summary>More</summary>\n\nHidden **until** opened.\n\n</details>\n\n<!-- note -->\n<script>x()</script>\n\n<table><tr><th>A<th>B<tr><td>1<td>2</table>\n',
    );
    assert.deepEqual(lines, [
      'paragraph: More',
      'paragraph: Hidden until opened.',
      'header: A | B',
      'row of A | B: 1 | 2',
    ]);
  });

  it('turns front matter into metadata', async () => {
    const document = await readSample(
      markdownReader,
      '---\ntitle: Leave policy\ncountry: [NO, JP]\nyear: 2025\nupdated: 2025-02-03\ndraft: false\nempty:\nowner:\n  name: Ada\nrows: [{a: 1}]\n---\n# Heading\n',
    );
    assert.equal(document.title, 'Leave policy');
    assert.deepEqual(
      { ...document.metadata },
      {
        country: ['NO', 'JP'],
        year: 2025,
        updated: '2025-02-03',
        draft: false,
        'owner.name': 'Ada',
      },
    );
    assert.equal(document.text, 'Heading');
    assert.equal((await readSample(markdownReader, '\ufeff---\r\ntitle: x\r\n---\r\ny')).title, 'x');
  });

  it('takes the first main heading for the title', async () => {
    assert.equal((await readSample(markdownReader, 'Intro\n\n## Not this\n\n# This')).title, 'This');
    assert.equal((await readSample(markdownReader, 'Intro')).title, undefined);
  });

  it('reads front matter that is none, or broken, as text', async () => {
    const rules = await readSample(markdownReader, '---\n\nProse between rules.\n\n---\n\nMore.');
    assert.deepEqual(rules.omissions, []);
    assert.match(rules.text, /Prose between rules\.[\s\S]*More\./);
    const broken = await readSample(markdownReader, '---\ntitle: "open\n---\nBody.');
    assert.match(broken.omissions[0]!, /not valid YAML/);
    assert.match(broken.text, /open[\s\S]*Body\./);
    const bomb = await readSample(
      markdownReader,
      `---\na: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghij'[i]}`)}]`).join('\n')}\n---\nBody.`,
    );
    assert.match(bomb.text, /Body\./);
  });

  it('survives hostile nesting', async () => {
    for (const unit of ['>', '[', '*a ', '`', '- ', '<div>\n', '|', '![a', '_a*']) {
      const document = await readSample(markdownReader, `${unit.repeat(20_000)}x\n\nlast`);
      assert.match(document.text, /last$/, unit);
    }
    assert.match((await readSample(markdownReader, `${'>'.repeat(2_000_000)}x`)).text, /x$/);
    const staircase = Array.from({ length: 1000 }, (_, depth) => `${'  '.repeat(depth)}- item ${depth}`).join('\n');
    const { text } = await readSample(markdownReader, `${staircase}\n\nlast`);
    for (let depth = 0; depth < 1000; depth += 37) assert.match(text, new RegExp(`item ${depth}$`, 'm'));
    assert.match(text, /last$/);
  });

  it('reads a long text as it reads a short one, although only a few blocks of it are in work at once', async () => {
    const section = (number: number) => [
      `## Section ${number}`,
      `See [the FAQ][faq] and ask *early*.`,
      '- one',
      '  - two',
      '',
      '| Country | Weeks |',
      '|---|---|',
      '| Japan | 52 |',
      '',
    ];
    const count = 500;
    const numbers = Array.from({ length: count }, (_, index) => index);
    // What the links refer to stands at the end, and an element of HTML is open over everything.
    const source = ['<details>', '', ...numbers.flatMap(section), '</details>', '', '[faq]: faq.html'].join('\n');
    assert.deepEqual(
      await outlineOf(markdownReader, source),
      numbers.flatMap((number) => [
        `heading 2: Section ${number}`,
        'paragraph: See the FAQ and ask early.',
        'list-item 1: one',
        'list-item 2: two',
        'header: Country | Weeks',
        'row of Country | Weeks: Japan | 52',
      ]),
    );
  });

  it('reads a list of any length as one, and what is out of place in a table of HTML where it stands', async () => {
    const numbers = Array.from({ length: 1_500 }, (_, index) => index);
    const loose = numbers.map((number) => `1. item ${number}`).join('\n\n');
    assert.deepEqual(await outlineOf(markdownReader, `${loose}\n\nend`), [
      ...numbers.map((number) => `list-item 1: ${number + 1}. item ${number}`),
      'paragraph: end',
    ]);
    const paragraphs = numbers.map((number) => `paragraph ${number}`).join('\n\n');
    const table = '<table><tr><td>a\n\nb</td></tr>\n\nmisplaced\n\n</table>';
    assert.deepEqual(await outlineOf(markdownReader, `${paragraphs}\n\nbefore\n\n${table}\n\n${paragraphs}`), [
      ...numbers.map((number) => `paragraph: paragraph ${number}`),
      'paragraph: before',
      'paragraph: misplaced',
      'paragraph: a',
      'paragraph: b',
      ...numbers.map((number) => `paragraph: paragraph ${number}`),
    ]);
  });
});
