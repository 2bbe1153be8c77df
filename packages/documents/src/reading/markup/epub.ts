import { AquiferError, type Metadata, type MetadataValue, type Reader, throwIfAborted } from '@aquifer/contracts';
import { resolvePath } from '../office/package-parts.js';
import { childOf, childrenOf, descendantsOf, parseXml, type XmlElement, xmlAttribute, xmlText } from '../parse-xml.js';
import { describeContent, isEpub, isZip } from '../signatures.js';
import { decodeText } from '../text/decode-text.js';
import { createTextBuilder } from '../text-builder.js';
import { unpackZip, type ZipParts } from '../zip-archive.js';
import { appendMarkup } from './append-markup.js';
import { isHidden } from './main-content.js';
import { attribute, elementsOf, type MarkupElement, type MarkupParent, parseMarkup, textOf } from './parse-markup.js';

const maxUnpackedBytes = 256 * 2 ** 20;

/** Fonts are often disguised by these, which keeps nobody from reading (EPUB 3.3, 4.4). */
const fontDisguises = new Set(['http://www.idpf.org/2008/embedding', 'http://ns.adobe.com/pdf/enc#RC']);

const markupTypes = new Set(['application/xhtml+xml', 'text/html', 'application/x-dtbook+xml', 'text/x-oeb1-document']);

interface Item {
  readonly path: string;
  readonly mediaType: string;
  readonly properties: readonly string[];
}

/** Reads EPUB books of version 2 and 3: their chapters in reading order, with title, authors and what else the book says of itself. */
export const epubReader: Reader = {
  id: 'epub',
  mediaTypes: ['application/epub+zip'],
  extensions: ['.epub'],
  recognises: isEpub,
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    if (!isZip(bytes)) {
      throw new AquiferError('unsupported-format', `${name} is ${describeContent(bytes)}, not an EPUB book.`);
    }
    // Books name their chapters as they like: everything but pictures, fonts, sound and style sheets.
    const matches = (path: string) =>
      !/(?:\/|\.(?:jpe?g|png|gif|svgz?|webp|[ot]tf|woff2?|css|js|mp[34]|m4[av]|ogg|opus|webm))$/i.test(path);
    const parts = unpackZip(bytes, name, { matches, maxBytes: maxUnpackedBytes });
    refuseProtected(parts, name);

    const packagePath = findPackage(parts, name);
    const root = parseXml(parts.get(packagePath)!, { name, part: packagePath, signal });
    const items = itemsOf(root, packagePath);
    const labels = labelsOf(parts, root, items, name);
    const contents = contentsPaths(root, packagePath, items);

    const builder = createTextBuilder();
    const omissions: string[] = [];
    const read = new Set<string>();
    for (const reference of childrenOf(childOf(root, 'spine'), 'itemref')) {
      throwIfAborted(signal);
      const item = items.get(xmlAttribute(reference, 'idref') ?? '');
      if (!item || !markupTypes.has(item.mediaType) || contents.has(item.path) || read.has(item.path)) continue;
      read.add(item.path);
      const part = parts.get(item.path);
      if (!part) {
        omissions.push(`the chapter ${item.path} is missing`);
        continue;
      }
      const document = parseMarkup(withoutEmptyTags(decodeText(part)));
      const label = labels.get(item.path);
      if (label && !hasHeading(document)) builder.append('heading', label, { level: 1 });
      appendMarkup(builder, document, { skip: isHidden, signal });
    }
    const { title, metadata } = metadataOf(childOf(root, 'metadata'));
    return { ...builder.finish(), ...(title && { title }), metadata, omissions };
  },
};

/** @throws `unsupported-format` where chapters are encrypted for the programs of one shop. */
function refuseProtected(parts: ZipParts, name: string): void {
  const part = 'META-INF/encryption.xml';
  const bytes = parts.get(part);
  if (!bytes) return;
  for (const method of descendantsOf(parseXml(bytes, { name, part }), 'EncryptionMethod')) {
    if (fontDisguises.has(xmlAttribute(method, 'Algorithm') ?? '')) continue;
    throw new AquiferError(
      'unsupported-format',
      `${name} is protected against copying and opens only in the program that it was bought for. Leave it out, or get a copy without protection.`,
    );
  }
}

/** Path of the package document, which names all parts (EPUB 3.3, 4.2.6.3.1). */
function findPackage(parts: ZipParts, name: string): string {
  const part = 'META-INF/container.xml';
  const container = parts.get(part);
  const [rootFile] = container ? descendantsOf(parseXml(container, { name, part }), 'rootfile') : [];
  const path =
    (rootFile && xmlAttribute(rootFile, 'full-path')) ?? [...parts.keys()].find((key) => /\.opf$/i.test(key));
  if (path === undefined || !parts.has(path)) {
    throw new AquiferError(
      'invalid-document',
      `${name} is damaged and cannot be read as an EPUB book: it does not say what it consists of. Get a new copy.`,
    );
  }
  return path;
}

