// FTS5 cuts tokens at 32,768 bytes; what is longer than this is no word, but must still be told from its neighbours.
const maxTermLength = 400;

// DEL marks what was rewritten. It is a control character, so no term holds it.
const mark = '\x7f';

/**
 * The term as FTS5's `ascii` tokenizer keeps it whole and unchanged: that tokenizer lowers A–Z, and UTF-8 has no lone
 * surrogates, so both are spelled out; very long terms are replaced by their hash.
 */
export function storedTerm(term: string): string {
  const short = term.length <= maxTermLength ? term : `${mark}${mark}h${hash(term)}`;
  if (!/[A-Z\0\ud800-\udfff]/.test(short)) return short;
  return short
    .replace(/[A-Z]/g, (letter) => `${mark}${letter.toLowerCase()}`)
    .replace(
      /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      (unit) => `${mark}${mark}${unit.charCodeAt(0).toString(16)}`,
    );
}

// Loaded where it is needed, which is hardly ever: it takes milliseconds that every search would wait.
const hash = (term: string): string =>
  process.getBuiltinModule('node:crypto').createHash('sha256').update(term, 'utf16le').digest('hex');

/** Terms as the text of an FTS5 column. */
export const storedTerms = (terms: readonly string[]): string => terms.map(storedTerm).join(' ');

/**
 * What makes the terms of the context count three times in a chunk's length, as they do in its frequencies: two terms for
 * each of them that no query asks for.
 */
export const contextPadding = (context: string): string =>
  context === '' ? '' : `${mark} ${mark} `.repeat(context.split(' ').length);
