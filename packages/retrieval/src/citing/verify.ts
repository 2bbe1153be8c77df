import type { Analyser, PromptPassage } from '@aquifer/contracts';
import {
  claimedFacts,
  evidentFacts,
  type Facts,
  foldForSearch,
  indexOfWhole,
  joinFacts,
  missingFacts,
  quotedWords,
  sharesFact,
} from './facts.js';

/** A passage, prepared for checking claims against it. */
export interface Evidence {
  readonly passage: PromptPassage;
  readonly facts: Facts;
  readonly folded: string;
  readonly terms: ReadonlySet<string>;
  readonly script: Script;
}

/** Where the claim was checked against several passages together. */
export interface Verification {
  /** Per evidence, in order: the claim's facts are all there, and this passage speaks of the same thing. */
  readonly verified: readonly boolean[];
  /** Numbers, dates and quoted words that none of the passages has. */
  readonly missing: readonly string[];
}

/**
 * Share of the claim's terms that a passage must hold. Low, since a good paraphrase shares few words: this finds citations of the
 * wrong passage. What a paraphrase may not change (numbers, dates, identifiers, quotations) must be there in full.
 */
const minSharedTerms = 0.3;

/** Title and headings count as well: often they alone hold the year or the country that a claim names. */
export function evidenceOf(passage: PromptPassage, analyser: Analyser): Evidence {
  const text = [passage.title, ...passage.headings, passage.tableHeader, passage.text].join('\n');
  return {
    passage,
    facts: evidentFacts(text),
    folded: foldForSearch(text),
    terms: new Set(analyser.terms(text)),
    script: scriptOf(passage.text),
  };
}

/**
 * Whether the passages bear out a claim: every number, date, time, identifier and quoted word of it is in one of them, and
 * enough of its other words are in each. A claim in another script than its passage (an English passage, answered in Japanese) is
 * checked by its facts alone, and is not verified when it has none.
 */
export function verifyClaim(claim: string, evidence: readonly Evidence[], analyser: Analyser): Verification {
  const folded = foldForSearch(claim.replace(/^[\s\p{P}]+|[\s\p{P}]+$/gu, ''));
  const verbatim = evidence.map((item) => folded.length > 1 && indexOfWhole(item.folded, folded) >= 0);
  const facts = claimedFacts(claim);
  const missing = evidence.some((_, index) => verbatim[index]) ? [] : missingFrom(claim, facts, evidence);
  const terms = [...new Set(analyser.terms(claim))];
  const script = scriptOf(claim);
  return {
    missing,
    verified: evidence.map((item, index) => {
      if (verbatim[index]) return true;
      if (missing.length > 0) return false;
      const shared = terms.filter((term) => item.terms.has(term)).length;
      if (terms.length > 0 && shared >= minSharedTerms * terms.length) return true;
      return script !== item.script && sharesFact(facts, item.facts, item.folded);
    }),
  };
}

function missingFrom(claim: string, facts: Facts, evidence: readonly Evidence[]): string[] {
  const folded = evidence.map((item) => item.folded).join('\n');
  const quotes = quotedWords(claim).filter((words) => indexOfWhole(folded, foldForSearch(words)) < 0);
  return [...missingFacts(facts, joinFacts(evidence.map((item) => item.facts)), folded), ...quotes];
}

type Script = 'spaced' | 'unspaced';

/** By which kind of script most of the text's letters are of. */
function scriptOf(text: string): Script {
  const unspaced = text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  return unspaced * 3 > letters ? 'unspaced' : 'spaced';
}