function itemsOf(root: XmlElement, packagePath: string): ReadonlyMap<string, Item> {
  const items = new Map<string, Item>();
  for (const element of childrenOf(childOf(root, 'manifest'), 'item')) {
    const href = xmlAttribute(element, 'href');
    if (href === undefined) continue;
    items.set(xmlAttribute(element, 'id') ?? '', {
      path: pathOf(packagePath, href),
      mediaType: (xmlAttribute(element, 'media-type') ?? '').toLowerCase(),
      properties: (xmlAttribute(element, 'properties') ?? '').split(/\s+/),
    });
  }
  return items;
}

/** Pages that only list the chapters. */
function contentsPaths(root: XmlElement, packagePath: string, items: ReadonlyMap<string, Item>): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const { path, properties } of items.values()) if (properties.includes('nav')) paths.add(path);
  for (const reference of childrenOf(childOf(root, 'guide'), 'reference')) {
    const href = xmlAttribute(reference, 'href');
    if (xmlAttribute(reference, 'type') === 'toc' && href) paths.add(pathOf(packagePath, href));
  }
  return paths;
}

/** What the table of contents calls each file: its first entry, of the navigation document or of the NCX of version 2. */
function labelsOf(
  parts: ZipParts,
  root: XmlElement,
  items: ReadonlyMap<string, Item>,
  name: string,
): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  const add = (from: string, href: string | undefined, label: string) => {
    if (href === undefined || label === '') return;
    const path = pathOf(from, href);
    if (!labels.has(path)) labels.set(path, label);
  };
  const navigation = [...items.values()].find(({ properties }) => properties.includes('nav'));
  const page = navigation && parts.get(navigation.path);
  if (page) {
    for (const element of elementsOf(parseMarkup(withoutEmptyTags(decodeText(page))))) {
      if (element.tagName === 'a') add(navigation.path, attribute(element, 'href'), textOf(element));
    }
  }
  const ncx = items.get(xmlAttribute(childOf(root, 'spine'), 'toc') ?? '');
  const bytes = ncx && parts.get(ncx.path);
  if (!page && bytes) {
    for (const point of descendantsOf(parseXml(bytes, { name, part: ncx.path }), 'navPoint')) {
      const label = xmlText(childOf(childOf(point, 'navLabel'), 'text'))
        .replace(/\s+/g, ' ')
        .trim();
      add(ncx.path, xmlAttribute(childOf(point, 'content'), 'src'), label);
    }
  }
  return labels;
}

function pathOf(from: string, href: string): string {
  const bare = href.replace(/[#?].*$/s, '');
  let path = bare;
  try {
    path = decodeURIComponent(bare);
  } catch {
    // A `%` that stands for itself.
  }
  return resolvePath(from, path);
}

/** XHTML may close any element in its opening tag, which HTML would take for the beginning of one: `<title/>`, `<a id="x"/>`. */
function withoutEmptyTags(markup: string): string {
  return markup.replace(
    /<(?!(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)[\s/])([a-z][\w:.-]*)((?:\s[^<>]*)?)\/>/gi,
    '<$1$2></$1>',
  );
}

function hasHeading(document: MarkupParent): boolean {
  for (const element of elementsOf(document)) if (isHeading(element)) return true;
  return false;
}

function isHeading(element: MarkupElement): boolean {
  return /^h[1-6]$/.test(element.tagName) && textOf(element) !== '';
}

const metadataNames: readonly (readonly [element: string, key: string])[] = [
  ['creator', 'author'],
  ['contributor', 'contributor'],
  ['publisher', 'publisher'],
  ['language', 'language'],
  ['date', 'date'],
  ['subject', 'subject'],
  ['description', 'description'],
  ['identifier', 'identifier'],
];

/** Dublin Core, which books keep directly or in `dc-metadata`. What is said several times becomes a list. */
function metadataOf(element: XmlElement | undefined): { readonly title: string; readonly metadata: Metadata } {
  const valuesOf = (local: string) => [
    ...new Set(
      [...descendantsOf(element, local)]
        .slice(0, 100)
        .map((item) => plainText(xmlText(item)))
        .filter((value) => value !== ''),
    ),
  ];
  const metadata: Record<string, MetadataValue> = {};
  for (const [local, key] of metadataNames) {
    const [value, ...others] = valuesOf(local);
    if (value !== undefined) metadata[key] = others.length > 0 ? [value, ...others] : value;
  }
  return { title: valuesOf('title')[0] ?? '', metadata };
}

/** Descriptions are often markup inside of text. */
function plainText(value: string): string {
  const bare = /<\w/.test(value) ? textOf(parseMarkup(value.slice(0, 100_000))) : value;
  return bare.replace(/\s+/g, ' ').trim();
}
