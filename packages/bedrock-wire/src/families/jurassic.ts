import { answerText, type TextAnswer } from '../conversation.js';
import { schemaWords } from '../field-words.js';
import { type Fields, readFields } from '../request-fields.js';
import type { TextFamily } from './family.js';

const penaltyFlags = [
  'applyToWhitespaces',
  'applyToPunctuations',
  'applyToNumbers',
  'applyToStopwords',
  'applyToEmojis',
];

/** Does not stream. Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jurassic2.html */
export const jurassic: TextFamily = {
  kind: 'text',
  parse(body) {
    const fields = readFields(body, schemaWords);
    const prompt = fields.requiredText('prompt', { min: 1 });
    const maxTokens = fields.integer('maxTokens', { min: 0, max: 8_191 }) ?? 200;
    const temperature = fields.number('temperature', { min: 0, max: 1 });
    const topP = fields.number('topP', { min: 0, max: 1 });
    const stopSequences = fields.texts('stopSequences') ?? [];
    readPenalty(fields, 'presencePenalty', 5);
    readPenalty(fields, 'countPenalty', 1);
    readPenalty(fields, 'frequencyPenalty', 500);
    fields.integer('minTokens', { min: 0 });
    fields.choice('numResults', [1]);
    fields.integer('topKReturn', { min: 0 });
    fields.refuseOthers();
    const conversation = { system: '', messages: [{ role: 'user' as const, text: prompt }], sources: [] };
    return { conversation, maxTokens: Math.max(1, maxTokens), temperature, topP, stopSequences };
  },
  answer(answer, { request, requestId }) {
    const text = answerText(answer);
    const prompt = request.conversation.messages.map((message) => message.text).join('\n');
    return {
      id: Number.parseInt(requestId.slice(0, 8), 16),
      prompt: { text: prompt, tokens: tokensOf(prompt) },
      completions: [{ data: { text, tokens: tokensOf(text) }, finishReason: finishOf(answer) }],
    };
  },
};

function readPenalty(fields: Fields, name: string, most: number): void {
  const penalty = fields.object(name);
  if (penalty === undefined) return;
  if (penalty.number('scale', { min: 0, max: most }) === undefined) penalty.missing('scale');
  for (const flag of penaltyFlags) penalty.flag(flag);
  penalty.refuseOthers();
}

function finishOf({ reason, stopSequence }: TextAnswer) {
  if (reason === 'max-tokens') return { reason: 'length', length: 0 };
  return reason === 'stop-sequence' ? { reason: 'stop', sequence: stopSequence ?? '' } : { reason: 'endoftext' };
}

/** Words for tokens, with AI21's mark of a word's beginning; nothing here has probabilities, so that of each is 1. */
function tokensOf(text: string): object[] {
  return [...text.matchAll(/\S+/g)].map(({ 0: word, index }) => ({
    generatedToken: { token: `▁${word}`, logprob: 0, raw_logprob: 0 },
    topTokens: null,
    textRange: { start: index, end: index + word.length },
  }));
}
