import { utf16Encoding } from './signatures.js';

/**
 * The text of bytes whose encoding is unknown. Tried in order: byte order mark, the encoding that the file declares,
 * UTF-16 by its zeros, UTF-8 where it is valid or nearly so, Shift_JIS or EUC-JP where that gives kana, windows-1252.
 *
 * Encodings are those of the WHATWG Encoding Standard. A byte that does not exist becomes U+FFFD; nothing throws.
 *
 * @param declared Label that the file gives itself, such as `Shift_JIS`. Ignored where unknown or plainly wrong.
 */
export function decodeText(bytes: Uint8Array, declared?: string): string {
  const utf16 = utf16Encoding(bytes);
  if (utf16) return decode(bytes, utf16)!;
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return decode(bytes, 'utf-8')!;
  // A page that could be read up to its declaration is not UTF-16, whatever the declaration says (HTML, 13.2.3.2).
  if (declared !== undefined && !/^utf-?(8|16)/i.test(declared)) {
    const text = decode(bytes, declared);
    if (text !== undefined) return text;
  }
  return decode(bytes, 'utf-8', true) ?? nearlyUtf8(bytes) ?? japanese(bytes) ?? decode(bytes, 'windows-1252')!;
}

function decode(bytes: Uint8Array, label: string, fatal = false): string | undefined {
  try {
    const decoder = new TextDecoder(label, { fatal });
    return decoder.encoding === 'windows-1252' ? decodeWindows1252(bytes) : decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** What 0x80 to 0x9F are in windows-1252. */
const windows1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** Node's own decoder of this encoding gives control characters for 0x80 to 0x9F (seen in 20.20). */
function decodeWindows1252(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return text.replace(/[\x80-\x9f]/g, (character) => windows1252[character.charCodeAt(0) - 0x80]!);
}

/** UTF-8 with a few broken bytes: at most one in a hundred characters beyond ASCII. */
function nearlyUtf8(bytes: Uint8Array): string | undefined {
  const text = decode(bytes, 'utf-8')!;
  const broken = count(text, /\ufffd/g);
  return broken * 100 <= count(text, /[^\0-\x7f\ufffd]/g) ? text : undefined;
}

/**
 * Western text decodes as Shift_JIS or EUC-JP too when its accents happen to stand well, but then it holds rare kanji and
 * half-width katakana. Japanese holds hiragana and full-width katakana: about half of it, in lists of names less.
 */
function japanese(bytes: Uint8Array): string | undefined {
  const candidates = ['shift_jis', 'euc-jp'].flatMap((label) => {
    const text = decode(bytes, label, true);
    if (text === undefined) return [];
    const beyondAscii = count(text, /[^\0-\x7f]/g);
    const kana = count(text, /[\u3041-\u3096\u30a1-\u30fc]/g);
    return kana * 7 >= beyondAscii ? [{ text, share: kana / beyondAscii }] : [];
  });
  return candidates.sort((a, b) => b.share - a.share)[0]?.text;
}

function count(text: string, pattern: RegExp): number {
  let matches = 0;
  for (const _ of text.matchAll(pattern)) matches++;
  return matches;
}
