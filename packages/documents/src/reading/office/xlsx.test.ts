import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { oleOf, xlsxOf, zipOf } from '../../testing/office-samples.js';
import { xlsxReader } from './xlsx.js';

/** Cells of one row from column A on. A string stands inline; a tuple has the index of a format. */
const row = (number: number, cells: readonly (string | number | readonly [number, number] | undefined)[]) =>
  `<row r="${number}">${cells
    .map((cell, index) => {
      const reference = `r="${String.fromCharCode(65 + index)}${number}"`;
      if (cell === undefined) return '';
      if (typeof cell === 'string') return `<c ${reference} t="inlineStr"><is><t>${cell}</t></is></c>`;
      return typeof cell === 'number'
        ? `<c ${reference}><v>${cell}</v></c>`
        : `<c ${reference} s="${cell[1]}"><v>${cell[0]}</v></c>`;
    })
    .join('')}</row>`;

const styles = `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/><numFmt numFmtId="165" formatCode="0.0&quot;%&quot;"/></numFmts>
  <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="9"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="20"/></cellXfs></styleSheet>`;

describe('xlsxReader', () => {
  it('reads every sheet that is not empty, rows with their header', async () => {
    const sheets = {
      Rates: row(1, ['City', 'Rate']) + row(2, ['Oslo', 72]) + row(4, ['Tokyo', 66.5]),
      Empty: '',
      'A &amp; B': row(3, [undefined, 'only']),
    };
    assert.deepEqual(await outlineOf(xlsxReader, xlsxOf(sheets)), [
      'heading 1: Rates',
      'header: City | Rate',
      'row of City | Rate: Oslo | 72',
      'row of City | Rate: Tokyo | 66.5',
      'heading 1: A & B',
      'row: only',
    ]);
  });

  it('shows dates in ISO order, percentages as such, and numbers without artefacts', async () => {
    const sheet =
      row(1, ['a', 'b', 'c', 'd', 'e', 'f', 'g']) +
      row(2, [[45658, 1], [45883.375, 2], [0.35, 3], [45931, 4], [12.5, 5], [0.75, 6], 0.1 + 0.2]);
    const lines = await outlineOf(xlsxReader, xlsxOf({ S: sheet }, { 'xl/styles.xml': styles }));
    assert.equal(
      lines.at(-1),
      'row of a | b | c | d | e | f | g: 2025-01-01 | 2025-08-14 09:00 | 35% | 2025-10-01 | 12.5 | 18:00 | 0.3',
    );
  });

  it('takes titles above a table for paragraphs, and repeats cells over several rows', async () => {
    const sheet = `<worksheet><sheetData>${row(1, ['Price list'])}${row(3, ['Group', 'Part', 'Price'])}${row(4, ['Gauges', 'A', 1])}${row(5, [undefined, 'B', 2])}${row(6, ['Kits', 'C', 3])}</sheetData><mergeCells><mergeCell ref="A1:C1"/><mergeCell ref="A4:A5"/></mergeCells></worksheet>`;
    assert.deepEqual(await outlineOf(xlsxReader, xlsxOf({ S: sheet })), [
      'heading 1: S',
      'paragraph: Price list',
      'header: Group | Part | Price',
      'row of Group | Part | Price: Gauges | A | 1',
      'row of Group | Part | Price: Gauges | B | 2',
      'row of Group | Part | Price: Kits | C | 3',
    ]);
  });

  it('drops empty columns, and keeps cells under their names', async () => {
    const sheet =
      row(1, [undefined, 'Name', undefined, 'Age', 'Town']) +
      row(2, [undefined, 'Ada', undefined, undefined, 'Bergen']);
    assert.deepEqual(await outlineOf(xlsxReader, xlsxOf({ S: sheet })), [
      'heading 1: S',
      'header: Name | Age | Town',
      'row of Name | Age | Town: Ada | | Bergen',
    ]);
  });

  it('reads cells and rows that do not say where they are as those that do', async () => {
    const sheetOf = (place: (address: string) => string) => {
      const rows = (
        [
          ['Group', 'Part', 'Share'],
          ['Gauges', 'A', 0.25],
          [undefined, 'B', 0.5],
        ] as const
      ).map((cells, index) => {
        const number = index + 3;
        const inner = cells.map((cell, column) => {
          const address = place(`${'ABC'[column]}${number}`);
          if (cell === undefined) return `<c${address} s="1"/>`;
          if (typeof cell === 'number') return `<c${address} s="3"><v>${cell}</v></c>`;
          return `<c${address} t="inlineStr"><is><t>${cell}</t></is></c>`;
        });
        // A row may say where it is after some that do not.
        return `<row${index === 0 ? ' r="3"' : place(`${number}`)}>${inner.join('')}</row>`;
      });
      const wide = `<row${place('6')}>${Array.from({ length: 28 }, (_, column) => {
        const letters = column < 26 ? String.fromCharCode(65 + column) : `A${'AB'[column - 26]}`;
        return `<c${place(`${letters}6`)}>${column < 25 ? '' : `<v>${column}</v>`}</c>`;
      }).join('')}</row>`;
      return `<worksheet><sheetData><row${place('1')}/><row${place('2')}><c${place('A2')} t="s"/></row>${rows.join('')}${wide}</sheetData><mergeCells><mergeCell ref="A4:A5"/></mergeCells></worksheet>`;
    };
    const linesOf = (sheet: string) => outlineOf(xlsxReader, xlsxOf({ S: sheet }, { 'xl/styles.xml': styles }));
    const placed = await linesOf(sheetOf((address) => ` r="${address}"`));
    assert.deepEqual(placed, [
      'heading 1: S',
      'header: Group | Part | Share',
      'row of Group | Part | Share: Gauges | A | 25%',
      'row of Group | Part | Share: Gauges | B | 50%',
      'row of Group | Part | Share: | | | 25 | 26 | 27',
    ]);
    assert.deepEqual(await linesOf(sheetOf(() => '')), placed);
    // Attributes are optional altogether.
    const bare = '<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>';
    assert.deepEqual(await linesOf(bare), ['heading 1: S', 'row: 1 | 2', 'row: 3']);
  });

  it('reads past cells without a value and sheets that are nothing but a chart', async () => {
    const sheet =
      '<row r="1"><c r="A1"><v>1</v></c><c r="B1" t="str"><f>NOW()</f></c><c r="C1" t="s"/><c r="D1" t="b"><v>1</v></c></row>';
    assert.deepEqual(await outlineOf(xlsxReader, xlsxOf({ S: sheet })), ['heading 1: S', 'row: 1 | TRUE']);
    const workbook = (names: readonly string[]) =>
      `<workbook xmlns:r="x"><sheets>${names.map((name) => `<sheet name="${name}" r:id="${name}"/>`).join('')}</sheets></workbook>`;
    const relation = (id: string, kind: string) =>
      `<Relationship Id="${id}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${kind}" Target="${kind}s/sheet0.xml"/>`;
    const parts = (names: readonly string[]) => ({
      'xl/workbook.xml': workbook(names),
      'xl/_rels/workbook.xml.rels': `<Relationships>${relation('Chart', 'chartsheet')}${relation('S', 'worksheet')}</Relationships>`,
    });
    assert.deepEqual(await outlineOf(xlsxReader, xlsxOf({ S: row(1, ['x']) }, parts(['Chart', 'S']))), [
      'heading 1: S',
      'row: x',
    ]);
    assert.deepEqual(await outlineOf(xlsxReader, xlsxOf({}, parts(['Chart']))), []);
  });

  it('refuses a sheet that reaches too far, and reads one with a far cell', async () => {
    const far = (cell: string) => `${row(1, ['near'])}<row r="1048576"><c r="${cell}1048576"><v>2</v></c></row>`;
    await assert.rejects(readSample(xlsxReader, xlsxOf({ Big: far('XFD') }), 'a.xlsx'), {
      code: 'too-large',
      message: /a\.xlsx: the sheet "Big" reaches to row 1048576, column 16384/,
    });
    assert.match((await readSample(xlsxReader, xlsxOf({ S: far('B') }))).text, /near[\s\S]*2/);
  });

  it('says what is wrong with files that it cannot read', async () => {
    const refuses = (bytes: Uint8Array, code: string, message: RegExp) =>
      assert.rejects(readSample(xlsxReader, bytes, 'a.xlsx'), { code, message });
    await refuses(oleOf('EncryptedPackage'), 'password-required', /a\.xlsx is protected with a password/);
    await refuses(oleOf('Workbook'), 'unsupported-format', /save it as \.xlsx/);
    await refuses(Buffer.from('%PDF-1.7'), 'unsupported-format', /a\.xlsx is a PDF, not an Excel workbook/);
    await refuses(zipOf({ 'xl/workbook.xml': '<workbook/>' }), 'invalid-document', /Open it in Excel/);
    await refuses(xlsxOf({ S: '<row><c r="A1"><v>1' }), 'invalid-document', /Open it in Excel/);
  });
});
