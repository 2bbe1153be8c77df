import { createHash } from 'node:crypto';
import { type Analyser, type Chunk, isStorable, keywordRanking } from '@aquifer/contracts';

const { contextWeight } = keywordRanking;

// A key of PostgreSQL's has at most 2,704 bytes. What is longer than this is no word, but must still be told from its neighbours.
const maxTermLength = 400;

// DEL marks what was replaced. It is a control character, so no term holds it.
const mark = '\x7f';

/** The term as the database keeps it: very long ones, and those that no database keeps, are replaced by their hash. */
export function storedTerm(term: string): string {
  if (term.length <= maxTermLength && isStorable(term)) return term;
  return `${mark}${createHash('sha256').update(term, 'utf16le').digest('hex')}`;
}

export interface Posting {
  readonly term: string;
  readonly frequency: number;
  /** In the text from 0, in context and table header together below −1: no pair stands across the two. */
  readonly positions: readonly number[];
}

export interface ChunkTerms {
  readonly postings: readonly Posting[];
  /** Length in terms, those of context and table header counted three times. */
  readonly length: number;
}

export function termsOfChunk(
  { context, tableHeader, text }: Pick<Chunk, 'context' | 'tableHeader' | 'text'>,
  analyser: Analyser,
): ChunkTerms {
  const heavy = [...analyser.terms(context), ...analyser.terms(tableHeader)];
  const light = analyser.terms(text);
  const positions = new Map<string, number[]>();
  const add = (term: string, position: number): void => {
    const stored = storedTerm(term);
    const known = positions.get(stored);
    if (known === undefined) positions.set(stored, [position]);
    else known.push(position);
  };
  for (const [index, term] of heavy.entries()) add(term, index - heavy.length - 1);
  for (const [index, term] of light.entries()) add(term, index);
  return {
    postings: Array.from(positions, ([term, places]) => ({
      term,
      frequency: places.reduce((sum, place) => sum + (place < 0 ? contextWeight : 1), 0),
      positions: places,
    })),
    length: contextWeight * heavy.length + light.length,
  };
}
