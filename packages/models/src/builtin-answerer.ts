import {
  AquiferError,
  type GenerateOptions,
  type Generator,
  type GeneratorEvent,
  type Prompt,
  type StopReason,
  throwIfAborted,
} from '@aquifer/contracts';
import { createAnalyser, estimateTokens } from '@aquifer/text-analysis';
import { selectQuotes } from './answering/select-quotes.js';

const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uff60]/u;
const kana = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;
const maxQuestionCharacters = 2000;

/**
 * The answerer that needs no model: it quotes, word for word, the one to three sentences, list items or table rows of the
 * passages that answer the question best (a few more rows where a whole column of a table answers), each followed by its marker `[n]`. It is not a language model: it does not reason, does not
 * rephrase, and does not follow the prompt's instructions. Where no sentence fits, it stops with `abstained` after saying so
 * in the language of the question (English or Japanese).
 *
 * Same prompt, same answer; some 3 ms for eight passages. Token counts of its usage are estimates, and cost nothing.
 *
 * ```ts
 * for await (const event of createBuiltinAnswerer().generate(prompt)) {
 *   if (event.type === 'text') process.stdout.write(event.text); // Full-time employees in Japan may take 52 weeks. [1]
 * }
 * ```
 */
export function createBuiltinAnswerer(): Generator {
  const analyser = createAnalyser();
  return {
    id: 'builtin',
    description: 'built-in answerer (quotes, does not reason)',
    contextTokens: 32_768,
    followsInstructions: false,
    async *generate(prompt, options = {}) {
      throwIfAborted(options.signal);
      if (options.maxTokens !== undefined && !(options.maxTokens >= 1)) {
        throw new AquiferError('invalid-options', `maxTokens must be at least 1, not ${options.maxTokens}.`);
      }
      const quotes = selectQuotes(prompt.question.slice(0, maxQuestionCharacters), prompt.passages, analyser);
      const abstains = quotes.length === 0;
      const pieces = abstains
        ? [abstention(prompt)]
        : quotes.map((quote, index) => {
            const next = quotes[index + 1];
            const isLine = quote.kind !== 'sentence' || (next !== undefined && next.kind !== 'sentence');
            const words = unwrap(quote.text);
            const marker = `[${prompt.passages[quote.passage]!.number}]`;
            const isCjk = cjk.test(words.at(-1) ?? '');
            return `${words}${isCjk ? '' : ' '}${marker}${next === undefined ? '' : isLine ? '\n' : ' '}`;
          });
      yield* emit(pieces, abstains ? 'abstained' : 'end', prompt, options);
    },
  };
}

async function* emit(
  pieces: readonly string[],
  lastReason: StopReason,
  prompt: Prompt,
  options: GenerateOptions,
): AsyncIterable<GeneratorEvent> {
  const stops = (options.stopSequences ?? []).filter((sequence) => sequence !== '');
  let outputTokens = 0;
  let reason = lastReason;
  for (const piece of pieces) {
    throwIfAborted(options.signal);
    const stop = Math.min(...stops.map((sequence) => piece.indexOf(sequence)).filter((index) => index >= 0));
    const text = piece.slice(0, stop);
    const tokens = estimateTokens(text);
    // A quotation is whole or not there.
    if (outputTokens + tokens > (options.maxTokens ?? Number.POSITIVE_INFINITY)) {
      reason = 'max-tokens';
      break;
    }
    outputTokens += tokens;
    if (text !== '') yield { type: 'text', text };
    if (stop !== Number.POSITIVE_INFINITY) {
      reason = 'stop-sequence';
      break;
    }
  }
  throwIfAborted(options.signal);
  const inputTokens =
    estimateTokens(prompt.question) + prompt.passages.reduce((sum, passage) => sum + estimateTokens(passage.text), 0);
  yield { type: 'stop', reason, usage: { inputTokens, outputTokens, costUsd: 0 } };
}

/** Lines that were wrapped, as one: the words stay as they are. */
function unwrap(text: string): string {
  return text.replace(/[^\S\n]*\n\s*/g, (_, position: number) => (cjk.test(text[position - 1] ?? '') ? '' : ' '));
}

function abstention({ question, passages }: Prompt): string {
  const isJapanese = kana.test(question) || (cjk.test(question) && passages.some((passage) => kana.test(passage.text)));
  return isJapanese
    ? '索引された文書の中に、この質問に答える文は見つかりませんでした。'
    : 'No sentence in the indexed documents answers this question.';
}
