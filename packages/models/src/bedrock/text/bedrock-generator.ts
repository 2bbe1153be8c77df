import {
  AquiferError,
  type BedrockFamily,
  type GenerateOptions,
  type Generator,
  parseBedrockModelId,
  type TokenUsage,
  throwIfAborted,
} from '@aquifer/contracts';
import { estimateTokens } from '@aquifer/text-analysis';
import type { Pacer } from '../../pacing/pacer.js';
import { type BedrockConnection, bedrockAddress, bedrockClient } from '../bedrock-client.js';
import { type BedrockRequestContext, describeBedrockError } from '../bedrock-errors.js';
import { bedrockPacer } from '../bedrock-pacer.js';
import { describeModel, type ModelDescription } from '../model-catalogue.js';
import { claudeCompletions } from './claude-completions.js';
import { claudeMessages } from './claude-messages.js';
import { converse } from './converse.js';
import { jamba } from './jamba.js';
import { jurassic } from './jurassic.js';
import { type AnswerPiece, brokenOff, openAnswer } from './open-answer.js';
import type { AnswerEnd, AnswerReader, TextFamily, TextRequest, TextSettings } from './text-family.js';
import { titanText } from './titan-text.js';

export interface BedrockGeneratorOptions {
  /**
   * A model id, inference-profile id or ARN: `anthropic.claude-3-haiku-20240307-v1:0`, `us.amazon.nova-lite-v1:0`. The ARN of something in an
   * account is best given with the model behind it, or it is spoken with by Converse, as a model that little is known of:
   * `arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123@anthropic.claude-3-haiku-20240307-v1:0`.
   */
  readonly model: string;
  /** Tokens that prompt and answer may have together. Default: what the catalogue says, else 8,192. */
  readonly contextTokens?: number | undefined;
  readonly connection?: BedrockConnection;
  /** Default: the one that all requests of this process to this model at this address share. */
  readonly pacer?: Pacer;
}

/** How each family of text models is spoken with. */
const families: Partial<Record<BedrockFamily, TextFamily>> = {
  'claude-messages': claudeMessages,
  'claude-completions': claudeCompletions,
  jurassic,
  jamba,
  'titan-text': titanText,
  // Nova has a body of its own too, which says nothing more than Converse does.
  nova: converse,
  converse,
};

const defaultAnswerTokens = 1_024;
/** Of a model that nothing is known about. */
const smallestContext = 8_192;

/**
 * A text model of Amazon Bedrock by its id. Each family is spoken with in its own form, streaming where it can; `request` shows what is sent.
 * Nothing is asked before the first `generate`, so a model that the account may not use shows then.
 *
 * An answer is whole when the model itself has said that it is done; one that breaks off before rejects with `model-unavailable`.
 *
 * @throws `model-not-found` for an id of no known family, `invalid-options` for a model that does not write text, or a client that
 *   retries by itself.
 *
 * @example
 * const generator = await createBedrockGenerator({ model: 'anthropic.claude-3-haiku-20240307-v1:0', connection: { region: 'eu-central-1' } });
 * for await (const event of generator.generate(prompt)) if (event.type === 'text') process.stdout.write(event.text);
 */
export async function createBedrockGenerator(options: BedrockGeneratorOptions): Promise<Generator> {
  const { model: name, connection = {} } = options;
  const { id: modelId, family, baseId, region, description } = knownTextModel(name);
  // The ARN of a resource says in which region it is.
  const client = await bedrockClient({ ...(region !== undefined && { region }), ...connection });
  const address = await bedrockAddress(client);
  const context = { modelId, ...address };
  const pacer = options.pacer ?? bedrockPacer(modelId, address);

  return {
    id: name,
    description: `${name} on Amazon Bedrock`,
    contextTokens: options.contextTokens ?? description.contextTokens ?? smallestContext,
    request: (prompt, generateOptions = {}) =>
      wellFormed(family.request(prompt, settingsFor(baseId, description, generateOptions))),
    async *generate(prompt, generateOptions = {}) {
      const { signal } = generateOptions;
      throwIfAborted(signal);
      const settings = settingsFor(baseId, description, generateOptions);
      const sent = wellFormed(family.request(prompt, settings));
      const reader = family.createReader(prompt);
      const counts = createCounts(sent);
      // Ends the request whichever way the answer ends: at its end there is nothing left to end.
      const closing = new AbortController();
      const close = (): void => closing.abort();
      signal?.addEventListener('abort', close, { once: true });
      let isFiltered = false;
      try {
        const pieces = await pacer.run({
          // Bedrock counts the longest answer against the quota until the answer is there.
          tokens: counts.inputTokens + settings.maxTokens,
          ...(signal && { signal }),
          attempt: async (attemptSignal) => {
            // The attempt's signal fires at its deadline as well, which must not cut an answer that has begun.
            const giveUp = (): void => closing.abort();
            attemptSignal.addEventListener('abort', giveUp, { once: true });
            try {
              return { value: await openAnswer(client, sent, context, closing.signal) };
            } finally {
              attemptSignal.removeEventListener('abort', giveUp);
            }
          },
        });
        for await (const piece of untilTheEnd(pieces, reader, context)) {
          throwIfAborted(signal);
          const text = reader.push(piece.content);
          if (typeof text !== 'string') throw new TypeError(`its text is of the type ${typeof text}`);
          counts.add(piece, text);
          isFiltered ||= piece.isFiltered;
          if (text !== '') yield { type: 'text', text };
        }
        throwIfAborted(signal);
      } catch (error) {
        throwIfAborted(signal);
        throw describeBedrockError(error, context);
      } finally {
        signal?.removeEventListener('abort', close);
        closing.abort();
      }
      const usage = priced(counts.total(reader.end), description);
      yield { type: 'stop', reason: isFiltered ? 'filtered' : reader.end.reason!, usage };
    },
  };
}

