import { describe, it } from 'node:test';
import { readerContract } from '@aquifer/contracts/testing';
import { epubOf, openDocumentOf, pptxOf, shapeOf } from '../testing/archive-samples.js';
import { docxOf, oleOf, xlsxOf, zipOf } from '../testing/office-samples.js';
import { docOf, pptOf, xlsOf } from '../testing/old-office-samples.js';
import { emlReader } from './eml.js';
import { epubReader } from './markup/epub.js';
import { htmlReader } from './markup/html.js';
import { markdownReader } from './markup/markdown.js';
import { docxReader } from './office/docx.js';
import { pptxReader } from './office/pptx.js';
import { xlsxReader } from './office/xlsx.js';
import { docReader } from './old-office/doc.js';
import { pptReader } from './old-office/ppt.js';
import { xlsReader } from './old-office/xls.js';
import { odpReader } from './open-document/odp.js';
import { odsReader } from './open-document/ods.js';
import { odtReader } from './open-document/odt.js';
import { rtfReader } from './rtf/rtf.js';
import { csvReader } from './text/csv.js';
import { jsonReader } from './text/json.js';
import { jsonLinesReader } from './text/jsonl.js';
import { plainTextReader } from './text/plain-text.js';
import { sourceCodeReader } from './text/source-code.js';

// The published suite on the readers whose samples can be written down in a line. PDF has its own in pdf.test.ts.

readerContract(
  { describe, it },
  {
    name: 'html',
    create: () => htmlReader,
    samples: [
      {
        name: 'leave.html',
        bytes: Buffer.from(
          '<!doctype html><title>Leave</title><main><h1>Leave</h1><p>Parental leave is 52 weeks. 育児休業は52週間です。</p>' +
            '<ul><li>Norway<li>Japan</ul><table><tr><th>Country<th>Weeks<tr><td>Japan<td>52</table><pre>a  b</pre></main>',
        ),
        contains: ['Parental leave is 52 weeks.', 'Country | Weeks', 'Japan | 52', 'a  b'],
      },
    ],
    readsAnything: true,
  },
);

readerContract(
  { describe, it },
  {
    name: 'markdown',
    create: () => markdownReader,
    samples: [
      {
        name: 'leave.md',
        bytes: Buffer.from(
          '---\ncountry: JP\n---\n# Leave\n\nParental leave is **52 weeks**.\n\n- Norway\n- Japan\n\n| Country | Weeks |\n|---|---|\n| Japan | 52 |\n\n```\na  b\n```\n',
        ),
        contains: ['Parental leave is 52 weeks.', 'Japan | 52', 'a  b'],
      },
    ],
    readsAnything: true,
  },
);

readerContract(
  { describe, it },
  {
    name: 'plain text',
    create: () => plainTextReader,
    samples: [
      {
        name: 'leave.txt',
        bytes: Buffer.from('Leave\r\n\r\nParental leave is 52 weeks.\r\n育児休業は52週間です。😀\r\n'),
        contains: ['Parental leave is 52 weeks.', '育児休業は52週間です。😀'],
      },
    ],
    readsAnything: true,
  },
);

readerContract(
  { describe, it },
  {
    name: 'docx',
    create: () => docxReader,
    samples: [
      {
        name: 'leave.docx',
        bytes: docxOf('<w:p><w:r><w:t>Parental leave is 52 weeks.</w:t></w:r></w:p>'),
        contains: ['Parental leave is 52 weeks.'],
      },
    ],
    broken: [{ name: 'text.docx', bytes: Buffer.from('Just text.'), code: 'unsupported-format' }],
  },
);

readerContract(
  { describe, it },
  {
    name: 'xlsx',
    create: () => xlsxReader,
    samples: [
      {
        name: 'leave.xlsx',
        bytes: xlsxOf({
          Leave:
            '<row r="1"><c r="A1" t="inlineStr"><is><t>Country</t></is></c><c r="B1" t="inlineStr"><is><t>Weeks</t></is></c></row>' +
            '<row r="2"><c r="A2" t="inlineStr"><is><t>Japan</t></is></c><c r="B2"><v>52</v></c></row>',
        }),
        contains: ['Country | Weeks', 'Japan | 52'],
      },
    ],
    broken: [{ name: 'text.xlsx', bytes: Buffer.from('Just text.'), code: 'unsupported-format' }],
  },
);

readerContract(
  { describe, it },
  {
    name: 'pptx',
    create: () => pptxReader,
    samples: [
      {
        name: 'leave.pptx',
        bytes: pptxOf([shapeOf(['Leave'], 'title') + shapeOf(['Parental leave is 52 weeks.', '育児休業'], 'body')]),
        contains: ['Leave', 'Parental leave is 52 weeks.', '育児休業'],
      },
    ],
    broken: [
      { name: 'text.pptx', bytes: Buffer.from('Just text.'), code: 'unsupported-format' },
      { name: 'locked.pptx', bytes: oleOf('EncryptedPackage'), code: 'password-required' },
    ],
  },
);

readerContract(
  { describe, it },
  {
    name: 'odt',
    create: () => odtReader,
    samples: [
      {
        name: 'leave.odt',
        bytes: openDocumentOf(
          'text',
          '<office:text><text:h text:outline-level="1">Leave</text:h><text:list><text:list-item><text:p>52 weeks</text:p></text:list-item></text:list></office:text>',
        ),
        contains: ['Leave', '52 weeks'],
      },
    ],
    broken: [{ name: 'text.odt', bytes: Buffer.from('Just text.'), code: 'unsupported-format' }],
  },
);

