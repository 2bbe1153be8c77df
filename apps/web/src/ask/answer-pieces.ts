import type { Citation } from '@aquifer/client';

export type Reference = Citation['references'][number];

/** A piece of an answer that is shown in one way. */
export interface AnswerPiece {
  readonly start: number;
  readonly text: string;
  readonly isUnsupported: boolean;
  /** Numbers in the list of sources, behind the text. */
  readonly sources: readonly number[];
}

export interface CitedSource {
  readonly number: number;
  readonly reference: Reference;
}

/**
 * Each passage that an answer rests on, once, numbered as the answer comes to it. It is verified where all that is cited to it is.
 */
export function citedSources(citations: readonly Citation[]): CitedSource[] {
  const sources = new Map<string, CitedSource>();
  for (const reference of citations.flatMap(({ references }) => references)) {
    const key = keyOf(reference);
    const known = sources.get(key);
    if (known === undefined) sources.set(key, { number: sources.size + 1, reference });
    else if (!reference.verified) sources.set(key, { ...known, reference });
  }
  return [...sources.values()];
}

const keyOf = ({ documentId, start, end }: Reference) => `${documentId} ${start} ${end}`;

/** Cuts an answer where a citation ends and where unsupported words begin and end. */
export function answerPieces(
  answer: string,
  citations: readonly Citation[],
  unsupported: readonly { readonly start: number; readonly end: number }[],
): AnswerPiece[] {
  const numbers = new Map(citedSources(citations).map(({ number, reference }) => [keyOf(reference), number]));
  const cuts = new Set([0, answer.length]);
  for (const { end } of citations) cuts.add(end);
  for (const { start, end } of unsupported) cuts.add(start).add(end);
  const sorted = [...cuts].filter((cut) => cut >= 0 && cut <= answer.length).sort((one, other) => one - other);
  return sorted.slice(1).map((end, index) => {
    const start = sorted[index]!;
    const ending = citations.filter((citation) => citation.end === end).flatMap(({ references }) => references);
    return {
      start,
      text: answer.slice(start, end),
      isUnsupported: unsupported.some((range) => range.start <= start && range.end >= end),
      sources: [...new Set(ending.map((reference) => numbers.get(keyOf(reference))!))],
    };
  });
}
