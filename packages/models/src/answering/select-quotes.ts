import type { Analyser, PromptPassage } from '@aquifer/contracts';
import { type ScoredUnit, type ScoreWeights, scoreUnits } from './score-units.js';

/** What decides which sentences are quoted, and whether any is. */
export interface SelectionWeights extends ScoreWeights {
  /** Least log-odds that the best unit answers the question: see `confidence`. */
  readonly minConfidence: number;
  /** A second unit is quoted where it scores this share of the best, a third where it scores this one, and holds what is asked for as well as those quoted. */
  readonly nearlyBest: number;
  readonly nearlyBestThird: number;
  /** A unit that holds what the question word asks for is quoted beside a best one that does not, from this share of its score on. */
  readonly nearlyBestAnew: number;
  /** A unit that says this share of the question's weight anew is quoted, from this share of the best score on. */
  readonly minGain: number;
  readonly gainScore: number;
  /** Of sentences; rows of one table that answer alike may be `maxTiedRows`. */
  readonly maxQuotes: number;
}

/**
 * Tuned on half of the articles of SQuAD 2.0, JaQuAD and JSQuAD, 8 retrieved passages a question; `node bench/answers.mjs` asks the
 * other half. Quotations holding the answer on the tuned half, mean of the three sets: 83.7 %; without `expected` and `loose` 83.0,
 * without `title` 82.9, without `rank` 83.1, without `part` 83.5. `focus`, `column` and `heading` matter where there are headings
 * and tables, which those sets do not have. A lower `minConfidence` answers more and abstains less: −1.2, −0.9, −0.65 and −0.3 abstain
 * wrongly on 1.8, 3.2, 4.0 and 5.4 % of SQuAD's answerable questions and rightly on 73, 79, 83 and 88 % of those that nothing answers.
 */
export const selectionWeights: SelectionWeights = {
  context: 0.8,
  focus: 0.2,
  title: 0.6,
  previous: 0.4,
  next: 0.1,
  adjacent: 0.02,
  expected: 0.22,
  loose: 0.15,
  column: 0.1,
  part: 0.08,
  rank: 0.02,
  heading: 0.5,
  minConfidence: -0.65,
  nearlyBest: 0.85,
  nearlyBestThird: 0.92,
  nearlyBestAnew: 0.75,
  minGain: 0.15,
  gainScore: 0.65,
  maxQuotes: 3,
};

/** Words that carry the sentence before on: an exception or what comes after. */
const continuation =
  /^(?:however|otherwise|in addition|additionally|moreover|furthermore|except|unless|after that|afterwards|in that case|ただし|但し|なお|また|さらに|その後|この場合)/iu;

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
  const add = (unit: ScoredUnit | undefined): void => {
    if (unit === undefined || chosen.length >= weights.maxQuotes) return;
    if (!chosen.some((quoted) => repeats(quoted, unit))) chosen.push(unit);
  };
  add(continuationOf(best, ranked, passages));
  const candidates = ranked.slice(1).filter(({ kind }) => kind !== 'heading');
  if (best.expected < 2) {
    add(candidates.find((unit) => unit.expected === 2 && unit.score >= weights.nearlyBestAnew * best.score));
  }
  const last = chosen.at(-1)!;
  const leastExpected = Math.max(...chosen.map(({ expected }) => expected));
  for (const unit of candidates) {
    if (chosen.length >= weights.maxQuotes) break;
    if (chosen.some((quoted) => isOtherRow(quoted, unit))) continue;
    let gain = 0;
    for (const [term, share] of unit.covered) {
      gain += Math.max(0, share - Math.max(...chosen.map(({ about }) => about.get(term) ?? 0)));
    }
    const share = chosen.length > 1 ? weights.nearlyBestThird : weights.nearlyBest;
    const isNearlyBest = unit.score >= share * best.score && unit.expected >= leastExpected;
    if ((gain >= weights.minGain && unit.score >= weights.gainScore * best.score) || isNearlyBest) add(unit);
  }
  return [...chosen, ...tiedRows(last, candidates, chosen)];
}

/** Whether a unit is a row of the quoted row's table that the question names less well: the row of something else. */
function isOtherRow(quoted: ScoredUnit, unit: ScoredUnit): boolean {
  if (quoted.header === '' || quoted.header !== unit.header || quoted.passage !== unit.passage) return false;
  return unit.covered.size < quoted.covered.size && [...unit.covered.keys()].every((term) => quoted.covered.has(term));
}

/** Rows of a table that answer as well as the one quoted: a question about a column that names no row. */
function tiedRows(quoted: ScoredUnit, units: readonly ScoredUnit[], chosen: readonly ScoredUnit[]): ScoredUnit[] {
  if (quoted.kind !== 'table-row' || quoted.expected < 2 || quoted.covered.size > 0) return [];
  const { passage, header, score } = quoted;
  return units
    .filter(
      (unit) =>
        unit.passage === passage && unit.header === header && unit.score > score - 0.05 && unit.covered.size === 0,
    )
    .filter((unit) => !chosen.includes(unit) && unit.expected === 2)
    .slice(0, maxTiedRows - chosen.filter((unit) => unit.header === header).length);
}

const maxTiedRows = 4;

/** The sentence that follows, where it goes on with the one before and says of the same kind what is asked for. */
function continuationOf(
  { passage, end, expected, covered }: ScoredUnit,
  units: readonly ScoredUnit[],
  passages: readonly PromptPassage[],
): ScoredUnit | undefined {
  const next = units.find(
    (unit) =>
      unit.passage === passage && unit.start >= end && passages[passage]!.text.slice(end, unit.start).trim() === '',
  );
  if (next === undefined || next.kind === 'heading' || !continuation.test(next.text)) return undefined;
  const isAbout = [...next.covered.keys()].some((term) => covered.has(term));
  return isAbout && next.expected === 2 && expected === 2 ? next : undefined;
}

/** Whether a unit says nothing that is not quoted already. */
function repeats(quoted: ScoredUnit, unit: ScoredUnit): boolean {
  return [...unit.terms].every((term) => quoted.terms.has(term));
}
