import { type DefaultTreeAdapterTypes, defaultTreeAdapter, html, Parser, type Token } from 'parse5';

export type MarkupNode = DefaultTreeAdapterTypes.ChildNode;
export type MarkupElement = DefaultTreeAdapterTypes.Element;
export type MarkupParent = DefaultTreeAdapterTypes.ParentNode;

/**
 * Deepest nesting of elements. Every tag looks through the open elements, so that without a limit a file of nothing but
 * `<div>` takes time quadratic in its length. Browsers stop at 512.
 */
const maxDepth = 256;

const { TAG_ID } = html;

/**
 * Elements that only change how text looks. Unclosed, they are opened again in every paragraph that follows, which also
 * is quadratic; nothing that a reader of text needs depends on them.
 */
const formatting = new Set([
  TAG_ID.B,
  TAG_ID.BIG,
  TAG_ID.CODE,
  TAG_ID.EM,
  TAG_ID.FONT,
  TAG_ID.I,
  TAG_ID.NOBR,
  TAG_ID.S,
  TAG_ID.SMALL,
  TAG_ID.STRIKE,
  TAG_ID.STRONG,
  TAG_ID.TT,
  TAG_ID.U,
]);

/** Elements that never hold others, and those whose content is not markup. */
const alwaysKept = new Set([
  TAG_ID.AREA,
  TAG_ID.BASE,
  TAG_ID.BR,
  TAG_ID.COL,
  TAG_ID.EMBED,
  TAG_ID.HR,
  TAG_ID.IMG,
  TAG_ID.INPUT,
  TAG_ID.LINK,
  TAG_ID.META,
  TAG_ID.PARAM,
  TAG_ID.SCRIPT,
  TAG_ID.SOURCE,
  TAG_ID.STYLE,
  TAG_ID.TITLE,
  TAG_ID.TRACK,
  TAG_ID.WBR,
]);

class BoundedParser extends Parser<DefaultTreeAdapterTypes.DefaultTreeAdapterMap> {
  private skippedDepth = 0;

  override onStartTag(token: Token.TagToken): void {
    if (formatting.has(token.tagID)) return;
    if (this.openElements.stackTop >= maxDepth && !alwaysKept.has(token.tagID)) {
      if (!token.selfClosing) this.skippedDepth++;
      return;
    }
    super.onStartTag(token);
  }

  override onEndTag(token: Token.TagToken): void {
    if (formatting.has(token.tagID)) return;
    if (this.skippedDepth > 0 && !alwaysKept.has(token.tagID)) {
      this.skippedDepth--;
      return;
    }
    super.onEndTag(token);
  }
}

/** Text that is added to a node before its pieces are made one string, however little of the node that is. */
const looseCharacters = 65_536;

/**
 * A tree whose texts are whole strings. The parser adds words and the white space between them one by one, which V8 keeps as a
 * tree of strings, for each word ten times as large as the word, until somebody looks inside.
 */
function createTreeAdapter(): typeof defaultTreeAdapter {
  let node: DefaultTreeAdapterTypes.TextNode | undefined;
  let loose = 0;
  /** Looking at one character makes one string of the pieces. */
  const join = () => node?.value.charCodeAt(0);
  return {
    ...defaultTreeAdapter,
    insertText(parent, text) {
      defaultTreeAdapter.insertText(parent, text);
      const last = parent.childNodes.at(-1) as DefaultTreeAdapterTypes.TextNode;
      if (last !== node) {
        join();
        node = last;
        loose = 0;
      }
      loose += text.length;
      // A share of the whole, so that a long text is not copied over and over.
      if (loose < Math.max(looseCharacters, last.value.length / 4)) return;
      join();
      loose = 0;
    },
  };
}

const createParser = () => new BoundedParser({ scriptingEnabled: false, treeAdapter: createTreeAdapter() });

/** The document of an HTML page or fragment, as browsers see it, without elements that only change how text looks. */
export function parseMarkup(markup: string): DefaultTreeAdapterTypes.Document {
  const parser = createParser();
  parser.tokenizer.write(markup, true);
  return parser.document;
}

