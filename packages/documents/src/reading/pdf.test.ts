import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Block, ExtractedDocument } from '@aquifer/contracts';
import { assertWellFormed, readerContract } from '@aquifer/contracts/testing';
import { pdfReader } from './pdf.js';

type Font = 'regular' | 'bold' | 'mono';

interface Piece {
  readonly text: string;
  readonly x: number;
  /** From the top of the page (A4, 842 points high). */
  readonly y: number;
  readonly size?: number;
  readonly font?: Font;
}

const fontNames: Record<Font, string> = { regular: 'Helvetica', bold: 'Helvetica-Bold', mono: 'Courier' };

/** A PDF with these pieces of text on its pages. `drawing` puts a rectangle on pages that hold no text. */
function pdf(
  pages: readonly (readonly Piece[])[],
  { title, drawing = '' }: { title?: string; drawing?: string } = {},
): Uint8Array {
  const fonts = Object.values(fontNames).map(
    (name) => `<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`,
  );
  const escaped = (text: string) => text.replace(/[\\()]/g, '\\$&');
  const contents = pages.map((pieces) =>
    pieces.length === 0
      ? drawing
      : pieces
          .map(
            ({ text, x, y, size = 10, font = 'regular' }) =>
              `BT /${font} ${size} Tf ${x} ${842 - y} Td (${escaped(text)}) Tj ET`,
          )
          .join('\n'),
  );
  const firstPage = 3 + fonts.length + 1;
  const resources = `<< /Font << ${Object.keys(fontNames)
    .map((key, index) => `/${key} ${3 + index} 0 R`)
    .join(' ')} >> >>`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, index) => `${firstPage + index * 2} 0 R`).join(' ')}] >>`,
    ...fonts,
    `<< ${title === undefined ? '' : `/Title (${escaped(title)})`} /Author (Ada) /CreationDate (D:20240102030405+09'00') >>`,
    ...contents.flatMap((content, index) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources ${resources} /Contents ${firstPage + index * 2 + 1} 0 R >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    ]),
  ];
  let text = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info ${firstPage - 1} 0 R >>\n`;
  return Buffer.from(`${text}startxref\n${text.lastIndexOf('xref\n0')}\n%%EOF\n`, 'latin1');
}

/** Lines of running text under each other. */
function lines(texts: readonly string[], x: number, y: number, font: Font = 'regular'): Piece[] {
  return texts.map((text, index) => ({ text, x, y: y + index * 12, font }));
}

async function read(bytes: Uint8Array): Promise<ExtractedDocument> {
  const document = await pdfReader.read({ bytes, name: 'a.pdf' });
  assertWellFormed(document);
  return document;
}

function outline({ text, blocks }: ExtractedDocument): string[] {
  const name = ({ kind, level }: Block) => `${kind}${level ?? ''}`;
  return blocks.map((block) => `${name(block)}: ${text.slice(block.start, block.end)}`);
}

const letter = pdf([
  [
    { text: 'Parental leave', x: 72, y: 80, size: 20 },
    ...lines(
      [
        'Full-time employees in Japan may take fifty-two weeks of parental leave. The em-',
        'ployee tells the manager eight weeks before. Where no nursery place is found the',
        'leave is extended, on request, until the child is two years old.',
      ],
      72,
      120,
    ),
    { text: 'How to apply', x: 72, y: 180, font: 'bold' },
    { text: '1. Fill in the form.', x: 80, y: 200 },
    { text: '2. Send it to the office.', x: 80, y: 213 },
  ],
]);

readerContract(
  { describe, it },
  {
    name: 'pdf',
    create: () => pdfReader,
    samples: [{ name: 'letter.pdf', bytes: letter, contains: ['parental leave', 'The employee tells'] }],
    broken: [
      { name: 'text.pdf', bytes: Buffer.from('Just text.'), code: 'unsupported-format' },
      { name: 'header-only.pdf', bytes: Buffer.from('%PDF-1.7\nnothing follows'), code: 'invalid-document' },
    ],
  },
);

