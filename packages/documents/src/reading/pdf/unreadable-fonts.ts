import type { FoundPage } from './page.js';
import type { FontStyle } from './runs.js';

interface Tally {
  characters: number;
  /** Control, private and unassigned characters, which no text holds. */
  impossible: number;
  /** Characters of long runs, and how many of them are punctuation. Formulas and code have short ones. */
  long: number;
  signs: number;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const impossible = /[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd\p{Co}\p{Cn}]/gu;
/** Nothing that comes later changes what is known of a font by then. */
const enoughToKnow = 4000;
const notAscii = /[^\x20-\x7e]/;
const repeated = /(.)\1{2,}/g;
const signs = /[!"#$%&'()*+,/:;<=>?@[\\\]^`{|}~¡-¿×÷]/g;

/** Fewer characters say nothing about a font. */
const enoughCharacters = 12;
const enoughForSigns = 60;
const longRun = 6;

/**
 * The fonts that do not say which letters their shapes are (they have no Unicode map, and numbers of glyphs instead of
 * codes), known by what comes out: characters that no text holds, or words that are half punctuation.
 */
export function unreadableFonts(pages: readonly FoundPage[]): Set<FontStyle> {
  const tallies = new Map<FontStyle, Tally>();
  for (const { groups } of pages) {
    for (const { runs } of groups) {
      for (const { font, text } of runs) {
        let tally = tallies.get(font);
        if (!tally) {
          tally = { characters: 0, impossible: 0, long: 0, signs: 0 };
          tallies.set(font, tally);
        }
        if (tally.characters > enoughToKnow) continue;
        tally.characters += text.length;
        if (notAscii.test(text)) tally.impossible += text.match(impossible)?.length ?? 0;
        if (text.length >= longRun) {
          const withoutRules = text.replace(repeated, '');
          tally.long += withoutRules.length;
          tally.signs += withoutRules.match(signs)?.length ?? 0;
        }
      }
    }
  }
  const isUnreadable = ({ characters, impossible, long, signs }: Tally) =>
    (characters >= enoughCharacters && impossible > characters * 0.08) ||
    (long >= enoughForSigns && long > characters * 0.5 && signs > long * 0.4);
  return new Set([...tallies].flatMap(([font, tally]) => (isUnreadable(tally) ? [font] : [])));
}
