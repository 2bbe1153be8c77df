import type { AnswerEnd, TextFamily } from './text-family.js';

/**
 * AI21's Jamba: a conversation in the form of chat completions.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jamba.html
 */
export const jamba: TextFamily = {
  request({ system, user }, { maxTokens, temperature, topP, stopSequences }) {
    return {
      operation: 'InvokeModelWithResponseStream',
      body: {
        messages: [
          { role: 'system', content: system },
          { role: 'user', content: user },
        ],
        max_tokens: maxTokens,
        ...(temperature !== undefined && { temperature }),
        ...(topP !== undefined && { top_p: topP }),
        ...(stopSequences.length > 0 && { stop: stopSequences }),
      },
    };
  },

  createReader() {
    const end: AnswerEnd = {};
    const push = ({ choices, usage }: CompletionChunk): string => {
      const { delta, finish_reason: reason } = choices?.[0] ?? {};
      if (reason) {
        end.reason = reason === 'length' ? 'max-tokens' : reason === 'content_filter' ? 'filtered' : 'end';
      }
      if (usage) {
        end.inputTokens = usage.prompt_tokens;
        end.outputTokens = usage.completion_tokens;
      }
      return delta?.content ?? '';
    };
    return { push, end };
  },
};

interface CompletionChunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
}