describe('reading PDF', () => {
  it('joins lines, and words hyphenated at their end, into paragraphs', async () => {
    const document = await read(letter);
    assert.deepEqual(outline(document), [
      'heading1: Parental leave',
      'paragraph: Full-time employees in Japan may take fifty-two weeks of parental leave. The employee tells the manager eight ' +
        'weeks before. Where no nursery place is found the leave is extended, on request, until the child is two years old.',
      'heading2: How to apply',
      'list-item1: 1. Fill in the form.',
      'list-item1: 2. Send it to the office.',
    ]);
  });

  it('keeps the hyphen of a compound that the document writes elsewhere', async () => {
    const document = await read(
      pdf([
        lines(
          [
            'A decision-tree is grown from the top. What is left out by pruning it is a smaller decision-',
            'tree, of which more is said below.',
          ],
          72,
          100,
        ),
      ]),
    );
    assert.match(document.text, /a smaller decision-tree, of/);
  });

  it('reads the left column before the right one', async () => {
    const words = 'one two three four five six seven eight nine ten eleven twelve'.split(' ');
    const column = (label: string, x: number) =>
      lines(
        words.map((word) => `${label} column goes on with line number ${word} of it`),
        x,
        140,
      );
    const { text } = await read(
      pdf([
        [
          { text: 'A title over the whole width of the page and both columns', x: 60, y: 90, size: 16 },
          ...column('left', 40),
          ...column('right', 310),
        ],
      ]),
    );
    assert.ok(text.indexOf('A title') < text.indexOf('left column'));
    assert.ok(text.lastIndexOf('left column') < text.indexOf('right column'));
  });

  it('reads a table as rows, with its header', async () => {
    const row = (cells: readonly string[], y: number): Piece[] =>
      cells.map((text, index) => ({ text, x: 72 + index * 150, y }));
    const document = await read(
      pdf([
        [
          ...row(['Country', 'Weeks', 'Paid'], 100),
          ...row(['Japan', '52', '67 %'], 115),
          ...row(['France', '16', '100 %'], 130),
        ],
      ]),
    );
    assert.equal(document.text, 'Country | Weeks | Paid\nJapan | 52 | 67 %\nFrance | 16 | 100 %');
    const [header] = document.blocks;
    for (const block of document.blocks) assert.deepEqual(block.header, { start: header?.start, end: header?.end });
  });

  it('joins currency signs and brackets to their amounts, and repeats headings that span columns', async () => {
    const cells = (pairs: readonly (readonly [string, number])[], y: number): Piece[] =>
      pairs.map(([text, x]) => ({ text, x, y }));
    const document = await read(
      pdf([
        [
          ...cells([['Three months ended', 300]], 100),
          ...cells(
            [
              ['June 2022', 280],
              ['June 2021', 370],
            ],
            113,
          ),
          ...cells(
            [
              ['Net sales', 72],
              ['$', 280],
              ['82,959', 300],
              ['$', 370],
              ['81,434', 390],
            ],
            126,
          ),
          ...cells(
            [
              ['Other income', 72],
              ['(10', 310],
              [')', 330],
              ['243', 405],
            ],
            139,
          ),
        ],
      ]),
    );
    assert.deepEqual(document.text.split('\n'), [
      '| Three months ended June 2022 | Three months ended June 2021',
      'Net sales | $82,959 | $81,434',
      'Other income | (10) | 243',
    ]);
  });

  it('leaves out running headers and page numbers, and joins paragraphs over pages', async () => {
    const page = (number: number, body: readonly string[]): Piece[] => [
      { text: 'Employee handbook', x: 72, y: 40, size: 8 },
      ...lines(body, 72, 100),
      { text: `Page ${number} of 3`, x: 280, y: 810, size: 8 },
    ];
    const full = 'This line reaches the right margin of the page as lines of a paragraph do';
    const document = await read(
      pdf([
        page(1, [full, full]),
        page(2, ['and it ends on the second one.']),
        page(3, ['The third page says something else.']),
      ]),
    );
    assert.equal(
      document.text,
      `${full} ${full} and it ends on the second one.\n\nThe third page says something else.`,
    );
    assert.deepEqual(
      document.pages.map(({ page: number, start, end }) => [number, document.text.slice(start, end)]),
      [
        [1, `${full} ${full}`],
        [2, 'and it ends on the second one.'],
        [3, 'The third page says something else.'],
      ],
    );
  });

  it('keeps what repeats in a document of two pages', async () => {
    const { text } = await read(pdf([[{ text: 'Notice', x: 72, y: 40 }], [{ text: 'Notice', x: 72, y: 40 }]]));
    assert.equal(text.match(/Notice/g)?.length, 2);
  });

  it('counts pages that hold pictures but no text, and no blank ones', async () => {
    const scan = 'q 500 0 0 700 0 0 cm BI /W 2 /H 2 /BPC 8 /CS /G ID abcd EI Q';
    const document = await read(pdf([[{ text: 'A page with text', x: 72, y: 100 }], [], []], { drawing: scan }));
    assert.equal(document.omissions.length, 1);
    assert.match(
      document.omissions[0] as string,
      /^2 of 3 pages .*are scans or drawings without text: run again with --ocr/,
    );
    for (const drawing of ['', '10 10 500 1 re f']) {
      const blank = await read(pdf([[]], { drawing }));
      assert.deepEqual([blank.text, blank.pages.length, blank.omissions], ['', 1, []]);
    }
  });

  it('takes the title that a person gave, and not one that a program left', async () => {
    const page: Piece[] = [
      { text: 'Rules for travel', x: 72, y: 80, size: 22 },
      ...lines(['Book early. Go by train.'], 72, 120),
    ];
    assert.equal((await read(pdf([page], { title: 'Travel policy 2025' }))).title, 'Travel policy 2025');
    assert.equal((await read(pdf([page], { title: 'Microsoft Word - travel_v3.doc' }))).title, 'Rules for travel');
    assert.deepEqual((await read(pdf([page]))).metadata, { author: 'Ada', created: '2024-01-02T03:04:05+09:00' });
  });

  it('keeps the lines and indentation of code', async () => {
    const body = lines(['The loop below counts to three, and prints every number on a line.'], 72, 80);
    const code = [
      { text: 'for (;;) {', x: 72, y: 120, font: 'mono' as const },
      { text: 'print(i);', x: 84, y: 132, font: 'mono' as const },
      { text: '}', x: 72, y: 144, font: 'mono' as const },
    ];
    const document = await read(pdf([[...body, ...code]]));
    assert.equal(outline(document)[1], 'code: for (;;) {\n  print(i);\n}');
  });
});
