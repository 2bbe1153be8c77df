import { AquiferError, throwIfAborted } from '@aquifer/contracts';
import { SaxesParser } from 'saxes';

/** Office programs nest some dozens deep. Beyond this, walks that recurse would overflow the stack. */
const maxDepth = 1000;

const chunkBytes = 262_144;

export interface XmlHandlers {
  /** Attributes are named as they are written, with their prefix. */
  readonly open: (name: string, attributes: Readonly<Record<string, string>>) => void;
  readonly close: (name: string) => void;
  readonly text: (value: string) => void;
}

/** What a part of an archive is called in messages. */
export interface XmlSource {
  readonly name: string;
  readonly part: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Goes through well-formed XML in one pass, in memory that does not grow with it. Entities are the five that XML defines
 * itself: what a document type declares is never expanded, so that a few bytes cannot become gigabytes.
 *
 * @throws `invalid-document` where the XML is damaged, `aborted`.
 */
export function walkXml(bytes: Uint8Array, source: XmlSource, handlers: XmlHandlers): void {
  const parser = new SaxesParser({ position: false });
  const damaged = (why: string) =>
    new AquiferError(
      'invalid-document',
      `${source.name} is damaged: its part ${source.part} is not well-formed XML (${why}). Get a new copy, or open it and save it again.`,
    );
  let depth = 0;
  parser.on('error', (error) => {
    throw damaged(firstLine(error.message));
  });
  parser.on('opentag', (tag) => {
    if (++depth > maxDepth) throw damaged(`more than ${maxDepth} elements inside each other`);
    handlers.open(tag.name, tag.attributes as Readonly<Record<string, string>>);
  });
  parser.on('closetag', (tag) => {
    depth--;
    handlers.close(tag.name);
  });
  parser.on('text', handlers.text);
  parser.on('cdata', handlers.text);

  const decoder = new TextDecoder(encodingOf(bytes));
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    throwIfAborted(source.signal);
    parser.write(decoder.decode(bytes.subarray(start, start + chunkBytes), { stream: true }));
  }
  parser.write(decoder.decode());
  parser.close();
}

/** Parts of office files are UTF-8, or UTF-16 with a byte order mark (ECMA-376 part 2, 8.1.4). */
function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/\.$/, '').slice(0, 100);
}

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
}

/** The whole XML as a tree, for parts of bounded size. @throws as {@link walkXml} does. */
export function parseXml(bytes: Uint8Array, source: XmlSource): XmlElement {
  interface Open {
    readonly name: string;
    readonly attributes: Readonly<Record<string, string>>;
    readonly children: (XmlElement | string)[];
  }
  const document: Open = { name: '', attributes: {}, children: [] };
  const stack = [document];
  walkXml(bytes, source, {
    open(name, attributes) {
      const element: Open = { name: localName(name), attributes, children: [] };
      stack.at(-1)!.children.push(element);
      stack.push(element);
    },
    close: () => stack.pop(),
    text(value) {
      stack.at(-1)!.children.push(value);
    },
  });
  return childOf(document) ?? document;
}

export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** The first child element, or the first of that name. */
export function childOf(element: XmlElement | undefined, name?: string): XmlElement | undefined {
  return element?.children.find(
    (child): child is XmlElement => typeof child !== 'string' && (name === undefined || child.name === name),
  );
}

/** Child elements, or those of that name. */
export function childrenOf(element: XmlElement | undefined, name?: string): XmlElement[] {
  return (element?.children ?? []).filter(
    (child): child is XmlElement => typeof child !== 'string' && (name === undefined || child.name === name),
  );
}

/** All elements of that name under an element, in document order. */
export function* descendantsOf(element: XmlElement | undefined, name: string): Generator<XmlElement> {
  const stack = childrenOf(element).reverse();
  for (let item = stack.pop(); item; item = stack.pop()) {
    if (item.name === name) yield item;
    for (const child of childrenOf(item).reverse()) stack.push(child);
  }
}

/** All text under an element. */
export function xmlText(element: XmlElement | undefined): string {
  return (element?.children ?? []).map((child) => (typeof child === 'string' ? child : xmlText(child))).join('');
}

/** An attribute by its name without prefix. */
export function xmlAttribute(element: XmlElement | undefined, name: string): string | undefined {
  if (!element) return undefined;
  const exact = element.attributes[name];
  if (exact !== undefined) return exact;
  const prefixed = Object.keys(element.attributes).find((key) => key.endsWith(`:${name}`));
  return prefixed === undefined ? undefined : element.attributes[prefixed];
}
