import { AquiferError, type StopReason } from '@aquifer/contracts';
import type { AnswerEnd, TextFamily } from './text-family.js';

/**
 * Everything that has no body of its own here, by Bedrock's one form for all: Nova, Llama, Mistral, Command R, DeepSeek, gpt-oss, Qwen, and what
 * in an account does not say which model is behind it. Passages are numbered text.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 */
export const converse: TextFamily = {
  request({ system, user }, { baseId, maxTokens, temperature, topP, stopSequences, streams }) {
    const takesSystem = !withoutSystem.test(baseId);
    return {
      operation: streams ? 'ConverseStream' : 'Converse',
      body: {
        ...(takesSystem && { system: [{ text: system }] }),
        messages: [{ role: 'user', content: [{ text: takesSystem ? user : `${system}\n\n${user}` }] }],
        inferenceConfig: {
          maxTokens,
          ...(temperature !== undefined && { temperature }),
          ...(topP !== undefined && { topP }),
          ...(stopSequences.length > 0 && { stopSequences }),
        },
      },
    };
  },

  createReader() {
    const end: AnswerEnd = {};
    const push = (piece: ConversePiece): string => {
      const reason = piece.stopReason ?? piece.messageStop?.stopReason;
      if (reason !== undefined) end.reason = stopReasonOf(reason);
      const usage = piece.usage ?? piece.metadata?.usage;
      if (usage) {
        end.inputTokens = usage.inputTokens;
        end.outputTokens = usage.outputTokens;
      }
      // What a model thinks before it answers comes as reasoningContent, and is not part of the answer.
      const blocks = piece.output?.message?.content ?? [];
      return piece.contentBlockDelta?.delta?.text ?? blocks.map(({ text }) => text ?? '').join('');
    };
    return { push, end };
  },
};

/** An event of ConverseStream, or the whole response of Converse. */
interface ConversePiece {
  readonly contentBlockDelta?: { readonly delta?: { readonly text?: string } };
  readonly messageStop?: { readonly stopReason?: string };
  readonly metadata?: { readonly usage?: Usage };
  readonly output?: { readonly message?: { readonly content?: readonly { readonly text?: string }[] } };
  readonly stopReason?: string;
  readonly usage?: Usage;
}

interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

/** Models that refuse instructions beside the conversation: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html */
const withoutSystem = /^mistral\.(?:mistral-7b|mixtral)|^cohere\.command-(?:text|light)|^amazon\.titan/;

function stopReasonOf(reason: string): StopReason {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'max-tokens';
    case 'stop_sequence':
      return 'stop-sequence';
    case 'content_filtered':
    case 'guardrail_intervened':
      return 'filtered';
    case 'malformed_model_output':
      throw new AquiferError('model-failed', 'The model wrote what Bedrock cannot read. Ask again.', {
        retryable: true,
      });
    default:
      return 'end';
  }
}
