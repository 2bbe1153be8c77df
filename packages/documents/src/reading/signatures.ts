import { isCompoundFile } from './old-office/compound-file.js';
import { unicodeEncoding } from './text/unicode-encoding.js';

/** How much of a file the signatures of text formats look at. */
const headBytes = 4096;

/** The header of a PDF may stand anywhere in the first 1024 bytes (ISO 32000-1, Annex H, note 13). */
export function isPdf(bytes: Uint8Array): boolean {
  return asBuffer(bytes.subarray(0, 1024)).includes('%PDF-');
}

export function isDocx(bytes: Uint8Array): boolean {
  return isZip(bytes) && asBuffer(bytes).includes('word/document');
}

export function isXlsx(bytes: Uint8Array): boolean {
  const buffer = asBuffer(bytes);
  // Binary workbooks, .xlsb, have the same layout.
  return isZip(bytes) && buffer.includes('xl/workbook') && !buffer.includes('xl/workbook.bin');
}

export function isPptx(bytes: Uint8Array): boolean {
  return isZip(bytes) && asBuffer(bytes).includes('ppt/presentation');
}

/** The kind of an OpenDocument file, such as `text` or `spreadsheet-template`, which its first part says (ODF 1.3 part 2, 3.3). */
export function openDocumentKind(bytes: Uint8Array): string | undefined {
  if (!isZip(bytes)) return undefined;
  const head = asBuffer(bytes.subarray(0, 512)).toString('latin1');
  return /application\/vnd\.oasis\.opendocument\.([a-z]+(?:-[a-z]+)*)/.exec(head)?.[1];
}

export function isEpub(bytes: Uint8Array): boolean {
  return isZip(bytes) && asBuffer(bytes.subarray(0, 512)).includes('application/epub+zip');
}

