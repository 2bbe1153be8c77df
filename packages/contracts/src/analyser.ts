/**
 * Turns text into the terms of the keyword index: the same one for documents and for queries, in every store.
 *
 * A term never holds white space, a double quote or a control character, so that terms joined by spaces can be
 * tokenised again by any engine.
 */
export interface Analyser {
  /** Changes whenever the same text would give other terms. Part of the manifest. */
  readonly version: string;
  /** Terms in order of appearance, repeated as often as the text says them. Any string is allowed. */
  terms(text: string): string[];
  /**
   * Of a query's terms, in order, those pairs of neighbours that mean more side by side than apart ("welfare", "office").
   * Terms that overlap in the text, as pairs of kanji do, say so already and are no pair. A pair may occur twice.
   */
  pairs(terms: readonly string[]): (readonly [string, string])[];
}
