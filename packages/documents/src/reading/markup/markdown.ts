import { type Reader, type ReadInput, throwIfAborted } from '@aquifer/contracts';
import { readText } from '../text/decode-text.js';
import { createTextBuilder, type TextBuilder } from '../text-builder.js';
import { createMarkupAppender } from './append-markup.js';
import { type FrontMatter, splitFrontMatter } from './front-matter.js';
import { renderMarkdown } from './markdown-html.js';
import { createMarkupStream } from './parse-markup.js';

/**
 * Reads Markdown (CommonMark with the tables, task lists and footnotes of GitHub) as clean text: no asterisks, no link
 * targets. Front matter becomes metadata. HTML inside is read as HTML.
 */
export const markdownReader: Reader = {
  id: 'markdown',
  mediaTypes: ['text/markdown', 'text/x-markdown'],
  extensions: ['.md', '.markdown', '.mdown', '.mkd'],
  async read(input, { signal } = {}) {
    throwIfAborted(signal);
    const builder = createTextBuilder();
    const { metadata, title, problem } = appendMarkdown(builder, input, signal);
    const content = builder.finish();
    const heading = content.blocks.find((block) => block.kind === 'heading' && block.level === 1);
    const name = title ?? (heading && content.text.slice(heading.start, heading.end));
    return { ...content, ...(name && { title: name }), metadata, omissions: problem ? [problem] : [] };
  },
};

/** By itself, so that the source is gone when the text is put together. */
function appendMarkdown(
  builder: TextBuilder,
  input: ReadInput,
  signal: AbortSignal | undefined,
): Omit<FrontMatter, 'body'> {
  const { body, ...rest } = splitFrontMatter(readText(input));
  const appender = createMarkupAppender(builder, { signal });
  const markup = createMarkupStream();
  renderMarkdown(body, (html) => appender.append(markup.write(html)));
  appender.append(markup.end());
  appender.finish();
  return rest;
}
