import { type Reader, throwIfAborted } from '@aquifer/contracts';
import { createTextBuilder } from '../text-builder.js';
import { readText } from './decode-text.js';
import { sourceCodeExtensions } from './source-code-extensions.js';

/** Blank lines before something that stands at the beginning of its line and closes nothing: the next definition. */
const betweenDefinitions = /\n(?:[ \t]*\n)+(?=[^\s})\]])/;

/**
 * Reads source code and configuration files of any language: blocks of code between blank lines, with their indentation. What
 * belongs to a definition stays in its block.
 */
export const sourceCodeReader: Reader = {
  id: 'source-code',
  mediaTypes: ['text/x-source'],
  extensions: sourceCodeExtensions,
  async read(input, { signal } = {}) {
    throwIfAborted(signal);
    const builder = createTextBuilder();
    const text = readText(input);
    const lines = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
    for (const block of lines.split(betweenDefinitions)) builder.append('code', block);
    throwIfAborted(signal);
    return { ...builder.finish(), metadata: {}, omissions: [] };
  },
};
