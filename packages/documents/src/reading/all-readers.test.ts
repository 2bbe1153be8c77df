import { describe, it } from 'node:test';
import { readerContract } from '@aquifer/contracts/testing';
import { docxOf, xlsxOf } from '../testing/office-samples.js';
import { docxReader } from './docx.js';
import { htmlReader } from './html.js';
import { markdownReader } from './markdown.js';
import { plainTextReader } from './plain-text.js';
import { xlsxReader } from './xlsx.js';

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
