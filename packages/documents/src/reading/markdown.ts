import { type Reader, throwIfAborted } from '@aquifer/contracts';
import { Marked, type TokenizerAndRendererExtension } from 'marked';
import { appendMarkup } from './append-markup.js';
import { appendPlainText } from './append-plain-text.js';
import { decodeText } from './decode-text.js';
import { splitFrontMatter } from './front-matter.js';
import { parseMarkup } from './parse-markup.js';
import { createTextBuilder } from './text-builder.js';

/**
 * Reads Markdown (CommonMark with the tables, task lists and footnotes of GitHub) as clean text: no asterisks, no link
 * targets. Front matter becomes metadata. HTML inside is read as HTML.
 */
export const markdownReader: Reader = {
  id: 'markdown',
  mediaTypes: ['text/markdown', 'text/x-markdown'],
  extensions: ['.md', '.markdown', '.mdown', '.mkd'],
  async read({ bytes }, { signal } = {}) {
    throwIfAborted(signal);
    const { metadata, title, body, problem } = splitFrontMatter(decodeText(bytes));
    const builder = createTextBuilder();
    const markup = toMarkup(body);
    throwIfAborted(signal);
    if (markup === undefined) appendPlainText(builder, body, signal);
    else appendMarkup(builder, parseMarkup(markup), { signal });

    const content = builder.finish();
    const heading = content.blocks.find((block) => block.kind === 'heading' && block.level === 1);
    const name = title ?? (heading && content.text.slice(heading.start, heading.end));
    return { ...content, ...(name && { title: name }), metadata, omissions: problem ? [problem] : [] };
  },
};

/** `[^1]` in the text, shown as `[1]`. */
const footnoteReference: TokenizerAndRendererExtension = {
  name: 'footnoteReference',
  level: 'inline',
  start: (source) => source.indexOf('[^'),
  tokenizer(source) {
    const match = /^\[\^([^\]\s]{1,100})\]/.exec(source);
    return match ? { type: 'footnoteReference', raw: match[0], label: match[1] } : undefined;
  },
  renderer: (token) => `[${escapeMarkup(String(token.label))}]`,
};

/** `[^1]: text` with its indented lines. Without this, a footnote of one word would be taken for the target of a link. */
const footnote: TokenizerAndRendererExtension = {
  name: 'footnote',
  level: 'block',
  start: (source) => /^\[\^/m.exec(source)?.index,
  tokenizer(source) {
    const match = /^\[\^([^\]\s]{1,100})\]:[ \t]*(.*(?:\n(?:[ \t]+\S.*|(?!\[\^|\s).+))*)(?:\n|$)/.exec(source);
    if (!match) return undefined;
    const text = match[2]!.replace(/\n[ \t]+/g, '\n');
    return { type: 'footnote', raw: match[0], label: match[1], tokens: this.lexer.inlineTokens(text) };
  },
  renderer(token) {
    return `<p>[${escapeMarkup(String(token.label))}] ${this.parser.parseInline(token.tokens ?? [])}</p>\n`;
  },
};

const marked = new Marked({
  gfm: true,
  extensions: [footnote, footnoteReference],
  renderer: { checkbox: ({ checked }) => (checked ? '[x] ' : '[ ] ') },
});

/** The text as HTML, or undefined where it nests so deep that no person can have written it. */
function toMarkup(text: string): string | undefined {
  try {
    return marked.parse(text, { async: false });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function escapeMarkup(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
