import {
  AquiferError,
  type GenerateOptions,
  type Generator,
  type GeneratorEvent,
  type Prompt,
} from '@aquifer/contracts';
import { estimateTokens } from '@aquifer/text-analysis';
import { bedrockAddress } from '../bedrock/bedrock-client.js';
import { chatCompletionBody, readChatCompletion, readWholeChatCompletion } from '../openai/chat-completions.js';
import { pacedStream } from '../pacing/paced-stream.js';
import type { Pacer } from '../pacing/pacer.js';
import { sharedPacer } from '../pacing/shared-pacers.js';
import { withoutThinking } from '../without-thinking.js';
import { endpointLabel, invokeEndpoint, streamEndpoint } from './invoke-endpoint.js';
import { type SageMakerEndpoint, sageMakerClient } from './sagemaker-client.js';
import type { SageMakerRequestContext } from './sagemaker-errors.js';
import { readGeneratedText, readTextGeneration, textGenerationBody } from './text-generation.js';

export interface SageMakerGeneratorOptions extends SageMakerEndpoint {
  /**
   * What the container takes. `messages`: the body of OpenAI's chat completions, which Text Generation Inference, vLLM and LMI (DJL) take and
   * which knows the model's own template. `inputs`: `{"inputs": "…", "parameters": {…}}` of older ones, without a template. Default `messages`.
   */
  readonly format?: 'messages' | 'inputs';
  /** The name of the model, where the container wants one in `messages`. */
  readonly model?: string;
  /** False for containers that give the whole answer at once. Default true. */
  readonly streams?: boolean;
  /** Tokens that prompt and answer may have together. Default 8,192. */
  readonly contextTokens?: number;
  /** Default: the one that all requests of this process to this endpoint share. */
  readonly pacer?: Pacer;
}

/** Containers' own defaults are 20 to 100 tokens. */
const defaultAnswerTokens = 1024;

/**
 * A text model on an Amazon SageMaker endpoint of one's own account. Nothing is sent before the first prompt.
 *
 * @throws `invalid-options`. Prompts also reject with `too-large`.
 *
 * @example
 * const generator = await createSageMakerGenerator({ endpoint: 'qwen3-8b', connection: { region: 'eu-central-1' } });
 * for await (const event of generator.generate(prompt)) if (event.type === 'text') process.stdout.write(event.text);
 */
export async function createSageMakerGenerator(options: SageMakerGeneratorOptions): Promise<Generator> {
  const { endpoint, inferenceComponent, format = 'messages', streams = true, model } = options;
  if (endpoint.trim() === '') throw new AquiferError('invalid-options', 'Name an endpoint: sagemaker:<endpoint>.');
  const client = await sageMakerClient(options.connection);
  const { region, endpoint: address } = await bedrockAddress(client);
  const context: SageMakerRequestContext = {
    endpointName: endpoint,
    ...(region !== undefined && { region }),
    ...(address !== undefined && { address }),
  };
  const label = endpointLabel(context);
  const pacer =
    options.pacer ?? sharedPacer(`sagemaker|${address ?? ''}|${endpoint}|${inferenceComponent ?? ''}`, { name: label });

  /** The body, and how its answer is read. */
  function conversation(prompt: Prompt, generateOptions: GenerateOptions) {
    const limited = { ...generateOptions, maxTokens: generateOptions.maxTokens ?? defaultAnswerTokens };
    if (format === 'inputs') {
      const body = textGenerationBody(prompt, limited, streams);
      return {
        body,
        read: (lines: AsyncIterable<string>) => readTextGeneration(lines, body, label),
        readWhole: (response: unknown) => readGeneratedText(response, body, label),
      };
    }
    const streamed = chatCompletionBody(model, prompt, limited);
    const { stream: _stream, stream_options: _options, ...whole } = streamed;
    return {
      body: streams ? streamed : whole,
      read: (lines: AsyncIterable<string>) => readChatCompletion(lines, streamed, label),
      readWhole: (response: unknown) => readWholeChatCompletion(response, streamed, label),
    };
  }

  return {
    id: `sagemaker:${endpoint}`,
    description: `${model ?? 'model'} of the SageMaker endpoint ${endpoint}`,
    contextTokens: options.contextTokens ?? 8192,
    async *generate(prompt, generateOptions = {}): AsyncGenerator<GeneratorEvent> {
      const { body, read, readWhole } = conversation(prompt, generateOptions);
      const tokens =
        estimateTokens(prompt.system) +
        estimateTokens(prompt.user) +
        (generateOptions.maxTokens ?? defaultAnswerTokens);
      const request = { tokens, ...(generateOptions.signal && { signal: generateOptions.signal }) };
      const invocation = (signal: AbortSignal) => ({
        endpoint,
        ...(inferenceComponent !== undefined && { inferenceComponent }),
        body,
        signal,
        context,
      });
      if (streams) {
        const lines = pacedStream(pacer, request, (signal) => streamEndpoint(client, invocation(signal)));
        yield* withoutThinking(read(lines));
        return;
      }
      const events = pacedStream(pacer, request, async (signal) =>
        inTurn(readWhole(await invokeEndpoint(client, invocation(signal)))),
      );
      yield* withoutThinking(events);
    },
    request: (prompt, generateOptions = {}) => ({
      operation: streams ? 'InvokeEndpointWithResponseStream' : 'InvokeEndpoint',
      body: conversation(prompt, generateOptions).body,
    }),
  };
}

async function* inTurn<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}
