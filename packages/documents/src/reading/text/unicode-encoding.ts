import { isUtf8 } from 'node:buffer';

export type UnicodeEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

/** How much of a file is looked at where it has no byte order mark. */
const headBytes = 4096;

/**
 * The Unicode encoding that bytes are surely in: by their byte order mark, or, without one, as UTF-16 or UTF-32 by zeros
 * and characters that only the right order of bytes gives. UTF-8 without a mark is not looked for: undefined.
 */
export function unicodeEncoding(bytes: Uint8Array): UnicodeEncoding | undefined {
  const marked = byteOrderMark(bytes);
  if (marked) return marked;
  const head = bytes.subarray(0, Math.min(bytes.length, headBytes) & ~3 || bytes.length & ~1);
  if (head.length < 4) return undefined;
  const rest = head.includes(0) ? head.filter((byte) => byte !== 0) : head;
  const zeros = head.length - rest.length;
  const utf32 = zeros > 0 ? utf32Order(bytes, head) : undefined;
  if (utf32) return utf32;
  // Japanese and Chinese may have hardly a zero, or none; what is ASCII or UTF-8 but for a stray one must not be taken for them.
  const isPlain = zeros === 0 || (zeros * 20 < head.length && hasFewControls(rest));
  if (isPlain && isUtf8(withoutCutCharacter(rest))) return undefined;
  return utf16Order(head, zeros > 0 ? 0 : 0.05);
}

/** Other than letters up to U+1FFF in UTF-16, whose high bytes would be control characters, tabs or line ends. */
function hasFewControls(bytes: Uint8Array): boolean {
  return bytes.reduce((count, byte) => count + (byte < 0x20 ? 1 : 0), 0) * 5 <= bytes.length;
}

function byteOrderMark(bytes: Uint8Array): UnicodeEncoding | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 && bytes.length % 4 === 0 ? 'utf-32le' : 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  return a === 0 && b === 0 && c === 0xfe && d === 0xff ? 'utf-32be' : undefined;
}

function utf32Order(bytes: Uint8Array, head: Uint8Array): 'utf-32le' | 'utf-32be' | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const isText = (littleEndian: boolean) => {
    for (let index = 0; index < head.length; index += 4) {
      const code = view.getUint32(index, littleEndian);
      if (code > 0x10ffff || (code < 0x20 && !isWhiteSpace(code))) return false;
    }
    return true;
  };
  return isText(true) ? 'utf-32le' : isText(false) ? 'utf-32be' : undefined;
}

/** @param leastCommon Share of the characters that only text has. */
function utf16Order(head: Uint8Array, leastCommon: number): 'utf-16le' | 'utf-16be' | undefined {
  const little = commonCharacters(head, 1);
  const big = commonCharacters(head, 0);
  if (Math.max(little, big, 1) <= leastCommon * (head.length >> 1) || little === big) return undefined;
  return little > big ? 'utf-16le' : 'utf-16be';
}

/**
 * How many units are characters that text of every language has (ASCII, kana, CJK punctuation), in the order of bytes
 * where the high one is at `high`. 0 where there are others that text does not have.
 */
function commonCharacters(head: Uint8Array, high: 0 | 1): number {
  let common = 0;
  let wrong = 0;
  const units = head.length >> 1;
  for (let index = 0; index < units * 2; index += 2) {
    const row = head[index + high]!;
    const cell = head[index + 1 - high]!;
    if (row === 0) {
      if (cell >= 0xa0 || (cell >= 0x20 && cell < 0x7f) || isWhiteSpace(cell)) common++;
      else wrong++;
    } else if (row === 0x30) common++;
    else if (!isUsualRow(row) || (row === 0xff && cell >= 0xf0)) wrong++;
  }
  return wrong * 50 <= units ? common : 0;
}

/** High bytes of scripts that are written today: up to Arabic, India to Thailand, punctuation, Han, Hangul, full width. */
function isUsualRow(row: number): boolean {
  return (
    row <= 0x06 ||
    (row >= 0x09 && row <= 0x0e) ||
    row === 0x1e ||
    (row >= 0x20 && row <= 0x27) ||
    (row >= 0x4e && row <= 0x9f) ||
    (row >= 0xac && row <= 0xdf) ||
    row === 0xff
  );
}

function isWhiteSpace(code: number): boolean {
  return code >= 0x09 && code <= 0x0d;
}

function withoutCutCharacter(head: Uint8Array): Uint8Array {
  let end = head.length;
  while (end > 0 && end > head.length - 4 && (head[end - 1]! & 0xc0) === 0x80) end--;
  return head.subarray(0, end > 0 && head[end - 1]! >= 0xc0 ? end - 1 : head.length);
}

/** The text of UTF-32, without its byte order mark. What is no character becomes U+FFFD. */
export function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const units = new Uint16Array(Math.min(bytes.length >> 2, 8192) * 2);
  const parts: string[] = [];
  let filled = 0;
  for (let index = 0; index + 4 <= bytes.length; index += 4) {
    const code = view.getUint32(index, littleEndian);
    if (index === 0 && code === 0xfeff) continue;
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) units[filled++] = 0xfffd;
    else if (code > 0xffff) {
      units[filled++] = 0xd7c0 + (code >> 10);
      units[filled++] = 0xdc00 + (code & 0x3ff);
    } else units[filled++] = code;
    if (filled >= units.length - 1) {
      parts.push(String.fromCharCode(...units.subarray(0, filled)));
      filled = 0;
    }
  }
  parts.push(String.fromCharCode(...units.subarray(0, filled)));
  return parts.join('');
}
