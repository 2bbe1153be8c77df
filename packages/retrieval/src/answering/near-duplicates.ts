export interface ComparedText {
  readonly text: string;
  /** What says where the text comes from, such as title and headings. */
  readonly context: string;
}

/**
 * Finds texts that say the same: a page kept in several files, a policy copied from one version into the next.
 *
 * Two texts are near-duplicates when their words are the same but for layout and punctuation, or when at least 90 % of
 * their three-word shingles are shared (Broder 1997, "On the resemblance and containment of documents") *and* they agree in
 * every number and every negation: "52 weeks" and "40 weeks", "may" and "may not" are what versions differ in, and exactly
 * what an answer must not lose. Short texts need the same context as well: "open from 9 to 17" under "Bergen" and
 * under "Tokyo" are two facts.
 *
 * Returns for each text the index of the earlier text that it repeats, or undefined.
 */
export function findNearDuplicates(texts: readonly ComparedText[]): (number | undefined)[] {
  // By what they must agree in, so that few pairs are looked at.
  const kept = new Map<string, { readonly index: number; readonly sketch: Sketch }[]>();
  return texts.map((text, index) => {
    const sketch = sketchOf(text);
    const alike = kept.get(sketch.decisive) ?? [];
    const original = alike.find((earlier) => saysTheSame(earlier.sketch, sketch));
    if (original) return original.index;
    kept.set(sketch.decisive, [...alike, { index, sketch }]);
    return undefined;
  });
}

interface Sketch {
  readonly words: readonly string[];
  readonly text: string;
  readonly context: string;
  readonly decisive: string;
}

const minResemblance = 0.9;
const shingleWords = 3;
/** From this many words on, a text says what it is about itself. */
const selfContainedWords = 40;

/** Words of scripts with spaces, single characters of scripts without, numbers with their separators. */
const word =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]|\p{N}+(?:[.,:/-]\p{N}+)*|[\p{L}\p{M}]+/gu;
const decisiveWord = /^(?:\p{N}.*|not?|never|none|nor|neither|without|except|unless|cannot|[a-z]+n't|t)$/u;
const negations = /ない|なく|なし|ません|ぬ|ず|不|無|未|非|禁止|除|못|않|没|别|勿/gu;

function sketchOf({ text, context }: ComparedText): Sketch {
  const folded = text.normalize('NFKC').toLowerCase();
  const words = folded.match(word) ?? [];
  const decisive = [...words.filter((item) => decisiveWord.test(item)), ...(folded.match(negations) ?? [])];
  return { words, text: words.join(' '), context, decisive: decisive.sort().join(' ') };
}

/** Whether two sketches that agree in all that is decisive agree in the rest. */
function saysTheSame(a: Sketch, b: Sketch): boolean {
  if (a.context !== b.context && Math.min(a.words.length, b.words.length) < selfContainedWords) return false;
  if (a.text === b.text) return true;
  const [fewer, more] = a.words.length < b.words.length ? [a, b] : [b, a];
  // Of most pairs, the lengths alone tell them apart; a text repeats few of its shingles.
  if (fewer.words.length < 0.8 * more.words.length) return false;
  const [small, large] = [shinglesOf(fewer.words), shinglesOf(more.words)];
  if (small.size === 0) return false;
  let shared = 0;
  for (const shingle of small) if (large.has(shingle)) shared++;
  return shared >= minResemblance * (small.size + large.size - shared);
}

function shinglesOf(words: readonly string[]): ReadonlySet<string> {
  const shingles = new Set<string>();
  for (let index = 0; index + shingleWords <= words.length; index++) {
    shingles.add(words.slice(index, index + shingleWords).join(' '));
  }
  return shingles;
}
