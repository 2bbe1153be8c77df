import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { oleOf } from '../../testing/office-samples.js';
import { compoundFileOf, docOf, pptOf, wordProperties, xlsOf } from '../../testing/old-office-samples.js';
import { openCompoundFile } from './compound-file.js';
import { docReader } from './doc.js';
import { pptReader } from './ppt.js';
import { xlsReader } from './xls.js';

describe('openCompoundFile', () => {
  const streams = { Small: Buffer.from('a small one'), Large: Buffer.alloc(70_000, 'large ') };

  it('finds streams of any size by name', () => {
    const file = openCompoundFile(compoundFileOf(streams));
    for (const [name, content] of Object.entries(streams)) {
      assert.deepEqual(Buffer.from(file!.stream(name)!), content);
    }
    assert.equal(file!.stream('Other'), undefined);
  });

  it('ends where chains run in circles, whichever byte is wrong', () => {
    const bytes = compoundFileOf(streams);
    let intact = 0;
    for (let position = 0; position < bytes.length; position += 61) {
      const changed = Buffer.from(bytes);
      changed.writeUInt32LE(position % 7, Math.min(position & ~3, bytes.length - 4));
      const file = openCompoundFile(changed);
      for (const [name, content] of Object.entries(streams)) {
        const stream = file?.stream(name);
        assert.ok(!stream || stream.length <= changed.length);
        if (stream?.length === content.length) intact++;
      }
    }
    assert.ok(intact > 1000);
  });
});

describe('docReader', () => {
  const { inTable, endsRow, listItem } = wordProperties;

  it('finds headings by built-in styles and by what a style is based on', async () => {
    const file = docOf([
      { text: 'Leave', style: 3 },
      { text: 'Who 2', style: 4 },
      { text: 'Who', style: 1 },
      { text: '会社の見出し', style: 2 },
      { text: 'Everyone. 全員。' },
      ...Array.from({ length: 60 }, (_, index) => ({ text: `Line ${index}` })),
      { text: 'Far down', style: 1 },
    ]);
    const lines = await outlineOf(docReader, file);
    assert.deepEqual(lines.slice(0, 4), [
      'heading 1: Leave',
      'heading 1: Who',
      'heading 1: 会社の見出し',
      'paragraph: Everyone. 全員。',
    ]);
    assert.deepEqual(lines.slice(-2), ['paragraph: Line 59', 'heading 1: Far down']);
    assert.equal((await readSample(docReader, file)).title, 'Leave');
  });

  it('reads tables, lists and notes, and what fields show', async () => {
    const cell = (text: string) => ({ text, mark: '\x07', properties: inTable }) as const;
    const end = { text: '', mark: '\x07', properties: endsRow } as const;
    const file = docOf(
      [
        { text: 'See \x13HYPERLINK "x"\x14the list\x15\x02 here\x1fafter' },
        { text: 'item', properties: listItem },
        ...[cell('Country'), cell('Weeks'), end, cell('Japan'), cell('52'), end],
        { text: 'a\x0bb' },
      ],
      { notes: [{ text: '\x02 Only in spring.' }] },
    );
    assert.deepEqual(await outlineOf(docReader, file), [
      'paragraph: See the list[1] hereafter',
      'list-item 2: item',
      'header: Country | Weeks',
      'row of Country | Weeks: Japan | 52',
      'paragraph: a\nb',
      'list-item 1: [1] Only in spring.',
    ]);
  });

  it('leaves out hidden text', async () => {
    assert.deepEqual(await outlineOf(docReader, docOf([{ text: 'seen secret seen' }], { hidden: [5, 12] })), [
      'paragraph: seen seen',
    ]);
  });

  it('says what is wrong with files that it cannot read', async () => {
    const refuses = (bytes: Uint8Array, code: string, message: RegExp) =>
      assert.rejects(readSample(docReader, bytes, 'a.doc'), { code, message });
    await refuses(
      docOf([{ text: 'x' }], { flags: 0x0300 }),
      'password-required',
      /a\.doc is protected with a password/,
    );
    await refuses(
      docOf([{ text: 'x' }], { version: 0x68 }),
      'unsupported-format',
      /Word 95.*soffice --convert-to docx "a\.doc"/,
    );
    await refuses(docOf([{ text: 'x' }], { flags: 0 }), 'invalid-document', /a\.doc is damaged/);
    await refuses(oleOf('WordDocument'), 'invalid-document', /a\.doc is damaged/);
    await refuses(Buffer.from('plain'), 'unsupported-format', /a\.doc is plain text, not a Word 97–2003 document/);
  });
});

