import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { isAquiferError, type Reader } from '@aquifer/contracts';
import { sharedFile } from '@aquifer/contracts/testing';
import { outline, readSample } from '../testing/document-outline.js';
import { epubReader } from './markup/epub.js';
import { htmlReader } from './markup/html.js';
import { markdownReader } from './markup/markdown.js';
import { docxReader } from './office/docx.js';
import { pptxReader } from './office/pptx.js';
import { xlsxReader } from './office/xlsx.js';
import { docReader } from './old-office/doc.js';
import { pptReader } from './old-office/ppt.js';
import { odtReader } from './open-document/odt.js';
import { pdfReader } from './pdf.js';
import { rtfReader } from './rtf/rtf.js';
import { plainTextReader } from './text/plain-text.js';

const { path: folder, ...skip } = sharedFile('documents', import.meta.url, process.env.AQUIFER_SHARED);
const sample = (path: string) => readFileSync(`${folder}/${path}`);

describe('files that other projects test their readers with', skip, () => {
  it('are read, or refused with a reason', async () => {
    const readers = {
      docx: docxReader,
      epub: epubReader,
      html: htmlReader,
      odt: odtReader,
      pptx: pptxReader,
      rtf: rtfReader,
      text: plainTextReader,
      xlsx: xlsxReader,
    };
    for (const [kind, reader] of Object.entries(readers)) {
      for (const name of readdirSync(`${folder}/${kind}`)) {
        try {
          await readSample(reader, sample(`${kind}/${name}`), name);
        } catch (error) {
          assert.ok(isAquiferError(error), `${name}: ${error}`);
          assert.match(error.message, new RegExp(`^${name}`));
        }
      }
    }
  });

  it('are refused by the readers of other formats', async () => {
    for (const path of [
      'legacy/testPPT.ppt',
      'odt/testODFwithOOo3.odt',
      'epub/testEPUB.epub',
      'pptx/testPPT_charts.pptx',
    ]) {
      for (const reader of [docxReader, xlsxReader, plainTextReader]) {
        await assert.rejects(
          readSample(reader, sample(path), path),
          (error) => isAquiferError(error) && error.code !== 'internal',
        );
      }
    }
    await assert.rejects(readSample(xlsxReader, sample('xlsx/testEXCEL_protected_passtika.xlsx')), {
      code: 'password-required',
    });
    await assert.rejects(readSample(docxReader, sample('pptx/testPPT_protected_passtika.pptx')), {
      code: 'password-required',
    });
  });

  it('open with the empty password, else with the one of those given that fits', async () => {
    const open = (name: string, passwords?: readonly string[]) =>
      pdfReader.read({ name, bytes: sample(`pdf/${name}`) }, passwords && { passwords });
    const owned = 'encrypted_owner_only/tika__testPDF_protected.pdf';
    assert.match((await open(owned)).text, /^RETHINKING THE FINANCIAL NETWORK/);
    assert.equal((await open(owned, ['of another'])).text, (await open(owned)).text);
    for (const [name, password, text] of [
      ['pdfminer__rc4-40.pdf', 'foo', /Secret!/],
      ['pdfminer__aes-256.pdf', 'foo', /Secret!/],
      ['pdfminer__aes-256-r6.pdf', 'usersecret', /./],
      ['pypdf__libreoffice-writer-password.pdf', 'openpassword', /Lorem ipsum/],
    ] as const) {
      const locked = `encrypted_user_password/${name}`;
      await assert.rejects(open(locked), { code: 'password-required', message: /give its password/ });
      await assert.rejects(open(locked, ['wrong']), { code: 'password-required', message: /none of the 1 given/ });
      assert.match((await open(locked, ['wrong', password])).text, text, name);
    }
  });

  it('give text boxes, phonetic guides, legacy encodings and tables', async () => {
    assert.match((await readSample(docxReader, sample('docx/testWORD_text_box.docx'))).text, /inside of a text box/);
    assert.equal((await readSample(docxReader, sample('docx/testWORD_phonetic.docx'))).text, '東京');
    assert.match((await readSample(htmlReader, sample('html/big-preamble.html'))).text, /недвижимост/);
    assert.match((await readSample(plainTextReader, sample('text/testTXT_win-1252.txt'))).text, /smart quotes/);
    const various = outline(await readSample(docxReader, sample('docx/testWORD_various.docx')));
    assert.ok(
      various.includes('row of Row 1 Col 1 | Row 1 Col 2 | Row 1 Col 3: Row 2 Col 1 | Row 2 Col 2 | Row 2 Col 3'),
    );
    const months = outline(await readSample(xlsxReader, sample('xlsx/testEXCEL_charts.xlsx')));
    assert.ok(months.includes('row of MONTH | NUMBER: January | 5'));
    assert.ok(
      outline(await readSample(markdownReader, sample('text/testMARKDOWN.md'))).includes('row of L | C | R: a | b | c'),
    );
  });

  it('give slides, charts, notes, chapters and Japanese of Rich Text', async () => {
    const linesOf = async (reader: Reader, path: string) => outline(await readSample(reader, sample(path), path));

    const chart = await linesOf(pptxReader, 'pptx/testPPT_charts.pptx');
    assert.ok(chart.includes('row of | NUMBER: January | 5'));
    assert.deepEqual(await linesOf(pptxReader, 'pptx/testWordArt.pptx'), ['paragraph: Here is some red word Art']);
    assert.deepEqual(await linesOf(pptReader, 'legacy/testPPT.ppt'), [
      'heading 1: Sample Powerpoint Slide',
      'list-item 1: Created with Microsoft',
      'list-item 1: Powerpoint X for Mac',
      'list-item 1: Service Release 1',
    ]);

    const text = await linesOf(odtReader, 'odt/testODFwithOOo3.odt');
    assert.deepEqual(text.slice(0, 2), [
      'heading 1: Apache Tika Test Document',
      'paragraph: This is a rather[1] difficult test document, with interesting features.',
    ]);
    assert.ok(text.includes('row of Number | Name: 2 | two embedded') && text.includes('list-item 1: 3. Third item'));
    assert.equal(text.at(-1), 'list-item 1: [1] This is of course a simple footnote');

    const book = await readSample(epubReader, sample('epub/testEPUB_multi-metadata-vals.epub'));
    assert.deepEqual([book.title, book.metadata.author], ['The Inheritors', ['Joseph Conrad', 'Ford Madox Ford']]);
    const chapters = outline(book).filter((line) => /^heading 2: [IVXL]+$/.test(line));
    assert.deepEqual([chapters.length, chapters[0], chapters.at(-1)], [19, 'heading 2: I', 'heading 2: XIX']);

    const japanese = await readSample(rtfReader, sample('rtf/testRTFJapanese.rtf'));
    assert.equal(japanese.title, 'ゾルゲと尾崎、淡々と最期');
    assert.match(japanese.text, /「何等取乱シタル態度無ク」と記されていた＝渡部富哉さん提供/);
    const various = await linesOf(rtfReader, 'rtf/testRTFVarious.rtf');
    for (const line of [
      'list-item 1: 3) Number bullet 3',
      'row of Row 1 Col 1 | Row 1 Col 2 | Row 1 Col 3: Row 2 Col 1 | Row 2 Col 2 | Row 2 Col 3',
      'paragraph: 𐌲𐌿𐍄𐌹𐍃𐌺',
      'list-item 1: [1] This is a footnote.',
    ]) {
      assert.ok(various.includes(line), line);
    }
  });

  it('have their lists numbered as Word prints them, which each item of this one says itself', async () => {
    const lines = outline(await readSample(docxReader, sample('docx/testWORD_override_list_numbering.docx')));
    const items = lines.flatMap((line) => /^(?:list-item \d|paragraph): (\S+) (\S+)$/.exec(line) ?? []);
    const pairs = Array.from({ length: items.length / 3 }, (_, index) => items.slice(index * 3 + 1, index * 3 + 3));
    assert.ok(pairs.length > 35);
    for (const [printed, said] of pairs) assert.equal(printed, said);
  });

  it('are refused with what to do where they are encrypted, or are something else', async () => {
    for (const [reader, path] of [
      [docReader, 'legacy/testWORD_protected_passtika.doc'],
      [pptxReader, 'pptx/testPPT_protected_passtika.pptx'],
      [odtReader, 'odt/testODTEncrypted.odt'],
    ] as const) {
      await assert.rejects(readSample(reader, sample(path), path), {
        code: 'password-required',
        message: /save a copy/,
      });
    }
    await assert.rejects(readSample(odtReader, sample('odt/testODTnotaZipFile.odt'), 'x.odt'), {
      code: 'unsupported-format',
      message: 'x.odt is plain text, not an OpenDocument text.',
    });
  });
});
