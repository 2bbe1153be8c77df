import type { Analyser } from '@aquifer/contracts';
import { splitSentences, type TextSpan } from '@aquifer/text-analysis';
import { claimedFacts, evidentFacts, foldForSearch, indexOfWhole, joinFacts, missingFacts } from './facts.js';

/**
 * Where `text` supports `claim`: offsets of the words themselves where the claim repeats them, else of the one to three
 * sentences in a row that share the most, and the rarest, terms with it. A second span is given where the first lacks a number
 * or date of the claim and another sentence has it.
 *
 * Never empty for a text with anything in it: where nothing is shared (an answer in another language), the beginning.
 */
export function findSupportingQuotes(claim: string, text: string, analyser: Analyser): TextSpan[] {
  const verbatim = findVerbatim(claim, text);
  if (verbatim) return [verbatim];
  const sentences = splitSentences(text)
    .map((span) => trimSpan(text, span))
    .filter(({ start, end }) => end > start);
  const { scoreOf, lackingIn } = createScorer(
    claim,
    sentences.map(({ start, end }) => text.slice(start, end)),
    analyser,
  );

  let best: readonly number[] = [];
  let bestScore = 0;
  for (let first = 0; first < sentences.length; first++) {
    for (let last = first; last < Math.min(first + maxSentences, sentences.length); last++) {
      const window = Array.from({ length: last - first + 1 }, (_, index) => first + index);
      const score = scoreOf(window);
      if (score > bestScore) [best, bestScore] = [window, score];
    }
  }
  const first = sentences[0];
  if (!first) return [];
  if (best.length === 0) return [beginning(sentences)];
  const quotes = [spanOf(sentences, best)];
  const lacking = lackingIn(best);
  if (lacking > 0) {
    const helping = sentences
      .map((_, index) => index)
      .filter((index) => !best.includes(index) && lackingIn([...best, index]) < lacking);
    const most = helping.sort((a, b) => lackingIn([...best, a]) - lackingIn([...best, b]))[0];
    if (most !== undefined) quotes.push(spanOf(sentences, [most]));
  }
  return quotes;
}

const maxSentences = 3;
/** What a further sentence must add, as a share of all that the passage holds of the claim. */
const minGain = 0.125;
const maxBeginning = 300;

/** Scores sets of sentences by what they hold of the claim: terms by rarity in the passage, and facts. */
function createScorer(claim: string, sentences: readonly string[], analyser: Analyser) {
  const contents = sentences.map((sentence) => ({
    terms: new Set(analyser.terms(sentence)),
    facts: evidentFacts(sentence),
    folded: foldForSearch(sentence),
  }));
  const weights: { readonly term: string; readonly weight: number }[] = [];
  for (const term of new Set(analyser.terms(claim))) {
    const holders = contents.filter(({ terms }) => terms.has(term)).length;
    if (holders > 0) weights.push({ term, weight: Math.log(1 + sentences.length / holders) });
  }
  const facts = claimedFacts(claim);
  // A fact weighs as much as a word that only one sentence has.
  const factWeight = Math.log(1 + sentences.length);
  const lackingIn = (chosen: readonly number[]) => {
    const parts = chosen.map((index) => contents[index]!);
    return missingFacts(facts, joinFacts(parts.map((part) => part.facts)), parts.map((part) => part.folded).join('\n'))
      .length;
  };
  const factCount = lackingIn([]);
  const possible = weights.reduce((sum, { weight }) => sum + weight, 0) + factCount * factWeight;
  const scoreOf = (chosen: readonly number[]) => {
    let score = (factCount - lackingIn(chosen)) * factWeight - (chosen.length - 1) * minGain * possible;
    for (const { term, weight } of weights) {
      if (chosen.some((index) => contents[index]!.terms.has(term))) score += weight;
    }
    return score;
  };
  return { scoreOf, lackingIn };
}

function spanOf(sentences: readonly TextSpan[], chosen: readonly number[]): TextSpan {
  return { start: sentences[chosen[0]!]!.start, end: sentences[chosen.at(-1)!]!.end };
}

/** As many whole sentences as make a readable quote, at least one. */
function beginning(sentences: readonly TextSpan[]): TextSpan {
  const { start, end } = sentences[0]!;
  const last = sentences.findLast((sentence) => sentence.end - start <= maxBeginning);
  return { start, end: Math.max(end, last?.end ?? 0) };
}

/** The claim's own words in the text, but for case, width, kind of quotes and white space. */
function findVerbatim(claim: string, text: string): TextSpan | undefined {
  const wanted = foldForSearch(claim.replace(/^[\s\p{P}]+|[\s\p{P}]+$/gu, ''));
  if (wanted.length < 2) return undefined;
  if (indexOfWhole(foldForSearch(text), wanted) < 0) return undefined;
  let folded = '';
  /** For every unit of `folded`, the offset of the character it comes from. */
  const origins: number[] = [];
  let offset = 0;
  for (const character of text) {
    const unit = foldForSearch(character);
    folded += unit;
    for (let index = 0; index < unit.length; index++) origins.push(offset);
    offset += character.length;
  }
  // Characters folded one by one differ from the whole where marks combine across them; then it is not found here.
  const at = indexOfWhole(folded, wanted);
  if (at < 0) return undefined;
  const start = origins[at]!;
  const last = origins[at + wanted.length - 1]!;
  const closing = /^[.!?。！？．]?[)\]」』”"’]*[.!?。！？．]?/.exec(
    text.slice(last + String.fromCodePoint(text.codePointAt(last)!).length),
  );
  const end = last + String.fromCodePoint(text.codePointAt(last)!).length + (closing?.[0].length ?? 0);
  const opening = /[(「『“"‘]$/.exec(text.slice(0, start))?.[0].length ?? 0;
  return { start: start - opening, end };
}

/** The span without white space at its ends. */
export function trimSpan(text: string, { start, end }: TextSpan): TextSpan {
  const content = text.slice(start, end);
  const leading = content.length - content.trimStart().length;
  return { start: start + leading, end: start + Math.max(leading, content.trimEnd().length) };
}
