import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { sharedFile } from '@aquifer/contracts/testing';
import { outline, readSample } from '../testing/document-outline.js';
import { pdfExamples, shownText } from '../testing/pdf-examples.js';
import { pdfReader } from './pdf.js';

const { path: folder, ...skip } = sharedFile('documents', import.meta.url, process.env.AQUIFER_SHARED);
const read = (path: string) => readSample(pdfReader, readFileSync(`${folder}/pdf/${path}`), path);

/** Whether the texts come in this order. */
function assertOrder(text: string, places: readonly string[]): void {
  let position = -1;
  for (const place of places) {
    const found = text.indexOf(place, position + 1);
    assert.ok(found > position, `"${place}" should come after what precedes it`);
    position = found;
  }
}

describe('docs/pdf.md', () => {
  const page = readFileSync(new URL('../../../../docs/pdf.md', import.meta.url), 'utf8');
  for (const { name, bytes } of pdfExamples) {
    it(`shows what is read of ${name}`, async () => {
      const text = shownText(await readSample(pdfReader, bytes, `${name}.pdf`));
      assert.ok(page.includes(`<pre>\n${text}\n</pre>`), `node scripts/write-pdf-page.mjs\n\n${text}`);
    });
  }
});

describe('PDFs that other projects test their readers with', skip, () => {
  it('two columns: footnotes interrupt no sentence, tables of words keep their rows, strange fonts are left out', async () => {
    const document = await read('multicolumn/pdf.js__tracemonkey.pdf');
    assertOrder(document.text, [
      'standard for client-side web programming and is used for the application logic',
      'subsequent loop iterations.',
      'Permission to make digital or hard copies',
      'Hence, recording and compiling a trace',
    ]);
    const rows = outline(document);
    assert.ok(rows.includes('row of Tag | JS Type | Description: 100 | string | pointer to JSString handle'));
    assert.doesNotMatch(document.text, /<6>\?J/);
    assert.match(document.omissions.join(), /2 of 14 pages \(10, 13\) have text in fonts/);
  });

  it('a paper with an abstract: the note at the foot of its first column comes after the second', async () => {
    const { text } = await read('multicolumn/tika__testJournalParser.pdf');
    assertOrder(text, ['(all robots are controlled by a single global control signal)', '*Contact: Vahid Foroutan']);
  });

  it('a report with ruled tables: cells of several lines, headings over columns, two tables in one grid', async () => {
    const rows = outline(await read('chinese_rtl/pdfplumber__issue-67-example.pdf'));
    const header =
      '股东名称 | 股东性质 | 持股比例 | 持股数量 | 持有有限售条件的股份数量 | 质押或冻结情况股份状态 | 质押或冻结情况数量';
    assert.ok(
      rows.includes(
        `row of ${header}: 北京海鸿源投资管理有限公司 | 境内非国有法人 | 9.33% | 81,494,850 | | 质押 | 81,494,850`,
      ),
    );
    assert.ok(rows.includes('paragraph: 前10名无限售条件股东持股情况'));
  });

  it('a wide table of amounts, upright and turned, gives the same rows', async () => {
    const [upright, turned] = await Promise.all([
      read('tables/pdfplumber__nics-background-checks-2015-11.pdf'),
      read('tables/pdfplumber__nics-background-checks-2015-11-rotated.pdf'),
    ]);
    assert.equal(upright.text, turned.text);
    assert.match(upright.text, /^Alabama \| 18,870 \| 23,022 \| .* \| 71,137$/m);
  });

  it('a table without lines: descriptions on a second line stay with their row', async () => {
    const { text } = await read('tables/pdfplumber__senate-expenditures.pdf');
    assert.match(text, /^DHAW20190001 \| 05\/03\/2019 \| .*STAFF TRANSPORTATION AIRFARE FOR E JOHNSON.* \| 920\.68$/m);
  });

  it('Japanese, from left to right and from top to bottom', async () => {
    const horizontal = await read('japanese/pdf.js__issue16538.pdf');
    assert.match(horizontal.text, /「取引できない商品」がマクロ経済変数など/);
    assert.match((await read('japanese/pdf.js__vertical.pdf')).text, /^あいうえお日本語/);
    const mixed = await read('japanese/pdfplumber__issue-463-example.pdf');
    assertOrder(mixed.text, [
      'Header 2.2',
      'Never once considering how in the world',
      'Header 2.3',
      'The rabbit-hole went',
    ]);
  });

  it('scans are counted and named', async () => {
    const { text, omissions } = await read('scanned_no_text/pdf.js__issue5481.pdf');
    assert.equal(text, '');
    assert.match(omissions.join(), /^All 3 pages are scans or drawings without text/);
  });
});
