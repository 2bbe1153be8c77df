import { AquiferError, type Metadata, type MetadataValue } from '@aquifer/contracts';
import { walkXml } from '../parse-xml.js';
import { describeContent, isZip } from '../signatures.js';
import { unpackZip, type ZipParts } from '../zip-archive.js';

const maxUnpackedBytes = 256 * 2 ** 20;

export interface OpenDocumentFile {
  readonly parts: ZipParts;
  /** `content.xml`. */
  readonly content: Uint8Array;
  readonly title?: string;
  readonly metadata: Metadata;
}

/**
 * Unpacks an OpenDocument file of any kind (ODF 1.3 part 2).
 *
 * @param kind For messages: "an OpenDocument text".
 * @throws `password-required`, `unsupported-format`, `invalid-document` or `too-large`.
 */
export function unpackOpenDocument(bytes: Uint8Array, name: string, kind: string): OpenDocumentFile {
  if (!isZip(bytes)) {
    throw new AquiferError('unsupported-format', `${name} is ${describeContent(bytes)}, not ${kind}.`);
  }
  const manifest = 'META-INF/manifest.xml';
  const list = unpackZip(bytes, name, { matches: (path) => path === manifest, maxBytes: maxUnpackedBytes });
  if (isEncrypted(list.get(manifest), { name, part: manifest })) {
    throw new AquiferError(
      'password-required',
      `${name} is protected with a password. OpenDocument files cannot be opened with one here: save a copy without a password.`,
    );
  }
  const matches = (path: string) => /(?:^|\/)(?:content|styles|meta)\.xml$/.test(path);
  const parts = unpackZip(bytes, name, { matches, maxBytes: maxUnpackedBytes });
  const content = parts.get('content.xml');
  if (!content) {
    throw new AquiferError(
      'invalid-document',
      `${name} is damaged and cannot be read as ${kind}: it has no content.xml. Open it and save it again.`,
    );
  }
  return { parts, content, ...propertiesOf(parts, name) };
}

function isEncrypted(manifest: Uint8Array | undefined, source: { name: string; part: string }): boolean {
  let found = false;
  if (!manifest) return found;
  walkXml(manifest, source, {
    open: (element) => {
      if (element === 'manifest:encryption-data') found = true;
    },
    close: () => {},
    text: () => {},
  });
  return found;
}

const properties: Readonly<Record<string, string>> = {
  'dc:description': 'description',
  'dc:subject': 'subject',
  'dc:creator': 'author',
  'meta:creation-date': 'created',
  'dc:date': 'modified',
  'dc:language': 'language',
};

function propertiesOf(parts: ZipParts, name: string): { readonly title?: string; readonly metadata: Metadata } {
  const part = 'meta.xml';
  const bytes = parts.get(part);
  const values = new Map<string, string>();
  let current: string | undefined;
  if (bytes) {
    walkXml(
      bytes,
      { name, part },
      {
        open: (element) => {
          current = element;
        },
        close: () => {
          current = undefined;
        },
        text: (value) => {
          if (current !== undefined) values.set(current, ((values.get(current) ?? '') + value).slice(0, 10_000));
        },
      },
    );
  }
  const propertyOf = (element: string) => (values.get(element) ?? '').replace(/\s+/g, ' ').trim();
  const metadata: Record<string, MetadataValue> = {};
  for (const [element, key] of Object.entries(properties)) if (propertyOf(element)) metadata[key] = propertyOf(element);
  const author = propertyOf('dc:creator') || propertyOf('meta:initial-creator');
  if (author) metadata.author = author;
  const title = propertyOf('dc:title');
  return { metadata, ...(title && { title }) };
}
