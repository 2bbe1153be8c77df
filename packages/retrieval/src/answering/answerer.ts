import {
  type Analyser,
  AquiferError,
  type Filter,
  type GenerateOptions,
  type Generator,
  isAquiferError,
  type Prompt,
  type StopReason,
  type Store,
  type TokenUsage,
  throwIfAborted,
} from '@aquifer/contracts';
import { createAnalyser } from '@aquifer/text-analysis';
import { createCitationMarkerReader, type MarkedText } from '../citing/citation-markers.js';
import { createCiter } from '../citing/citer.js';
import type { Retrieval, Retriever } from '../searching/retriever.js';
import { checkCount, checkQuery, type SearchOptions } from '../searching/search-options.js';
import { abstentionText } from './abstention.js';
import type { Answer, AnswerEvent } from './answer-events.js';
import type { ConversationTurn } from './conversation.js';
import { standaloneQuestion } from './follow-up.js';
import { lastOfMany, ownTurn } from './own-turn.js';
import { packPassages, tokensAtMost } from './pack.js';
import { type DroppedMatch, selectPassages } from './passages.js';
import { buildPrompt, passagesPlaceholder } from './prompt.js';

export interface AnswererOptions {
  readonly retriever: Pick<Retriever, 'retrieve'>;
  readonly store: Store;
  readonly generator: Generator;
  /** Counts as the generator's model does. Default: a safe estimate. */
  readonly countTokens?: (text: string) => number;
  /** Compares answers with passages. Default: the keyword index's own analyser. */
  readonly analyser?: Analyser;
}

export interface AskOptions extends Pick<SearchOptions, 'mode' | 'fusion' | 'denseWeight' | 'trace'> {
  /** Most passages that the model is given, 1 to 1,000. Default 8. */
  readonly limit?: number;
  readonly filter?: Filter;
  /** Longest answer in tokens. Default 1,024, or a quarter of what a smaller model takes. */
  readonly maxTokens?: number;
  readonly temperature?: number;
  /** Share of the likeliest words that are chosen from, 0 to 1. */
  readonly topP?: number;
  /** The answer ends before the first of these. At most 4 are taken by every model. */
  readonly stopSequences?: readonly string[];
  /**
   * A prompt of your own instead of the built-in instructions. `$search_results$`, which it must have, becomes the numbered passages; `$query$`
   * the question, which is put behind it otherwise; `$output_format_instructions$` how to cite and how to say that there is no answer: a model
   * that is not told cites only if it does so by itself. The built-in answerer ignores it.
   */
  readonly promptTemplate?: string;
  readonly signal?: AbortSignal;
  /** What was asked and answered before, oldest first: a question that leans on it is rewritten before it is searched for. */
  readonly conversation?: readonly ConversationTurn[];
  /** Adds the exact prompt to the answer. */
  readonly includePrompt?: boolean;
}

export interface Answerer {
  /**
   * Streams an answer: what was found, text and citations as they become certain, and last the whole answer.
   *
   * When nothing is found the model is not asked. When the model fails in the middle, an `interrupted` event with what came so far is
   * followed by the error. Leaving the loop early stops the model.
   *
   * @throws `invalid-query`, `invalid-options`, `invalid-filter`, `too-large` (no room for a passage beside the question),
   *   `model-failed`, `aborted`, or what the retriever and the store fail with.
   */
  ask(question: string, options?: AskOptions): AsyncIterable<AnswerEvent>;
  /** As {@link ask}, the last event alone. */
  answer(question: string, options?: AskOptions): Promise<Answer>;
}

/** How the model ended. */
interface Outcome {
  reason: StopReason;
  usage: TokenUsage;
}

const defaultPassages = 8;
const maxPassages = 1_000;
/** Matches looked at for every passage wanted: what near-duplicates leave is filled up from the rest. */
const matchesPerPassage = 3;
const defaultAnswerTokens = 1_024;

/**
 * Answers questions from what a retriever finds, every citation checked against the stored text.
 *
 * ```ts
 * const answerer = createAnswerer({ retriever, store, generator });
 * for await (const event of answerer.ask('How long is parental leave?')) {
 *   if (event.type === 'text') process.stdout.write(event.text);
 * }
 * ```
 */
