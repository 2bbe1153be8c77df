import type { Block, ExtractedDocument } from '@aquifer/contracts';
import { gridAt, linesAt, pdfOf, ruleAt, textAt } from './pdf-layout-samples.js';

/** A page that docs/pdf.md shows beside what is read of it. */
export interface PdfExample {
  readonly name: string;
  readonly title: string;
  readonly remark: string;
  readonly bytes: Buffer;
  /** The part of the page that is worth showing, in points from its top left as displayed. */
  readonly shown: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

const small = { size: 8.5, leading: 11 };

function twoColumns(): string {
  const left = [
    'The library opens at nine on working days',
    'and at ten on Saturdays. Whoever works in the',
    'building may borrow five books at a time, for',
    'four weeks, and once more for another four if',
    'nobody else is waiting.1 Journals stay in the read-',
    'ing room. A book that is lost is paid for at the',
  ];
  const right = ['price of a new one, and a fee of ten euros is', 'added for binding and the label.'];
  const more = [
    'Books from other houses are ordered at the desk.',
    'They take a week, and cost nothing. What comes',
    'from abroad may take longer, and has to be read',
    'in the reading room.',
  ];
  return (
    textAt('Rules of the library', 190, 570, { size: 20 }) +
    linesAt(left, 60, 610, small) +
    ruleAt(60, 686, 130, 686) +
    textAt('1 Reserve at the desk, or by telephone.', 60, 698, { size: 6.5 }) +
    linesAt(right, 300, 610, small) +
    textAt('Other libraries', 300, 642, { font: 'bold', size: 8.5 }) +
    linesAt(more, 300, 655, small)
  );
}

function ruledTable(): string {
  const xs = [60, 160, 230, 300, 530];
  const lines =
    [60, 160, 300, 530].map((x) => ruleAt(x, 90, x, 200)).join('') +
    ruleAt(230, 107, 230, 200) +
    [90, 124, 152, 180, 200].map((y) => ruleAt(60, y, 530, y)).join('') +
    ruleAt(160, 107, 300, 107);
  const cell = (text: string, column: number, y: number) => textAt(text, (xs[column] as number) + 5, y, { size: 8.5 });
  return (
    textAt('Table 1. Travel allowance a day, in euros.', 60, 78, { size: 8.5 }) +
    lines +
    cell('Country', 0, 110) +
    textAt('Allowance', 208, 102, { size: 8.5 }) +
    cell('full day', 1, 119) +
    cell('half day', 2, 119) +
    cell('Remarks', 3, 110) +
    cell('Belgium', 0, 141) +
    cell('59', 1, 141) +
    cell('40', 2, 141) +
    cell('In Brussels the hotel is booked and paid by', 3, 136) +
    cell('the office.', 3, 147) +
    cell('Bosnia and', 0, 164) +
    cell('Herzegovina', 0, 175) +
    cell('23', 1, 169) +
    cell('16', 2, 169) +
    cell('Bulgaria', 0, 193) +
    cell('22', 1, 193) +
    cell('15', 2, 193)
  );
}

function borderlessTable(): string {
  const row = (cells: readonly string[], y: number, font: 'bold' | 'regular' = 'regular') =>
    cells
      .map((text, index) => (text === '' ? '' : textAt(text, [60, 170, 360][index] as number, y, { font, size: 8.5 })))
      .join('');
  return (
    row(['Leave', 'Who may take it', 'How to apply'], 80, 'bold') +
    row(['Parental leave', 'Everybody with a child younger than', 'Form 7, eight weeks'], 98) +
    row(['', 'two years, mothers and fathers alike', 'before the first day'], 109) +
    row(['Study leave', 'Staff after three years of service, for', 'A letter to the head'], 127) +
    row(['', 'courses that end with an examination', 'of the department'], 138) +
    row(['Unpaid leave', 'Everybody', 'By agreement'], 156)
  );
}

const mincho = { font: 'mincho', size: 10 } as const;

function japanese(): string {
  return (
    textAt('育児休業規程', 60, 80, { font: 'mincho', size: 18 }) +
    textAt('第一条　目的', 60, 112, { font: 'mincho', size: 13 }) +
    textAt('しゅとく', 201, 125, { font: 'mincho', size: 4.5 }) +
    linesAt(
      [
        'この規程は、社員が育児休業を取得するときの手続きについて定める。休業の',
        '期間は子が二歳になるまでとし、保育所に入れないときは会社が認める範囲で',
        '延長することができる。',
      ],
      60,
      135,
      { ...mincho, leading: 18 },
    ) +
    gridAt([60, 180, 420], [190, 210, 230, 250]) +
    textAt('手続き', 66, 204, mincho) +
    textAt('期限', 186, 204, mincho) +
    textAt('申出', 66, 224, mincho) +
    textAt('休業を始める日の八週前まで', 186, 224, mincho) +
    textAt('延長の申出', 66, 244, mincho) +
    textAt('休業が終わる日の二週前まで', 186, 244, mincho)
  );
}

function verticalJapanese(): string {
  const style = { font: 'tategaki', size: 12 } as const;
  return (
    textAt('出張の手引き', 500, 70, { font: 'tategaki', size: 18 }) +
    textAt('出張の申請は、出発の日の', 460, 70, style) +
    textAt('10', 453.3, 70 + 12 * 12 + 10.5, { size: 12 }) +
    textAt('日前までに行う。', 460, 70 + 13 * 12, style) +
    textAt('「日当」と宿泊費は、戻った日から二週間の', 436, 82, style) +
    textAt('うちに精算する。領収書のない支出は認め', 412, 70, style) +
    textAt('られない。', 388, 70, style)
  );
}

function turnedPage(): string {
  const turned = { turn: 90, size: 9 } as const;
  const row = (cells: readonly string[], x: number) =>
    cells.map((text, index) => textAt(text, x, 780 - index * 120, turned)).join('');
  return (
    textAt('Hours worked', 70, 780, { turn: 90, size: 16 }) +
    row(['Office', 'First half', 'Second half'], 100) +
    row(['Osaka', '1,204', '1,187'], 114) +
    row(['Porto', '988', '1,010'], 128) +
    textAt('* Without the hours of contractors.', 160, 780, { turn: 90, size: 7 })
  );
}

/** The examples of docs/pdf.md. No font is in them, and nobody else's text. */
export const pdfExamples: readonly PdfExample[] = [
  {
    name: 'two-columns',
    title: 'Two columns and a footnote',
    remark: 'The sentence goes on in the second column; the footnote stands behind the text of the page.',
    bytes: pdfOf([twoColumns()]),
    shown: { x: 45, y: 540, width: 505, height: 175 },
  },
  {
    name: 'ruled-table',
    title: 'A table with lines',
    remark: 'A heading over two columns is repeated in both; the lines of a cell are joined.',
    bytes: pdfOf([ruledTable()]),
    shown: { x: 45, y: 60, width: 505, height: 155 },
  },
  {
    name: 'borderless-table',
    title: 'A table without lines',
    remark: 'Rows are found by what is empty in the first column and by where words had no room.',
    bytes: pdfOf([borderlessTable()]),
    shown: { x: 45, y: 60, width: 505, height: 110 },
  },
  {
    name: 'japanese',
    title: 'Japanese, from left to right',
    remark: 'No spaces where lines meet. The reading over 取得 is left out, because it says the same again.',
    bytes: pdfOf([japanese()]),
    shown: { x: 45, y: 55, width: 400, height: 205 },
  },
  {
    name: 'vertical-japanese',
    title: 'Japanese, from top to bottom',
    remark: 'Columns from right to left; digits that lie across the column stay in their place.',
    bytes: pdfOf([verticalJapanese()]),
    shown: { x: 350, y: 55, width: 190, height: 290 },
  },
  {
    name: 'turned-page',
    title: 'A turned page',
    remark: 'Written sideways, and turned back by the viewer.',
    bytes: pdfOf([{ content: turnedPage(), rotate: 90 }]),
    shown: { x: 45, y: 40, width: 400, height: 150 },
  },
];

/** What is read, as docs/pdf.md shows it: `#` before headings, a rule under the row that names the columns. */
export function shownText({ text, blocks }: ExtractedDocument): string {
  const show = ({ kind, start, end, level = 1, header }: Block) => {
    const content = text.slice(start, end);
    if (kind === 'heading') return `${'#'.repeat(level)} ${content}`;
    return header?.start === start ? `${content}\n${'-'.repeat(20)}` : content;
  };
  return blocks
    .map((block, index) => {
      const isSameTable = block.kind === 'table-row' && blocks[index - 1]?.kind === 'table-row';
      return (index === 0 ? '' : isSameTable ? '\n' : '\n\n') + show(block);
    })
    .join('');
}
