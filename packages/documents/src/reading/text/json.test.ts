import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { jsonReader } from './json.js';
import { parseJson } from './json-text.js';
import { jsonLinesReader } from './jsonl.js';

const text = async (value: unknown) => await outlineOf(jsonReader, JSON.stringify(value));

describe('jsonReader', () => {
  it('writes values with the names that lead to them', async () => {
    assert.deepEqual(
      await text({
        name: 'Kyoto office',
        address: { city: 'Kyoto', floor: 3 },
        open: true,
        tags: ['a', 'b'],
        fax: null,
      }),
      ['paragraph: name: Kyoto office\naddress.city: Kyoto\naddress.floor: 3\nopen: true\ntags: a, b'],
    );
    assert.deepEqual(await text('just words'), ['paragraph: just words']);
    assert.deepEqual(await text([]), []);
  });

  it('makes tables of lists of like objects, and headings of members with much inside', async () => {
    const offices = Array.from({ length: 3 }, (_, index) => ({ city: `City ${index}`, seats: index * 10 }));
    assert.deepEqual(await text({ title: 'Offices', offices }), [
      'paragraph: title: Offices',
      'heading 1: offices',
      'header: city | seats',
      'row of city | seats: City 0 | 0',
      'row of city | seats: City 1 | 10',
      'row of city | seats: City 2 | 20',
    ]);
    assert.equal((await readSample(jsonReader, JSON.stringify({ title: 'Offices', offices }))).title, 'Offices');
  });

  it('keeps unlike items apart, and prose in paragraphs', async () => {
    const prose = `${'A long sentence about leave. '.repeat(10).trim()}\n\nAnother paragraph.`;
    assert.deepEqual(
      await text({ items: [{ kind: 'note', text: prose }, 'plain', { toString: 1, other: [1, [2, 3]] }] }),
      [
        'heading 1: items',
        `paragraph: kind: note`,
        `paragraph: text: ${prose.split('\n')[0]}`,
        'paragraph: Another paragraph.',
        'list-item 1: plain',
        'heading 2: items 3',
        'paragraph: toString: 1',
        'heading 3: other',
        'list-item 1: 1',
        'paragraph: 2, 3',
      ],
    );
  });

  const written =
    '1234567890123456789 12345678901234567 1.10 0.00 -0 -0.0 1e400 1E+2 0.1e-7 0.0000001 0.12345678901234567890 -100.50'.split(
      ' ',
    );

  it('keeps numbers as they are written', async () => {
    for (const number of written) {
      for (const source of [
        `{"id": ${number}, "next": 7}`,
        `{"id":${number}}`,
        `[${number},1]`,
        `${number}`,
        `{"a\\\\": "\\" 1.10 \\\\", "id": ${number} // so\n}`,
      ]) {
        const lines = (await outlineOf(jsonReader, source)).join('\n');
        assert.ok(lines.split(/[ :,\n]+/).includes(number), `${source}: ${lines}`);
        assert.equal((lines.match(/"/g) ?? []).length, source.includes('so') ? 1 : 0, lines);
      }
    }
    const table = written.map((number, index) => `{"n":${index},"price":${number}}`);
    assert.deepEqual(
      (await outlineOf(jsonLinesReader, table.join('\n'))).slice(1),
      written.map((number, index) => `row of n | price: ${index} | ${number}`),
    );
    const parsed = JSON.stringify(parseJson(`[1, 1.5, 10, 0, 123456789012345, 0.000001, "1.10", true, {"1.10": 1.0}]`));
    assert.equal(parsed, `{"value":[1,1.5,10,0,123456789012345,0.000001,"1.10",true,{"1.10":"1.0"}]}`);
  });

  it('makes no JSON of what is none by keeping its numbers', () => {
    for (const source of [
      '{1.10: 2}',
      '[01.10]',
      '[1.10.20]',
      '[+1.10]',
      '[-01.50]',
      '[1.10 1.20]',
      '[1.10',
      '{"a": "1.10}',
    ]) {
      assert.ok('problem' in parseJson(source), source);
    }
  });

  it('reads configuration files with comments', async () => {
    const lines = await outlineOf(
      jsonReader,
      '// why\n{ "url": "http://a//b", /* no */ "list": [1, 2,], }\n',
      'tsconfig.json',
    );
    assert.deepEqual(lines, ['paragraph: url: http://a//b\nlist: 1, 2']);
  });

  it('reads what is not JSON as text, and says where it stopped', async () => {
    const document = await readSample(jsonReader, '{\n  "a": 1,\n  "b" 2\n}\nThe end.', 'broken.json');
    assert.match(document.text, /The end\./);
    assert.deepEqual(document.omissions, [
      'it is not valid JSON and was read as plain text: line 3, column 7: a colon is missing',
    ]);
  });

  it('reads one value a line under the name of JSON too', async () => {
    const lines = await outlineOf(jsonReader, '{"a":1,"b":2}\n{"a":3,"b":4}\n');
    assert.deepEqual(lines, ['header: a | b', 'row of a | b: 1 | 2', 'row of a | b: 3 | 4']);
  });

  it('is not overcome by deep or wide values', async () => {
    const deep = await readSample(jsonReader, `${'['.repeat(100_000)}"core"${']'.repeat(100_000)}`);
    assert.match(deep.text, /core/);
    const nested = await readSample(jsonReader, `${'{"a":'.repeat(50_000)}"core"${'}'.repeat(50_000)}`);
    assert.match(nested.text, /a: core/);
    const wide = await readSample(
      jsonReader,
      JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i]))),
    );
    assert.match(wide.text, /k49999: 49999/);
    const long = await readSample(jsonReader, `{"a": "${'\\n'.repeat(2_000_000)}`, 'long.json');
    assert.match(long.omissions[0] ?? '', /not valid JSON/);
  });
});