export function createAnswerer(answererOptions: AnswererOptions): Answerer {
  const { retriever, store, generator, countTokens = tokensAtMost } = answererOptions;
  const analyser = answererOptions.analyser ?? createAnalyser();

  async function* ask(question: string, options: AskOptions = {}): AsyncGenerator<AnswerEvent, void, undefined> {
    const clock = startClock();
    const { signal } = options;
    const asked = checkQuery(question);
    const limit = checkCount('limit', options.limit ?? defaultPassages, maxPassages);
    const answerTokens = checkAnswerTokens(options.maxTokens, generator.contextTokens);
    checkTemperature(options.temperature);
    checkTopP(options.topP);
    checkPromptTemplate(options.promptTemplate);
    const { conversation = [] } = options;
    await lastOfMany();
    await ownTurn();
    throwIfAborted(signal);
    const rewriting = standaloneQuestion(asked, conversation, generator, { analyser, ...(signal && { signal }) });
    const standalone = await rewriting.catch((error: unknown) => {
      throw toModelError(error, generator, signal);
    });
    const query = standalone.question;

    const retrieval = await retriever.retrieve(query, {
      filter: options.filter,
      mode: options.mode,
      fusion: options.fusion,
      denseWeight: options.denseWeight,
      trace: options.trace,
      signal,
      limit: limit * matchesPerPassage,
    });
    const searchMs = clock();
    await ownTurn();
    throwIfAborted(signal);
    const { prompt, dropped } = await preparePrompt(query, retrieval, { ...options, limit, answerTokens });
    const packMs = clock() - searchMs;
    yield {
      type: 'search',
      search: retrieval.response,
      considered: prompt.passages.map(({ number, text: _text, tableHeader: _header, ...place }) => ({
        rank: number,
        ...place,
      })),
      dropped,
    };

    await ownTurn();
    const generateFrom = clock();
    let firstText: number | undefined;
    let text = '';
    const citer = createCiter(prompt.passages, store, analyser);
    const outcome: Outcome = {
      reason: prompt.passages.length > 0 ? 'end' : 'abstained',
      usage: withSearch(standalone.usage, retrieval.response.costUsd),
    };
    let generateMs = 0;
    if (prompt.passages.length > 0) {
      try {
        for await (const piece of generate(prompt, answerTokens, options, outcome)) {
          if (piece.type === 'abstained') outcome.reason = 'abstained';
          if (piece.type === 'text') {
            firstText ??= clock();
            text += piece.text;
            yield piece;
          }
          // A model that says it has no answer has nothing to cite.
          if (piece.type === 'marker' && outcome.reason !== 'abstained') {
            const citation = await citer.cite(text, piece.numbers);
            if (citation) yield { type: 'citation', citation };
          }
        }
      } catch (error) {
        const failure = toModelError(error, generator, signal);
        if (text !== '') {
          yield { type: 'interrupted', answer: text, citations: [...citer.citations], reason: failure.message };
        }
        throw failure;
      }
      generateMs = clock() - generateFrom;
    }
    if (text === '' && (outcome.reason === 'abstained' || outcome.reason === 'end')) {
      text = abstentionText(asked);
      outcome.reason = 'abstained';
      firstText = clock();
      yield { type: 'text', text };
    }
    const isAnswer = outcome.reason !== 'abstained';
    yield {
      type: 'answer',
      answer: {
        question: asked,
        ...(query !== asked && { standaloneQuestion: query }),
        answer: text,
        abstained: !isAnswer,
        citations: isAnswer ? [...citer.citations] : [],
        unsupported: isAnswer ? citer.unsupported(text) : [],
        model: generator.id,
        modelDescription: generator.description,
        stopReason: outcome.reason,
        usage: outcome.usage,
        considered: prompt.passages.length,
        ...(retrieval.response.notes && { notes: retrieval.response.notes }),
        ...(options.includePrompt && prompt.passages.length > 0 && { prompt: asSent(prompt, answerTokens, options) }),
        ms: {
          search: rounded(searchMs),
          pack: rounded(packMs),
          generate: rounded(generateMs),
          firstText: rounded(firstText ?? clock()),
          total: rounded(clock()),
        },
      },
    };
  }

  /** The prompt, and what a model elsewhere is sent for it. */
  function asSent(prompt: Prompt, maxTokens: number, options: AskOptions): NonNullable<Answer['prompt']> {
    return generator.request
      ? { ...prompt, request: generator.request(prompt, generation(maxTokens, options)) }
      : prompt;
  }

  async function preparePrompt(
    question: string,
    { chunks }: Retrieval,
    options: Pick<AskOptions, 'promptTemplate' | 'signal'> & { readonly limit: number; readonly answerTokens: number },
  ): Promise<{ prompt: Prompt; dropped: readonly DroppedMatch[] }> {
    const { limit, answerTokens, promptTemplate, signal } = options;
    const { passages, dropped } = await selectPassages(store, chunks, { question, limit, signal });
    const { contextTokens } = generator;
    const room = { contextTokens, answerTokens, countTokens };
    const packed = packPassages(passages, { question, promptTemplate, ...room });
    const unpacked = packed.left.flatMap(({ rank, chunkIds, documentId, source }) =>
      chunkIds.map((chunkId) => ({ rank, chunkId, documentId, source, reason: 'over-budget' as const })),
    );
    return { prompt: buildPrompt(question, packed.passages, promptTemplate), dropped: [...dropped, ...unpacked] };
  }

  /** The model's stream with its markers read; the way it ended goes to `outcome`. */
  async function* generate(
    prompt: Prompt,
    maxTokens: number,
    askOptions: AskOptions,
    outcome: Outcome,
  ): AsyncGenerator<MarkedText, void, undefined> {
    const reader = createCitationMarkerReader(prompt.passages.map((passage) => passage.text));
    const { signal } = askOptions;
    let saysNone = false;
    let isStopped = false;
    for await (const event of generator.generate(prompt, generation(maxTokens, askOptions))) {
      throwIfAborted(signal);
      if (event.type === 'stop') {
        outcome.usage = sum(outcome.usage, event.usage);
        outcome.reason = event.reason;
        isStopped = true;
        break;
      }
      for (const piece of reader.push(event.text)) {
        saysNone ||= piece.type === 'abstained';
        yield piece;
      }
    }
    if (!isStopped) {
      throw new AquiferError('model-failed', `The model ${generator.id} ended its answer without a stop. Ask again.`, {
        retryable: true,
      });
    }
    for (const piece of reader.end()) {
      saysNone ||= piece.type === 'abstained';
      yield piece;
    }
    if (saysNone) outcome.reason = 'abstained';
  }

  return {
    ask,
    async answer(question, options) {
      for await (const event of ask(question, options)) if (event.type === 'answer') return event.answer;
      throw new AquiferError('internal', 'The answer ended without its last event.');
    },
  };
}

