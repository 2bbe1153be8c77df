import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outline, readSample } from '../testing/document-outline.js';
import {
  gridAt,
  linesAt,
  pdfOf,
  ruleAt,
  type SampleOptions,
  type SamplePage,
  textAt,
} from '../testing/pdf-layout-samples.js';
import { pdfReader } from './pdf.js';

const read = (pages: readonly (SamplePage | string)[], options?: SampleOptions) =>
  readSample(pdfReader, pdfOf(pages, options), 'a.pdf');
const outlined = async (...pages: (SamplePage | string)[]) => outline(await read(pages));

const words = 'one two three four five six seven eight nine ten eleven twelve'.split(' ');
/** Lines that fill a column of `width` points in 9-point Helvetica. */
const column = (label: string, x: number, y: number, width: number) =>
  linesAt(
    words.map((word) => `${label} ${word} goes on and on until it is full of words`.slice(0, Math.floor(width / 4.4))),
    x,
    y,
    { size: 9 },
  );

describe('the layout of PDF pages', () => {
  it('reads three columns under a title, a figure between them, and three columns again', async () => {
    const xs = [40, 220, 400];
    const above = xs.map((x, index) => column(`above${index}`, x, 120, 160)).join('');
    const below = xs.map((x, index) => column(`below${index}`, x, 420, 160)).join('');
    const middle = textAt('Figure 1. What stands here runs over all three of the columns of this page.', 80, 330);
    const { text } = await read([
      textAt('A title over the whole width of the page', 60, 80, { size: 18 }) + above + middle + below,
    ]);
    const places = ['A title', 'above0', 'above1', 'above2', 'Figure 1', 'below0', 'below1', 'below2'];
    for (const [index, place] of places.entries()) {
      const next = places[index + 1];
      if (next) assert.ok(text.lastIndexOf(place) < text.indexOf(next), `${place} before ${next}`);
    }
  });

  it('reads ruled tables by their lines: cells of several lines, headings over columns, cells over rows', async () => {
    const page =
      gridAt([72, 172, 272, 372], [100, 120, 140, 180, 200]).replace(ruleAt(172, 100, 372, 100), '') +
      textAt('Country', 76, 114) +
      textAt('Weeks', 176, 114) +
      textAt('Remarks', 276, 114) +
      linesAt(['Japan'], 76, 154) +
      linesAt(['52'], 176, 160) +
      linesAt(['Extended where', 'there is no place'], 276, 154) +
      textAt('France', 76, 134) +
      textAt('16', 176, 134) +
      textAt('Peru', 76, 194) +
      textAt('14', 176, 194);
    assert.deepEqual(await outlined(page), [
      'header: Country | Weeks | Remarks',
      'row of Country | Weeks | Remarks: France | 16',
      'row of Country | Weeks | Remarks: Japan | 52 | Extended where there is no place',
      'row of Country | Weeks | Remarks: Peru | 14',
    ]);
  });

  it('repeats headings over two columns of a ruled table', async () => {
    const lines = [
      ...[100, 140, 160].map((y) => ruleAt(72, y, 372, y)),
      ...[72, 172, 372].map((x) => ruleAt(x, 100, x, 160)),
      ruleAt(172, 120, 372, 120),
      ruleAt(272, 120, 272, 160),
    ].join('');
    const page =
      lines +
      textAt('Office', 76, 124) +
      textAt('Staff', 250, 114) +
      textAt('2023', 176, 134) +
      textAt('2024', 276, 134) +
      textAt('Osaka', 76, 154) +
      textAt('41', 176, 154) +
      textAt('44', 276, 154);
    assert.deepEqual(await outlined(page), [
      'header: Office | Staff 2023 | Staff 2024',
      'row of Office | Staff 2023 | Staff 2024: Osaka | 41 | 44',
    ]);
  });

  it('takes a frame around text for no table', async () => {
    const page = gridAt([60, 400], [90, 140]) + textAt('A note in a frame, and nothing beside it.', 72, 110);
    assert.deepEqual(await outlined(page), ['paragraph: A note in a frame, and nothing beside it.']);
  });

  it('puts the lines of a cell together in tables without lines', async () => {
    const row = (cells: readonly string[], y: number, font: 'bold' | 'regular' = 'regular') =>
      cells.map((text, index) => (text ? textAt(text, [72, 180, 330][index] as number, y, { font }) : '')).join('');
    const page =
      row(['Leave', 'Who may take it', 'How to apply'], 100, 'bold') +
      row(['Parental', 'Everybody who has a child', 'Form 7, eight weeks'], 118) +
      row(['', 'younger than two years', 'before the first day'], 130) +
      row(['Study', 'Staff after three years', 'A letter to the head'], 148) +
      row(['', 'of service here', 'of the office'], 160);
    const header = 'Leave | Who may take it | How to apply';
    assert.deepEqual(await outlined(page), [
      `header: ${header}`,
      `row of ${header}: Parental | Everybody who has a child younger than two years | Form 7, eight weeks before the first day`,
      `row of ${header}: Study | Staff after three years of service here | A letter to the head of the office`,
    ]);
  });

  it('keeps footnotes behind the text of their page, and out of sentences that go on', async () => {
    const full = 'This line of text reaches the right margin of the page as lines of a paragraph do';
    const note = textAt('1 A note that explains something.', 72, 780, { size: 7 });
    const first = linesAt([full, 'and ends.'], 72, 100) + linesAt([full, full], 72, 140) + note;
    const document = await read([first, linesAt(['where the page has turned.'], 72, 100)]);
    assert.deepEqual(outline(document), [
      `paragraph: ${full} and ends.`,
      'paragraph: 1 A note that explains something.',
      `paragraph: ${full} ${full} where the page has turned.`,
    ]);
    const [one, two] = document.pages;
    assert.equal(document.text.slice(two?.start, two?.end), 'where the page has turned.');
    assert.match(document.text.slice(one?.start, one?.end), /A note that explains/);
    const alone = await outlined(note + linesAt([full, 'and ends.'], 72, 100));
    assert.deepEqual(alone.at(-1), 'paragraph: 1 A note that explains something.');
  });

  it('reads turned pages and turned text upright', async () => {
    const turned = {
      content: linesAt(['First line of the page.', 'Second line of it.'], 72, 100),
      rotate: 90 as const,
    };
    assert.deepEqual(await outlined(turned), ['paragraph: First line of the page. Second line of it.']);
    const sideways =
      textAt('First line of the page.', 100, 700, { turn: 90 }) + textAt('Second line of it.', 112, 700, { turn: 90 });
    for (const rotate of [0, 90, 180, 270] as const) {
      const text = await outlined({ content: sideways, rotate });
      assert.deepEqual(text, ['paragraph: First line of the page. Second line of it.'], `turned by ${rotate}`);
    }
  });

  it('reads vertical Japanese from the right column to the left, with digits lying across', async () => {
    const style = { font: 'tategaki', size: 12 } as const;
    const page =
      textAt('育児休業は、子が二歳になるまで延', 500, 100, style) +
      textAt('長することができる。申請は', 480, 100, style) +
      textAt('12', 474, 100 + 13 * 12 + 10, { size: 12 }) +
      textAt('週前までに行う。', 480, 100 + 14 * 12, style);
    assert.deepEqual(await outlined(page), [
      'paragraph: 育児休業は、子が二歳になるまで延長することができる。申請は12週前までに行う。',
    ]);
  });

  it('leaves out the readings over kanji, as in other formats', async () => {
    const page =
      textAt('とうきょう', 72, 90, { font: 'mincho', size: 5 }) +
      linesAt(['東京の事務所は月曜日から金曜日まで開いている。', '土曜日は休みである。'], 72, 100, {
        font: 'mincho',
        leading: 18,
      });
    assert.deepEqual(await outlined(page), [
      'paragraph: 東京の事務所は月曜日から金曜日まで開いている。土曜日は休みである。',
    ]);
  });

  it('gives text from right to left in the order in which it is read', async () => {
    const shalom = [...'שלום עולם'].reverse().join('');
    const page = textAt(shalom, 400, 100, { font: 'mapped' });
    assert.deepEqual(await outlined(page), ['paragraph: שלום עולם']);
    // A line of two pieces with a number between them: the piece on the right is read first.
    const line =
      textAt([...'שנים'].reverse().join(''), 290, 100, { font: 'mapped' }) +
      textAt('12', 324, 100) +
      textAt([...'אחרי'].reverse().join(''), 340, 100, { font: 'mapped' });
    assert.deepEqual(await outlined(line), ['paragraph: אחרי 12 שנים']);
  });

  it('writes ligatures as letters', async () => {
    const page = textAt('fi', 72, 100, { font: 'mapped' }) + textAt('nal', 79, 100);
    assert.deepEqual(await outlined(page), ['paragraph: final']);
  });

  it('leaves out text in fonts that do not say which letters they show, and names the pages', async () => {
    const strange = linesAt(['This text has numbers of glyphs instead of letters.', 'Nobody can search it.'], 72, 100, {
      font: 'unmapped',
    });
    const { text, omissions } = await read([textAt('A page that can be read.', 72, 100), strange, strange]);
    assert.equal(text, 'A page that can be read.');
    assert.deepEqual(omissions, [
      '2 of 3 pages (2–3) are in fonts that do not say which letters they show, and left out: run again with --ocr.',
    ]);
    const mixed = await read([
      `${linesAt(['A long text that can be read, and more of it than', 'of the other.', 'It has three lines.'], 72, 300)}${textAt('Nobody can search it.', 72, 100, { font: 'unmapped' })}`,
    ]);
    assert.doesNotMatch(mixed.text, /[^\w\s.,]/);
    assert.match(mixed.omissions.join(), /^1 of 1 pages has text in fonts/);
  });

  it('names the pages that are scans', async () => {
    const scan = 'q 500 0 0 700 0 0 cm BI /W 2 /H 2 /BPC 8 /CS /G ID abcd EI Q';
    const pages = [scan, textAt('Text.', 72, 100), scan, scan, textAt('Text.', 72, 100)];
    assert.deepEqual((await read(pages)).omissions, [
      '3 of 5 pages (1, 3–4) are scans or drawings without text: run again with --ocr.',
    ]);
  });

  it('takes the levels of headings from the bookmarks', async () => {
    const page =
      textAt('Leave', 72, 80) +
      textAt('Parental leave', 72, 110) +
      textAt('Eight weeks are paid in full by us.', 72, 140);
    const bookmarks = [{ title: '1. Leave', children: ['1.1 Parental leave'] }];
    assert.deepEqual(outline(await read([page], { bookmarks })), [
      'heading 1: Leave',
      'heading 2: Parental leave',
      'paragraph: Eight weeks are paid in full by us.',
    ]);
  });

  it('adds what was filled into forms, by what the fields are called', async () => {
    const fields = [
      { page: 1, name: 'form[0].family_name[0]', value: 'Lovelace' },
      { page: 1, name: 'f2', value: 'Ada', tooltip: 'Given name' },
      { page: 1, name: 'member', value: 'On', kind: 'check' as const },
      { page: 2, name: 'nothing', value: '' },
    ];
    const document = await read([textAt('Application', 72, 100), textAt('Second page', 72, 100)], { fields });
    assert.deepEqual(outline(document), [
      'paragraph: Application',
      'list-item 1: family name: Lovelace',
      'list-item 1: Given name: Ada',
      'list-item 1: member: yes',
      'paragraph: Second page',
    ]);
  });
});
