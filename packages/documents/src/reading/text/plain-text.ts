import { type Reader, throwIfAborted } from '@aquifer/contracts';
import { createTextBuilder } from '../text-builder.js';
import { appendPlainText } from './append-plain-text.js';
import { readText } from './decode-text.js';
import { plainTextExtensions } from './plain-text-extensions.js';

/** Reads plain text: paragraphs and lists, in any encoding that {@link readText} knows. */
export const plainTextReader: Reader = {
  id: 'plain-text',
  mediaTypes: ['text/plain'],
  extensions: plainTextExtensions,
  async read(input, { signal } = {}) {
    throwIfAborted(signal);
    const builder = createTextBuilder();
    appendPlainText(builder, readText(input), signal);
    return { ...builder.finish(), metadata: {}, omissions: [] };
  },
};
