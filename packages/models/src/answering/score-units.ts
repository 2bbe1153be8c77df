import type { Analyser, PromptPassage } from '@aquifer/contracts';
import type { AnswerUnit } from './answer-units.js';
import { type ExpectedAnswer, holdsExpected } from './expected-answer.js';
import { type Question, readQuestion } from './question.js';
import { readPassages } from './read-passages.js';
import { type AnswerCell, answerCells } from './table-rows.js';

/** What decides which units of the passages answer a question best. */
export interface ScoreWeights {
  /** A question's term in the unit counts 1; in the unit's own heading or table header, in the passage's heading path and title, in the sentence before and after: */
  readonly context: number;
  readonly title: number;
  readonly previous: number;
  readonly next: number;
  /** How much more a heading counts that says nothing but terms of the question. */
  readonly focus: number;
  /** Added for each pair of question terms that stand together in the unit as in the question. */
  readonly adjacent: number;
  /** Added where the unit holds exactly what the question word asks for, such as a number of days for "how many days"; where loosely: */
  readonly expected: number;
  readonly loose: number;
  /** Added to a row that says terms of the question and has the answer in a column named in the question. */
  readonly column: number;
  /** Taken off where the unit says a noun of a Japanese question only as a part of a longer one. */
  readonly part: number;
  /** Taken off for each passage that retrieval ranked higher. */
  readonly rank: number;
  /** Taken off headings and tables of contents, which announce and do not answer. */
  readonly heading: number;
}

export interface ScoredUnit extends AnswerUnit {
  readonly score: number;
  /** Share of the question's weight that the unit says, or what surrounds it: headings, title, neighbours. */
  readonly supported: number;
  /** Log-odds that a unit of this passage answers the question, this one being the passage's best. */
  readonly confidence: number;
  readonly terms: ReadonlySet<string>;
  /** Terms of the question that the unit says, and their share of the question's weight. */
  readonly covered: ReadonlyMap<string, number>;
  /** The same for terms that the unit or what surrounds it says. */
  readonly about: ReadonlyMap<string, number>;
  /** How well the unit holds what the question word asks for: 2 exactly, 1 loosely, 0 not. */
  readonly expected: 0 | 1 | 2;
}

/** Units without any of the question's terms that are thought beside those of the passages: rarity means little among a few. */
const assumedUnits = 20;

/** All units of the passages, best first. */
export function scoreUnits(
  question: string,
  passages: readonly PromptPassage[],
  analyser: Analyser,
  weights: ScoreWeights,
): ScoredUnit[] {
  const asked = readQuestion(question, analyser);
  const order = [...asked.terms.keys()];
  const { units, termLists, said, leads, titles, inPassage } = readPassages(question, asked, passages, analyser);

  let absent = 0;
  for (const [term, weight] of asked.terms) if (!inPassage.some((terms) => terms.has(term))) absent += weight;

  const termWeights = new Map<string, number>();
  let total = 0;
  for (const [term, weight] of asked.terms) {
    const found = said.reduce((count, terms) => count + (terms.has(term) ? 1 : 0), 0);
    const rarity = Math.log(1 + (units.length + assumedUnits - found + 0.5) / (found + 0.5));
    termWeights.set(term, weight * rarity);
    total += weight * rarity;
  }
  if (total === 0) return [];
  const pairs = new Set(order.slice(1).map((term, index) => `${order[index]} ${term}`));
  const nouns = wholeNouns(question);
  const askedTerms = new Set(order);

  const scored = units.map((unit, index): ScoredUnit => {
    const own = said[index]!;
    const heading = leads.get(unit.heading)!;
    const headingShare = weights.context + weights.focus * heading.focus;
    const header = leads.get(unit.header)!.terms;
    const opening = leads.get(unit.opening)!.terms;
    const previous = units[index - 1]?.passage === unit.passage ? said[index - 1] : undefined;
    const next = units[index + 1]?.passage === unit.passage ? said[index + 1] : undefined;
    const covered = new Map<string, number>();
    const supports = new Map<string, number>();
    let supported = 0;
    for (const [term, weight] of termWeights) {
      const ownShare = own.get(term) ?? 0;
      if (ownShare > 0) covered.set(term, (ownShare * weight) / total);
      const share = Math.max(
        ownShare,
        headingShare * (heading.terms.get(term) ?? 0),
        weights.context * Math.max(header.get(term) ?? 0, opening.get(term) ?? 0),
        weights.title * (titles[unit.passage]!.get(term) ?? 0),
        weights.previous * (previous?.get(term) ?? 0),
        weights.next * (next?.get(term) ?? 0),
      );
      if (share > 0) supports.set(term, (share * weight) / total);
      supported += weight * share;
    }
    const list = termLists[index]!;
    let adjacent = 0;
    for (let position = 1; position < list.length; position++) {
      if (pairs.has(`${list[position - 1]} ${list[position]}`)) adjacent += 1;
    }
    const values = unit.kind === 'table-row' ? answerCells(unit, askedTerms, analyser) : [];
    const expected = expectedStrength(unit, values, asked.expected, question);
    const score =
      supported / total +
      weights.adjacent * Math.min(adjacent, 4) +
      (expected === 2 ? weights.expected : expected === 1 ? weights.loose : 0) +
      (own.size > 0 ? weights.column * Math.max(0, ...values.map(({ focus }) => focus)) : 0) -
      (isOnlyPart(unit.text, nouns) ? weights.part : 0) -
      weights.rank * unit.passage -
      (unit.kind === 'heading' ? weights.heading : 0);
    return {
      score,
      ...unit,
      supported: supported / total,
      confidence: confidence(supported / total, asked, covered, inPassage[unit.passage]!, absent, expected),
      terms: new Set(termLists[index]),
      covered,
      about: supports,
      expected,
    };
  });
  return scored.sort(
    (left, right) => right.score - left.score || left.passage - right.passage || left.start - right.start,
  );
}