describe('xlsReader', () => {
  it('reads sheets as those of today are read', async () => {
    const file = xlsOf(
      {
        Rates: [
          ['Group', 'Rate', 'Share', 'From'],
          ['Oslo', 72.1, 0.35, 45658],
          [null, 0.1 + 0.2, 0.5, 45883.375],
        ],
        Empty: [[]],
      },
      { merges: ['A2:A3'], formats: { C2: '0%', C3: '0%', D2: 'yyyy-mm-dd', D3: 'm/d/yy h:mm' } },
    );
    assert.deepEqual(await outlineOf(xlsReader, file), [
      'heading 1: Rates',
      'header: Group | Rate | Share | From',
      'row of Group | Rate | Share | From: Oslo | 72.1 | 35% | 2025-01-01',
      'row of Group | Rate | Share | From: Oslo | 0.3 | 50% | 2025-08-14 09:00',
    ]);
  });

  it('reads workbooks of Excel 5', async () => {
    const file = xlsOf(
      {
        Old: [
          ['Town', 'Rate'],
          ['Bergen', 3],
        ],
      },
      { bookType: 'biff5' },
    );
    assert.deepEqual((await outlineOf(xlsReader, file)).at(-1), 'row of Town | Rate: Bergen | 3');
  });

  it('passes over records that would keep it busy for hours', async () => {
    const workbook = openCompoundFile(
      xlsOf({
        S: [
          ['Town', 'Rate'],
          ['Bergen', 3],
        ],
      }),
    )!.stream('Workbook')!;
    const link = Buffer.alloc(4 + 64);
    link.writeUInt16LE(0x01b8, 0);
    link.writeUInt16LE(64, 2);
    link.writeUInt16LE(0xffff, 6);
    link.writeUInt16LE(0xffff, 10);
    // A label and a format without anything in them.
    const empty = Buffer.from([0x04, 0x02, 0, 0, 0x04, 0, 0, 0, 0x1e, 0x04, 0, 0]);
    const end = workbook.length - 4;
    const stream = Buffer.concat([
      workbook.subarray(0, end),
      ...new Array(50).fill(link),
      empty,
      workbook.subarray(end),
    ]);
    const file = compoundFileOf({ Workbook: stream });
    assert.deepEqual((await outlineOf(xlsReader, file)).at(-1), 'row of Town | Rate: Bergen | 3');
  });

  it('says what is wrong with files that it cannot read', async () => {
    const refuses = (bytes: Uint8Array, code: string, message: RegExp) =>
      assert.rejects(readSample(xlsReader, bytes, 'a.xls'), { code, message });
    const begin = Buffer.from([0x09, 0x08, 4, 0, 0, 6, 5, 0]);
    const filePass = Buffer.from([0x2f, 0, 6, 0, 1, 0, 1, 0, 1, 0]);
    await refuses(compoundFileOf({ Workbook: Buffer.concat([begin, filePass]) }), 'password-required', /as \.xlsx/);
    await refuses(compoundFileOf({ Other: begin }), 'invalid-document', /a\.xls is damaged/);
    await refuses(Buffer.from('plain'), 'unsupported-format', /a\.xls is plain text, not an Excel 97–2003 workbook/);
  });
});

describe('pptReader', () => {
  it('gives every slide a page: its title, outline, boxes and notes, as they were saved last', async () => {
    const file = pptOf([
      { title: '休暇', body: ['Norway', 'Japan'], box: 'Drawn\vover', notes: 'Slowly.' },
      { box: 'Alone' },
      {},
    ]);
    const { text, pages, title } = await readSample(pptReader, file);
    assert.equal(title, '休暇');
    assert.deepEqual(
      pages.map(({ page, start, end }) => [page, text.slice(start, end)]),
      [
        [1, '休暇\n\nNorway\nJapan\n\nDrawn\nover\n\nSlowly.'],
        [2, 'Alone'],
        [3, ''],
      ],
    );
    assert.deepEqual((await outlineOf(pptReader, file)).slice(0, 3), [
      'heading 1: 休暇',
      'list-item 1: Norway',
      'list-item 1: Japan',
    ]);
  });

  it('says what is wrong with files that it cannot read', async () => {
    const refuses = (bytes: Uint8Array, code: string, message: RegExp) =>
      assert.rejects(readSample(pptReader, bytes, 'a.ppt'), { code, message });
    await refuses(pptOf([{}], { token: 0xf3d1c4df }), 'password-required', /as \.pptx/);
    await refuses(
      compoundFileOf({ PP40: Buffer.alloc(10) }),
      'unsupported-format',
      /soffice --convert-to pptx "a\.ppt"/,
    );
    await refuses(compoundFileOf({ 'PowerPoint Document': Buffer.alloc(10) }), 'invalid-document', /a\.ppt is damaged/);
    await refuses(Buffer.from('plain'), 'unsupported-format', /a\.ppt is plain text/);
  });
});