export function isRtf(bytes: Uint8Array): boolean {
  return /^\s*\{\\rtf/.test(asBuffer(bytes.subarray(0, 64)).toString('latin1'));
}

/**
 * Whether the bytes begin like a mail message: two header fields of those that messages have. The archives of web pages that Word and
 * browsers save are such messages, with no more than a version and a type.
 */
export function isEml(bytes: Uint8Array): boolean {
  const head = asBuffer(bytes.subarray(0, headBytes))
    .toString('latin1')
    .replace(/^\ufeff|^ï»¿|^From [^\n]*\n/, '');
  const fields = /^(?:[!-9;-~]+[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*)+/.exec(head)?.[0] ?? '';
  const names = fields.match(
    /^(?:from|to|subject|date|received|return-path|message-id|mime-version|content-type|delivered-to|reply-to)(?=[ \t]*:)/gim,
  );
  return new Set(names?.map((name) => name.toLowerCase())).size >= 2;
}

/** Word, Excel or PowerPoint before 2007: compound files, told apart by the names of their streams. */
export function isOldWord(bytes: Uint8Array): boolean {
  return holdsStream(bytes, 'WordDocument');
}

export function isOldExcel(bytes: Uint8Array): boolean {
  return holdsStream(bytes, 'Workbook') || holdsStream(bytes, 'Book');
}

export function isOldPowerPoint(bytes: Uint8Array): boolean {
  return holdsStream(bytes, 'PowerPoint Document') || holdsStream(bytes, 'PP40');
}

function holdsStream(bytes: Uint8Array, name: string): boolean {
  return isCompoundFile(bytes) && asBuffer(bytes).includes(`${name}\0`, 0, 'utf16le');
}

/** Whether the bytes begin like a whole HTML page (not a fragment: Markdown may begin with one). */
export function isHtml(bytes: Uint8Array): boolean {
  const head = textHead(bytes).replace(/^(?:\s|<!--[\s\S]*?-->|<\?xml[^>]*>)+/, '');
  return /^<!doctype\s+html|^<html[\s>]|^<head[\s>]/i.test(head);
}

export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 0x03 && bytes[3] === 0x04;
}

/**
 * Whether the bytes can hardly be text in any encoding: many control characters, or NUL bytes outside UTF-16 and UTF-32. A few of those
 * make no text binary in which nothing else is strange: a log has a run of them where a machine lost its power.
 */
export function isBinary(bytes: Uint8Array): boolean {
  if (bytes.length === 0 || unicodeEncoding(bytes) !== undefined) return false;
  const middle = (bytes.length - headBytes) >> 1;
  const parts = [bytes.subarray(0, headBytes)];
  if (middle > headBytes) parts.push(bytes.subarray(middle, middle + headBytes), bytes.subarray(-headBytes));
  const controls = parts.map(countControls);
  if (parts.some((part) => part.includes(0))) return controls.some((control) => control > 0) || !hasFewZeros(bytes);
  return parts.some((part, index) => controls[index]! > part.length / 20);
}

/** How many bytes are control characters that text does not have, NUL aside. */
function countControls(part: Uint8Array): number {
  let control = 0;
  for (const byte of part) {
    if (byte > 0 && byte < 0x20 && !(byte >= 0x07 && byte <= 0x0d) && byte !== 0x1b) control++;
  }
  return control;
}

/** At most one byte in eight is NUL: fewer than in small numbers of binary data, or in padded fields. */
function hasFewZeros(bytes: Uint8Array): boolean {
  const most = bytes.length >> 3;
  let zeros = 0;
  for (let index = bytes.indexOf(0); index >= 0 && zeros <= most; index = bytes.indexOf(0, index + 1)) zeros++;
  return zeros <= most;
}

/** Signatures of files that people put beside documents, for messages that say what the file is. */
const known: readonly (readonly [signature: string, name: string, offset?: number])[] = [
  ['\x89PNG', 'a PNG image'],
  ['\xff\xd8\xff', 'a JPEG image'],
  ['GIF8', 'a GIF image'],
  ['II*\0', 'a TIFF image'],
  ['MM\0*', 'a TIFF image'],
  ['WEBP', 'a WebP image', 8],
  ['ftyp', 'a video or HEIC image', 4],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'a file of an old or encrypted Office version'],
  ['PK\x03\x04', 'a ZIP archive'],
  ['\x1f\x8b', 'a gzip archive'],
  ['BZh', 'a bzip2 archive'],
  ['7z\xbc\xaf', 'a 7-Zip archive'],
  ['Rar!', 'a RAR archive'],
  ['\x7fELF', 'a program'],
  ['MZ', 'a program'],
  ['SQLite format 3', 'an SQLite database'],
  ['{\\rtf', 'an RTF document'],
  ['%!PS', 'a PostScript document'],
  ['\0asm', 'a WebAssembly program'],
  ['ID3', 'an MP3 recording'],
  ['OggS', 'an Ogg recording'],
  ['RIFF', 'a sound or video recording'],
];

/** What {@link describeContent} says of a text that is of no other kind. */
export const plainText = 'plain text';

/** What the bytes look like, in words for a message: "a PNG image", "plain text", "binary data". */
export function describeContent(bytes: Uint8Array): string {
  if (isPdf(bytes)) return 'a PDF';
  if (isDocx(bytes)) return 'a Word document';
  if (isXlsx(bytes)) return 'an Excel workbook';
  if (isPptx(bytes)) return 'a PowerPoint presentation';
  if (isEpub(bytes)) return 'an EPUB book';
  if (openDocumentKind(bytes) !== undefined) return 'an OpenDocument file';
  const head = asBuffer(bytes.subarray(0, 64)).toString('latin1');
  const match = known.find(([signature, , offset = 0]) => head.startsWith(signature, offset));
  if (match) return match[1];
  if (isHtml(bytes)) return 'an HTML page';
  return isBinary(bytes) ? 'binary data' : plainText;
}

function textHead(bytes: Uint8Array): string {
  const head = bytes.subarray(0, headBytes);
  const encoding = unicodeEncoding(head) ?? 'utf-8';
  return encoding.startsWith('utf-32') ? '' : new TextDecoder(encoding).decode(head);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
