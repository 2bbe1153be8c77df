import { type Reader, throwIfAborted } from '@aquifer/contracts';
import MarkdownIt, { type StateBlock, type StateInline } from 'markdown-it';
import { readText } from '../text/decode-text.js';
import { createTextBuilder } from '../text-builder.js';
import { appendMarkup } from './append-markup.js';
import { splitFrontMatter } from './front-matter.js';
import { parseMarkup } from './parse-markup.js';

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
    const { metadata, title, body, problem } = splitFrontMatter(readText(input));
    const markup = markdown.render(boundNesting(body));
    throwIfAborted(signal);
    const builder = createTextBuilder();
    appendMarkup(builder, parseMarkup(markup), { signal });

    const content = builder.finish();
    const heading = content.blocks.find((block) => block.kind === 'heading' && block.level === 1);
    const name = title ?? (heading && content.text.slice(heading.start, heading.end));
    return { ...content, ...(name && { title: name }), metadata, omissions: problem ? [problem] : [] };
  },
};

/** `[^1]` in the text, shown as `[1]`. */
function footnoteReference(state: StateInline, silent: boolean): boolean {
  if (!state.src.startsWith('[^', state.pos)) return false;
  const match = /^\[\^([^\]\s]{1,100})\]/.exec(state.src.slice(state.pos, state.pos + 104));
  if (!match) return false;
  if (!silent) state.push('text', '', 0).content = `[${match[1]}]`;
  state.pos += match[0].length;
  return true;
}

/** `[^1]: text` up to the next blank line or footnote. Without this, a footnote of one word would be the target of a link. */
function footnote(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const match = /^\[\^([^\]\s]{1,100})\]:/.exec(lineOf(state, startLine));
  if (!match) return false;
  if (silent) return true;
  const lines = [lineOf(state, startLine).slice(match[0].length)];
  let line = startLine + 1;
  for (; line < endLine && !state.isEmpty(line) && !lineOf(state, line).startsWith('[^'); line++)
    lines.push(lineOf(state, line));
  state.line = line;
  state.push('paragraph_open', 'p', 1);
  const inline = state.push('inline', '', 0);
  inline.content = `[^${match[1]}] ${lines.join('\n').trim()}`;
  inline.children = [];
  state.push('paragraph_close', 'p', -1);
  return true;
}

function lineOf(state: StateBlock, line: number): string {
  return state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line]);
}

/** Lists and quotations inside each other, of one line. Indentation can add as many more. */
const maxNestedMarkers = 40;

const marker = '[ \\t]{0,3}(?:>|[-*+](?=[ \\t])|\\d{1,9}[.)](?=[ \\t]))';
const manyMarkers = new RegExp(`^((?:${marker}){${maxNestedMarkers}})(.+)$`, 'gm');
const excessIndent = new RegExp(`^([ \\t]{${2 * maxNestedMarkers}})[ \\t]+`, 'gm');

/** Beyond its limit of nesting the parser drops what is inside and everything after it, so the text is kept below it. */
function boundNesting(text: string): string {
  return text
    .replace(manyMarkers, (_, kept: string, rest: string) => kept + withoutMarkers(rest))
    .replace(excessIndent, '$1');
}

function withoutMarkers(line: string): string {
  const next = new RegExp(marker, 'y');
  let position = 0;
  while (next.test(line)) position = next.lastIndex;
  return line.slice(position);
}

/** Chosen for hostile input: it stays near linear where other parsers of Markdown go quadratic or overflow the stack. */
const markdown = new MarkdownIt({ html: true, maxNesting: 8 * maxNestedMarkers });
markdown.inline.ruler.before('link', 'footnote-reference', footnoteReference);
markdown.block.ruler.before('reference', 'footnote', footnote, { alt: ['paragraph', 'reference'] });