/** Markup that is parsed piece by piece, without keeping the tree of all of it. */
export interface MarkupStream {
  /** Takes the next piece. Returns what is complete now of the body's children, in order, each of them once. */
  write(markup: string): readonly MarkupNode[];
  /** Returns the rest of them. */
  end(): readonly MarkupNode[];
}

/** A {@link MarkupStream}: its nodes are those of {@link parseMarkup}. */
export function createMarkupStream(): MarkupStream {
  const parser = createParser();
  return {
    write(markup) {
      parser.tokenizer.write(markup, false);
      const [, body, ...open] = parser.openElements.items;
      if (body === undefined || !isElement(body) || body.tagName !== 'body') return [];
      const { childNodes } = body;
      const unfinished = new Set<MarkupNode | MarkupParent>([...open, childNodes.at(-1)!]);
      const end = childNodes.findIndex((node) => unfinished.has(node));
      // What is misplaced in an open table is added before it, to the text there if there is one.
      return childNodes.splice(0, Math.max(0, end - 1));
    },
    end() {
      parser.tokenizer.write('', true);
      const page = parser.document.childNodes.find(isElement);
      return page?.childNodes.filter(isElement).find(({ tagName }) => tagName === 'body')?.childNodes ?? [];
    },
  };
}

export function isElement(node: MarkupNode | MarkupParent): node is MarkupElement {
  return 'tagName' in node;
}

export function isText(node: MarkupNode | MarkupParent): node is DefaultTreeAdapterTypes.TextNode {
  return node.nodeName === '#text';
}

export function attribute(element: MarkupElement, name: string): string | undefined {
  return element.attrs.find((item) => item.name === name)?.value;
}

/** All elements under a node in document order, without recursion. `enter` false leaves out what is inside. */
export function* elementsOf(
  root: MarkupParent,
  enter: (element: MarkupElement) => boolean = () => true,
): Generator<MarkupElement> {
  const stack: MarkupNode[] = [...root.childNodes].reverse();
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (!isElement(node)) continue;
    yield node;
    if (enter(node))
      for (let index = node.childNodes.length - 1; index >= 0; index--) stack.push(node.childNodes[index]!);
  }
}

/** Text of a node as one line; inside, only what `skip` does not hide. */
export function textOf(root: MarkupParent, skip: (element: MarkupElement) => boolean = () => false): string {
  const parts: string[] = [];
  const stack: MarkupNode[] = [...root.childNodes].reverse();
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (isText(node)) parts.push(node.value);
    if (!isElement(node) || skip(node)) continue;
    if (isBlock(node) || node.tagName === 'br') parts.push(' ');
    if (node.tagName === 'img') parts.push(alternativeText(node));
    for (let index = node.childNodes.length - 1; index >= 0; index--) stack.push(node.childNodes[index]!);
  }
  return collapseSpace(parts.join('')).trim();
}

const cjk = '[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\u3000-\\u303f\\uff00-\\uffef]';
const breakBetweenCjk = new RegExp(`(?<=${cjk})[ \\t]*\\r?\\n[ \\t]*(?=${cjk})`, 'gu');

/** White space as HTML shows it: one space for a run, none for a line break between characters of Chinese or Japanese. */
export function collapseSpace(text: string): string {
  const joined = text.includes('\n') ? text.replace(breakBetweenCjk, '') : text;
  return joined.replace(/[ \t\n\r\f]+/g, ' ');
}

const blockTags = new Set(
  (
    'address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer form ' +
    'h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol optgroup option p plaintext pre search section ' +
    'summary table tbody td tfoot th thead tr ul xmp'
  ).split(' '),
);

export function isBlock(element: MarkupElement): boolean {
  return blockTags.has(element.tagName);
}

/** What an image says, or an empty string where its description is a file name or a label such as "logo". */
export function alternativeText(image: MarkupElement): string {
  const text = (attribute(image, 'alt') ?? '').trim();
  const isMeaningful =
    /\p{L}{2}/u.test(text) &&
    !/\.(?:png|jpe?g|gif|svg|webp|bmp|tiff?|emf|wmf)$/i.test(text) &&
    !/^(?:image|picture|photo|logo|icon|spacer|bullet|画像|図|写真|ロゴ)\s*\d*$/i.test(text) &&
    attribute(image, 'width') !== '1' &&
    attribute(image, 'height') !== '1';
  return isMeaningful ? text : '';
}
