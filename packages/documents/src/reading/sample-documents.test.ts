import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { sharedFile } from '@aquifer/contracts/testing';
import { outline, readSample } from '../testing/document-outline.js';
import { docxReader } from './docx.js';
import { htmlReader } from './html.js';
import { markdownReader } from './markdown.js';
import { plainTextReader } from './plain-text.js';
import { xlsxReader } from './xlsx.js';

const { path: folder, ...skip } = sharedFile('documents', import.meta.url, process.env.AQUIFER_SHARED);
const sample = (path: string) => readFileSync(`${folder}/${path}`);

describe('files that other projects test their readers with', skip, () => {
  it('are read, or refused with a reason', async () => {
    const readers = { docx: docxReader, html: htmlReader, text: plainTextReader, xlsx: xlsxReader };
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
});
