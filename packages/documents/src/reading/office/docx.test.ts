import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { docxOf, oleOf, zipOf } from '../../testing/office-samples.js';
import { docxReader } from './docx.js';

const run = (text: string) => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`;
const paragraph = (content: string, properties = '') =>
  `<w:p>${properties && `<w:pPr>${properties}</w:pPr>`}${content.startsWith('<') ? content : run(content)}</w:p>`;
const styled = (style: string, text: string) => paragraph(text, `<w:pStyle w:val="${style}"/>`);
const row = (cells: readonly string[], properties = '') =>
  `<w:tr>${properties}${cells.map((cell) => `<w:tc>${cell.startsWith('<') ? cell : paragraph(cell)}</w:tc>`).join('')}</w:tr>`;
const style = (id: string, name: string, more = '') =>
  `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/>${more}</w:style>`;

describe('docxReader', () => {
  it('finds headings by their style: named in any language, by outline level, or based on another', async () => {
    const styles = `<w:styles>${[
      style('Title', 'Title'),
      style('Heading1', 'heading 1', '<w:pPr><w:outlineLvl w:val="0"/></w:pPr>'),
      style('Corporate', "ACME's big one", '<w:basedOn w:val="Heading1"/>'),
      style('a', '見出し 2'),
      style('Deep', 'Deep', '<w:pPr><w:outlineLvl w:val="7"/></w:pPr>'),
      style('Loop', 'Loop', '<w:basedOn w:val="Loop"/>'),
    ].join('')}</w:styles>`;
    const body = [
      styled('Title', 'Leave'),
      styled('Heading1', 'Parental'),
      styled('Corporate', 'Sick'),
      styled('a', '産休'),
      styled('Deep', 'Deep'),
      styled('Loop', 'Text.'),
    ].join('');
    const document = await readSample(docxReader, docxOf(body, { 'word/styles.xml': styles }));
    assert.equal(document.title, 'Leave');
    assert.deepEqual(await outlineOf(docxReader, docxOf(body, { 'word/styles.xml': styles })), [
      'heading 1: Leave',
      'heading 1: Parental',
      'heading 1: Sick',
      'heading 2: 産休',
      'heading 6: Deep',
      'paragraph: Text.',
    ]);
  });

  it('leaves out the table of contents', async () => {
    const styles = `<w:styles>${style('TOC1', 'toc 1')}</w:styles>`;
    const body = styled('TOC1', 'Leave ........ 3') + paragraph('Text.');
    assert.deepEqual(await outlineOf(docxReader, docxOf(body, { 'word/styles.xml': styles })), ['paragraph: Text.']);
  });

  it('numbers lists as Word prints them, also where they go on after a paragraph', async () => {
    const level = (index: number, format: string, text = `%${index + 1}.`, more = '') =>
      `<w:lvl w:ilvl="${index}"><w:start w:val="1"/><w:numFmt w:val="${format}"/>${more}<w:lvlText w:val="${text}"/></w:lvl>`;
    const numbering = `<w:numbering><w:abstractNum w:abstractNumId="0">${level(0, 'decimal')}${level(1, 'bullet', '·')}${level(2, 'lowerRoman', '%1-%3)')}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num></w:numbering>`;
    const item = (depth: number, text: string, list = 1) =>
      paragraph(text, `<w:numPr><w:ilvl w:val="${depth}"/><w:numId w:val="${list}"/></w:numPr>`);
    const body = [
      item(0, 'first'),
      item(1, 'inner'),
      item(2, 'deep'),
      paragraph('Between.'),
      item(0, 'second'),
      item(0, ''),
      item(2, 'deep again'),
      item(0, 'new', 2),
      paragraph('gone', '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="0"/></w:numPr>'),
    ].join('');
    assert.deepEqual(await outlineOf(docxReader, docxOf(body, { 'word/numbering.xml': numbering })), [
      'list-item 1: 1. first',
      'list-item 2: inner',
      'list-item 3: 1-i) deep',
      'paragraph: Between.',
      'list-item 1: 2. second',
      'list-item 3: 3-i) deep again',
      'list-item 1: 7. new',
      'paragraph: gone',
    ]);
  });

  it('numbers headings by their style, and takes no notice of what properties were before a change', async () => {
    const numbering = `<w:numbering><w:abstractNum w:abstractNumId="0">${[0, 1]
      .map(
        (index) =>
          `<w:lvl w:ilvl="${index}"><w:start w:val="1"/><w:numFmt w:val="${index === 0 ? 'japaneseCounting' : 'decimal'}"/><w:pStyle w:val="H${index + 1}"/>${index === 1 ? '<w:isLgl/>' : ''}<w:lvlText w:val="${index === 0 ? '第%1章' : '%1.%2'}"/></w:lvl>`,
      )
      .join('')}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>`;
    const numbered = '<w:numPr><w:numId w:val="1"/></w:numPr>';
    const styles = `<w:styles>${style('H1', 'heading 1', `<w:pPr>${numbered}</w:pPr>`)}${style('H2', 'heading 2', `<w:pPr>${numbered}</w:pPr>`)}</w:styles>`;
    const body =
      styled('H1', '総則') +
      styled('H2', 'Scope') +
      styled('H2', 'Terms &amp; more') +
      paragraph('Text.', `<w:pPrChange><w:pPr>${numbered}</w:pPr></w:pPrChange>`) +
      styled('H1', '休暇') +
      styled('H2', 'Who');
    const file = docxOf(body, { 'word/numbering.xml': numbering, 'word/styles.xml': styles });
    assert.deepEqual(await outlineOf(docxReader, file), [
      'heading 1: 第一章 総則',
      'heading 2: 1.1 Scope',
      'heading 2: 1.2 Terms & more',
      'paragraph: Text.',
      'heading 1: 第二章 休暇',
      'heading 2: 2.1 Who',
    ]);
  });

  it('reads tables with their header and cells over several rows', async () => {
    const merged = (value: string, text: string) => `<w:tcPr><w:vMerge${value}/></w:tcPr>${paragraph(text)}`;
    const table = `<w:tbl>${row(['Country', 'Weeks'], '<w:trPr><w:tblHeader/></w:trPr>')}${row([merged(' w:val="restart"', 'Japan'), '52'])}${row([merged('', ' '), '28'])}</w:tbl>`;
    assert.deepEqual(await outlineOf(docxReader, docxOf(table)), [
      'header: Country | Weeks',
      'row of Country | Weeks: Japan | 52',
      'row of Country | Weeks: Japan | 28',
    ]);
  });

  it('reads footnotes at the end, without the arrow back', async () => {
    const footnotes = `<w:footnotes><w:footnote w:id="2">${paragraph('Only in spring.')}</w:footnote></w:footnotes>`;
    const body = paragraph(`${run('Ask early')}<w:r><w:footnoteReference w:id="2"/></w:r>`);
    assert.deepEqual(await outlineOf(docxReader, docxOf(body, { 'word/footnotes.xml': footnotes })), [
      'paragraph: Ask early[1]',
      'list-item 1: Only in spring.',
    ]);
  });

  it('reads what stands under phonetic guides, and formulas', async () => {
    const ruby = `<w:r><w:ruby><w:rubyPr/><w:rt>${run('とうきょう')}</w:rt><w:rubyBase>${run('東京')}</w:rubyBase></w:ruby></w:r>`;
    const formula = '<m:oMath><m:r><m:t>E=mc</m:t></m:r></m:oMath>';
    assert.deepEqual(await outlineOf(docxReader, docxOf(paragraph(ruby + run('へ')) + paragraph(formula))), [
      'paragraph: 東京へ',
      'paragraph: E=mc',
    ]);
  });

  it('leaves out what was deleted, and keeps what was inserted', async () => {
    const body = paragraph(
      `${run('kept ')}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins>${run('new')}</w:ins>`,
    );
    assert.deepEqual(await outlineOf(docxReader, docxOf(body)), ['paragraph: kept new']);
  });

  it('reads the properties of the file', async () => {
    const core =
      '<cp:coreProperties><dc:title>Leave &amp; care</dc:title><dc:creator>Ada</dc:creator><dcterms:modified xsi:type="x">2025-01-10T09:00:00Z</dcterms:modified><dc:description> </dc:description></cp:coreProperties>';
    const document = await readSample(docxReader, docxOf(paragraph('Text.'), { 'docProps/core.xml': core }));
    assert.equal(document.title, 'Leave & care');
    assert.deepEqual({ ...document.metadata }, { author: 'Ada', modified: '2025-01-10T09:00:00Z' });
  });

  it('says what is wrong with files that it cannot read', async () => {
    const refuses = (bytes: Uint8Array, code: string, message: RegExp) =>
      assert.rejects(readSample(docxReader, bytes, 'a.docx'), { code, message });
    await refuses(
      oleOf('EncryptedPackage'),
      'password-required',
      /^a\.docx is protected with a password.* save a copy/,
    );
    await refuses(oleOf('WordDocument'), 'unsupported-format', /old Office version\. Open it and save it as \.docx/);
    await refuses(Buffer.from('just text'), 'unsupported-format', /^a\.docx is plain text, not a Word document/);
    await refuses(docxOf(paragraph('x')).subarray(0, 400), 'invalid-document', /cut off/);
    await refuses(zipOf({ 'a.txt': 'x' }), 'invalid-document', /Open it in Word/);
    await refuses(docxOf('<w:p></w:r>'), 'invalid-document', /Open it in Word/);
    await refuses(docxOf('<w:p><w:r'), 'invalid-document', /word\/document\.xml is not as Office writes it/);
    await refuses(docxOf('<w:tbl><w:tr><w:tc>'.repeat(20_000)), 'invalid-document', /not as Office writes it/);
    await refuses(
      zipOf({ 'word/document.xml': '<!DOCTYPE a [<!ENTITY b "c">]>' }),
      'invalid-document',
      /not as Office writes it/,
    );
  });
});