function generation(maxTokens: number, { temperature, topP, stopSequences, signal }: AskOptions): GenerateOptions {
  return {
    maxTokens,
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(stopSequences !== undefined && { stopSequences }),
    ...(signal && { signal }),
  };
}

function checkAnswerTokens(maxTokens: number | undefined, contextTokens: number): number {
  if (maxTokens === undefined) return Math.min(defaultAnswerTokens, Math.floor(contextTokens / 4));
  if (!Number.isInteger(maxTokens) || maxTokens < 1 || maxTokens >= contextTokens) {
    throw new AquiferError(
      'invalid-options',
      `"maxTokens" must be a whole number from 1 to ${contextTokens - 1}, less than the model's context.`,
    );
  }
  return maxTokens;
}

function checkTemperature(temperature: number | undefined): void {
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 2)) {
    throw new AquiferError('invalid-options', '"temperature" must be a number from 0 to 2.');
  }
}

function checkTopP(topP: number | undefined): void {
  if (topP !== undefined && !(topP >= 0 && topP <= 1)) {
    throw new AquiferError('invalid-options', '"topP" must be a number from 0 to 1.');
  }
}

function checkPromptTemplate(template: string | undefined): void {
  if (template !== undefined && !template.includes(passagesPlaceholder)) {
    throw new AquiferError(
      'invalid-options',
      `"promptTemplate" has no ${passagesPlaceholder}: put it where the passages are to be.`,
    );
  }
}

/** What the search cost on top of what writing its question took; tokens are those of the model that answers. */
function withSearch(usage: TokenUsage, searchUsd: number | undefined): TokenUsage {
  const isPriced = usage.costUsd !== undefined || usage.inputTokens + usage.outputTokens === 0;
  return searchUsd === undefined || !isPriced ? usage : { ...usage, costUsd: (usage.costUsd ?? 0) + searchUsd };
}

function sum(before: TokenUsage, { inputTokens, outputTokens, costUsd }: TokenUsage): TokenUsage {
  return {
    inputTokens: before.inputTokens + inputTokens,
    outputTokens: before.outputTokens + outputTokens,
    ...(costUsd !== undefined && { costUsd: costUsd + (before.costUsd ?? 0) }),
  };
}

function toModelError(error: unknown, generator: Generator, signal: AbortSignal | undefined): AquiferError {
  if (isAquiferError(error)) return error;
  if (signal?.aborted) return new AquiferError('aborted', 'The answer was cancelled.', { cause: error });
  const reason = error instanceof Error ? error.message : String(error);
  return new AquiferError('model-failed', `The model ${generator.id} failed: ${reason}`, {
    retryable: true,
    cause: error,
  });
}

function startClock(): () => number {
  const start = performance.now();
  return () => performance.now() - start;
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
