import { type Reader, throwIfAborted } from '@aquifer/contracts';
import { isOldWord } from '../signatures.js';
import { createTextBuilder } from '../text-builder.js';
import { appendFlow } from '../text-flow.js';
import { damagedOldOffice, encryptedOldOffice, openOldOffice, summaryOf, tooOldOffice } from './old-office-file.js';
import { readWordText } from './word-text.js';

const kind = 'a Word 97–2003 document';

/** The first version of Word whose text is laid out as MS-DOC says. */
const word97 = 0x00c1;

/** Reads documents of Word 97 to 2003: headings by style, lists, tables, notes, text boxes. */
export const docReader: Reader = {
  id: 'doc',
  mediaTypes: ['application/msword'],
  extensions: ['.doc', '.dot'],
  recognises: isOldWord,
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    const file = openOldOffice(bytes, name, kind);
    const main = file.stream('WordDocument');
    if (!main || main.length < 0x200) throw damagedOldOffice(name, kind);
    const view = new DataView(main.buffer, main.byteOffset, main.byteLength);
    const version = view.getUint16(2, true);
    const flags = view.getUint16(0x0a, true);
    if ((flags & 0x0100) !== 0) throw encryptedOldOffice(name, 'docx');
    if (view.getUint16(0, true) !== 0xa5ec || version < word97) {
      throw tooOldOffice(name, 'a document of Word 95 or older', 'docx');
    }
    const table = file.stream((flags & 0x0200) === 0 ? '0Table' : '1Table');
    if (!table) throw damagedOldOffice(name, kind);
    let outputs: ReturnType<typeof readWordText>;
    try {
      outputs = readWordText(main, table, signal);
    } catch (error) {
      // Positions beyond the end of a stream.
      if (error instanceof RangeError) throw damagedOldOffice(name, kind, error);
      throw error;
    }
    const builder = createTextBuilder();
    appendFlow(builder, outputs);
    const content = builder.finish();
    const { title = '', metadata } = summaryOf(file);
    const [first] = content.blocks;
    const heading = first?.kind === 'heading' && first.level === 1 ? content.text.slice(first.start, first.end) : '';
    return { ...content, ...((title || heading) && { title: title || heading }), metadata, omissions: [] };
  },
};