readerContract(
  { describe, it },
  {
    name: 'odp',
    create: () => odpReader,
    samples: [
      {
        name: 'leave.odp',
        bytes: openDocumentOf(
          'presentation',
          '<office:presentation><draw:page><draw:frame presentation:class="title"><text:p>Leave</text:p></draw:frame></draw:page></office:presentation>',
        ),
        contains: ['Leave'],
      },
    ],
    broken: [{ name: 'text.odp', bytes: Buffer.from('Just text.'), code: 'unsupported-format' }],
  },
);

readerContract(
  { describe, it },
  {
    name: 'ods',
    create: () => odsReader,
    samples: [
      {
        name: 'leave.ods',
        bytes: openDocumentOf(
          'spreadsheet',
          '<office:spreadsheet><table:table table:name="Leave"><table:table-row><table:table-cell office:value-type="string"><text:p>Japan</text:p></table:table-cell><table:table-cell office:value-type="float" office:value="52"/></table:table-row></table:table></office:spreadsheet>',
        ),
        contains: ['Leave', 'Japan | 52'],
      },
    ],
    broken: [{ name: 'text.ods', bytes: Buffer.from('Just text.'), code: 'unsupported-format' }],
  },
);

readerContract(
  { describe, it },
  {
    name: 'epub',
    create: () => epubReader,
    samples: [
      {
        name: 'leave.epub',
        bytes: epubOf({ 'one.xhtml': '<h1>Leave</h1><p>52 weeks. 育児休業</p>' }, '<dc:title>Leave</dc:title>'),
        contains: ['Leave', '52 weeks. 育児休業'],
      },
    ],
    broken: [
      { name: 'text.epub', bytes: Buffer.from('Just text.'), code: 'unsupported-format' },
      { name: 'other.epub', bytes: zipOf({ 'a.txt': 'x' }), code: 'invalid-document' },
    ],
  },
);

readerContract(
  { describe, it },
  {
    name: 'rtf',
    create: () => rtfReader,
    samples: [
      {
        name: 'leave.rtf',
        bytes: Buffer.from("{\\rtf1\\ansi\\ansicpg932 Leave is 52 weeks.\\par \\'88\\'e7\\'8e\\'99\\u20241?\\u26989?}"),
        contains: ['Leave is 52 weeks.', '育児休業'],
      },
    ],
    broken: [{ name: 'text.rtf', bytes: Buffer.from('Just text.'), code: 'unsupported-format' }],
  },
);

readerContract(
  { describe, it },
  {
    name: 'doc',
    create: () => docReader,
    samples: [
      {
        name: 'leave.doc',
        bytes: docOf([{ text: 'Leave', style: 1 }, { text: 'Parental leave is 52 weeks. 育児休業' }]),
        contains: ['Parental leave is 52 weeks. 育児休業'],
      },
    ],
    broken: [{ name: 'text.doc', bytes: Buffer.from('Just text.'), code: 'unsupported-format' }],
  },
);

readerContract(
  { describe, it },
  {
    name: 'xls',
    create: () => xlsReader,
    samples: [
      {
        name: 'leave.xls',
        bytes: xlsOf({
          Leave: [
            ['Country', 'Weeks'],
            ['Japan', 52],
          ],
        }),
        contains: ['Country | Weeks', 'Japan | 52'],
      },
    ],
    broken: [{ name: 'text.xls', bytes: Buffer.from('Just text.'), code: 'unsupported-format' }],
  },
);

readerContract(
  { describe, it },
  {
    name: 'ppt',
    create: () => pptReader,
    samples: [
      {
        name: 'leave.ppt',
        bytes: pptOf([{ title: 'Leave', body: ['52 weeks', '育児休業'] }]),
        contains: ['Leave', '52 weeks', '育児休業'],
      },
    ],
    broken: [{ name: 'text.ppt', bytes: Buffer.from('Just text.'), code: 'unsupported-format' }],
  },
);

for (const [name, create, samples] of [
  [
    'csv',
    () => csvReader,
    [
      {
        name: 'leave.csv',
        bytes: Buffer.from('Country;Weeks\r\nJapan;52\r\n"Norway";"49\r\nor 59"\r\n'),
        contains: ['Japan | 52'],
      },
    ],
  ],
  [
    'json',
    () => jsonReader,
    [
      {
        name: 'leave.json',
        bytes: Buffer.from(
          '{"title":"Leave","weeks":{"Japan":52,"notes":["a","b"]},"offices":[{"city":"Kyoto","seats":3},{"city":"Oslo","seats":4}]}',
        ),
        contains: ['weeks.Japan: 52', 'Kyoto | 3'],
      },
    ],
  ],
  [
    'jsonl',
    () => jsonLinesReader,
    [
      {
        name: 'leave.jsonl',
        bytes: Buffer.from('{"country":"Japan","weeks":52}\n{"country":"Norway","weeks":49}\n'),
        contains: ['Japan | 52'],
      },
    ],
  ],
  [
    'source code',
    () => sourceCodeReader,
    [
      {
        name: 'leave.py',
        bytes: Buffer.from('WEEKS = 52\n\n\ndef leave():\n    return WEEKS\n'),
        contains: ['def leave():\n    return WEEKS'],
      },
    ],
  ],
  [
    'eml',
    () => emlReader,
    [
      {
        name: 'leave.eml',
        bytes: Buffer.from(
          'From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: Leave\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n' +
            '--cut\r\nContent-Type: text/plain\r\n\r\nParental leave is 52 weeks.\r\n' +
            '--cut\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nwords\r\n--cut--\r\n',
        ),
        contains: ['Parental leave is 52 weeks.', 'Attachments: a.txt'],
      },
    ],
  ],
] as const) {
  readerContract({ describe, it }, { name, create, samples });
}
