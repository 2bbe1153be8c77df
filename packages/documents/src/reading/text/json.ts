import { type Reader, throwIfAborted } from '@aquifer/contracts';
import { createTextBuilder } from '../text-builder.js';
import { appendJson } from './append-json.js';
import { appendPlainText } from './append-plain-text.js';
import { readText } from './decode-text.js';
import { parseJson } from './json-text.js';
import { appendJsonLines, looksLikeJsonLines } from './jsonl.js';

/**
 * Reads JSON as text with the names of its members. What is not JSON is read as plain text, and the document says where it
 * stopped being JSON: somebody who looks for a word in it wants to find it.
 */
export const jsonReader: Reader = {
  id: 'json',
  mediaTypes: ['application/json'],
  extensions: ['.json', '.jsonc', '.geojson', '.webmanifest'],
  async read(input, { signal } = {}) {
    throwIfAborted(signal);
    const text = readText(input);
    const builder = createTextBuilder();
    if (text.trim() === '') return { ...builder.finish(), metadata: {}, omissions: [] };
    const parsed = parseJson(text);
    throwIfAborted(signal);
    if ('value' in parsed) {
      appendJson(builder, parsed.value, signal);
      const title = titleOf(parsed.value);
      return { ...builder.finish(), ...(title && { title }), metadata: {}, omissions: [] };
    }
    if (looksLikeJsonLines(text)) {
      const { omissions } = appendJsonLines(builder, text, signal);
      return { ...builder.finish(), metadata: {}, omissions };
    }
    appendPlainText(builder, text, signal);
    const { line, column, problem } = parsed;
    const omission = `it is not valid JSON and was read as plain text: line ${line}, column ${column}: ${problem}`;
    return { ...builder.finish(), metadata: {}, omissions: [omission] };
  },
};

function titleOf(value: unknown): string | undefined {
  const title = (value as { readonly title?: unknown } | null)?.title;
  return typeof title === 'string' && title.trim() !== '' && title.length <= 200 ? title.trim() : undefined;
}
