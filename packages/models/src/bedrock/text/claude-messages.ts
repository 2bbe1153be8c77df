import { AquiferError, type Prompt, type PromptPassage, type StopReason } from '@aquifer/contracts';
import type { AnswerEnd, TextFamily } from './text-family.js';

/**
 * Claude from version 3 on. Where the model cites by itself, passages go as blocks `search_result`, and what it cites in a block of its answer
 * becomes the markers `[n]` behind the block; otherwise passages are numbered text and the model writes the markers.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html and
 * https://platform.claude.com/docs/en/build-with-claude/search-results
 */
export const claudeMessages: TextFamily = {
  request(prompt, { maxTokens, temperature, topP, stopSequences, citesNatively }) {
    const content = citesNatively
      ? [
          ...prompt.passages.map(searchResult),
          { type: 'text', text: prompt.userWithoutPassages ?? `<question>${prompt.question}</question>` },
        ]
      : [{ type: 'text', text: prompt.user }];
    return {
      operation: 'InvokeModelWithResponseStream',
      body: {
        anthropic_version: 'bedrock-2023-05-31',
        max_tokens: maxTokens,
        system: citesNatively ? prompt.systemWithoutMarkers : prompt.system,
        messages: [{ role: 'user', content }],
        ...(temperature !== undefined && { temperature }),
        ...(topP !== undefined && { top_p: topP }),
        ...(stopSequences.length > 0 && { stop_sequences: stopSequences }),
      },
    };
  },

  createReader({ passages }: Prompt) {
    const end: AnswerEnd = {};
    let cited = new Set<number>();
    const push = (event: StreamEvent): string => {
      switch (event.type) {
        case 'message_start':
          end.inputTokens = event.message?.usage?.input_tokens;
          return '';
        case 'content_block_delta': {
          const number = passages[event.delta?.citation?.search_result_index ?? -1]?.number;
          if (number !== undefined) cited.add(number);
          return event.delta?.type === 'text_delta' ? (event.delta.text ?? '') : '';
        }
        case 'content_block_stop': {
          const markers = [...cited].map((number) => `[${number}]`).join('');
          cited = new Set();
          return markers;
        }
        case 'message_delta':
          end.reason = stopReasonOf(event.delta?.stop_reason);
          end.outputTokens = event.usage?.output_tokens;
          return '';
        case 'error':
          throw new AquiferError('model-unavailable', `Claude failed: ${event.error?.message ?? event.error?.type}`, {
            retryable: true,
          });
        default:
          return '';
      }
    };
    return { push, end };
  },
};

interface StreamEvent {
  readonly type?: string;
  readonly message?: { readonly usage?: { readonly input_tokens?: number } };
  readonly delta?: {
    readonly type?: string;
    readonly text?: string;
    readonly stop_reason?: string;
    readonly citation?: { readonly search_result_index?: number };
  };
  readonly usage?: { readonly output_tokens?: number };
  readonly error?: { readonly type?: string; readonly message?: string };
}

function searchResult({ source, title, headings, tableHeader, text }: PromptPassage) {
  return {
    type: 'search_result',
    source,
    title: [title || source, ...headings].join(' › '),
    // One block: the citer finds the exact words, and the boundaries of blocks would only keep the model from citing across them.
    content: [{ type: 'text', text: tableHeader === '' ? text : `${tableHeader}\n${text}` }],
    citations: { enabled: true },
  };
}

function stopReasonOf(reason: string | undefined): StopReason | undefined {
  switch (reason) {
    case undefined:
      return undefined;
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'max-tokens';
    case 'stop_sequence':
      return 'stop-sequence';
    case 'refusal':
    case 'guardrail_intervened':
      return 'filtered';
    default:
      return 'end';
  }
}
