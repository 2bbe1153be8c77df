import type { Analyser } from '@aquifer/contracts';
import { characterClass, classAt, endOfRun, unitsAt } from './character-class.js';
import { englishStem } from './english-stem.js';
import { foldText } from './fold-text.js';

/** Words so common in English that they say nothing about what a text is about. */
const stopWords: ReadonlySet<string> = new Set(
  (
    'a an and are as at be been but by can could did do does for from had has have he her his how i if in into is it ' +
    'its me my no not of on or our she so some such than that the their them then there these they this those to was ' +
    'we were what when where which who why will with would you your'
  ).split(' '),
);

/** What an apostrophe cuts off: possessives and contractions, which English indexes do without. */
const clitics: ReadonlySet<string> = new Set(['s', 't', 'd', 'm', 'll', 're', 've']);

/** Longer runs of letters (base64, hashes, text without spaces) are known by their first characters. */
const maxTermLength = 64;
/** Longer compounds (paths, dotted chains) are indexed in parts only. */
const maxCompoundLength = 128;
const maxCachedStems = 50_000;
/** A slice of this length or more keeps the text it was cut from in memory, so it is never a key of the cache. */
const maxCachedWordLength = 12;

/**
 * The analyser of the keyword index. NFKC, case and Latin accents folded; words of scripts that use spaces, English ones
 * stemmed (Porter2) and without stop words; overlapping bigrams inside runs of scripts that do not; identifiers, versions,
 * dates and numbers whole as well as in parts.
 *
 * Never fails, and takes time linear in the length of any string.
 *
 * ```ts
 * createAnalyser().terms('Parental leaves in 東京都'); // ['parent', 'leav', '東京', '京都']
 * createAnalyser().terms('x-amz-id-2'); // ['x-amz-id-2', 'x', 'amz', 'id', '2']
 * ```
 */
export function createAnalyser(): Analyser {
  const stems = createStemCache();
  return {
    version: 'aquifer-1',
    terms(text) {
      const folded = foldText(text);
      const terms: string[] = [];
      let index = 0;
      while (index < folded.length) {
        const kind = classAt(folded, index);
        if (kind === characterClass.word) index = addWord(folded, index, terms, stems);
        else if (kind === characterClass.unspaced) index = addBigrams(folded, index, terms);
        else index += unitsAt(folded, index);
      }
      return terms;
    },
    pairs(terms) {
      const pairs: (readonly [string, string])[] = [];
      for (let index = 1; index < terms.length; index++) {
        const first = terms[index - 1]!;
        const second = terms[index]!;
        if (first !== second && isWord(first) && isWord(second)) pairs.push([first, second]);
      }
      return pairs;
    },
  };
}

const isWord = (term: string): boolean => classAt(term, 0) === characterClass.word;

type Stem = (word: string) => string;

/** Stems of the words seen last, in two generations of bounded size. */
function createStemCache(): Stem {
  let young = new Map<string, string>();
  let old = new Map<string, string>();
  return (word) => {
    if (word.length > maxCachedWordLength) return englishStem(word);
    let stem = young.get(word);
    if (stem !== undefined) return stem;
    stem = old.get(word) ?? englishStem(word);
    if (young.size >= maxCachedStems / 2) {
      old = young;
      young = new Map();
    }
    young.set(word, stem);
    return stem;
  };
}

function addTerm(word: string, terms: string[], stem: Stem): void {
  if (stopWords.has(word)) return;
  terms.push(word.length > maxTermLength ? cut(word) : stem(word));
}

function cut(word: string): string {
  return word.slice(0, unitsAt(word, maxTermLength - 1) === 2 ? maxTermLength - 1 : maxTermLength);
}

/** Adds the word or compound that begins at `start`; returns where it ends. */
function addWord(text: string, start: number, terms: string[], stem: Stem): number {
  let end = endOfRun(text, start, characterClass.word);
  if (!isJoined(text, end)) {
    addTerm(text.slice(start, end), terms, stem);
    return afterClitic(text, end);
  }
  const parts = [text.slice(start, end)];
  let joiners = '';
  while (isJoined(text, end)) {
    joiners += text[end];
    const next = end + 1;
    end = endOfRun(text, next, characterClass.word);
    parts.push(text.slice(next, end));
  }
  addCompound(text.slice(start, end), parts, joiners, terms, stem);
  return afterClitic(text, end);
}

/** Whether the character at `index` joins what is before it to what is after it. */
function isJoined(text: string, index: number): boolean {
  if (index + 1 >= text.length) return false;
  const joiner = text[index]!;
  if (joiner === '.' || joiner === '-' || joiner === '_' || joiner === '@') {
    return classAt(text, index + 1) === characterClass.word;
  }
  return (joiner === ',' || joiner === '/' || joiner === ':') && isDigit(text, index - 1) && isDigit(text, index + 1);
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 48 && code <= 57;
}

const thousands = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
/** Words that hyphens put together. Whole, they are so rare that they outweigh all else: nDCG@10 on MED 0.681, in parts 0.696. */
const plainCompound = /^[^\d._@:/]+$/;
const initials = /^\p{L}(?:\.\p{L})+$/u;

function addCompound(whole: string, parts: readonly string[], joiners: string, terms: string[], stem: Stem): void {
  if (whole.length <= maxCompoundLength) {
    if (thousands.test(whole)) {
      terms.push(whole.replaceAll(',', ''));
      return;
    }
    if (initials.test(whole)) {
      terms.push(whole.replaceAll('.', ''));
      return;
    }
    if (!joiners.includes(',') && !plainCompound.test(whole))
      terms.push(joiners === '//' ? whole.replaceAll('/', '-') : whole);
  }
  for (const part of parts) addTerm(part, terms, stem);
}

/** Steps over what an apostrophe cuts off at `index`: the s of a possessive, the end of a contraction. */
function afterClitic(text: string, index: number): number {
  if (text[index] !== "'" && text[index] !== '’') return index;
  const end = endOfRun(text, index + 1, characterClass.word);
  return clitics.has(text.slice(index + 1, end)) ? end : index;
}

/** Adds the overlapping pairs of characters of the run that begins at `start`; returns where it ends. */
function addBigrams(text: string, start: number, terms: string[]): number {
  let previous = start;
  let index = start + unitsAt(text, start);
  while (index < text.length && classAt(text, index) === characterClass.unspaced) {
    const next = index + unitsAt(text, index);
    terms.push(text.slice(previous, next));
    previous = index;
    index = next;
  }
  if (previous === start) terms.push(text.slice(start, index));
  return index;
}
