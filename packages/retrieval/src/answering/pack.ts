import { AquiferError, type PromptPassage } from '@aquifer/contracts';
import { splitSentences } from '@aquifer/text-analysis';
import type { Passage } from './passages.js';
import { buildPrompt, renderPassage } from './prompt.js';

export interface PackOptions {
  readonly question: string;
  /** Of a prompt of somebody's own. */
  readonly promptTemplate?: string | undefined;
  /** Tokens that prompt and answer may have together. */
  readonly contextTokens: number;
  /** Tokens kept free for the answer. */
  readonly answerTokens: number;
  readonly countTokens: (text: string) => number;
}

export interface Packed {
  readonly passages: readonly PromptPassage[];
  /** Those that did not fit, best first. */
  readonly left: readonly Passage[];
}

/**
 * Numbers as many passages as fit, best first. One that does not fit is left out and smaller ones behind it still get
 * their chance; where not even the best fits whole, its beginning goes in, cut behind a sentence.
 *
 * @throws `too-large` when the question alone leaves no room for a passage.
 */
export function packPassages(passages: readonly Passage[], options: PackOptions): Packed {
  const { question, promptTemplate, contextTokens, answerTokens, countTokens } = options;
  const { system, user } = buildPrompt(question, [], promptTemplate);
  const frame = countTokens(system) + countTokens(user);
  let room = contextTokens - answerTokens - frame;
  const packed: PromptPassage[] = [];
  const left: Passage[] = [];
  for (const passage of passages) {
    const numbered = toPromptPassage(passage, packed.length + 1);
    const tokens = countTokens(renderPassage(numbered)) + 1;
    if (tokens > room) left.push(passage);
    else {
      packed.push(numbered);
      room -= tokens;
    }
  }
  if (packed.length > 0 || passages.length === 0) return { passages: packed, left };
  const beginning = cutToFit(toPromptPassage(passages[0]!, 1), room, countTokens);
  if (!beginning) {
    throw new AquiferError(
      'too-large',
      `The question and ${answerTokens} tokens of answer leave no room for a passage in the ${contextTokens} tokens that the model takes. ` +
        'Ask a shorter question or for a shorter answer, or use a model with a larger context.',
    );
  }
  return { passages: [beginning], left: passages.slice(1) };
}

function cutToFit(
  passage: PromptPassage,
  room: number,
  countTokens: (text: string) => number,
): PromptPassage | undefined {
  const ends = splitSentences(passage.text).map(({ end }) => end);
  for (let index = ends.length - 1; index >= 0; index--) {
    const text = passage.text.slice(0, ends[index]).trimEnd();
    const shorter = { ...passage, text, end: passage.start + text.length };
    if (text !== '' && countTokens(renderPassage(shorter)) <= room) return shorter;
  }
  return undefined;
}

function toPromptPassage(passage: Passage, number: number): PromptPassage {
  const { rank: _rank, chunkIds: _chunkIds, ...rest } = passage;
  return { number, ...rest };
}

/**
 * Tokens of a text for a model whose tokenizer is not at hand: a third of its UTF-8 bytes, rounded up. Above what the
 * vocabularies in use count for prose in English (about a quarter) and Japanese (about a third), so that prompts fit.
 */
export function tokensAtMost(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 3);
}
