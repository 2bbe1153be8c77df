import { AquiferError, type Reader, throwIfAborted } from '@aquifer/contracts';
import { appendPlainText } from './append-plain-text.js';
import { decodeText } from './decode-text.js';
import { describeContent, isBinary } from './signatures.js';
import { createTextBuilder } from './text-builder.js';

/** Reads plain text: paragraphs and lists, in UTF-8, UTF-16, Shift_JIS, EUC-JP or windows-1252. */
export const plainTextReader: Reader = {
  id: 'plain-text',
  mediaTypes: ['text/plain'],
  extensions: ['.txt', '.text', '.log'],
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    if (isBinary(bytes)) {
      throw new AquiferError(
        'unsupported-format',
        `${name} is ${describeContent(bytes)}, not text. Give it the extension of its format, or leave it out.`,
      );
    }
    const builder = createTextBuilder();
    appendPlainText(builder, decodeText(bytes), signal);
    return { ...builder.finish(), metadata: {}, omissions: [] };
  },
};
