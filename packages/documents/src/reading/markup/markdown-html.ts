import MarkdownIt, { type StateBlock, type StateInline, type Token } from 'markdown-it';

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

/** Tokens that are rendered at once. */
const pieceTokens = 1_000;

interface Environment extends Record<PropertyKey, unknown> {
  onTokens?: (tokens: Token[]) => void;
}

/** A rule that matches nothing: between two blocks at the top level it hands over the tokens of those before. */
function handOverTokens(state: StateBlock): boolean {
  if (state.level === 0 && state.tokens.length >= pieceTokens) {
    (state.env as Environment).onTokens?.(state.tokens.splice(0));
  }
  return false;
}

/** Rules that look at one block alone, and those that go through the lines. */
const inlineRules = ['strip_references', 'inline', 'linkify', 'replacements', 'smartquotes', 'text_join'];
const blockRules = ['normalize', 'block'];

/** Chosen for hostile input: it stays near linear where other parsers of Markdown go quadratic or overflow the stack. */
function createMarkdown(leftOut: string[]): InstanceType<typeof MarkdownIt> {
  const markdown = new MarkdownIt({ html: true, maxNesting: 8 * maxNestedMarkers });
  markdown.inline.ruler.before('link', 'footnote-reference', footnoteReference);
  markdown.block.ruler.before('reference', 'footnote', footnote, { alt: ['paragraph', 'reference'] });
  markdown.block.ruler.before('table', 'hand-over', handOverTokens);
  markdown.core.ruler.disable(leftOut);
  return markdown;
}

const blocksOf = createMarkdown(inlineRules);
const inlineOf = createMarkdown(blockRules);

/**
 * The HTML of a Markdown text, in pieces of a few blocks: they are parsed, rendered and let go of before the next ones. The tokens
 * of all of a text take several times the memory of the text.
 */
export function renderMarkdown(text: string, write: (html: string) => void): void {
  const source = boundNesting(text);
  const environment: Environment = {};
  const parse = (onTokens: (tokens: Token[]) => void) => {
    environment.onTokens = onTokens;
    onTokens(blocksOf.parse(source, environment));
  };
  // Links may stand before what defines them.
  if (source.includes(']:')) parse(() => {});
  // A block at the top level is rendered as a whole: how its tokens are rendered depends on those beside them.
  parse((tokens) => {
    const state = new inlineOf.core.State('', inlineOf, environment);
    state.tokens = tokens;
    inlineOf.core.process(state);
    write(inlineOf.renderer.render(state.tokens, inlineOf.options, environment));
  });
}
