import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { encodeText } from '../../testing/encode-text.js';
import { csvReader } from './csv.js';

describe('csvReader', () => {
  it('reads rows under the names of their columns', async () => {
    const lines = await outlineOf(
      csvReader,
      'Country,Weeks,Note\r\nJapan,52,\r\nNorway,"49, or 59","paid ""in full"""\r\n',
    );
    assert.deepEqual(lines, [
      'header: Country | Weeks | Note',
      'row of Country | Weeks | Note: Japan | 52',
      'row of Country | Weeks | Note: Norway | 49, or 59 | paid "in full"',
    ]);
  });

  it('finds the delimiter, whatever else stands in the cells', async () => {
    const expected = [
      'header: name | amount',
      'row of name | amount: Ann, Bob | 1,5',
      'row of name | amount: Eve; Al | 2,25',
    ];
    for (const delimiter of [';', '\t', '|']) {
      const cells = [
        ['name', 'amount'],
        ['Ann, Bob', '1,5'],
        ['"Eve; Al"', '2,25'],
      ];
      const text = cells.map((row) => row.join(delimiter)).join('\n');
      assert.deepEqual(await outlineOf(csvReader, text, 'a.csv'), expected, JSON.stringify(delimiter));
      assert.deepEqual(await outlineOf(csvReader, `sep=${delimiter}\n${text}`, 'a.csv'), expected);
    }
    assert.deepEqual(await outlineOf(csvReader, 'a b\tc, d\ne\tf', 'a.tsv'), [
      'header: a b | c, d',
      'row of a b | c, d: e | f',
    ]);
  });

  it('keeps cells of several lines, empty cells and rows of other lengths', async () => {
    assert.deepEqual(await outlineOf(csvReader, 'id,text,tag\n1,"two\nlines",x\n\n2,,y\n3,plain,z,extra\n'), [
      'header: id | text | tag',
      'row of id | text | tag: 1 | two lines | x',
      'row of id | text | tag: 2 | | y',
      'row of id | text | tag: 3 | plain | z | extra',
    ]);
  });

  it('has no header where the first row is data, and reads titles above the table', async () => {
    assert.deepEqual(await outlineOf(csvReader, '1,2\n3,4\n'), ['row: 1 | 2', 'row: 3 | 4']);
    assert.deepEqual(await outlineOf(csvReader, 'Squares,,\n,,\n,Number,Square\n,1,1\n,2,4\n'), [
      'paragraph: Squares',
      'header: Number | Square',
      'row of Number | Square: 1 | 1',
      'row of Number | Square: 2 | 4',
    ]);
  });

  it('goes on with rows after the first hundreds as it began, losing no cell', async () => {
    const rows = Array.from({ length: 1_000 }, (_, index) => `${index},name ${index}`);
    rows[700] += ',a remark';
    const lines = await outlineOf(csvReader, `id,name\n${rows.join('\n')}\n`);
    assert.equal(lines.length, 1_001);
    assert.equal(lines[1_000], 'row of id | name: 999 | name 999');
    assert.equal(lines[701], 'row of id | name: 700 | name 700 | a remark');
  });

  it('reads on where a long text is parsed in pieces, in the middle of characters, quotation marks and line ends', async () => {
    // An odd length, so that each piece begins at another place of a row.
    const rows = Array.from({ length: 40_000 }, (_, index) => `${10_000 + index},"two\r\nlines","""😀""",😀😀x\r\n`);
    assert.equal(rows[0]!.length, 35);
    const lines = await outlineOf(csvReader, `id,text,sign,rest\r\n${rows.join('')}`);
    assert.equal(lines.length, 40_001);
    for (const [index, line] of lines.slice(1).entries()) {
      assert.equal(line, `row of id | text | sign | rest: ${10_000 + index} | two lines | "😀" | 😀😀x`);
    }
  });

  it('reads nothing from a table without rows', async () => {
    for (const text of ['sep=;\r\n', ',,\n,,\n', '\n']) assert.deepEqual(await outlineOf(csvReader, text), [], text);
  });

  it('reads quotation marks that are never closed as characters', async () => {
    assert.deepEqual(await outlineOf(csvReader, 'size,name\n5,"half inch\n6,bolt\n'), [
      'header: size | name',
      'row of size | name: 5 | "half inch',
      'row of size | name: 6 | bolt',
    ]);
    assert.deepEqual(await outlineOf(csvReader, 'size,name\n5",a 5" pipe\n'), [
      'header: size | name',
      'row of size | name: 5" | a 5" pipe',
    ]);
  });

  it('reads what Excel exports in Japan', async () => {
    const lines = await outlineOf(csvReader, encodeText('氏名,部署\r\n田中太郎,総務部\r\n', 'shift_jis'));
    assert.deepEqual(lines, ['header: 氏名 | 部署', 'row of 氏名 | 部署: 田中太郎 | 総務部']);
  });

  it('refuses a row without an end, naming the file', async () => {
    await assert.rejects(readSample(csvReader, `a,b\n${'x'.repeat(3 * 2 ** 20)}`, 'endless.csv'), {
      code: 'invalid-document',
      message: /endless\.csv has a row of more than/,
    });
  });
});
