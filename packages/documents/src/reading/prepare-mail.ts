import { isAscii } from 'node:buffer';
import { declaredEncoding } from './markup/html.js';
import { decodeText, encodingOf } from './text/decode-text.js';

export interface PreparedMail {
  readonly bytes: Uint8Array;
  /** Whether the line is missing that ends a message of several parts (RFC 2046, 5.1.1). */
  readonly isCutOff: boolean;
}

interface Boundary {
  readonly value: string;
  /** Its parts are messages where they do not say what they are (RFC 2046, 5.1.5). */
  readonly isDigest: boolean;
}

interface Delimiter {
  readonly boundary: Boundary;
  /** Where its line begins, and where the next one does. */
  readonly start: number;
  readonly end: number;
  readonly isLast: boolean;
}

/**
 * A message as standards want it: header fields in UTF-8, and each text part with the encoding that it is in. Programs that were written
 * before there was MIME, or without regard to it, leave both as they are, and readers of mail take what they find for UTF-8. Bodies stay as
 * they are, and so does everything that says its encoding.
 */
export function prepareMail(bytes: Uint8Array): PreparedMail {
  const mail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const boundaries = new Map<string, Boundary>();
  /** Of the whole message. What ends it, ends what is inside. */
  let outermost: string | undefined;
  let isClosed = false;
  const pieces: Uint8Array[] = [];
  let isChanged = false;
  let parent: Boundary | undefined;
  for (let start = 0; start < mail.length; ) {
    const fieldsEnd = endOfFields(mail, start, boundaries);
    const fields = mail.subarray(start, fieldsEnd);
    const unfolded = fields.toString('latin1').replace(/\r?\n(?=[ \t])/g, '');
    const type = fieldOf(unfolded, 'content-type');
    const value = /^multipart\//i.test(type) ? parameterOf(type, 'boundary') : '';
    if (value !== '') {
      const boundary = { value, isDigest: /^multipart\/digest/i.test(type) };
      boundaries.set(value, boundary);
      outermost ??= value;
    }

    let delimiter = nextDelimiter(mail, fieldsEnd, boundaries);
    const body = mail.subarray(fieldsEnd, delimiter?.start);
    // Behind the last of several parts stands nothing that is one.
    for (; delimiter?.isLast; delimiter = nextDelimiter(mail, delimiter.end, boundaries)) {
      isClosed ||= delimiter.boundary.value === outermost;
    }
    const isText = type === '' ? !parent?.isDigest : /^text\//i.test(type);
    const encoding = isText ? missingEncoding(unfolded, type, body) : undefined;
    const prepared = encoding === undefined ? readable(fields, type) : withEncoding(fields, type, encoding);
    isChanged ||= prepared !== fields;
    pieces.push(prepared, mail.subarray(fieldsEnd, delimiter?.end));
    start = delimiter?.end ?? mail.length;
    parent = delimiter?.boundary;
  }
  return { bytes: isChanged ? Buffer.concat(pieces) : bytes, isCutOff: outermost !== undefined && !isClosed };
}

/** Where the header fields of a part end: at a blank line, or at the next part where there is none. */
function endOfFields(mail: Buffer, start: number, boundaries: ReadonlyMap<string, Boundary>): number {
  let end = start;
  while (end < mail.length && !isBlankLine(mail, end)) end = lineEnd(mail, end);
  return nextDelimiter(mail.subarray(0, end), start, boundaries)?.start ?? end;
}

function isBlankLine(mail: Buffer, start: number): boolean {
  return mail[start] === 0x0a || (mail[start] === 0x0d && mail[start + 1] === 0x0a);
}

function lineEnd(mail: Buffer, start: number): number {
  const end = mail.indexOf(0x0a, start);
  return end < 0 ? mail.length : end + 1;
}

/** @param from Where a line begins. */
function nextDelimiter(mail: Buffer, from: number, boundaries: ReadonlyMap<string, Boundary>): Delimiter | undefined {
  if (boundaries.size === 0) return undefined;
  for (let start = from; start < mail.length; ) {
    if (mail[start] === 0x2d && mail[start + 1] === 0x2d) {
      const end = lineEnd(mail, start);
      // RFC 2046 allows a boundary 70 characters.
      const line = mail.toString('latin1', start + 2, Math.min(end, start + 1000)).trimEnd();
      const boundary = boundaries.get(line);
      if (boundary) return { boundary, start, end, isLast: false };
      const closed = line.endsWith('--') ? boundaries.get(line.slice(0, -2)) : undefined;
      if (closed) return { boundary: closed, start, end, isLast: true };
    }
    const next = mail.indexOf('\n--', start);
    start = next < 0 ? mail.length : next + 1;
  }
  return undefined;
}

function fieldOf(unfolded: string, name: string): string {
  return new RegExp(`^${name}[ \\t]*:(.*)$`, 'im').exec(unfolded)?.[1]?.trim() ?? '';
}

function parameterOf(value: string, name: string): string {
  const match = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^\\s;]+))`, 'i').exec(value);
  return match?.[1] ?? match?.[2] ?? '';
}

/** What programs write that do not know: all of them say no more than that there is no declaration. */
const saysNothing = /^(?:(?:us-)?ascii|(?:x-)?unknown(?:-8bit)?|8bit)?$/i;

/** The encoding of a text part that does not say it and is not ASCII. */
function missingEncoding(unfolded: string, type: string, body: Uint8Array): string | undefined {
  if (!saysNothing.test(parameterOf(type, 'charset'))) return undefined;
  // What is attached is read by itself, as any file.
  if (/^attachment/i.test(fieldOf(unfolded, 'content-disposition'))) return undefined;
  const content = decodeTransfer(body, fieldOf(unfolded, 'content-transfer-encoding'));
  if (isPlain(content)) return undefined;
  return encodingOf(content, /^text\/html/i.test(type) ? declaredEncoding(content) : undefined);
}

/** ASCII without escapes, behind which ISO-2022-JP would be. */
function isPlain(bytes: Uint8Array): boolean {
  return isAscii(bytes) && !bytes.includes(0x1b);
}

function decodeTransfer(body: Uint8Array, encoding: string): Uint8Array {
  const latin1 = () => Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  if (/base64/i.test(encoding)) return Buffer.from(latin1(), 'base64');
  if (!/quoted-printable/i.test(encoding)) return body;
  const text = latin1()
    .replace(/=[ \t]*\r?\n/g, '')
    .replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}

/** Header fields in UTF-8. Where they are not ASCII, a program has mostly written them as it wrote the body. */
function readable(fields: Uint8Array, type: string): Uint8Array {
  return isPlain(fields) ? fields : Buffer.from(textOf(fields, type));
}

function textOf(fields: Uint8Array, type: string): string {
  const declared = parameterOf(type, 'charset');
  return decodeText(fields, isAscii(fields) || saysNothing.test(declared) ? undefined : declared);
}

function withEncoding(fields: Uint8Array, type: string, encoding: string): Uint8Array {
  const text = textOf(fields, type);
  if (type === '') return Buffer.from(`${text}Content-Type: text/plain; charset=${encoding}\r\n`);
  // The first of several counts.
  const field = /^content-type[ \t]*:.*(?:\r?\n[ \t].*)*/im;
  return Buffer.from(
    text.replace(
      field,
      (whole) => `${whole.replace(/;\s*charset\s*=\s*(?:"[^"]*"|[^\s;]*)/i, '')}; charset=${encoding}`,
    ),
  );
}
