import type { Analyser, PromptPassage } from '@aquifer/contracts';
import { type AnswerUnit, answerUnits } from './answer-units.js';
import { readQuestion } from './question.js';

/** What decides which sentences are quoted, and whether any is. */
export interface SelectionWeights {
  /** A question's term in the unit counts 1; in the unit's own heading or table header, in the passage's heading path and title, in the sentence before and after: */
  readonly context: number;
  readonly title: number;
  readonly previous: number;
  readonly next: number;
  /** Added for each pair of question terms that stand together in the unit as in the question. */
  readonly adjacent: number;
  /** Added where the unit holds what the question word asks for, such as a date for "when". */
  readonly expected: number;
  /** Taken off for each passage that retrieval ranked higher. */
  readonly rank: number;
  /** Taken off headings, which announce and do not answer. */
  readonly heading: number;
  /** Least log-odds that the best unit answers the question: see `confidence`. */
  readonly minConfidence: number;
  /** A further unit is quoted where it scores this share of the best, or (with half of the best score) says this share of the question's weight anew. */
  readonly nearlyBest: number;
  readonly minGain: number;
  readonly maxQuotes: number;
}

/**
 * Tuned on half of the articles of SQuAD 2.0, JaQuAD and JSQuAD, 8 retrieved passages a question; `node bench/answers.mjs` asks the
 * other half. First quotations holding the answer, mean of the three sets: 80 %; without `expected` 79.6, without `title` 79.5, without
 * `rank` 79.4. A lower `minConfidence` answers more and abstains less: −1, −0.5, 0 and 0.4 abstain wrongly on 3.8, 4.8, 5.7 and 6.7 % of
 * SQuAD's answerable questions and rightly on 76, 82, 87 and 90 % of those that nothing answers.
 */
export const selectionWeights: SelectionWeights = {
  context: 0.8,
  title: 0.5,
  previous: 0.4,
  next: 0.1,
  adjacent: 0.02,
  expected: 0.22,
  rank: 0.02,
  heading: 0.3,
  minConfidence: -0.5,
  nearlyBest: 0.85,
  minGain: 0.2,
  maxQuotes: 3,
};

/** Units without any of the question's terms that are thought beside those of the passages: rarity means little among a few. */
const assumedUnits = 20;

export interface ScoredUnit extends AnswerUnit {
  readonly score: number;
  /** Share of the question's weight that the unit says, or what surrounds it: headings, title, neighbours. */
  readonly supported: number;
  /** Log-odds that a unit of this passage answers the question, this one being the passage's best. */
  readonly confidence: number;
  readonly terms: ReadonlySet<string>;
  /** Terms of the question that the unit says, and their share of the question's weight. */
  readonly covered: ReadonlyMap<string, number>;
}

