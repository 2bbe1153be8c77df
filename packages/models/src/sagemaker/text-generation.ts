import {
  AquiferError,
  type GenerateOptions,
  type GeneratorEvent,
  type Prompt,
  type StopReason,
} from '@aquifer/contracts';
import { estimateTokens } from '@aquifer/text-analysis';
import { parseServerJson } from '../http/model-server.js';
import { serverSentData } from '../http/server-sent-events.js';

/** The body of Text Generation Inference and of Hugging Face's own inference container. */
export interface TextGenerationBody {
  readonly inputs: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly stream: boolean;
}

/** Source: https://huggingface.co/docs/text-generation-inference/reference/api_reference */
export function textGenerationBody(prompt: Prompt, options: GenerateOptions, streams: boolean): TextGenerationBody {
  const { maxTokens, temperature = 0, topP, stopSequences = [] } = options;
  return {
    inputs: `${prompt.system}\n\n${prompt.user}\n\nAnswer:`,
    parameters: {
      max_new_tokens: maxTokens,
      // It refuses a temperature of 0.
      ...(temperature > 0 ? { do_sample: true, temperature } : { do_sample: false }),
      // It refuses a share of 1, which is all of them.
      ...(temperature > 0 && topP !== undefined && topP < 1 && { top_p: topP }),
      ...(stopSequences.length > 0 && { stop: stopSequences }),
      return_full_text: false,
      details: true,
    },
    stream: streams,
  };
}

interface Details {
  readonly finish_reason?: string;
  readonly generated_tokens?: number;
}

interface TokenEvent {
  readonly token?: { readonly text?: string; readonly special?: boolean };
  /** In the last event only. */
  readonly generated_text?: string | null;
  readonly details?: Details | null;
  readonly error?: string;
}

/**
 * @param server As messages name it.
 * @throws `model-unavailable` where the stream ends before the answer does, `model-failed` for what cannot be read.
 */
export async function* readTextGeneration(
  lines: AsyncIterable<string>,
  body: TextGenerationBody,
  server: string,
): AsyncGenerator<GeneratorEvent> {
  let answer = '';
  for await (const data of serverSentData(lines)) {
    const event = Object(parseServerJson(data, server)) as TokenEvent;
    if (typeof event.error === 'string') {
      throw new AquiferError('model-unavailable', `${server} broke off the answer: ${event.error}`, {
        retryable: true,
      });
    }
    const { text = '', special = false } = event.token ?? {};
    if (text !== '' && !special) {
      answer += text;
      yield { type: 'text', text };
    }
    if (typeof event.generated_text !== 'string') continue;
    yield stopOf(event.details ?? {}, body, answer);
    return;
  }
  throw new AquiferError('model-unavailable', `${server} ended the stream before the answer was whole.`, {
    retryable: true,
  });
}

/** The answer of an endpoint that does not stream: `[{"generated_text": "…"}]`. */
export function* readGeneratedText(
  response: unknown,
  body: TextGenerationBody,
  server: string,
): Generator<GeneratorEvent> {
  const first = Object(Array.isArray(response) ? response[0] : response) as TokenEvent;
  if (typeof first.generated_text !== 'string') {
    throw new AquiferError(
      'model-failed',
      `${server} gave no generated_text: ${JSON.stringify(response)?.slice(0, 120)}. Is its format another one (option format)?`,
    );
  }
  if (first.generated_text !== '') yield { type: 'text', text: first.generated_text };
  yield stopOf(first.details ?? {}, body, first.generated_text);
}

function stopOf(details: Details, body: TextGenerationBody, answer: string): GeneratorEvent {
  const reasons: Readonly<Record<string, StopReason>> = { length: 'max-tokens', stop_sequence: 'stop-sequence' };
  return {
    type: 'stop',
    reason: reasons[details.finish_reason ?? ''] ?? 'end',
    usage: {
      inputTokens: estimateTokens(body.inputs),
      outputTokens: details.generated_tokens ?? estimateTokens(answer),
    },
  };
}
