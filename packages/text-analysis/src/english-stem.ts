/**
 * The Porter2 stemmer (Porter 2001, "The English (Porter2) stemming algorithm",
 * https://snowballstem.org/algorithms/english/stemmer.html), written without regular expressions because every word that
 * is indexed passes through it.
 *
 * Takes a lower-case word of a to z; any other string comes back as it is.
 *
 * ```ts
 * englishStem('relational'); // 'relat'
 * ```
 */
export function englishStem(word: string): string {
  if (word.length < 3 || !isPlain(word)) return word;
  const exception = exceptions.get(word);
  if (exception !== undefined) return exception;
  const marked = markConsonantY(word);
  const r1 = firstRegion(marked);
  const r2 = regionAfter(marked, r1);
  let stem = pluralRemoved(marked);
  if (finalAfterPlural.has(stem)) return stem;
  stem = participleRemoved(stem, r1);
  stem = finalY(stem);
  stem = replaceSuffix(stem, derivations, r1, r2);
  stem = replaceSuffix(stem, secondDerivations, r1, r2);
  stem = replaceSuffix(stem, residues, r2, r2);
  stem = finalLetter(stem, r1, r2);
  return stem.includes('Y') ? stem.toLowerCase() : stem;
}

const exceptions = new Map([
  ['skis', 'ski'],
  ['skies', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['idly', 'idl'],
  ['gently', 'gentl'],
  ['ugly', 'ugli'],
  ['early', 'earli'],
  ['only', 'onli'],
  ['singly', 'singl'],
  ...['sky', 'news', 'howe', 'atlas', 'cosmos', 'bias', 'andes'].map((word): [string, string] => [word, word]),
]);

const finalAfterPlural = new Set(['inning', 'outing', 'canning', 'herring', 'earring', 'proceed', 'exceed', 'succeed']);

/** What stands where a suffix is taken off; the condition is on the part of the word before the suffix. */
interface SuffixRule {
  readonly suffix: string;
  readonly replacement: string;
  readonly precededBy?: string;
  readonly inSecondRegion?: boolean;
}

function rule(suffix: string, replacement: string, condition: Partial<SuffixRule> = {}): SuffixRule {
  return { suffix, replacement, ...condition };
}

/** Rules by the last letter of the suffix, the longest suffix first: only the longest that fits is looked at. */
function byLastLetter(rules: readonly SuffixRule[]): ReadonlyMap<string, readonly SuffixRule[]> {
  const table = new Map<string, SuffixRule[]>();
  for (const entry of rules) {
    const last = entry.suffix.at(-1)!;
    table.set(last, [...(table.get(last) ?? []), entry]);
  }
  for (const entries of table.values()) entries.sort((a, b) => b.suffix.length - a.suffix.length);
  return table;
}

const derivations = byLastLetter([
  rule('tional', 'tion'),
  rule('enci', 'ence'),
  rule('anci', 'ance'),
  rule('abli', 'able'),
  rule('entli', 'ent'),
  rule('izer', 'ize'),
  rule('ization', 'ize'),
  rule('ational', 'ate'),
  rule('ation', 'ate'),
  rule('ator', 'ate'),
  rule('alism', 'al'),
  rule('aliti', 'al'),
  rule('alli', 'al'),
  rule('fulness', 'ful'),
  rule('ousli', 'ous'),
  rule('ousness', 'ous'),
  rule('iveness', 'ive'),
  rule('iviti', 'ive'),
  rule('biliti', 'ble'),
  rule('bli', 'ble'),
  rule('ogi', 'og', { precededBy: 'l' }),
  rule('fulli', 'ful'),
  rule('lessli', 'less'),
  rule('li', '', { precededBy: 'cdeghkmnrt' }),
]);

const secondDerivations = byLastLetter([
  rule('tional', 'tion'),
  rule('ational', 'ate'),
  rule('alize', 'al'),
  rule('icate', 'ic'),
  rule('iciti', 'ic'),
  rule('ical', 'ic'),
  rule('ful', ''),
  rule('ness', ''),
  rule('ative', '', { inSecondRegion: true }),
]);

const residues = byLastLetter([
  ...['al', 'ance', 'ence', 'er', 'ic', 'able', 'ible', 'ant', 'ement', 'ment', 'ent', 'ism', 'ate', 'iti', 'ous'].map(
    (suffix) => rule(suffix, ''),
  ),
  rule('ive', ''),
  rule('ize', ''),
  rule('ion', '', { precededBy: 'st' }),
]);

function isPlain(word: string): boolean {
  for (let index = 0; index < word.length; index++) {
    const code = word.charCodeAt(index);
    if (code < 97 || code > 122) return false;
  }
  return true;
}

/** A consonant y is written Y, so that no other step takes it for a vowel. */
function isVowel(word: string, index: number): boolean {
  const code = word.charCodeAt(index);
  return code === 97 || code === 101 || code === 105 || code === 111 || code === 117 || code === 121;
}

function markConsonantY(word: string): string {
  if (!word.includes('y')) return word;
  let marked = '';
  for (let index = 0; index < word.length; index++) {
    const consonant = word[index] === 'y' && (index === 0 || isVowel(marked, index - 1));
    marked += consonant ? 'Y' : word[index];
  }
  return marked;
}

function firstRegion(word: string): number {
  if (word.startsWith('gener') || word.startsWith('arsen')) return 5;
  return word.startsWith('commun') ? 6 : regionAfter(word, 0);
}

/** After the first consonant that follows a vowel, from `start`. */
function regionAfter(word: string, start: number): number {
  let index = start;
  while (index < word.length && !isVowel(word, index)) index++;
  while (index < word.length && isVowel(word, index)) index++;
  return Math.min(index + 1, word.length);
}

function hasVowel(word: string, end: number): boolean {
  for (let index = 0; index < end; index++) if (isVowel(word, index)) return true;
  return false;
}

function endsInShortSyllable(word: string, length: number): boolean {
  if (length < 2 || isVowel(word, length - 1) || !isVowel(word, length - 2)) return false;
  if (length === 2) return true;
  const last = word[length - 1];
  return !isVowel(word, length - 3) && last !== 'w' && last !== 'x' && last !== 'Y';
}

function pluralRemoved(word: string): string {
  if (word.endsWith('sses')) return word.slice(0, -2);
  if (word.endsWith('ied') || word.endsWith('ies')) return word.slice(0, word.length > 4 ? -2 : -1);
  if (!word.endsWith('s') || word.endsWith('us') || word.endsWith('ss')) return word;
  return hasVowel(word, word.length - 2) ? word.slice(0, -1) : word;
}

function participleRemoved(word: string, r1: number): string {
  for (const suffix of ['eedly', 'eed']) {
    if (!word.endsWith(suffix)) continue;
    const start = word.length - suffix.length;
    return start >= r1 ? `${word.slice(0, start)}ee` : word;
  }
  for (const suffix of ['ingly', 'edly', 'ing', 'ed']) {
    if (!word.endsWith(suffix)) continue;
    const start = word.length - suffix.length;
    return hasVowel(word, start) ? verbRestored(word.slice(0, start), r1) : word;
  }
  return word;
}

function verbRestored(stem: string, r1: number): string {
  if (stem.endsWith('at') || stem.endsWith('bl') || stem.endsWith('iz')) return `${stem}e`;
  const last = stem.at(-1)!;
  if (stem.length > 1 && last === stem.at(-2) && 'bdfgmnprt'.includes(last)) return stem.slice(0, -1);
  return r1 >= stem.length && endsInShortSyllable(stem, stem.length) ? `${stem}e` : stem;
}

function finalY(word: string): string {
  const last = word.at(-1);
  if ((last !== 'y' && last !== 'Y') || word.length < 3 || isVowel(word, word.length - 2)) return word;
  return `${word.slice(0, -1)}i`;
}

function replaceSuffix(
  word: string,
  rules: ReadonlyMap<string, readonly SuffixRule[]>,
  region: number,
  r2: number,
): string {
  for (const { suffix, replacement, precededBy, inSecondRegion } of rules.get(word[word.length - 1]!) ?? []) {
    if (!word.endsWith(suffix)) continue;
    const start = word.length - suffix.length;
    const fits =
      start >= (inSecondRegion === true ? r2 : region) &&
      (precededBy === undefined || (start > 0 && precededBy.includes(word[start - 1]!)));
    return fits ? word.slice(0, start) + replacement : word;
  }
  return word;
}

function finalLetter(word: string, r1: number, r2: number): string {
  const start = word.length - 1;
  if (word[start] === 'e') {
    return start >= r2 || (start >= r1 && !endsInShortSyllable(word, start)) ? word.slice(0, -1) : word;
  }
  return word[start] === 'l' && start >= r2 && word[start - 1] === 'l' ? word.slice(0, -1) : word;
}
