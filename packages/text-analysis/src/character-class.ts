/** What a character is to the analyser. */
export const characterClass = {
  /** White space, punctuation, symbols, control characters, lone surrogates. */
  other: 0,
  /** Letters, marks and digits of scripts that put spaces between words. */
  word: 1,
  /** Letters of scripts whose words are not separated by spaces, or, as in Korean, carry particles. */
  unspaced: 2,
} as const;

const wordPattern = /^[\p{L}\p{M}\p{N}]$/u;
const unspacedPattern =
  /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]$/u;

const unknown = 255;
/** Classes of the basic plane, filled as characters are met. */
const classes = new Uint8Array(0x10000).fill(unknown);

function classify(character: string): number {
  if (!wordPattern.test(character)) return characterClass.other;
  return unspacedPattern.test(character) ? characterClass.unspaced : characterClass.word;
}

/** The class of the character at `index`, which may take two UTF-16 units: see {@link unitsAt}. */
export function classAt(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  if (unit >= 0xd800 && unit <= 0xdfff) {
    return unitsAt(text, index) === 2 ? classify(text.slice(index, index + 2)) : characterClass.other;
  }
  const known = classes[unit]!;
  if (known !== unknown) return known;
  const found = classify(text[index]!);
  classes[unit] = found;
  return found;
}

/** UTF-16 units of the character at `index`: 1 or 2. */
export function unitsAt(text: string, index: number): 1 | 2 {
  const unit = text.charCodeAt(index);
  if (unit < 0xd800 || unit > 0xdbff) return 1;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next <= 0xdfff ? 2 : 1;
}

/** Where the run of characters of class `kind` that begins at `start` ends. */
export function endOfRun(text: string, start: number, kind: number): number {
  let end = start;
  while (end < text.length && classAt(text, end) === kind) end += unitsAt(text, end);
  return end;
}
