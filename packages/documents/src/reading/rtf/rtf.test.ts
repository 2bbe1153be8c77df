import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { rtfReader } from './rtf.js';

const outlineOfRtf = (body: string) => outlineOf(rtfReader, Buffer.from(`{\\rtf1\\ansi ${body}}`, 'latin1'));
const textOfRtf = async (body: string) => (await outlineOfRtf(body)).join('\n').replace(/^paragraph: /gm, '');

describe('rtfReader', () => {
  it('decodes code pages of the file and of fonts', async () => {
    assert.equal(await textOfRtf("\\ansicpg932 \\'93\\'fa\\'96\\'7b \\'83A"), '日本 ア');
    assert.equal(
      await textOfRtf(
        "{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fcharset204 Arial;}{\\f2\\fcharset128 MS;}}\\f0 caf\\'e9 \\f1\\'ec\\'e8\\'f0 {\\f2\\'93\\'fa}\\'ec",
      ),
      'café мир 日м',
    );
    assert.equal(await textOfRtf("\\mac caf\\'8e"), 'café');
  });

  it('reads Unicode, skipping what stands there for old programs', async () => {
    assert.equal(await textOfRtf("\\uc1\\u26085?\\u26412\\'96\\'7b"), '日本{');
    assert.equal(await textOfRtf("\\uc2\\u26085\\'93\\'fa!\\uc0\\u-10179\\u-8704 ok"), '日!😀ok');
    assert.equal(await textOfRtf('{\\upr{old}{\\*\\ud{n\\u233?w}}}'), 'néw');
  });

  it('reads special characters, and leaves out what is hidden, deleted or unknown', async () => {
    assert.equal(
      await textOfRtf(
        '\\ldblquote a\\~b\\rdblquote\\emdash c\\line d{\\v hidden}{\\deleted gone}{\\*\\unknown x}{\\pict 00ff}\\{e\\}\\\\',
      ),
      '“a b”—c\nd{e}\\',
    );
    assert.equal(await textOfRtf('{\\field{\\*\\fldinst HYPERLINK "x"}{\\fldrslt a link}}{\\header top}'), 'a link');
    assert.equal(await textOfRtf('before\\bin3 {{{after'), 'beforeafter');
  });

  it('finds headings by outline level, by style in any language and by what a style is based on', async () => {
    const styles =
      '{\\stylesheet{\\s0 Normal;}{\\s1\\outlinelevel1 Whatever;}{\\s2 heading 3;}{\\s3\\sbasedon1 Ours;}{\\s9 toc 1;}{\\s4 \\u-30325?\\u20986?\\u12375? 2;}}';
    assert.deepEqual(
      await outlineOfRtf(
        `${styles}\\pard\\s9 A 3\\par\\pard\\s1 A\\par\\pard\\s2 B\\par\\pard\\s3 C\\par\\pard\\s4 D\\par\\pard\\outlinelevel0 E\\par\\pard F\\par`,
      ),
      ['heading 2: A', 'heading 3: B', 'heading 2: C', 'heading 2: D', 'heading 1: E', 'paragraph: F'],
    );
  });

  it('reads lists with the numbers that are printed, and drops bullets', async () => {
    assert.deepEqual(
      await outlineOfRtf(
        "{\\fonttbl{\\f3\\fcharset2 Symbol;}}\\pard\\ls1{\\listtext 1.\\tab}One\\par{\\listtext 2.\\tab}Two\\par\\pard\\ls2\\ilvl1{\\listtext\\f3\\'b7\\tab}Dot\\par\\pard text\\par",
      ),
      ['list-item 1: 1. One', 'list-item 1: 2. Two', 'list-item 2: Dot', 'paragraph: text'],
    );
  });

  it('reads tables with merged cells, and those that only place things', async () => {
    const row = (cells: readonly string[], definition = '') =>
      `\\trowd${definition}${cells.map((_, index) => `\\cellx${index + 1}`).join('')}\\pard\\intbl ${cells.join('\\cell ')}\\cell\\row`;
    assert.deepEqual(
      await outlineOfRtf(
        `${row(['Country', 'Weeks'], '\\trhdr')}${row(['Japan\\par Tokyo', '52'])}\\trowd\\clvmrg\\cellx1\\cellx2\\pard\\intbl\\cell 4\\cell\\row\\pard after\\par${row(['alone'])}`,
      ),
      [
        'header: Country | Weeks',
        'row of Country | Weeks: Japan Tokyo | 52',
        'row of Country | Weeks: Japan Tokyo | 4',
        'paragraph: after',
        'paragraph: alone',
      ],
    );
  });

  it('puts text boxes behind their paragraph and notes at the end', async () => {
    assert.deepEqual(
      await outlineOfRtf(
        'Ask{\\super\\chftn}{\\footnote\\pard\\chftn  Only in spring.} early{\\shp{\\*\\shpinst{\\sp{\\sn x}{\\sv 1}}{\\shptxt\\pard Boxed\\par}}}.\\par Last\\par',
      ),
      ['paragraph: Ask[1] early.', 'paragraph: Boxed', 'paragraph: Last', 'list-item 1: [1] Only in spring.'],
    );
  });

  it('reads the properties of the file', async () => {
    const document = await readSample(
      rtfReader,
      '{\\rtf1{\\info{\\title Leave}{\\author Ada}{\\operator Bo}{\\creatim\\yr2025\\mo1\\dy9\\hr8\\min5}}Text.}',
    );
    assert.deepEqual(
      [document.title, { ...document.metadata }],
      ['Leave', { author: 'Ada', created: '2025-01-09T08:05' }],
    );
  });

  it('says that a file was cut off, and refuses what is no RTF or nested without end', async () => {
    assert.deepEqual((await readSample(rtfReader, '{\\rtf1 {\\b text')).omissions, [
      'the file ends in the middle: it was cut off',
    ]);
    const refuses = (content: string, code: string, message: RegExp) =>
      assert.rejects(readSample(rtfReader, content, 'a.rtf'), { code, message });
    await refuses('plain', 'unsupported-format', /^a\.rtf is plain text, not an RTF document/);
    await refuses(`{\\rtf1${'{'.repeat(20_000)}`, 'invalid-document', /more than 10000 groups/);
  });
});
