import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32, deflateRawSync, deflateSync } from 'node:zlib';
import { isAquiferError } from '@aquifer/contracts';
import { docxOf, xlsxOf } from '../testing/office-samples.js';
import { pdfOfObjects } from '../testing/pdf-samples.js';
import { createDocumentReader, type DocumentReaderOptions } from './document-reader.js';

const utf8 = new TextEncoder();

/** What a file ends with, and that a small one, read at the same time and after it, is unharmed. */
async function outcomeOf(name: string, bytes: Uint8Array, limits: DocumentReaderOptions): Promise<string> {
  const reader = createDocumentReader({ threads: 2, ...limits });
  try {
    const beside = reader.read({ name: 'beside.txt', bytes: utf8.encode('Read beside it.') });
    const outcome = await reader.read({ name, bytes }).then(
      ({ text }) => `read ${text.length}`,
      (error) => {
        assert.ok(isAquiferError(error), String(error));
        return `${error.code}: ${error.message}`;
      },
    );
    assert.equal((await beside).text, 'Read beside it.');
    assert.equal((await reader.read({ name: 'next.txt', bytes: utf8.encode('Read next.') })).text, 'Read next.');
    return outcome;
  } finally {
    await reader.close();
  }
}

/** What a limit on memory is tested with: a busy machine reaches it late. */
const patient = { timeoutMs: 900_000 };
/** What a limit on time is tested with: short, but long enough for the small files, and for a thread to start, where others want the processor too. */
const hasty = { timeoutMs: 10_000 };

const page =
  '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /XObject << /X 5 0 R >> >> /Contents 4 0 R >>';
const pdfWith = (...objects: Parameters<typeof pdfOfObjects>[0]) =>
  pdfOfObjects(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Count 1 /Kids [3 0 R] >>', page, ...objects]);

describe('reading limits', () => {
  it('stop a PDF whose content unpacks to more than the memory allowed', async () => {
    const spaces = deflateSync(Buffer.alloc(400_000_000, ' '), { level: 1 });
    const bomb = pdfWith({ dictionary: '/Filter [/FlateDecode /FlateDecode]', data: deflateSync(spaces) });
    assert.ok(bomb.length < 100_000);
    assert.match(
      await outcomeOf('bomb.pdf', bomb, { ...patient, maxMemoryMb: 100 }),
      /^too-large: bomb\.pdf needs more than 100 MB of memory .* --read-memory-mb\.$/,
    );
  });

  it('stop a Word document that unpacks to more than the memory allowed', async () => {
    const bomb = docxOf('<w:p><w:r><w:t>word</w:t></w:r></w:p>'.repeat(1_200_000));
    assert.match(
      await outcomeOf('bomb.docx', bomb, { ...patient, maxMemoryMb: 96 }),
      /^too-large: bomb\.docx needs more than 96 MB/,
    );
  });

  it('let a page of 8 MB be read in 96 MB, of paragraphs as of one text', async () => {
    const words = 'some short words of a page '.repeat(40);
    for (const markup of [`<p>${words}</p>\n`.repeat(7_000), `<pre>${words.repeat(7_000)}</pre>`]) {
      const outcome = await outcomeOf('page.html', utf8.encode(markup), { ...patient, maxMemoryMb: 96 });
      assert.match(outcome, /^read 75\d{5}$/);
    }
  });

  it('refuse an archive that declares to be large, before unpacking it', async () => {
    const bomb = zipDeclaring('word/document.xml', 2 ** 31);
    assert.match(await outcomeOf('bomb.docx', bomb, {}), /^too-large: bomb\.docx unpacks to more than \d+ MB/);
  });

  it('stop a sheet of a million rows that needs more memory than allowed', async () => {
    const rows = Array.from(
      { length: 1_000_000 },
      (_, row) => `<row r="${row + 1}"><c r="A${row + 1}"><v>1</v></c></row>`,
    );
    const sheet = xlsxOf({ Rows: rows.join('') });
    assert.match(
      await outcomeOf('rows.xlsx', sheet, { ...patient, maxMemoryMb: 128 }),
      /^too-large: rows\.xlsx needs more than 128 MB/,
    );
  });

  it('stop a PDF that never ends: a form that draws itself ten times over, and so on', async () => {
    const forms = Array.from({ length: 12 }, (_, index) => ({
      dictionary: `/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X ${6 + index} 0 R >> >>`,
      data: Buffer.from('/X Do '.repeat(10)),
    }));
    const last = { dictionary: '/Type /XObject /Subtype /Form /BBox [0 0 1 1]', data: Buffer.from('0 0 m') };
    const endless = pdfWith({ dictionary: '', data: Buffer.from('/X Do') }, ...forms, last);
    assert.match(
      await outcomeOf('endless.pdf', endless, hasty),
      /^too-large: endless\.pdf took longer than 10 s to read: .* --read-timeout-seconds\.$/,
    );
  });

  it('do not run while the process stands still', async () => {
    const reader = createDocumentReader({ threads: 1, timeoutMs: 5_000 });
    try {
      // The thread is there from here on.
      await reader.read({ name: 'first.txt', bytes: utf8.encode('Read first.') });
      const reading = reader.read({ name: 'held-up.txt', bytes: utf8.encode('Read behind it.') });
      await new Promise((resolve) => setImmediate(resolve));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 7_000);
      assert.equal((await reading).text, 'Read behind it.');
    } finally {
      await reader.close();
    }
  });

  it('hold for page trees that contain themselves', async () => {
    const circular = pdfOfObjects([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Count 100000000 /Kids [2 0 R 2 0 R] /Parent 2 0 R >>',
    ]);
    assert.match(
      await outcomeOf('circle.pdf', circular, hasty),
      /^(?:invalid-document: circle\.pdf is damaged|too-large: circle\.pdf took longer)/,
    );
  });

  it('do not stop a file for what others take', async () => {
    // The process grows by more than the limit while the file is read; the thread that reads it does not.
    const reader = createDocumentReader({ threads: 1, maxMemoryMb: 100 });
    const reading = reader.read({ name: 'a.txt', bytes: utf8.encode('A line of a long text.\n\n'.repeat(100_000)) });
    const others: Buffer[] = [];
    // However long it takes on a busy machine, no more than half a gigabyte.
    const filling = setInterval(() => others.length < 20 && others.push(Buffer.alloc(25_000_000, 1)), 10);
    try {
      assert.match((await reading).text, /^A line/);
    } finally {
      clearInterval(filling);
      await reader.close();
    }
  });
});

/** A ZIP file whose only part claims to be this large. */
function zipDeclaring(path: string, bytes: number): Buffer {
  const content = Buffer.from('x');
  const packed = deflateRawSync(content);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(packed.length, 14);
  fields.writeUInt32LE(bytes, 18);
  fields.writeUInt16LE(path.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(path), packed]);
  const directory = Buffer.concat([Buffer.from('PK\x01\x02\0\0'), fields, Buffer.alloc(14), Buffer.from(path)]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, directory, end]);
}