/**
 * Logistic regression over 8 retrieved passages with and without the answer's article (SQuAD 2.0, JaQuAD, JSQuAD; half of
 * the articles). What tells the two apart best is how much of the question the whole passage speaks of, every term
 * counting alike: a passage about something else shares the question's frequent words or one rare one. `absent` is the weight of the
 * terms that no passage speaks of.
 */
function confidence(
  supported: number,
  asked: Question,
  covered: ReadonlyMap<string, number>,
  passage: ReadonlyMap<string, number>,
  absent: number,
  expected: 0 | 1 | 2,
): number {
  let total = 0;
  let inPassage = 0;
  let inUnit = 0;
  for (const [term, weight] of asked.terms) {
    total += weight;
    inPassage += weight * (passage.get(term) ?? 0);
    if (covered.has(term)) inUnit += weight;
  }
  // A unit without what the question word asks for answers less often.
  const kind = asked.expected === undefined ? 0 : expectedLogOdds[expected];
  return (
    -5.3 + 2.9 * supported + 4.5 * (inPassage / total) + 1.5 * Math.log(1 + inUnit) - 2.5 * (absent / total) + kind
  );
}

const expectedLogOdds = [-0.6, -0.6, -0.2] as const;

/** A number in a column that the question names is what it asks for: the header says the unit. */
function expectedStrength(
  unit: AnswerUnit,
  values: readonly AnswerCell[],
  expected: ExpectedAnswer | undefined,
  question: string,
): 0 | 1 | 2 {
  if (expected === undefined) return 0;
  if (expected.isNumber && values.some(({ text, focus }) => focus === 1 && /\d/.test(text))) return 2;
  return holdsExpected(unit.text.normalize('NFKC'), expected, question.normalize('NFKC'));
}

/** Nouns of a Japanese question: its runs of kanji or katakana of three characters and more. */
function wholeNouns(question: string): string[] {
  return question.match(/\p{Script=Han}{3,}|[\p{Script=Katakana}ー]{3,}/gu) ?? [];
}

/** Whether a text says one of the nouns, but only inside longer ones: 出生時育児休業 where 育児休業 is asked for. */
function isOnlyPart(text: string, nouns: readonly string[]): boolean {
  return nouns.some((noun) => {
    let inside = false;
    for (let at = text.indexOf(noun); at >= 0; at = text.indexOf(noun, at + noun.length)) {
      if (!/[\p{Script=Han}\p{Script=Katakana}ー]/u.test(text[at - 1] ?? '')) return false;
      inside = true;
    }
    return inside;
  });
}
