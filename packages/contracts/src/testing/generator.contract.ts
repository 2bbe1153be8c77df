import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { isAquiferError } from '../errors.js';
import type { Generator, GeneratorEvent, Prompt, PromptPassage } from '../generator.js';
import type { TestRunner } from './test-runner.js';

export interface GeneratorContractOptions {
  /** What the suite is about, for the report. */
  readonly name: string;
  /** Called once, before the first test that needs it. */
  readonly create: () => Generator | Promise<Generator>;
  /** Whether the same prompt gives the same answer. Default true: ask a model with temperature 0, or say false. */
  readonly isDeterministic?: boolean;
  /** Whether it answers a question that a passage answers word for word, citing the passage. Default true. */
  readonly answers?: boolean;
}

/** Three passages, one of which answers {@link answerableQuestion}. */
const passages: readonly PromptPassage[] = [
  passage(1, 'Travel policy', 'Trains are booked in second class. Flights need the consent of the team lead.'),
  passage(2, 'Leave policy', 'Parental leave in Japan is 52 weeks. It is announced one month before it begins.'),
  passage(3, 'Laptops', 'Laptops are replaced after four years. Lost laptops are reported within 24 hours.'),
];
const answerableQuestion = 'How long is parental leave in Japan?';

function passage(number: number, title: string, text: string): PromptPassage {
  return {
    number,
    documentId: `document-${number}`,
    source: `${title.toLowerCase().replace(' ', '-')}.md`,
    title,
    headings: [title],
    start: 0,
    end: text.length,
    text,
    tableHeader: '',
  };
}

/** A prompt as retrieval would render it. */
export function samplePrompt(question: string, from: readonly PromptPassage[] = passages): Prompt {
  const fenced = from.map(
    ({ number, source, text }) => `<passage number="${number}" source="${source}">\n${text}\n</passage>`,
  );
  return {
    system: 'Answer from the passages only. Cite each with its number in square brackets, such as [1].',
    systemWithoutMarkers: 'Answer from the passages only.',
    user: `<passages>\n${fenced.join('\n')}\n</passages>\n\n<question>${question}</question>`,
    question,
    passages: from,
  };
}

/**
 * What every {@link Generator} must do.
 *
 * ```ts
 * import { describe, it } from 'node:test';
 * import { generatorContract } from '@aquifer/contracts/testing';
 *
 * generatorContract({ describe, it }, { name: 'mine', create: () => createMyGenerator() });
 * ```
 */
export function generatorContract({ describe, it }: TestRunner, options: GeneratorContractOptions): void {
  let created: Promise<Generator> | undefined;
  const generator = (): Promise<Generator> => {
    created ??= Promise.resolve(options.create());
    return created;
  };
  const events = async (prompt: Prompt, generateOptions = {}): Promise<GeneratorEvent[]> => {
    const seen: GeneratorEvent[] = [];
    for await (const event of (await generator()).generate(prompt, generateOptions)) seen.push(event);
    return seen;
  };

  describe(`generator contract: ${options.name}`, () => {
    it('says who it is', async () => {
      const { id, description, contextTokens } = await generator();
      match(id, /\S/);
      match(description, /\S/);
      ok(Number.isInteger(contextTokens) && contextTokens > 0);
    });

    it('ends with exactly one stop event, which carries the usage', async () => {
      const seen = await events(samplePrompt(answerableQuestion));
      const stop = seen.at(-1);
      deepEqual(seen.filter((event) => event.type === 'stop').length, 1);
      ok(stop?.type === 'stop');
      const { inputTokens, outputTokens, costUsd } = stop.usage;
      ok(Number.isInteger(inputTokens) && inputTokens >= 0);
      ok(Number.isInteger(outputTokens) && outputTokens > 0);
      ok(costUsd === undefined || costUsd >= 0);
    });

    it('sends no empty text, and some text', async () => {
      const texts = (await events(samplePrompt(answerableQuestion))).filter((event) => event.type === 'text');
      ok(texts.length > 0);
      for (const event of texts) ok(event.text.length > 0);
    });

    if (options.answers ?? true) {
      it('answers from the passage that has the answer, and cites it', async () => {
        const seen = await events(samplePrompt(answerableQuestion));
        match(textOf(seen), /52[\s\S]*\[2\]/);
        deepEqual(
          seen.filter((event) => event.type === 'stop').map((event) => event.reason),
          ['end'],
        );
      });
    }

    it('cites only passages that it was given', async () => {
      for (const question of [answerableQuestion, 'When are laptops replaced?', 'Cite passages [4] and [99].']) {
        for (const number of markers(textOf(await events(samplePrompt(question))))) {
          ok(number >= 1 && number <= passages.length, `it cited [${number}] of ${passages.length} passages`);
        }
      }
    });

    it('cites nothing where there is no passage', async () => {
      const seen = await events(samplePrompt(answerableQuestion, []));
      deepEqual(markers(textOf(seen)), []);
      equal(seen.at(-1)?.type, 'stop');
    });

    it('takes any question', async () => {
      for (const question of ['', '???', '\uD800', '育児休業は何週間ですか。', 'leave '.repeat(2000)]) {
        equal((await events(samplePrompt(question))).at(-1)?.type, 'stop');
      }
    });

    it('keeps to the limit on tokens', async () => {
      const stop = (await events(samplePrompt(answerableQuestion), { maxTokens: 2 })).at(-1);
      ok(stop?.type === 'stop');
      ok(stop.usage.outputTokens <= 2);
    });

    if (options.isDeterministic ?? true) {
      it('gives the same answer to the same prompt', async () => {
        const first = await events(samplePrompt(answerableQuestion), { temperature: 0 });
        const second = await events(samplePrompt(answerableQuestion), { temperature: 0 });
        equal(textOf(second), textOf(first));
      });
    }

    it('rejects with aborted when the signal has fired already', async () => {
      await rejects(events(samplePrompt(answerableQuestion), { signal: AbortSignal.abort() }), isAborted);
    });

    it('rejects with aborted when the signal fires between two events', async () => {
      const controller = new AbortController();
      const seen: GeneratorEvent[] = [];
      const consume = async (): Promise<void> => {
        const stream = (await generator()).generate(samplePrompt(answerableQuestion), { signal: controller.signal });
        for await (const event of stream) {
          seen.push(event);
          controller.abort();
        }
      };
      await rejects(consume(), isAborted);
      equal(
        seen.some((event) => event.type === 'stop'),
        false,
      );
    });
  });
}

function isAborted(error: unknown): boolean {
  return isAquiferError(error, 'aborted');
}

function textOf(events: readonly GeneratorEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.text : '')).join('');
}

/** Numbers of all citation markers: `[1]`, `[1, 3]`, `[1][2]`. */
function markers(text: string): number[] {
  return [...text.matchAll(/\[([\d\s,]+)\]/g)].flatMap((found) => found[1]!.split(',').map(Number));
}
