import { type Reader, type ReadInput, throwIfAborted } from '@aquifer/contracts';
import { createTextBuilder, type TextBuilder } from '../text-builder.js';
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
    appendSource(builder, input, signal);
    return { ...builder.finish(), metadata: {}, omissions: [] };
  },
};

/** By itself, so that the source is gone when the text is put together. */
function appendSource(builder: TextBuilder, input: ReadInput, signal: AbortSignal | undefined): void {
  appendPlainText(builder, readText(input), signal);
}
