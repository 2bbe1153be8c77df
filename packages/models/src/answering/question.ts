import type { Analyser } from '@aquifer/contracts';
import { type ExpectedAnswer, expectedAnswer } from './expected-answer.js';

/** What a question asks about, and what an answer to it should hold. */
export interface Question {
  /** Weight of each term before its rarity counts. */
  readonly terms: ReadonlyMap<string, number>;
  /** What an answer should hold. Undefined where nothing is known. */
  readonly expected: ExpectedAnswer | undefined;
}

/**
 * How much the kinds of terms say about the subject of a question. Halving or doubling any of them changes the share of
 * right first quotations by 0.3 points at most (`node bench/answers.mjs`).
 */
const kindWeights = {
  word: 1,
  /** A name inside an English sentence, or a number: what the question is about. */
  name: 1.3,
  /** "country" in "which country": the kind of the answer, which the answer rarely says. */
  answerKind: 0.4,
  /** Bigrams of Japanese and Chinese: of kanji, katakana, letters and digits; with one hiragana, mostly inflection; of hiragana only, grammar. */
  contentBigram: 1,
  mixedBigram: 0.4,
  grammarBigram: 0.05,
} as const;

const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const hiragana = /\p{Script=Hiragana}/gu;

/** Words of a question that say how to answer it, not what it is about. */
const askingWords =
  /\b(?:how (?:many|much|long|old|often|far|big|large|high|tall|deep|fast|late|early|soon|do|does|did|can|should)|what (?:is|are|was|were|does|do|did)|(?:what|which) (?:kind|type|sort)s? of|(?:what|which)|(?:until|by|since|from) when|(?:do|can|must|should|may) (?:I|we|you)(?: (?:get|have))?|name of|for a (?:while|time)|please|tell me|explain|describe|according to)\b/giu;
/** Case tells "may" from May. */
const modals = /\b(?:must|may|might|shall)\b|^\s*M(?:ay|ust)\b/gu;
const askingWordsJapanese =
  /何(?:です|でし)|(?:です|ます|でした|ました|でしょう)か|どのくらい|どれくらい|どのような|どんな|どうして|どうやって|なぜ|いくら|いくつ|どこ|いつ|だれ|誰|どれ|どの|どう|(?:教えて|おしえて)(?:ください|下さい)?|もらえ|できます/gu;

/** Reads a question in English or Japanese. Other languages lose the hints and nothing else. */
export function readQuestion(question: string, analyser: Analyser): Question {
  const terms = new Map<string, number>();
  const add = (text: string, weight: number): void => {
    for (const term of analyser.terms(text)) {
      const value = cjk.test(term) ? weight * bigramWeight(term) : weight;
      terms.set(term, Math.max(value, terms.get(term) ?? 0));
    }
  };
  const normal = question.normalize('NFKC');
  const subject = normal.replace(askingWords, ' ').replace(modals, ' ').replace(askingWordsJapanese, ' ');
  add(subject, kindWeights.word);
  // "How long?" alone is about nothing else.
  if (terms.size === 0) add(normal, kindWeights.word);
  const names = subject.match(/(?<=[\p{Ll}\p{N},;'’]\s)\p{Lu}[\p{L}\p{N}'’-]*|\p{N}[\p{N}.,]*/gu) ?? [];
  for (const name of names) {
    for (const term of analyser.terms(name)) if (terms.has(term) && !cjk.test(term)) terms.set(term, kindWeights.name);
  }
  const kind =
    /\b(?:what|which)\s+(?:(?:kind|type|sort)s? of\s+|(?:is|are|was|were) the\s+(?=\p{L}+ (?:of|for)\b))?(\p{L}+)/iu.exec(
      normal,
    )?.[1] ?? '';
  for (const term of analyser.terms(kind)) if (terms.has(term)) terms.set(term, kindWeights.answerKind);
  return { terms, expected: expectedAnswer(normal) };
}

function bigramWeight(term: string): number {
  const count = term.match(hiragana)?.length ?? 0;
  if (count === 0) return kindWeights.contentBigram;
  return count === [...term].length ? kindWeights.grammarBigram : kindWeights.mixedBigram;
}
