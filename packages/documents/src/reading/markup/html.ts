import { type Metadata, type MetadataValue, type Reader, throwIfAborted } from '@aquifer/contracts';
import { isHtml } from '../signatures.js';
import { readText } from '../text/decode-text.js';
import { createTextBuilder } from '../text-builder.js';
import { appendMarkup } from './append-markup.js';
import { findMainContent } from './main-content.js';
import { attribute, elementsOf, type MarkupElement, type MarkupParent, parseMarkup, textOf } from './parse-markup.js';

/** Bytes in which a page declares its encoding. The standard says 1024; pages with a long preamble need more. */
const declarationBytes = 8192;

/** Reads HTML and XHTML pages: their main content, without navigation, scripts and what is hidden. */
export const htmlReader: Reader = {
  id: 'html',
  mediaTypes: ['text/html', 'application/xhtml+xml'],
  extensions: ['.html', '.htm', '.xhtml'],
  recognises: isHtml,
  async read(input, { signal } = {}) {
    throwIfAborted(signal);
    const document = parseMarkup(readText(input, declaredEncoding(input.bytes)));
    throwIfAborted(signal);

    let builder = createTextBuilder();
    const { roots, skip } = findMainContent(document);
    for (const root of roots) appendMarkup(builder, root, { skip, signal });
    let content = builder.finish();
    if (content.blocks.length === 0) {
      // Everything was navigation or hidden: a page that only shows with scripts, or only holds links.
      builder = createTextBuilder();
      appendMarkup(builder, document, { signal });
      content = builder.finish();
    }

    const title = titleOf(document);
    return { ...content, ...(title && { title }), metadata: metadataOf(document), omissions: [] };
  },
};

/** The encoding that a page says it is in. */
export function declaredEncoding(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, declarationBytes));
  const match =
    /<meta\s[^>]*?charset\s*=\s*["']?\s*([\w:.()-]+)/i.exec(head) ??
    /^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w:.()-]+)/i.exec(head);
  return match?.[1];
}

function titleOf(document: MarkupParent): string | undefined {
  let heading: MarkupElement | undefined;
  for (const element of elementsOf(document, (item) => item.tagName !== 'svg')) {
    if (element.tagName === 'title') {
      const title = textOf(element);
      if (title) return title;
    }
    if (element.tagName === 'h1') heading ??= element;
  }
  return (heading && textOf(heading)) || undefined;
}

/** Attribute names of `<meta>` (and of Dublin Core and Open Graph), and what they are called here. The first wins. */
const metaNames: readonly (readonly [key: string, names: readonly string[]])[] = [
  ['description', ['description', 'dcterms.description', 'dc.description', 'og:description']],
  ['author', ['author', 'dcterms.creator', 'dc.creator', 'article:author']],
  ['created', ['article:published_time', 'dcterms.created', 'dc.date.created', 'date', 'dcterms.date', 'dc.date']],
  ['modified', ['article:modified_time', 'dcterms.modified', 'dc.date.modified', 'last-modified']],
];

function metadataOf(document: MarkupParent): Metadata {
  const found = new Map<string, string>();
  let language: string | undefined;
  for (const element of elementsOf(document, (item) => item.tagName === 'html' || item.tagName === 'head')) {
    if (element.tagName === 'html') language = attribute(element, 'lang') ?? attribute(element, 'xml:lang');
    if (element.tagName !== 'meta') continue;
    const name = (attribute(element, 'name') ?? attribute(element, 'property') ?? '').toLowerCase();
    const content = attribute(element, 'content')?.replace(/\s+/g, ' ').trim();
    if (name && content && !found.has(name)) found.set(name, content);
  }
  const metadata: Record<string, MetadataValue> = {};
  for (const [key, names] of metaNames) {
    const name = names.find((item) => found.has(item));
    if (name) metadata[key] = found.get(name)!;
  }
  if (language?.trim()) metadata.language = language.trim();
  return metadata;
}