function knownTextModel(modelId: string) {
  const parsed = parseBedrockModelId(modelId);
  const known = describeModel(modelId);
  if (!parsed || !known) {
    throw new AquiferError(
      'model-not-found',
      `"${modelId}" is no id of a Bedrock model that is known here. Ids look like anthropic.claude-3-haiku-20240307-v1:0, us.amazon.nova-lite-v1:0 or an ARN.`,
    );
  }
  const family = families[parsed.family];
  if (!family) {
    throw new AquiferError('invalid-options', `${modelId} does not write text, so it cannot answer. Use a text model.`);
  }
  return { ...parsed, family, description: known.description };
}

function settingsFor(baseId: string, model: ModelDescription, options: GenerateOptions): TextSettings {
  const { maxTokens = defaultAnswerTokens, temperature, topP, stopSequences = [] } = options;
  if (!(maxTokens >= 1)) throw new AquiferError('invalid-options', `maxTokens must be at least 1, not ${maxTokens}.`);
  return {
    baseId,
    maxTokens: Math.min(maxTokens, model.maxOutputTokens ?? maxTokens),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    stopSequences: stopSequences.filter((sequence) => sequence !== ''),
    citesNatively: model.citesNatively ?? false,
    streams: model.streams ?? true,
  };
}

/** The pieces until the last. What goes wrong when the model has said that it is done changes nothing. */
async function* untilTheEnd(
  pieces: AsyncIterable<AnswerPiece>,
  { end }: AnswerReader,
  context: BedrockRequestContext,
): AsyncGenerator<AnswerPiece, void, undefined> {
  try {
    yield* pieces;
  } catch (error) {
    if (end.reason === undefined) throw error;
  }
  if (end.reason === undefined) throw brokenOff(context);
}

/** Tokens by the best count there is: Bedrock's, else the model's own, else an estimate. */
function createCounts(sent: TextRequest) {
  const inputTokens = estimateTokens(JSON.stringify(sent.body));
  const counted: { inputTokens?: number; outputTokens?: number } = {};
  let text = '';
  return {
    /** An estimate, before there is an answer. */
    inputTokens,
    add(piece: AnswerPiece, words: string) {
      text += words;
      counted.inputTokens = piece.inputTokens ?? counted.inputTokens;
      counted.outputTokens = piece.outputTokens ?? counted.outputTokens;
    },
    total: (end: Readonly<AnswerEnd>): TokenUsage => ({
      inputTokens: counted.inputTokens ?? end.inputTokens ?? inputTokens,
      outputTokens: counted.outputTokens ?? end.outputTokens ?? estimateTokens(text),
    }),
  };
}

function priced({ inputTokens, outputTokens }: TokenUsage, model: ModelDescription): TokenUsage {
  const { usdPerMillionInputTokens: input, usdPerMillionOutputTokens: output } = model;
  const costUsd =
    input === undefined || output === undefined ? undefined : (inputTokens * input + outputTokens * output) / 1_000_000;
  return { inputTokens, outputTokens, ...(costUsd !== undefined && { costUsd }) };
}

/** Halves of surrogate pairs are not text, and a provider may refuse the whole request for one. */
function wellFormed<Value>(value: Value): Value {
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'string' ? part.replace(/\p{Surrogate}/gu, '\uFFFD') : part,
    ),
  ) as Value;
}
