/**
 * Between which characters (code points) no token of a byte-pair vocabulary ever reaches: text can be counted separately on
 * both sides of such a place, and the sum is exact, since merging only ever makes tokens. Scripts with thousands of
 * characters, such as Japanese, fall into short and often repeated parts this way, which can be counted once and remembered.
 *
 * A token reaches across if it holds the end of one character, whole or in part, and the beginning of the next, whole
 * or in part. Places between two ASCII characters all count as crossed: such text needs no dividing.
 */
export function createJunctions(tokens: readonly (string | undefined)[]): (left: number, right: number) => boolean {
  const bySuffix = new Map<string, number[]>();
  for (const token of tokens) {
    if (token !== undefined && token.length > 1 && /[\x80-\xff]/.test(token)) addJunctions(token, bySuffix);
  }
  // What follows a character inside some token; computed when the character is first met.
  const followers = new Array<ReadonlySet<number> | undefined>(0x10000).fill(undefined);
  const nothing: ReadonlySet<number> = new Set();

  function followersOf(codePoint: number): ReadonlySet<number> {
    const bytes = utf8(codePoint);
    const found = new Set<number>();
    for (let from = 0; from < bytes.length; from += 1) {
      for (const prefix of bySuffix.get(bytes.slice(from)) ?? []) found.add(prefix);
    }
    const kept = found.size > 0 ? found : nothing;
    if (codePoint < 0x10000) followers[codePoint] = kept;
    return kept;
  }

  return (left, right) => {
    if (left < 0x80 && right < 0x80) return true;
    const found = followers[left] ?? followersOf(left);
    if (found.size === 0) return false;
    const follower = isSurrogate(right) ? 0xfffd : right;
    return (
      found.has(follower) ||
      (follower >= 0x80 && found.has(prefixKey(follower >> 6, 1))) ||
      (follower >= 0x800 && found.has(prefixKey(follower >> 12, 2))) ||
      (follower >= 0x10000 && found.has(prefixKey(follower >> 18, 3)))
    );
  };
}

/** A code point without its last bytes, of 6 bits each. Values of characters of different lengths do not collide. */
function prefixKey(value: number, missingBytes: number): number {
  return missingBytes * 0x200000 + value;
}

/** For each place between characters inside the token: what it holds of the character before, and of the one behind. */
function addJunctions(token: string, bySuffix: Map<string, number[]>): void {
  for (let middle = 1; middle < token.length; middle += 1) {
    if (isContinuation(token, middle)) continue;
    let start = middle - 1;
    while (start > 0 && isContinuation(token, start)) start -= 1;
    const lead = token.charCodeAt(middle);
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    let value = length === 1 ? lead : lead & (0x7f >> length);
    let end = middle + 1;
    for (; end < middle + length && end < token.length; end += 1) value = (value << 6) | (token.charCodeAt(end) & 0x3f);
    const suffix = token.slice(start, middle);
    const prefix = prefixKey(value, middle + length - end);
    const prefixes = bySuffix.get(suffix);
    if (prefixes) prefixes.push(prefix);
    else bySuffix.set(suffix, [prefix]);
  }
}

function isContinuation(bytes: string, index: number): boolean {
  return (bytes.charCodeAt(index) & 0xc0) === 0x80;
}

function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint < 0xe000;
}

/** UTF-8, one character a byte. Lone surrogates are encoded as U+FFFD, as everywhere. */
function utf8(codePoint: number): string {
  return Buffer.from(isSurrogate(codePoint) ? '\ufffd' : String.fromCodePoint(codePoint)).toString('latin1');
}
