import {
  AquiferError,
  type GenerateOptions,
  type Generator,
  type GeneratorEvent,
  type Prompt,
  type StopReason,
} from '@aquifer/contracts';
import { estimateTokens } from '@aquifer/text-analysis';
import { parseServerJson } from '../http/model-server.js';
import { pacedStream } from '../pacing/paced-stream.js';
import type { Pacer } from '../pacing/pacer.js';
import { withoutThinking } from '../without-thinking.js';
import { connectOllama, describeOllamaModel, type OllamaConnection, ollamaPacer } from './ollama-server.js';

export interface OllamaGeneratorOptions extends OllamaConnection {
  /** As `ollama list` names it: `qwen3:8b`. */
  readonly model: string;
  /**
   * Tokens that prompt and answer may have together; Ollama reserves memory for them. Default: what the model was made for, at most 8,192.
   */
  readonly contextTokens?: number;
  /** Default: the one that everything in this process shares that uses this server. */
  readonly pacer?: Pacer;
}

const maxDefaultContext = 8192;

interface ChatChunk {
  readonly message?: { readonly content?: string };
  readonly done?: boolean;
  readonly done_reason?: string;
  readonly prompt_eval_count?: number;
  readonly eval_count?: number;
  readonly error?: string;
}

/**
 * A chat model of an Ollama server. Asks it about the model at once, so that a server that does not run or a model that was not fetched is
 * known before anybody waits for an answer.
 *
 * Ollama's own context is 4,096 tokens whatever the model was made for, and it cuts what is longer without a word: this generator names
 * the size with each prompt, and asks for a refusal instead of a cut.
 *
 * ```ts
 * const generator = await createOllamaGenerator({ model: 'qwen3:8b' });
 * for await (const event of generator.generate(prompt)) if (event.type === 'text') process.stdout.write(event.text);
 * ```
 *
 * @throws `model-not-found`, `model-unavailable`, `invalid-options`, and what a {@link Generator} rejects with; `too-large` for a prompt
 *   that does not fit.
 */
export async function createOllamaGenerator(options: OllamaGeneratorOptions): Promise<Generator> {
  const server = connectOllama(options, options.model);
  const pacer = options.pacer ?? ollamaPacer(server);
  const described = await describeOllamaModel(server, options.model);
  const contextTokens =
    options.contextTokens ?? Math.min(described.contextTokens ?? maxDefaultContext, maxDefaultContext);
  const thinks = described.capabilities.includes('thinking');

  const chatBody = (prompt: Prompt, { maxTokens, temperature, topP, stopSequences = [] }: GenerateOptions) => ({
    model: options.model,
    messages: [
      { role: 'system', content: prompt.system },
      { role: 'user', content: prompt.user },
    ],
    stream: true,
    // Models that think aloud would spend the answer's tokens on it. Others refuse the setting.
    ...(thinks && { think: false }),
    truncate: false,
    shift: false,
    ...(options.keepAlive !== undefined && { keep_alive: options.keepAlive }),
    options: {
      num_ctx: contextTokens,
      ...(maxTokens !== undefined && { num_predict: maxTokens }),
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { top_p: topP }),
      ...(stopSequences.length > 0 && { stop: stopSequences }),
    },
  });

  return {
    id: `ollama:${described.name}`,
    description: `${described.name} of ${server.label}`,
    contextTokens,
    async *generate(prompt, generateOptions = {}) {
      const body = chatBody(prompt, generateOptions);
      const tokens = estimateTokens(prompt.system) + estimateTokens(prompt.user);
      const lines = pacedStream(pacer, { tokens, signal: generateOptions.signal }, (signal) =>
        server.lines({ path: '/api/chat', body, signal }),
      );
      yield* withoutThinking(readChat(lines, prompt, server.label));
    },
    request: (prompt, generateOptions = {}) => ({
      operation: 'POST /api/chat',
      body: chatBody(prompt, generateOptions),
    }),
  };
}

async function* readChat(lines: AsyncIterable<string>, prompt: Prompt, server: string): AsyncGenerator<GeneratorEvent> {
  let answer = '';
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const chunk = parseServerJson(line, server) as ChatChunk;
    if (typeof chunk.error === 'string') {
      throw new AquiferError('model-unavailable', `${server} broke off the answer: ${chunk.error}`, {
        retryable: true,
      });
    }
    const text = chunk.message?.content;
    if (text) {
      answer += text;
      yield { type: 'text', text };
    }
    if (chunk.done !== true) continue;
    const reason: StopReason = chunk.done_reason === 'length' ? 'max-tokens' : 'end';
    // Older versions leave out the count of a prompt that they had in memory.
    const inputTokens = chunk.prompt_eval_count ?? estimateTokens(prompt.system) + estimateTokens(prompt.user);
    const outputTokens = chunk.eval_count ?? estimateTokens(answer);
    yield { type: 'stop', reason, usage: { inputTokens, outputTokens, costUsd: 0 } };
    return;
  }
  throw new AquiferError('model-unavailable', `${server} ended the stream before the answer was whole.`, {
    retryable: true,
  });
}
