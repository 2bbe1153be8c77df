// Files to begin from: what the test code generates, the example handbook, and the documents of a folder `shared` where there is one.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { formats } from '../../packages/documents/dist/reading/formats.js';
import { epubOf, openDocumentOf, pptxOf, shapeOf } from '../../packages/documents/dist/testing/archive-samples.js';
import { textDrawer } from '../../packages/documents/dist/testing/drawn-text.js';
import { encodeText } from '../../packages/documents/dist/testing/encode-text.js';
import { docxOf, xlsxOf } from '../../packages/documents/dist/testing/office-samples.js';
import { docOf, pptOf, xlsOf } from '../../packages/documents/dist/testing/old-office-samples.js';
import { pdfOfObjects, pdfOfPictures } from '../../packages/documents/dist/testing/pdf-samples.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** Larger files take long, and what is wrong with readers shows on small ones. */
const maxBytes = 200_000;

const prose = 'Leave\n\nParental leave is 52 weeks.\n育児休業は52週間です。😀\n\n- Norway\n- Japan\n';
const pdfText = 'BT /F 12 Tf 72 700 Td (Parental leave) Tj 0 -14 Td [(is 52) -300 (weeks.)] TJ ET 72 600 100 50 re S';
const message = [
  'From: Ada <ada@example.org>\r\nTo: grace@example.org\r\nSubject: =?UTF-8?B?5LyR5pqH?=\r\nDate: Mon, 3 Mar 2025 10:00:00 +0900',
  'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="one"\r\n',
  '--one\r\nContent-Type: text/plain; charset=iso-2022-jp\r\nContent-Transfer-Encoding: 7bit\r\n',
  '\x1b$B5Y2K\x1b(B\r\nParental leave is 52 weeks.',
  '--one\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n',
  '<p>Leave =E4=BC=91=E6=9A=87</p>',
  '--one\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n',
  'JVBERi0xLjQK\r\n--one--\r\n',
].join('\r\n');

