import { isAscii, isUtf8 } from 'node:buffer';
import { AquiferError, type ReadInput } from '@aquifer/contracts';
import { describeContent, isBinary } from '../signatures.js';
import { decodeSingleByte, legacyEncodings } from './legacy-encodings.js';
import { decodeUtf32, unicodeEncoding } from './unicode-encoding.js';

/** A file whose bytes nobody else needs. */
export interface OwnedInput extends ReadInput {
  /** Lets go of the bytes. */
  release(): void;
}

/**
 * The text of a file of any text format, whatever its encoding: see {@link decodeText}. An {@link OwnedInput} is without its bytes
 * afterwards: they are as large as the text.
 *
 * @throws `unsupported-format` for bytes that are not text in any encoding known here, saying what they look like.
 */
export function readText(input: Pick<ReadInput, 'bytes' | 'name'> | OwnedInput, declared?: string): string {
  const { bytes, name } = input;
  const refuse = (what: string, advice: string): never => {
    throw new AquiferError('unsupported-format', `${name} is ${what}. ${advice}`);
  };
  if (isEbcdic(bytes)) {
    refuse('in EBCDIC, an encoding of mainframes', 'Convert it first: iconv -f IBM500 -t UTF-8.');
  }
  if (isBinary(bytes))
    refuse(`${describeContent(bytes)}, not text`, 'Give it the extension of its format, or leave it out.');
  const found = findEncoding(bytes, declared);
  if (!found.isLegible) refuse('binary data, not text', 'If it is text in an old encoding, convert it to UTF-8 first.');
  const text = decodeAs(bytes, found.encoding);
  if ('release' in input) input.release();
  // What is left of them in a text that is not binary for it is nothing that was written.
  return text.includes('\0') ? text.replaceAll('\0', '') : text;
}

/**
 * The text of bytes whose encoding is unknown. Tried in order: byte order mark, UTF-16 or UTF-32 without one, the encoding that
 * the file declares, ISO-2022-JP by its escapes, UTF-8 where it is valid or nearly so, and then the legacy encoding in
 * which the bytes say the most likely text: Shift_JIS, EUC-JP, GB18030, Big5, EUC-KR, windows-125x, KOI8 and others.
 *
 * Encodings are those of the WHATWG Encoding Standard. A byte that does not exist becomes U+FFFD; nothing throws.
 *
 * @param declared Label that the file gives itself, such as `Shift_JIS`. Ignored where unknown or plainly wrong.
 */
export function decodeText(bytes: Uint8Array, declared?: string): string {
  return decodeAs(bytes, findEncoding(bytes, declared).encoding);
}

/** The label of the encoding in which {@link decodeText} reads bytes. */
export function encodingOf(bytes: Uint8Array, declared?: string): string {
  return findEncoding(bytes, declared).encoding;
}

interface FoundEncoding {
  readonly encoding: string;
  /** False where the bytes make no sense in any encoding. */
  readonly isLegible: boolean;
}

function findEncoding(bytes: Uint8Array, declared: string | undefined): FoundEncoding {
  const unicode = unicodeEncoding(bytes);
  if (unicode) return { encoding: unicode, isLegible: true };
  // A page that could be read up to its declaration is not UTF-16, whatever the declaration says (HTML, 13.2.3.2).
  // And what is UTF-8 beyond ASCII is so by no accident.
  const isDeclared = declared !== undefined && !/^utf-?(8|16|32)/i.test(declared) && isKnown(declared);
  if (isDeclared && (isAscii(bytes) || !isUtf8(bytes))) {
    return { encoding: declared, isLegible: true };
  }
  if (isUtf8(bytes)) return { encoding: isIso2022Jp(bytes) ? 'iso-2022-jp' : 'utf-8', isLegible: true };
  const sample = sampleBeyondAscii(bytes);
  return isNearlyUtf8(sample) ? { encoding: 'utf-8', isLegible: true } : mostLikely(sample);
}

