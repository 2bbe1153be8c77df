import type { AnswerEnd, TextFamily } from './text-family.js';

/**
 * AI21's Jurassic-2, which continues a text and does not stream. When it is done with the answer it may go on with passages and questions of its own
 * making; the fences end it there.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jurassic2.html
 */
export const jurassic: TextFamily = {
  request({ system, user }, { maxTokens, temperature, topP, stopSequences }) {
    return {
      operation: 'InvokeModel',
      body: {
        prompt: `${system}\n\n${user}\n\nAnswer:`,
        maxTokens,
        stopSequences: [...fences, ...stopSequences],
        ...(temperature !== undefined && { temperature }),
        ...(topP !== undefined && { topP }),
      },
    };
  },

  createReader() {
    const end: AnswerEnd = {};
    const push = ({ prompt, completions }: Completions): string => {
      const { data, finishReason } = completions?.[0] ?? {};
      if (finishReason?.reason === 'length') end.reason = 'max-tokens';
      else if (finishReason?.reason === 'stop') {
        end.reason = fences.includes(finishReason.sequence ?? fences[0]!) ? 'end' : 'stop-sequence';
      } else if (finishReason !== undefined) end.reason = 'end';
      end.inputTokens = prompt?.tokens?.length;
      end.outputTokens = data?.tokens?.length;
      return data?.text ?? '';
    };
    return { push, end };
  },
};

const fences: readonly string[] = ['<passages>', '<question>'];

interface Completions {
  readonly prompt?: { readonly tokens?: readonly unknown[] };
  readonly completions?: readonly {
    readonly data?: { readonly text?: string; readonly tokens?: readonly unknown[] };
    readonly finishReason?: { readonly reason?: string; readonly sequence?: string };
  }[];
}
