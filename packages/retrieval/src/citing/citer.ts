import type { Analyser, DocumentContent, PromptPassage, Store } from '@aquifer/contracts';
import type { Citation, Reference } from '../answering/answer-events.js';
import { placeInDocument } from '../answering/document-place.js';
import { citedSpan, claimingSentences, precedingSentences, uncitedTail } from './claims.js';
import { findSupportingQuotes } from './supporting-quotes.js';
import { type Evidence, evidenceOf, verifyClaim } from './verify.js';

export interface Citer {
  /** Cites the passages for the words at the end of the answer so far. Undefined where there are no words yet. */
  cite(answer: string, numbers: readonly number[]): Promise<Citation | undefined>;
  /** Places of the whole answer that nothing bears out. */
  unsupported(answer: string): { readonly start: number; readonly end: number }[];
  readonly citations: readonly Citation[];
}

/** Attaches citations to an answer while it grows, and checks them against the passages. */
export function createCiter(passages: readonly PromptPassage[], store: Store, analyser: Analyser): Citer {
  const prepared = new Map<number, Evidence>();
  const evidenceFor = (number: number): Evidence => {
    const evidence = prepared.get(number) ?? evidenceOf(passages[number - 1]!, analyser);
    prepared.set(number, evidence);
    return evidence;
  };
  const contents = new Map<string, Promise<DocumentContent | undefined>>();
  const contentOf = (documentId: string) => {
    const content = contents.get(documentId) ?? store.getContent(documentId);
    contents.set(documentId, content);
    return content;
  };
  const citations: Citation[] = [];

  return {
    citations,
    async cite(answer, numbers) {
      const citedUntil = citations.at(-1)?.end ?? 0;
      const last = citedSpan(answer, citedUntil);
      if (last.start === last.end) return undefined;
      const evidence = numbers.map(evidenceFor);
      const isVerified = (text: string) => verifyClaim(text, evidence, analyser).verified.includes(true);
      // One marker behind several sentences: it stands for those before as well, as far as its passages bear them out.
      let start = last.start;
      for (const sentence of precedingSentences(answer, last.start, citedUntil)) {
        if (!isVerified(answer.slice(sentence.start, sentence.end))) break;
        start = sentence.start;
      }
      const span = { start, end: last.end };
      const claim = answer.slice(span.start, span.end);
      const { verified } = verifyClaim(claim, evidence, analyser);
      const references = await Promise.all(
        evidence.map(async ({ passage }, index) =>
          referencesTo(passage, claim, verified[index]!, await contentOf(passage.documentId), analyser),
        ),
      );
      const citation = { references: references.flat(), ...span };
      citations.push(citation);
      return citation;
    },
    unsupported(answer) {
      const places: { start: number; end: number }[] = [];
      for (const sentence of claimingSentences(answer)) {
        const inside = citations.filter(({ start, end }) => start < sentence.end && end > sentence.start);
        if (inside.length === 0) {
          places.push(sentence);
          continue;
        }
        for (const { start, end, references } of inside) {
          if (!references.some(({ verified }) => verified)) places.push({ start, end });
        }
        const tail = uncitedTail(answer, sentence, Math.max(...inside.map(({ end }) => end)));
        const numbers = new Set(inside.flatMap(({ references }) => references.map(({ rank }) => rank)));
        if (!tail) continue;
        const { verified } = verifyClaim(answer.slice(tail.start, tail.end), [...numbers].map(evidenceFor), analyser);
        if (!verified.includes(true)) places.push(tail);
      }
      return withoutRepeats(places);
    },
  };
}

function referencesTo(
  passage: PromptPassage,
  claim: string,
  verified: boolean,
  content: DocumentContent | undefined,
  analyser: Analyser,
): Reference[] {
  const { number, documentId, source, title, headings, pageStart, pageEnd, text } = passage;
  // A document may have been replaced since it was searched: what is not stored any more is not verified.
  const isSame = content?.text.slice(passage.start, passage.end) === text;
  return findSupportingQuotes(claim, text, analyser).map((quote) => {
    const start = passage.start + quote.start;
    const end = passage.start + quote.end;
    const known = {
      headings,
      ...(pageStart !== undefined && { pageStart }),
      ...(pageEnd !== undefined && { pageEnd }),
    };
    return {
      rank: number,
      documentId,
      source,
      title,
      ...(content && isSame ? placeInDocument(content, start, end) : known),
      start,
      end,
      quote: text.slice(quote.start, quote.end),
      verified: verified && isSame,
    };
  });
}

/** In order, each place once. */
function withoutRepeats(places: readonly { readonly start: number; readonly end: number }[]) {
  return [...places]
    .sort((a, b) => a.start - b.start || a.end - b.end)
    .filter(
      ({ start, end }, index, sorted) =>
        index === 0 || sorted[index - 1]!.start !== start || sorted[index - 1]!.end !== end,
    );
}
