import type { Answer } from './answer-events.js';

/** A question of a conversation and what it was answered. */
export interface ConversationTurn {
  /** Best as it can be understood alone: of a follow-up question, its rewritten form. Otherwise what it leans on is in the turns before. */
  readonly question: string;
  readonly answer: string;
}

/** What a question may lean on, whoever keeps the conversation. */
export const mostTurns = 10;
/** What is rewritten needs the beginning of what was said, not all of it. */
export const keptCharacters = 1_000;

/**
 * The conversation that goes on with this answer: of the last turns, as much as a question after it may lean on.
 *
 * @example
 * let conversation: readonly ConversationTurn[] = [];
 * for await (const event of knowledgeBase.ask(question, { conversation })) {
 *   if (event.type === 'answer') conversation = continued(conversation, event.answer);
 * }
 */
export function continued(
  turns: readonly ConversationTurn[],
  { question, standaloneQuestion = question, answer }: Pick<Answer, 'question' | 'standaloneQuestion' | 'answer'>,
): readonly ConversationTurn[] {
  return [...turns, { question: standaloneQuestion, answer: answer.slice(0, keptCharacters) }].slice(-mostTurns);
}
