import { AquiferError, type Generator } from '@aquifer/contracts';
import { estimateTokens } from '@aquifer/text-analysis';
import { pacedStream } from '../pacing/paced-stream.js';
import type { Pacer } from '../pacing/pacer.js';
import { withoutThinking } from '../without-thinking.js';
import { chatCompletionBody, readChatCompletion } from './chat-completions.js';
import { connectOpenAi, type OpenAiConnection, openAiPacer } from './openai-server.js';

export interface OpenAiGeneratorOptions extends OpenAiConnection {
  /** As the server names it: `gpt-4o-mini`, `Qwen/Qwen3-8B`. */
  readonly model: string;
  /** Tokens that prompt and answer may have together. Default: 128,000 for models of OpenAI, otherwise 8,192. */
  readonly contextTokens?: number;
  /** Default: the one that everything in this process shares that uses this model at this address. */
  readonly pacer?: Pacer;
}

const ownModels = /^(gpt-(?:4o|4\.\d|4-turbo|[5-9])|chatgpt-|o\d)/;

/**
 * A chat model behind OpenAI's API: OpenAI itself, or any server that speaks it.
 *
 * Nothing is sent before the first prompt.
 *
 * ```ts
 * const generator = await createOpenAiGenerator({ model: 'Qwen/Qwen3-8B', baseUrl: 'http://127.0.0.1:8000' });
 * for await (const event of generator.generate(prompt)) if (event.type === 'text') process.stdout.write(event.text);
 * ```
 *
 * @throws `invalid-options` for an address that is none. Prompts also reject with `too-large`.
 */
export async function createOpenAiGenerator(options: OpenAiGeneratorOptions): Promise<Generator> {
  const { model } = options;
  if (model.trim() === '') throw new AquiferError('invalid-options', 'Name a model: openai:<model>.');
  const server = connectOpenAi(options, model);
  const pacer = options.pacer ?? openAiPacer(server, model);
  return {
    id: `openai:${model}`,
    description: `${model} of ${server.label}`,
    contextTokens: options.contextTokens ?? (ownModels.test(model) ? 128_000 : 8192),
    async *generate(prompt, generateOptions = {}) {
      const body = chatCompletionBody(model, prompt, generateOptions);
      const tokens = estimateTokens(prompt.system) + estimateTokens(prompt.user) + (generateOptions.maxTokens ?? 0);
      const lines = pacedStream(pacer, { tokens, signal: generateOptions.signal }, (signal) =>
        server.lines({ path: '/chat/completions', body, signal }),
      );
      yield* withoutThinking(readChatCompletion(lines, body, server.label));
    },
    request: (prompt, generateOptions = {}) => ({
      operation: 'POST /v1/chat/completions',
      body: chatCompletionBody(model, prompt, generateOptions),
    }),
  };
}
