import {
  AquiferError,
  type GenerateOptions,
  type GeneratorEvent,
  isAquiferError,
  type Prompt,
  type StopReason,
  type TokenUsage,
} from '@aquifer/contracts';
import { estimateTokens } from '@aquifer/text-analysis';
import { parseServerJson } from '../http/model-server.js';
import { serverSentData } from '../http/server-sent-events.js';

/** The body of a streamed chat completion. */
export type ChatCompletionBody = Readonly<Record<string, unknown>> & {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
};

/** Models of OpenAI that reason refuse `max_tokens` and any temperature and `top_p` but their own. */
const reasons = /^(o\d|gpt-5)/;

/**
 * Source: https://platform.openai.com/docs/api-reference/chat/create
 *
 * @param model Absent where the server has one model only.
 */
export function chatCompletionBody(
  model: string | undefined,
  prompt: Prompt,
  options: GenerateOptions,
): ChatCompletionBody {
  const { maxTokens, temperature, topP, stopSequences = [] } = options;
  const isReasoning = model !== undefined && reasons.test(model);
  return {
    ...(model !== undefined && { model }),
    messages: [
      { role: 'system', content: prompt.system },
      { role: 'user', content: prompt.user },
    ],
    stream: true,
    stream_options: { include_usage: true },
    ...(maxTokens !== undefined && { [isReasoning ? 'max_completion_tokens' : 'max_tokens']: maxTokens }),
    ...(temperature !== undefined && !isReasoning && { temperature }),
    ...(topP !== undefined && !isReasoning && { top_p: topP }),
    ...(stopSequences.length > 0 && { stop: stopSequences }),
  };
}

interface ChatCompletionChunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    /** Instead of `delta`, in a response that is not streamed. */
    readonly message?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
    /** vLLM: the stop sequence that was met. */
    readonly stop_reason?: unknown;
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
  readonly error?: { readonly message?: string } | string;
}

const stopReasons: Readonly<Record<string, StopReason>> = {
  length: 'max-tokens',
  content_filter: 'filtered',
};

/**
 * A streamed chat completion as events. Where the server gives no usage, it is estimated.
 *
 * @param server As messages name it.
 * @throws `model-unavailable` where the stream ends before the answer does, `model-failed` for what cannot be read.
 */
export async function* readChatCompletion(
  lines: AsyncIterable<string>,
  body: ChatCompletionBody,
  server: string,
): AsyncGenerator<GeneratorEvent> {
  let answer = '';
  let reason: StopReason | undefined;
  let usage: TokenUsage | undefined;
  try {
    for await (const data of serverSentData(lines)) {
      if (data.trim() === '[DONE]') {
        reason ??= 'end';
        break;
      }
      const chunk = parseServerJson(data, server) as ChatCompletionChunk | null;
      if (chunk?.error !== undefined && chunk.error !== null) {
        const said = typeof chunk.error === 'string' ? chunk.error : chunk.error.message;
        throw new AquiferError(
          'model-unavailable',
          `${server} broke off the answer: ${said ?? 'it does not say why'}`,
          {
            retryable: true,
          },
        );
      }
      usage = usageOf(chunk) ?? usage;
      const choice = chunk?.choices?.[0];
      const text = choice?.delta?.content;
      if (typeof text === 'string' && text !== '') {
        answer += text;
        yield { type: 'text', text };
      }
      reason = stopReasonOf(choice) ?? reason;
    }
  } catch (error) {
    // What goes wrong when the model has said that it is done changes nothing.
    if (reason === undefined || isAquiferError(error, 'aborted')) throw error;
  }
  if (reason === undefined) {
    throw new AquiferError('model-unavailable', `${server} ended the stream before the answer was whole.`, {
      retryable: true,
    });
  }
  yield { type: 'stop', reason, usage: usage ?? estimateUsage(body, answer) };
}

/**
 * A chat completion that was not streamed, as events.
 *
 * @throws `model-failed` for what is none.
 */
export function* readWholeChatCompletion(
  response: unknown,
  body: ChatCompletionBody,
  server: string,
): Generator<GeneratorEvent> {
  const completion = Object(response) as ChatCompletionChunk;
  const choice = completion.choices?.[0];
  const text = choice?.message?.content;
  if (typeof text !== 'string') {
    throw new AquiferError(
      'model-failed',
      `${server} gave no chat completion: ${JSON.stringify(response)?.slice(0, 120)}. Is its format another one?`,
    );
  }
  if (text !== '') yield { type: 'text', text };
  const reason = stopReasonOf(choice) ?? 'end';
  yield { type: 'stop', reason, usage: usageOf(completion) ?? estimateUsage(body, text) };
}

function usageOf(chunk: ChatCompletionChunk | null): TokenUsage | undefined {
  if (!chunk?.usage) return undefined;
  const { prompt_tokens: inputTokens = 0, completion_tokens: outputTokens = 0 } = chunk.usage;
  return { inputTokens, outputTokens };
}

function stopReasonOf(choice: NonNullable<ChatCompletionChunk['choices']>[number] | undefined): StopReason | undefined {
  if (typeof choice?.finish_reason !== 'string') return undefined;
  if (choice.finish_reason === 'stop' && typeof choice.stop_reason === 'string') return 'stop-sequence';
  return stopReasons[choice.finish_reason] ?? 'end';
}

function estimateUsage({ messages }: ChatCompletionBody, answer: string): TokenUsage {
  return {
    inputTokens: messages.reduce((sum, { content }) => sum + estimateTokens(content), 0),
    outputTokens: estimateTokens(answer),
  };
}