/** All units of the passages, best first. */
export function scoreUnits(
  question: string,
  passages: readonly PromptPassage[],
  analyser: Analyser,
  weights: SelectionWeights = selectionWeights,
): ScoredUnit[] {
  const asked = readQuestion(question, analyser);
  const units = passages.flatMap((passage, index) => answerUnits(passage, index));
  const termLists = units.map((unit) => analyser.terms(unit.text));
  const termSets = termLists.map((terms) => new Set(terms));
  const about = passages.map((passage) => new Set(analyser.terms([passage.title, ...passage.headings].join('\n'))));

  const passageTerms = about.map((terms) => new Set(terms));
  for (const [index, unit] of units.entries()) {
    for (const term of termSets[index]!) passageTerms[unit.passage]!.add(term);
  }

  const termWeights = new Map<string, number>();
  let total = 0;
  for (const [term, weight] of asked.terms) {
    const found = termSets.reduce((count, terms) => count + (terms.has(term) ? 1 : 0), 0);
    const rarity = Math.log(1 + (units.length + assumedUnits - found + 0.5) / (found + 0.5));
    termWeights.set(term, weight * rarity);
    total += weight * rarity;
  }
  if (total === 0) return [];
  const order = [...asked.terms.keys()];
  const pairs = new Set(order.slice(1).map((term, index) => `${order[index]} ${term}`));

  const contexts = new Map<string, ReadonlySet<string>>();
  const contextTerms = (context: string): ReadonlySet<string> => {
    const known = contexts.get(context) ?? new Set(analyser.terms(context));
    contexts.set(context, known);
    return known;
  };

  const scored = units.map((unit, index): ScoredUnit => {
    const terms = termSets[index]!;
    const context = contextTerms(unit.context);
    const previous = units[index - 1]?.passage === unit.passage ? termSets[index - 1] : undefined;
    const next = units[index + 1]?.passage === unit.passage ? termSets[index + 1] : undefined;
    const covered = new Map<string, number>();
    let supported = 0;
    for (const [term, weight] of termWeights) {
      if (terms.has(term)) {
        covered.set(term, weight / total);
        supported += weight;
        continue;
      }
      const share = Math.max(
        context.has(term) ? weights.context : 0,
        about[unit.passage]!.has(term) ? weights.title : 0,
        previous?.has(term) ? weights.previous : 0,
        next?.has(term) ? weights.next : 0,
      );
      supported += weight * share;
    }
    const list = termLists[index]!;
    let adjacent = 0;
    for (let position = 1; position < list.length; position++) {
      if (pairs.has(`${list[position - 1]} ${list[position]}`)) adjacent += 1;
    }
    const score =
      supported / total +
      weights.adjacent * Math.min(adjacent, 4) +
      (answers(unit, asked.expected, question) ? weights.expected : 0) -
      weights.rank * unit.passage -
      (unit.kind === 'heading' ? weights.heading : 0);
    return {
      ...unit,
      score,
      supported: supported / total,
      confidence: confidence(supported / total, asked.terms, covered, passageTerms[unit.passage]!),
      terms,
      covered,
    };
  });
  return scored.sort(
    (left, right) => right.score - left.score || left.passage - right.passage || left.start - right.start,
  );
}

/**
 * Logistic regression over 8 retrieved passages with and without the answer's article (SQuAD 2.0, JaQuAD, JSQuAD; half of
 * the articles). What tells the two apart best is how much of the question the whole passage speaks of, every term
 * counting alike: a passage about something else shares the question's frequent words or one rare one.
 */
function confidence(
  supported: number,
  asked: ReadonlyMap<string, number>,
  covered: ReadonlyMap<string, number>,
  passage: ReadonlySet<string>,
): number {
  let total = 0;
  let inPassage = 0;
  let inUnit = 0;
  for (const [term, weight] of asked) {
    total += weight;
    if (passage.has(term)) inPassage += weight;
    if (covered.has(term)) inUnit += weight;
  }
  return -8.4 + 3.7 * supported + 9.6 * (inPassage / total) + 1.4 * Math.log(1 + inUnit);
}

/** Whether the unit holds what the question asks for, and the question does not hold it already. */
function answers(unit: AnswerUnit, expected: RegExp | undefined, question: string): boolean {
  if (expected === undefined) return false;
  const all = new RegExp(expected.source, `${expected.flags}g`);
  const asked = question.toLowerCase();
  for (const match of unit.text.normalize('NFKC').matchAll(all)) {
    if (!asked.includes(match[0].toLowerCase())) return true;
  }
  return false;
}

/** The units to quote, in the order in which they are read; none where nothing answers the question. */
export function selectQuotes(
  question: string,
  passages: readonly PromptPassage[],
  analyser: Analyser,
  weights: SelectionWeights = selectionWeights,
): ScoredUnit[] {
  const ranked = scoreUnits(question, passages, analyser, weights);
  const best = ranked[0];
  if (best === undefined || best.confidence < weights.minConfidence) return [];
  const chosen = [best];
  for (const unit of ranked.slice(1)) {
    if (chosen.length >= weights.maxQuotes) break;
    if (unit.kind === 'heading' || chosen.some((quoted) => repeats(quoted, unit))) continue;
    let gain = 0;
    for (const [term, share] of unit.covered) if (!chosen.some((quoted) => quoted.covered.has(term))) gain += share;
    const adds = gain >= weights.minGain && unit.score >= best.score / 2;
    if (adds || unit.score >= weights.nearlyBest * best.score) chosen.push(unit);
  }
  return chosen;
}

/** Whether a unit says nothing that is not quoted already. */
function repeats(quoted: ScoredUnit, unit: ScoredUnit): boolean {
  return [...unit.terms].every((term) => quoted.terms.has(term));
}
