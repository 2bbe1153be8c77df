import { type Reader, type ReadInput, throwIfAborted } from '@aquifer/contracts';
import { readText } from '../text/decode-text.js';
import { createTextBuilder } from '../text-builder.js';
import { appendMarkup } from './append-markup.js';
import { type FrontMatter, splitFrontMatter } from './front-matter.js';
import { markdownToHtml } from './markdown-html.js';
import { type MarkupParent, parseMarkup } from './parse-markup.js';

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
    const { metadata, title, problem, tree } = parse(input);
    throwIfAborted(signal);
    const builder = createTextBuilder();
    appendMarkup(builder, tree, { signal });

    const content = builder.finish();
    const heading = content.blocks.find((block) => block.kind === 'heading' && block.level === 1);
    const name = title ?? (heading && content.text.slice(heading.start, heading.end));
    return { ...content, ...(name && { title: name }), metadata, omissions: problem ? [problem] : [] };
  },
};

/** By itself, so that the source is gone while the tree is walked. */
function parse(input: ReadInput): Omit<FrontMatter, 'body'> & { readonly tree: MarkupParent } {
  const { body, ...rest } = splitFrontMatter(readText(input));
  return { ...rest, tree: parseMarkup(markdownToHtml(body)) };
}
