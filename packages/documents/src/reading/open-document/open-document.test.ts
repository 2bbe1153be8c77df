import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openDocumentOf } from '../../testing/archive-samples.js';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { zipOf } from '../../testing/office-samples.js';
import { odpReader } from './odp.js';
import { odsReader } from './ods.js';
import { odtReader } from './odt.js';

const p = (text: string, style = '') => `<text:p${style && ` text:style-name="${style}"`}>${text}</text:p>`;
const cells = (texts: readonly string[]) =>
  texts.map((text) => `<table:table-cell>${p(text)}</table:table-cell>`).join('');
const row = (...texts: string[]) => `<table:table-row>${cells(texts)}</table:table-row>`;

describe('odtReader', () => {
  const textOf = (body: string, parts: Record<string, string> = {}) =>
    openDocumentOf('text', `<office:text>${body}</office:text>`, parts);

  it('reads headings by outline level, by style and by what a style is derived from', async () => {
    const parts = {
      'styles.xml':
        '<office:document-styles><style:style style:family="paragraph" style:name="Company" style:default-outline-level="2"/><style:style style:family="paragraph" style:name="x" style:display-name="見出し 3"/></office:document-styles>',
      automaticStyles:
        '<office:automatic-styles><style:style style:family="paragraph" style:name="P1" style:parent-style-name="Company"/></office:automatic-styles>',
    };
    const body = `${p('Leave', 'Title')}<text:h text:outline-level="1">Who</text:h>${p('When', 'P1')}${p('いつ', 'x')}${p('Now.', 'Standard')}`;
    const document = await readSample(odtReader, textOf(body, parts));
    assert.equal(document.title, 'Leave');
    assert.deepEqual(await outlineOf(odtReader, textOf(body, parts)), [
      'heading 1: Leave',
      'heading 1: Who',
      'heading 2: When',
      'heading 3: いつ',
      'paragraph: Now.',
    ]);
  });

  it('collapses white space, keeps line breaks, and leaves out what is deleted, noted or read aloud', async () => {
    const body =
      '<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion></text:changed-region></text:tracked-changes>' +
      p('two\n   words<text:s text:c="5"/>and<text:tab/>tab<text:line-break/>line') +
      p(
        '<text:ruby><text:ruby-base>東京</text:ruby-base><text:ruby-text>とうきょう</text:ruby-text></text:ruby>へ<office:annotation><text:p>remark</text:p></office:annotation>',
      ) +
      '<text:table-of-content><text:index-body><text:p>Who 1</text:p></text:index-body></text:table-of-content>';
    assert.deepEqual(await outlineOf(odtReader, textOf(body)), [
      'paragraph: two words and tab\nline',
      'paragraph: 東京へ',
    ]);
  });

  it('counts lists, also where they go on after a paragraph', async () => {
    const automaticStyles =
      '<office:automatic-styles><text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1"/><text:list-level-style-bullet text:level="2"/></text:list-style></office:automatic-styles>';
    const item = (content: string) => `<text:list-item>${content}</text:list-item>`;
    const body =
      `<text:list xml:id="a" text:style-name="L1">${item(p('One') + p('more of one'))}${item(`${p('Two')}<text:list>${item(p('dot'))}</text:list>`)}</text:list>` +
      p('Between') +
      `<text:list text:style-name="L1" text:continue-list="a">${item(p('Three'))}</text:list>` +
      `<text:list text:style-name="L1">${item(p('New'))}</text:list>`;
    assert.deepEqual(await outlineOf(odtReader, textOf(body, { automaticStyles })), [
      'list-item 1: 1. One',
      'list-item 1: more of one',
      'list-item 1: 2. Two',
      'list-item 2: dot',
      'paragraph: Between',
      'list-item 1: 3. Three',
      'list-item 1: 1. New',
    ]);
  });

  it('reads tables with their header, cells over rows and columns, and those that only place things', async () => {
    const body =
      `<table:table><table:table-header-rows><table:table-row><table:table-cell table:number-columns-spanned="2">${p('Weeks')}</table:table-cell><table:covered-table-cell/><table:table-cell>${p('Note')}</table:table-cell></table:table-row></table:table-header-rows>` +
      `<table:table-row><table:table-cell table:number-rows-spanned="2">${p('Japan')}</table:table-cell>${cells(['52', 'a'])}</table:table-row>` +
      `<table:table-row><table:covered-table-cell/>${cells(['4', 'b'])}</table:table-row></table:table>` +
      `<table:table><table:table-row><table:table-cell><text:h text:outline-level="2">Box</text:h>${p('Text')}</table:table-cell></table:table-row></table:table>`;
    assert.deepEqual(await outlineOf(odtReader, textOf(body)), [
      'header: Weeks | Weeks | Note',
      'row of Weeks | Weeks | Note: Japan | 52 | a',
      'row of Weeks | Weeks | Note: Japan | 4 | b',
      'heading 2: Box',
      'paragraph: Text',
    ]);
  });

  it('puts frames behind their paragraph and notes at the end', async () => {
    const body =
      p(
        `Ask<draw:frame><draw:text-box>${p('Boxed')}</draw:text-box></draw:frame> early<text:note><text:note-citation>1</text:note-citation><text:note-body>${p('Only in spring.')}</text:note-body></text:note>.`,
      ) + p('Last');
    assert.deepEqual(await outlineOf(odtReader, textOf(body)), [
      'paragraph: Ask early[1].',
      'paragraph: Boxed',
      'paragraph: Last',
      'list-item 1: [1] Only in spring.',
    ]);
  });

  it('reads charts as tables, once', async () => {
    const chart = `<office:document-content><office:body><office:chart><chart:chart><chart:title>${p('Sales')}</chart:title><table:table><table:table-header-rows>${row('', '2025')}</table:table-header-rows>${row('Oslo', '3')}</table:table></chart:chart></office:chart></office:body></office:document-content>`;
    const object = '<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame>';
    const file = textOf(p(`See ${object}${object}`), { 'Object 1/content.xml': chart });
    assert.deepEqual(await outlineOf(odtReader, file), [
      'paragraph: See',
      'paragraph: Sales',
      'header: | 2025',
      'row of | 2025: Oslo | 3',
    ]);
  });

  it('reads the properties of the file', async () => {
    const meta =
      '<office:document-meta><office:meta><dc:title>Leave &amp; care</dc:title><meta:initial-creator>Ada</meta:initial-creator><dc:date>2025-01-10T09:00:00</dc:date></office:meta></office:document-meta>';
    const { title, metadata } = await readSample(odtReader, textOf(p('Text.'), { 'meta.xml': meta }));
    assert.deepEqual([title, { ...metadata }], ['Leave & care', { modified: '2025-01-10T09:00:00', author: 'Ada' }]);
  });

  it('says what is wrong with files that it cannot read', async () => {
    const refuses = (bytes: Uint8Array, code: string, message: RegExp) =>
      assert.rejects(readSample(odtReader, bytes, 'a.odt'), { code, message });
    const encrypted = {
      'META-INF/manifest.xml':
        '<manifest:manifest><manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>',
    };
    await refuses(textOf('', encrypted), 'password-required', /^a\.odt is protected with a password.* save a copy/);
    await refuses(Buffer.from('not a zip'), 'unsupported-format', /^a\.odt is plain text, not an OpenDocument text/);
    await refuses(zipOf({ mimetype: 'x' }), 'invalid-document', /has no content\.xml/);
    await refuses(textOf('<text:p>'), 'invalid-document', /content\.xml is not well-formed XML/);
    await refuses(textOf('<text:p>'.repeat(2000)), 'invalid-document', /more than 1000 elements inside each other/);
    const bomb = `<!DOCTYPE x [<!ENTITY a "${'lol'.repeat(100)}"><!ENTITY b "&a;&a;&a;&a;">]><office:document-content><office:body><text:p>&b;</text:p></office:body></office:document-content>`;
    await refuses(textOf('', { 'content.xml': bomb }), 'invalid-document', /not well-formed XML \(undefined entity/);
  });
});

describe('odpReader', () => {
  it('gives every slide a page with its title, lists and notes', async () => {
    const frame = (kind: string, content: string) =>
      `<draw:frame presentation:class="${kind}"><draw:text-box>${content}</draw:text-box></draw:frame>`;
    const body = `<office:presentation><presentation:footer-decl>f</presentation:footer-decl><draw:page>${frame('title', p('Leave'))}${frame('outline', `<text:list><text:list-item>${p('Norway')}</text:list-item></text:list>`)}${frame('page-number', p('1'))}<presentation:notes>${frame('notes', p('Slowly.'))}</presentation:notes></draw:page><draw:page>${p('Free')}</draw:page></office:presentation>`;
    const file = openDocumentOf('presentation', body);
    const { text, pages, title } = await readSample(odpReader, file);
    assert.equal(title, 'Leave');
    assert.deepEqual(
      pages.map(({ page, start, end }) => [page, text.slice(start, end)]),
      [
        [1, 'Leave\n\nNorway\n\nSlowly.'],
        [2, 'Free'],
      ],
    );
    assert.deepEqual((await outlineOf(odpReader, file)).slice(0, 2), ['heading 1: Leave', 'list-item 1: Norway']);
  });
});

describe('odsReader', () => {
  const sheetsOf = (sheets: string) =>
    openDocumentOf('spreadsheet', `<office:spreadsheet>${sheets}</office:spreadsheet>`);
  const value = (type: string, attributes: string, shown = '?') =>
    `<table:table-cell office:value-type="${type}" ${attributes}>${p(shown)}</table:table-cell>`;

  it('reads every sheet that is not empty, cells as Excel shows them', async () => {
    const sheets =
      `<table:table table:name="Rates">${row('City', 'Rate', 'Share', 'From', 'At', 'Paid')}<table:table-row table:number-rows-repeated="1000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>` +
      `<table:table-row><table:table-cell office:value-type="string">${p('Oslo<office:annotation><text:p>remark</text:p></office:annotation>')}</table:table-cell>${value('currency', 'office:value="72.5"', '72,50 kr')}${value('percentage', 'office:value="0.35"')}${value('date', 'office:date-value="2025-01-31"')}${value('time', 'office:time-value="PT09H30M00S"')}${value('boolean', 'office:boolean-value="true"')}</table:table-row>` +
      `<table:table-row table:number-rows-repeated="1047000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table><table:table table:name="Empty"/>`;
    assert.deepEqual(await outlineOf(odsReader, sheetsOf(sheets)), [
      'heading 1: Rates',
      'header: City | Rate | Share | From | At | Paid',
      'row of City | Rate | Share | From | At | Paid: Oslo | 72.5 | 35% | 2025-01-31 | 09:30 | TRUE',
    ]);
  });

  it('repeats rows and cells that are written once, and cells over several rows', async () => {
    const sheet = `<table:table table:name="S">${row('Group', 'Part', 'Price')}<table:table-row><table:table-cell table:number-rows-spanned="2">${p('Kits')}</table:table-cell><table:table-cell table:number-columns-repeated="2">${p('x')}</table:table-cell></table:table-row><table:table-row><table:covered-table-cell/>${cells(['y', 'z'])}</table:table-row></table:table>`;
    assert.deepEqual((await outlineOf(odsReader, sheetsOf(sheet))).slice(2), [
      'row of Group | Part | Price: Kits | x | x',
      'row of Group | Part | Price: Kits | y | z',
    ]);
  });

  it('refuses a sheet that repeats itself without end', async () => {
    const sheet = `<table:table table:name="Big"><table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384">${p('x')}</table:table-cell></table:table-row></table:table>`;
    await assert.rejects(readSample(odsReader, sheetsOf(sheet), 'a.ods'), {
      code: 'too-large',
      message: /^a\.ods: the sheet "Big" has more than 5000000 cells/,
    });
  });
});
