import type { Analyser, PromptPassage } from '@aquifer/contracts';
import { type AnswerUnit, answerUnits } from './answer-units.js';
import type { Question } from './question.js';
import { mentions, type RelatedTerms, relatedTerms } from './related-terms.js';
import { coveringRows } from './table-rows.js';

/** Terms of the question that a text says, with the share of each. */
export type Mentions = ReadonlyMap<string, number>;

/** What the passages say of a question's terms. */
export interface PassageReading {
  readonly units: readonly AnswerUnit[];
  /** Of each unit: its terms in order, and what it says of the question. */
  readonly termLists: readonly (readonly string[])[];
  readonly said: readonly Mentions[];
  /** Of each heading, table header and opening of a list: what it says, and the share of its terms that the question has too. */
  readonly leads: ReadonlyMap<string, { readonly terms: Mentions; readonly focus: number }>;
  /** Of each passage: what its title and headings say, and what all of it says. */
  readonly titles: readonly Mentions[];
  readonly inPassage: readonly Mentions[];
}

/** Share of a term's weight that a quantity of the asked kind or a range around the asked amount says. */
const impliedShare = 0.9;

/** Cuts the passages into units and looks for the question's terms, in any form, in them and around them. */
export function readPassages(
  question: string,
  asked: Question,
  passages: readonly PromptPassage[],
  analyser: Analyser,
): PassageReading {
  const order = [...asked.terms.keys()];
  const units = passages.flatMap((passage, index) => answerUnits(passage, index));
  const termLists = units.map((unit) => analyser.terms(unit.text));
  const titleLists = passages.map((passage) => analyser.terms([passage.title, ...passage.headings].join('\n')));
  const leadTerms = new Map<string, ReadonlySet<string>>();
  for (const { heading, header, opening } of units) {
    for (const lead of [heading, header, opening]) {
      if (!leadTerms.has(lead)) leadTerms.set(lead, new Set(analyser.terms(lead)));
    }
  }
  const vocabulary = new Set([...termLists, ...titleLists, ...leadTerms.values()].flatMap((terms) => [...terms]));
  const related: RelatedTerms = relatedTerms(question, order, vocabulary, analyser);
  const find = (terms: Iterable<string>): Mentions => mentions(order, related, new Set(terms));

  const implied = impliedTerms(question, asked, units, analyser);
  const said = termLists.map((terms, index) => {
    const found = new Map(find(terms));
    for (const term of implied(units[index]!)) found.set(term, Math.max(impliedShare, found.get(term) ?? 0));
    return found;
  });
  const leads = new Map<string, { readonly terms: Mentions; readonly focus: number }>();
  for (const [lead, terms] of leadTerms) {
    const found = find(terms);
    leads.set(lead, { terms: found, focus: terms.size === 0 ? 0 : Math.min(1, found.size / terms.size) });
  }
  const titles = titleLists.map(find);
  const inPassage = titles.map((terms) => new Map(terms));
  for (const [index, { passage, heading, header }] of units.entries()) {
    for (const found of [said[index]!, leads.get(heading)!.terms, leads.get(header)!.terms]) {
      const known = inPassage[passage]!;
      for (const [term, share] of found) known.set(term, Math.max(share, known.get(term) ?? 0));
    }
  }
  return { units, termLists, said, leads, titles, inPassage };
}

/** Terms that a unit says without their words: an amount within its range, the name of what a quantity measures. */
function impliedTerms(
  question: string,
  { terms, expected }: Question,
  units: readonly AnswerUnit[],
  analyser: Analyser,
): (unit: AnswerUnit) => string[] {
  const ranges = coveringRows(units, question);
  const amounts = [...terms.keys()].filter((term) => /^\d/.test(term));
  const measured = analyser.terms(expected?.measured ?? '').filter((term) => terms.has(term));
  return (unit) => [
    ...(ranges.has(unit) ? amounts : []),
    ...(measured.length > 0 && unit.text.search(expected!.exact) >= 0 ? measured : []),
  ];
}
