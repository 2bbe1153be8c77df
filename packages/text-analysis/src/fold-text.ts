/** Letters that Unicode does not decompose, as they are written without the means to type them. */
const plainLetters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  þ: 'th',
  ı: 'i',
  ς: 'σ',
};
const plainLetterPattern = /[ßæœøđðłþıς]/g;

/** More marks on one letter than any orthography has: reordering them takes time quadratic in their number (UAX #15, section 13). */
const excessMarks = /(\p{M}{30})\p{M}+/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII as a whole.
const ascii = /^[\u0000-\u007f]*$/;
const accented = /[\u0300-\u036f]|[\u00c0-\u024f\u0370-\u03ff\u1e00-\u1fff]/;
/** Accents of Latin and Greek letters. Other scripts use the same marks for letters of their own, as й is not и. */
const accents = /(?<=[a-zα-ω])[\u0300-\u036f]+/g;

/**
 * Text as it is compared: NFKC, lower case, Latin and Greek letters without accents. Invisible format characters (soft hyphens, zero-width
 * joiners and spaces) are gone.
 */
export function foldText(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  const folded = text
    .replace(excessMarks, '$1')
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{Cf}/gu, '');
  if (!accented.test(folded)) return folded;
  return folded
    .normalize('NFD')
    .replace(accents, '')
    .replace(plainLetterPattern, (letter) => plainLetters[letter]!)
    .normalize('NFC');
}
