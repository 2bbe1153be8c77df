import { splitSentences, type TextSpan } from '@aquifer/text-analysis';
import { trimSpan } from './supporting-quotes.js';

/**
 * The words that a marker at the end of `text` stands behind: its last sentence, or what of it follows the previous marker.
 *
 * Empty where it holds no word.
 *
 * @param citedUntil Where the previous citation ends.
 */
export function citedSpan(text: string, citedUntil: number): TextSpan {
  const length = text.trimEnd().length;
  const sentence = splitSentences(text.slice(0, length)).at(-1) ?? { start: 0, end: length };
  const clause = withoutLead(text, { start: Math.max(sentence.start, citedUntil), end: length });
  // Nothing but punctuation since the previous marker ("… weeks [1]. [2]"): both stand behind the same words.
  if (hasWords(text, clause)) return clause;
  const whole = withoutLead(text, { start: sentence.start, end: length });
  return hasWords(text, whole) ? whole : { start: length, end: length };
}

/** Sentences of the same paragraph before `start` and behind the previous citation, nearest first. */
export function precedingSentences(answer: string, start: number, citedUntil: number): TextSpan[] {
  const paragraph = answer.lastIndexOf('\n', start - 1) + 1;
  const from = Math.max(paragraph, citedUntil);
  if (start <= from) return [];
  return splitSentences(answer, { start: from, end: start })
    .map((span) => withoutLead(answer, span))
    .filter((span) => hasWords(answer, span))
    .reverse();
}

/** The sentences of an answer that claim something. Headings, lead-ins ("Two rules apply:") and a bare yes or no do not. */
export function claimingSentences(answer: string): TextSpan[] {
  return splitSentences(answer)
    .map((span) => withoutLead(answer, span))
    .filter((span) => {
      const text = answer.slice(span.start, span.end);
      const letters = text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
      const isHeading = /^\s*#/.test(answer.slice(answer.lastIndexOf('\n', span.start - 1) + 1, span.start));
      return letters > bareAnswerLetters && !isHeading && !/[:：]\**$/.test(text);
    });
}

/** What of a sentence follows its last citation, where that is more than a word. */
export function uncitedTail(answer: string, sentence: TextSpan, citedUntil: number): TextSpan | undefined {
  const tail = withoutLead(answer, { start: Math.max(sentence.start, citedUntil), end: sentence.end });
  const letters = answer.slice(tail.start, tail.end).match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  return letters > bareAnswerLetters ? tail : undefined;
}

/** "Yes", "No", はい, いいえ. */
const bareAnswerLetters = 3;

/** Without white space at the ends, punctuation and list bullets at the beginning. */
function withoutLead(text: string, span: TextSpan): TextSpan {
  const { start, end } = trimSpan(text, span);
  const lead =
    /^(?:\s|[,;:.!?)\]、。，．；：！？）」』”*#>•‣・–—-]|\d{1,3}[.)]\s)+/.exec(text.slice(start, end))?.[0].length ?? 0;
  return lead === end - start ? { start, end: start } : { start: start + lead, end };
}

function hasWords(text: string, { start, end }: TextSpan): boolean {
  return /[\p{L}\p{N}]/u.test(text.slice(start, end));
}
