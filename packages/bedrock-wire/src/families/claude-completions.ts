import { answerText, conversationOfText } from '../conversation.js';
import { anthropicWords } from '../field-words.js';
import { readFields } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import type { TextFamily } from './family.js';

/** What ends an answer of these models, whatever the request says. */
const human = '\n\nHuman:';

/** Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-text-completion.html */
export const claudeCompletions: TextFamily = {
  kind: 'text',
  parse(body) {
    const fields = readFields(body, anthropicWords);
    const prompt = fields.requiredText('prompt');
    const maxTokens =
      fields.integer('max_tokens_to_sample', { min: 0, max: 4_096 }) ?? fields.missing('max_tokens_to_sample');
    const temperature = fields.number('temperature', { min: 0, max: 1 });
    const topP = fields.number('top_p', { min: 0, max: 1 });
    fields.number('top_k', { min: 0 });
    const stopSequences = fields.texts('stop_sequences') ?? [];
    fields.choice('anthropic_version', ['bedrock-2023-05-31']);
    fields.refuseOthers();
    if (!prompt.trimEnd().endsWith('Assistant:') && !prompt.includes('\n\nAssistant:')) {
      throw invalidRequest('Invalid prompt: prompt must end with "\n\nAssistant:" turn');
    }
    if (!/^\s*Human:|\n\nHuman:/.test(prompt)) {
      throw invalidRequest('Invalid prompt: prompt must start with "\n\nHuman:" turn');
    }
    const conversation = conversationOfText(prompt, /Human:/, /Assistant:/);
    // No answer at all is allowed here; the least that backends take is one token.
    return {
      conversation,
      maxTokens: Math.max(1, maxTokens),
      temperature,
      topP,
      stopSequences: [...new Set([human, ...stopSequences])],
    };
  },
  answer: (answer) => ({
    type: 'completion',
    completion: ` ${answerText(answer)}`,
    ...stopOf(answer.reason, answer.stopSequence),
  }),
  chunks() {
    let isFirst = true;
    return {
      start: () => [],
      piece({ text }) {
        const completion = isFirst ? ` ${text}` : text;
        isFirst = false;
        return [{ type: 'completion', completion, stop_reason: null, stop: null }];
      },
      end: ({ reason, stopSequence }) => [{ type: 'completion', completion: '', ...stopOf(reason, stopSequence) }],
    };
  },
};

/** These models have no other way to end than at a stop sequence: their own is the end of the turn. */
function stopOf(reason: string, stopSequence: string | undefined) {
  return reason === 'max-tokens'
    ? { stop_reason: 'max_tokens', stop: null }
    : { stop_reason: 'stop_sequence', stop: stopSequence ?? human };
}
