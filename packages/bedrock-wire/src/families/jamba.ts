import { answerText, type ConversationMessage, type TextEnd } from '../conversation.js';
import { schemaWords } from '../field-words.js';
import { readFields } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import type { TextFamily } from './family.js';

/** Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jamba.html */
export const jamba: TextFamily = {
  kind: 'text',
  parse(body) {
    const fields = readFields(body, schemaWords);
    const turns = (fields.objects('messages', { min: 1 }) ?? fields.missing('messages')).map((message) => ({
      role: message.choice('role', ['system', 'user', 'assistant', 'tool']) ?? message.missing('role'),
      text: message.text('content') ?? '',
    }));
    const maxTokens = fields.integer('max_tokens', { min: 1, max: 4_096 });
    const temperature = fields.number('temperature', { min: 0, max: 2 });
    const topP = fields.number('top_p', { min: 0, max: 1 });
    const stop = fields.raw('stop');
    const stopSequences = typeof stop === 'string' ? [stop] : (fields.texts('stop') ?? []);
    fields.choice('n', [1]);
    fields.number('frequency_penalty');
    fields.number('presence_penalty');
    fields.refuseOthers(['tools', 'tool_choice', 'documents', 'response_format']);
    const messages = turns.filter(
      (each): each is ConversationMessage => each.role === 'user' || each.role === 'assistant',
    );
    if (messages.length === 0) throw invalidRequest('messages: at least one message of the user is required.');
    const system = turns.filter(({ role }) => role === 'system').map(({ text }) => text);
    return {
      conversation: { system: system.join('\n'), messages, sources: [] },
      maxTokens,
      temperature,
      topP,
      stopSequences,
    };
  },
  answer: (answer, { baseId, requestId }) => ({
    id: `chatcmpl-${requestId}`,
    choices: [
      { index: 0, message: { role: 'assistant', content: answerText(answer) }, finish_reason: finishOf(answer) },
    ],
    usage: usageOf(answer),
    model: baseId.replace(/^ai21\./, ''),
  }),
  chunks({ requestId }) {
    const id = `chatcmpl-${requestId}`;
    const chunk = (delta: object, finish_reason: string | null = null) => ({
      id,
      choices: [{ index: 0, delta, finish_reason }],
    });
    return {
      start: () => [chunk({ role: 'assistant' })],
      piece: ({ text }) => [chunk({ content: text })],
      end: (end) => [{ ...chunk({ content: '' }, finishOf(end)), usage: usageOf(end) }],
    };
  },
};

function finishOf({ reason }: TextEnd): string {
  return reason === 'max-tokens' ? 'length' : 'stop';
}

function usageOf({ inputTokens, outputTokens }: TextEnd) {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
}