const generated = {
  'a.docx': docxOf(
    '<w:p><w:pPr><w:pStyle w:val="H"/></w:pPr><w:r><w:t>Leave</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>Japan</w:t></w:r></w:p></w:tc></w:tr></w:tbl>',
    {
      'word/styles.xml':
        '<w:styles><w:style w:type="paragraph" w:styleId="H"><w:name w:val="heading 1"/></w:style></w:styles>',
    },
  ),
  'a.xlsx': xlsxOf({
    Leave:
      '<row r="1"><c r="A1" t="inlineStr"><is><t>Country</t></is></c><c r="B1" t="inlineStr"><is><t>Weeks</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>Japan</t></is></c><c r="B2"><v>52</v></c></row>',
  }),
  'a.pptx': pptxOf([
    shapeOf(['Leave'], 'title') + shapeOf(['52 weeks.', '育児休業'], 'body'),
    shapeOf(['Second'], 'title'),
  ]),
  'a.odt': openDocumentOf(
    'text',
    '<office:text><text:h text:outline-level="1">Leave</text:h><text:list><text:list-item><text:p>52 weeks<text:s text:c="3"/>x</text:p></text:list-item></text:list></office:text>',
  ),
  'a.ods': openDocumentOf(
    'spreadsheet',
    '<office:spreadsheet><table:table table:name="Leave"><table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="string" table:number-columns-repeated="3"><text:p>Japan</text:p></table:table-cell><table:table-cell office:value-type="float" office:value="52"/></table:table-row></table:table></office:spreadsheet>',
  ),
  'a.odp': openDocumentOf(
    'presentation',
    '<office:presentation><draw:page><draw:frame presentation:class="title"><text:p>Leave</text:p></draw:frame></draw:page></office:presentation>',
  ),
  'a.epub': epubOf(
    { 'one.xhtml': '<h1>Leave</h1><p>52 weeks. 育児休業</p>', 'two.xhtml': '<table><tr><td>a<td>b</table>' },
    '<dc:title>Leave</dc:title>',
  ),
  'a.rtf': Buffer.from(
    "{\\rtf1\\ansi\\ansicpg932\\deff0{\\fonttbl{\\f0\\fcharset128 MS Gothic;}}{\\stylesheet{\\s1\\outlinelevel0 heading 1;}}\\pard\\s1 Leave\\par\\pard 52 weeks \\u20241?\\'8b\\'78{\\*\\bkmkstart x}\\par\\trowd\\cellx100\\cell a\\cell b\\row}",
    'latin1',
  ),
  'a.eml': Buffer.from(message, 'latin1'),
  'a.doc': docOf([{ text: 'Leave', style: 1 }, { text: 'Parental leave is 52 weeks. 育児休業' }]),
  'a.xls': xlsOf({
    Leave: [
      ['Country', 'Weeks'],
      ['Japan', 52.5],
      ['Oslo', 49],
    ],
  }),
  'a.ppt': pptOf([{ title: 'Leave', body: ['52 weeks', '育児休業'], box: 'Box', notes: 'Notes' }]),
  'a.html': Buffer.from(
    `<!doctype html><title>Leave</title><main><h1>Leave</h1><p>52 weeks.<ul><li>Norway<ol><li>Japan</ol></ul><table><tr><th>Country<th>Weeks<tr><td rowspan=2>Japan<td>52</table><pre>a  b</pre></main>`,
  ),
  'sjis.html': encodeText('<html><meta charset="shift_jis"><p>育児休業は52週間です。</p></html>', 'shift_jis'),
  'a.md': Buffer.from(
    '---\ntitle: Leave\nlist: [a, b]\n---\n# Leave\n\n> **52** weeks [link](x)\n\n1. one\n   - two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n',
  ),
  'a.txt': Buffer.from(prose),
  'utf16.txt': Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(prose, 'utf16le')]),
  'eucjp.txt': encodeText('育児休業は五十二週間です。年次休暇は三月末までに取得します。', 'euc-jp'),
  'a.csv': Buffer.from('Country,Weeks,Note\n"Japan",52,"a ""quoted"" cell\nof two lines"\nNorway,49,\n'),
  'a.tsv': Buffer.from('Country\tWeeks\nJapan\t52\nNorway\t49\n'),
  'a.json': Buffer.from(
    JSON.stringify({ title: 'Leave', weeks: { jp: 52, no: [49, null, true, 1e9] }, text: '育児\n休業' }, null, 1),
  ),
  'a.jsonl': Buffer.from('{"country":"JP","weeks":52}\n{"country":"NO","weeks":49,"note":"x\\u0041"}\n'),
  'a.ts': Buffer.from('/** Says it. */\nexport function leave(weeks: number): string {\n  return String(weeks);\n}\n'),
  'a.pdf': pdfOfPictures([{ text: 'Parental leave is 52 weeks.' }, { text: 'Second page.' }]),
  'packed.pdf': pdfOfObjects([
    '<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 5 0 R >> >> /Contents 4 0 R >>',
    { dictionary: '/Filter /FlateDecode', data: deflateSync(`${pdfText}\n`.repeat(4)) },
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    '<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>',
    '<< /Title (Leave) /Parent 6 0 R /Dest [3 0 R /Fit] >>',
  ]),
};

/** Seeds by format id. */
export async function seedsByFormat() {
  const seeds = new Map(formats.map(({ id }) => [id, []]));
  const add = (name, bytes) => {
    const lower = name.toLowerCase();
    const format = formats.find(({ extensions }) => extensions.some((extension) => lower.endsWith(extension)));
    if (format && bytes.length <= maxBytes) seeds.get(format.id).push({ name, bytes });
  };
  for (const [name, bytes] of Object.entries(generated)) add(name, bytes);
  const drawer = await textDrawer('eng');
  if ('draw' in drawer) {
    const picture = drawer.draw(['Parental leave'], 24, [320, 80]);
    add('a.png', picture.png);
    add('a.bmp', bmpOf(picture));
  }
  for (const folder of [join(root, 'examples/handbook'), sharedDocuments()]) {
    if (folder === undefined) continue;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      // What takes all of the time allowed as it is says nothing about its mutations.
      if (entry.isFile() && !/bomb/.test(entry.name))
        add(basename(entry.name), readFileSync(join(entry.parentPath, entry.name)));
    }
  }
  return seeds;
}

/** 24 bits a pixel, bottom row first (BITMAPINFOHEADER): pixels that can be changed without a checksum. */
function bmpOf({ width, height, pixels }) {
  const bytes = Buffer.alloc(54 + width * height * 3);
  bytes.write('BM', 'latin1');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (const [index, grey] of pixels.entries()) {
    const [x, y] = [index % width, height - 1 - Math.floor(index / width)];
    bytes.fill(grey, 54 + (y * width + x) * 3, 57 + (y * width + x) * 3);
  }
  return bytes;
}

function sharedDocuments() {
  return [process.env.AQUIFER_SHARED, join(root, '../shared')]
    .filter((folder) => folder !== undefined)
    .map((folder) => join(folder, 'documents'))
    .find((folder) => existsSync(folder));
}