function decodeAs(bytes: Uint8Array, encoding: string): string {
  if (encoding === 'utf-32le' || encoding === 'utf-32be') return decodeUtf32(bytes, encoding === 'utf-32le');
  return decodeSingleByte(bytes, new TextDecoder(encoding).encoding);
}

function isKnown(label: string): boolean {
  try {
    // The encodings that are only there to be refused decode everything as one U+FFFD.
    return new TextDecoder(label).encoding !== 'replacement';
  } catch {
    return false;
  }
}

/** Seven bits, and an escape into one of the Japanese sets (RFC 1468; JIS X 0201 katakana as mail programs send them). */
function isIso2022Jp(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return ['\x1b$B', '\x1b$@', '\x1b(I'].some((change) => text.includes(change));
}

/** Enough to tell encodings apart; more would only take longer. */
const sampleBytes = 32_768;

/** The parts of the bytes where something is that is not ASCII, with what stands around it. */
function sampleBeyondAscii(bytes: Uint8Array): Uint8Array {
  const sample = new Uint8Array(Math.min(bytes.length, sampleBytes));
  let filled = 0;
  let taken = 0;
  for (let index = 0; index < bytes.length && filled < sample.length; index++) {
    if (bytes[index]! < 0x80) continue;
    // Up to a blank, so that no character of two bytes is cut.
    let end = Math.min(bytes.length, index + 256);
    while (end < bytes.length && bytes[end]! > 0x20) end++;
    const part = bytes.subarray(Math.max(taken, index - 32), end);
    sample.set(part.subarray(0, sample.length - filled), filled);
    filled = Math.min(sample.length, filled + part.length);
    taken = end;
    index = end - 1;
  }
  return sample.subarray(0, filled);
}

/**
 * UTF-8 with a few broken bytes: at most one for four whole characters beyond ASCII. Text in other encodings has such characters by
 * accident, but among many that are broken: of a few words in Shift_JIS, EUC-JP or GB18030 about one in 10,000 passes.
 */
function isNearlyUtf8(sample: Uint8Array): boolean {
  // The file may end in the middle of a character, as what is cut off at a number of bytes does, and so may a full sample.
  const text = new TextDecoder().decode(sample, { stream: true });
  const broken = (text.match(/\ufffd/g) ?? []).length;
  const whole = (text.match(/[^\0-\x7f\ufffd]/gu) ?? []).length;
  return whole >= 4 * Math.max(broken, 1);
}

/**
 * Text beyond ASCII costs 3 to 7 nats a byte in its own encoding, random bytes more than 9. Files with little beyond ASCII
 * are text whatever those bytes are.
 */
const leastLogLikelihood = -7.8;

function mostLikely(sample: Uint8Array): FoundEncoding {
  let encoding = 'windows-1252';
  let best = Number.NEGATIVE_INFINITY;
  for (const { label, logLikelihood } of legacyEncodings) {
    const value = logLikelihood(sample);
    if (value > best) [best, encoding] = [value, label];
  }
  const beyondAscii = sample.reduce((sum, byte) => sum + (byte >> 7), 0);
  const isRandom = beyondAscii >= 24 && beyondAscii * 4 > sample.length && best < beyondAscii * leastLogLikelihood;
  return { encoding, isLegible: !isRandom };
}

/** Text in EBCDIC: letters, digits, blanks (0x40) and line ends stand where ASCII has hardly anything but `@`. */
function isEbcdic(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 4096);
  let blanks = 0;
  let usual = 0;
  for (const byte of head) {
    const low = byte & 0x0f;
    if (byte === 0x40) blanks++;
    else if ((byte >= 0x81 && low >= 1 && low <= 9) || byte >= 0xf0) usual++;
    else if (byte === 0x25 || byte === 0x15 || byte === 0x0d || byte === 0x4b || byte === 0x6b) usual++;
    else if (byte === 0x20 || byte === 0x0a) return false;
  }
  return head.length >= 16 && blanks * 20 > head.length && (blanks + usual) * 10 >= head.length * 9;
}
