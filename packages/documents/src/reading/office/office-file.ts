import { AquiferError, type Metadata, type MetadataValue } from '@aquifer/contracts';
import { describeContent, isZip } from '../signatures.js';
import { unpackZip, type ZipParts } from '../zip-archive.js';

/** Text of Word or Excel unpacks to at most this. A document of a thousand pages is some 20 MB. */
const maxUnpackedBytes = 256 * 2 ** 20;

const maxXmlDepth = 1000;

const oleSignature = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/** Whether the bytes are an Office file that was saved with a password (ECMA-376 encryption, MS-OFFCRYPTO 2.3). */
export function isEncryptedOffice(bytes: Uint8Array): boolean {
  return (
    isOle(bytes) &&
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('EncryptedPackage', 0, 'utf16le')
  );
}

/**
 * The XML parts of a Word or Excel file.
 *
 * @param kind For messages: "a Word document".
 * @param extension For messages: ".docx".
 * @throws `password-required`, `unsupported-format`, `invalid-document` or `too-large`.
 */
export function unpackOffice(bytes: Uint8Array, name: string, kind: string, extension: string): ZipParts {
  if (isEncryptedOffice(bytes)) {
    throw new AquiferError(
      'password-required',
      `${name} is protected with a password. Files of Office cannot be opened with one here: save a copy without a password.`,
    );
  }
  if (isOle(bytes)) {
    throw new AquiferError(
      'unsupported-format',
      `${name} is a file of an old Office version. Open it and save it as ${extension}.`,
    );
  }
  if (!isZip(bytes)) {
    throw new AquiferError('unsupported-format', `${name} is ${describeContent(bytes)}, not ${kind}.`);
  }
  const matches = (path: string) => /\.(?:xml|rels)$/i.test(path);
  const parts = unpackZip(bytes, name, { matches, maxBytes: maxUnpackedBytes });
  for (const [path, part] of parts) {
    if (!isPlausibleXml(part)) {
      throw new AquiferError('invalid-document', `${name} is damaged: its part ${path} is not as Office writes it.`);
    }
  }
  return parts;
}

/**
 * Whether a part can be given to the XML parsers of libraries: they recurse, expand entities, and take time quadratic in
 * the number of tags left open. Office declares no document types, and nests some dozens deep.
 */
function isPlausibleXml(part: Uint8Array): boolean {
  if (/<!DOCTYPE/i.test(new TextDecoder('latin1').decode(part.subarray(0, 4096)))) return false;
  const [less, greater, slash, mark, question] = [0x3c, 0x3e, 0x2f, 0x21, 0x3f];
  let depth = 0;
  for (let open = part.indexOf(less); open >= 0; ) {
    let close = part.indexOf(greater, open);
    const next = part.indexOf(less, open + 1);
    const end = next < 0 ? part.length : next;
    const following = part[open + 1];
    // Comments and CDATA may hold anything.
    if (close < 0 || (close > end && following !== mark)) return false;
    if (following === slash) depth--;
    else if (following !== mark && following !== question) {
      // An attribute may hold a `>` too.
      while (close >= 0 && close < end && part[close - 1] !== slash) close = part.indexOf(greater, close + 1);
      if (close < 0 || close >= end) depth++;
    }
    if (depth > maxXmlDepth) return false;
    open = next;
  }
  return true;
}

export interface OfficeProperties {
  readonly title?: string;
  readonly metadata: Metadata;
}

/** The core properties that people fill in (ECMA-376 part 2, 8.3.4). */
export function officeProperties(parts: ZipParts): OfficeProperties {
  const xml = partText(parts, 'docProps/core.xml').slice(0, 100_000);
  const propertyOf = (element: string) => {
    const match = new RegExp(`<${element}(?:\\s[^<>]*)?>([^<]*)</${element}>`).exec(xml);
    return match ? decodeXml(match[1]!).replace(/\s+/g, ' ').trim() : '';
  };
  const metadata: Record<string, MetadataValue> = {};
  for (const [key, element] of [
    ['description', 'dc:description'],
    ['author', 'dc:creator'],
    ['created', 'dcterms:created'],
    ['modified', 'dcterms:modified'],
    ['language', 'dc:language'],
  ] as const) {
    const value = propertyOf(element);
    if (value) metadata[key] = value;
  }
  const title = propertyOf('dc:title');
  return { metadata, ...(title && { title }) };
}

/** A part as text, or an empty string where there is none. */
export function partText(parts: ZipParts, path: string): string {
  const part = parts.get(path);
  return part ? new TextDecoder().decode(part) : '';
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

export function decodeXml(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (whole, decimal, hex, name) => {
    if (name) return named[name.toLowerCase()]!;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : whole;
  });
}

function isOle(bytes: Uint8Array): boolean {
  return oleSignature.every((byte, index) => bytes[index] === byte);
}