describe('parseJson', () => {
  for (const [source, line, column, problem] of [
    ['', 1, 1, /too early/],
    ['{"a": [1, 2', 1, 12, /too early/],
    ['{"a": 1\n}x', 2, 2, /is not JSON/],
    ['[1 2]', 1, 4, /comma/],
    ['{"a" 1}', 1, 6, /colon/],
    ['{a: 1}', 1, 2, /is not JSON/],
    ['{1: 1}', 1, 2, /name in double/],
    ['[1}', 1, 3, /does not belong/],
    ['["a\nb"]', 1, 2, /is not JSON/],
    ['[:]', 1, 2, /value is missing/],
  ] as const) {
    it(`says where ${JSON.stringify(source)} stops being JSON`, () => {
      const parsed = parseJson(source);
      assert.ok('problem' in parsed);
      assert.deepEqual([parsed.line, parsed.column], [line, column], parsed.problem);
      assert.match(parsed.problem, problem);
    });
  }
});

describe('jsonLinesReader', () => {
  it('reads like objects as a table, across hundreds of lines', async () => {
    const lines = Array.from({ length: 500 }, (_, index) => JSON.stringify({ id: index, name: `Name ${index}` }));
    lines[300] = '{"id": 300, "name": "Name 300", "extra": {"a": 1}}';
    const outline = await outlineOf(jsonLinesReader, lines.join('\n'));
    assert.deepEqual(outline.slice(0, 2), ['header: id | name', 'row of id | name: 0 | Name 0']);
    assert.equal(outline[301], 'paragraph: id: 300\nname: Name 300\nextra.a: 1');
    assert.equal(outline[302], 'row of id | name: 301 | Name 301');
    assert.equal(outline.length, 501);
  });

  it('keeps lines that are not JSON, and counts them', async () => {
    const document = await readSample(jsonLinesReader, '{"text": "one"}\nnot json\n\n{"text": "two"}\n{"text":');
    assert.deepEqual(document.omissions, [
      '2 of 5 lines are not valid JSON and were read as plain text, the first of them line 2',
    ]);
    assert.match(document.text, /text: one\n\nnot json\n\ntext: two/);
  });
});
