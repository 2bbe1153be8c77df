import type { Analyser } from '@aquifer/contracts';

/** Share of a term's weight that a related term says. */
const shares = { inflection: 0.9, variant: 0.8, compound: 0.9, synonym: 0.6 } as const;

/** Forms that stemming leaves apart: approve and approver, reduce and reduction, India and Indian. */
const derivation = /^(?:e?r|or|t|i?on|ment|al|n|an|ian|es|ese|anc|enc|ant|ent|y|i|iv|ur|ist|ism|ic)$/;
const minStemLength = 5;
const word = /[\p{L}\p{N}]+/gu;
const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** Everyday words that people ask with and documents put otherwise; the last of a group need not stand alone. */
const synonymGroups: readonly string[] = [
  'abroad overseas foreign country',
  'buy purchase',
  'car vehicle',
  'child kid',
  'cost price',
  'holiday vacation leave',
  'illness sickness sick',
  'phone telephone',
  'salary wage pay',
  'begin start',
  'laptop computer notebook',
  'boss manager supervisor',
];

/** Forms of irregular words, which stemming leaves apart too. */
const inflections: readonly string[] = (
  'become became, begin began begun, break broke broken, bring brought, build built, buy bought, choose chose chosen, ' +
  'come came, die death dead, draw drew drawn, drive drove driven, fall fell fallen, fight fought, find found, fly flew flown flight, ' +
  'get got gotten, give gave given, go went gone, grow grew grown, hold held, keep kept, know knew known, lead led, leave left, ' +
  'lose lost loss, make made, meet met, pay paid, rise rose risen, run ran, say said, sell sold, send sent, speak spoke spoken, ' +
  'spend spent, steal stole stolen, take took taken, teach taught, tell told, think thought, win won, write wrote written, ' +
  'person people, child children, man men, woman women, foot feet'
).split(', ');

/** The terms of the passages that say a term of the question in another form, with the share of its weight that they say. */
export type RelatedTerms = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Finds, for each term of the question, its derivations, synonyms and compounds ("tide gauge": TideGauge) in the vocabulary. */
export function relatedTerms(
  question: string,
  asked: Iterable<string>,
  vocabulary: ReadonlySet<string>,
  analyser: Analyser,
): RelatedTerms {
  const related = new Map<string, Map<string, number>>();
  const relate = (term: string, other: string, share: number): void => {
    if (term === other || !vocabulary.has(other)) return;
    const others = related.get(term) ?? new Map<string, number>();
    others.set(other, Math.max(share, others.get(other) ?? 0));
    related.set(term, others);
  };
  const known = new Set(asked);
  const stems = new Map<string, string[]>();
  for (const term of [...known].filter(isDerivable)) stems.set(term.slice(0, minStemLength), []);
  for (const other of vocabulary) stems.get(other.slice(0, minStemLength))?.push(other);
  for (const term of known) {
    for (const other of (isDerivable(term) && stems.get(term.slice(0, minStemLength))) || []) {
      const [short, long] = other.length < term.length ? [other, term] : [term, other];
      if (long.startsWith(short) && derivation.test(long.slice(short.length))) relate(term, other, shares.variant);
    }
  }
  const relateGroups = (groups: readonly string[], share: number): void => {
    for (const group of groups) {
      const members = analyser.terms(group);
      for (const term of members) if (known.has(term)) for (const other of members) relate(term, other, share);
    }
  };
  relateGroups(inflections, shares.inflection);
  relateGroups(synonymGroups, shares.synonym);
  const words = question.match(word) ?? [];
  for (let index = 1; index < words.length; index++) {
    const parts = [words[index - 1]!, words[index]!];
    const compound = analyser.terms(parts.join(''));
    if (compound.length !== 1 || cjk.test(compound[0]!)) continue;
    for (const part of analyser.terms(parts.join(' ')))
      if (known.has(part)) relate(part, compound[0]!, shares.compound);
  }
  return related;
}

function isDerivable(term: string): boolean {
  return term.length >= minStemLength && !cjk.test(term) && !/\d/.test(term);
}

/** The question's terms that a text says, with the share of each: 1 in the question's form, less in a related one. */
export function mentions(
  asked: Iterable<string>,
  related: RelatedTerms,
  text: { has(term: string): boolean },
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const term of asked) {
    if (text.has(term)) {
      found.set(term, 1);
      continue;
    }
    let share = 0;
    for (const [other, value] of related.get(term) ?? []) if (value > share && text.has(other)) share = value;
    if (share > 0) found.set(term, share);
  }
  return found;
}
