import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { isAquiferError } from '../errors.js';
import type { Reranker } from '../reranker.js';
import type { RelatedTexts } from './embedder.contract.js';
import type { TestRunner } from './test-runner.js';

export interface RerankerContractOptions {
  /** What the suite is about, for the report. */
  readonly name: string;
  /** Called once, before the first test that needs it. The suite closes what it made. */
  readonly create: () => Reranker | Promise<Reranker>;
  /** What the reranker must tell apart. Default: English sentences that share words with the question or do not. */
  readonly pairs?: readonly RelatedTexts[];
  /** How far a score may be apart when the same text is scored again. Default 0; more for models behind a network. */
  readonly tolerance?: number;
  /** Why the suite is left out here, such as a model that is not on this machine. */
  readonly skip?: string;
}

const englishPairs: readonly RelatedTexts[] = [
  {
    question: 'How long is parental leave?',
    related: 'Parental leave is 52 weeks. It is announced one month before it begins.',
    unrelated: 'The printer on the second floor is out of paper.',
  },
  {
    question: 'broken laptop replacement',
    related: 'A laptop that is broken gets a replacement from the service desk.',
    unrelated: 'Strawberry jam is boiled with sugar and lemon juice.',
  },
];

/** Strings that break tokenizers. */
const oddStrings = ['', ' ', '?!…', '\ud800', 'a\u0000b', '👩‍👩‍👧‍👦', 'é'.normalize('NFD'), '東京都', 'x'.repeat(300)];

/**
 * What every {@link Reranker} must do.
 *
 * ```ts
 * import { describe, it } from 'node:test';
 * import { rerankerContract } from '@aquifer/contracts/testing';
 *
 * rerankerContract({ describe, it }, { name: 'mine', create: () => createMyReranker() });
 * ```
 */
export function rerankerContract({ describe, it }: TestRunner, options: RerankerContractOptions): void {
  const { name, create, pairs = englishPairs, tolerance = 0, skip } = options;
  let created: Promise<Reranker> | undefined;
  const open = (): Promise<Reranker> => {
    created ??= Promise.resolve(create());
    return created;
  };
  const test = (title: string, body: (reranker: Reranker) => Promise<void>): void => {
    it(title, skip === undefined ? {} : { skip }, async () => body(await open()));
  };
  const { question } = pairs[0]!;
  const texts = pairs.flatMap(({ related, unrelated }) => [related, unrelated]);
  const assertScores = (actual: readonly number[], expected: readonly number[]): void => {
    equal(actual.length, expected.length);
    for (const [index, score] of actual.entries()) {
      ok(Math.abs(score - expected[index]!) <= tolerance, `score ${index}: ${score} and ${expected[index]}`);
    }
  };

  describe(`reranker contract: ${name}`, () => {
    test('says who it is', async ({ id }) => {
      match(id, /\S/);
    });

    test('gives one finite score a text, and a text on the subject a higher one than another', async (reranker) => {
      for (const pair of pairs) {
        const scores = await reranker.rerank(pair.question, [pair.unrelated, pair.related, pair.unrelated]);
        equal(scores.length, 3);
        for (const score of scores) ok(Number.isFinite(score), `${score} is not finite`);
        ok(scores[1]! > scores[0]!, `${JSON.stringify(pair.question)}: ${scores[1]} is not above ${scores[0]}`);
        assertScores([scores[2]!], [scores[0]!]);
      }
    });

    test('scores a text alone as among others, whatever their order', async (reranker) => {
      const together = await reranker.rerank(question, texts);
      const reversed = await reranker.rerank(question, [...texts].reverse());
      assertScores([...reversed].reverse(), together);
      for (const [index, text] of texts.entries()) {
        assertScores(await reranker.rerank(question, [text]), [together[index]!]);
      }
    });

    test('answers several calls at once, each with its own scores', async (reranker) => {
      const alone = await reranker.rerank(question, texts);
      const calls = Array.from({ length: 4 }, (_, index) => reranker.rerank(question, texts.slice(index % 2)));
      for (const [index, scores] of (await Promise.all(calls)).entries()) assertScores(scores, alone.slice(index % 2));
    });

    test('gives an empty list for an empty list', async (reranker) => {
      deepEqual(await reranker.rerank(question, []), []);
    });

    test('takes any string as a text and as a query', async (reranker) => {
      const scores = await reranker.rerank(question, oddStrings);
      equal(scores.length, oddStrings.length);
      ok(scores.every(Number.isFinite), `${scores}`);
      for (const query of oddStrings.filter((text) => text.trim() !== '')) {
        ok((await reranker.rerank(query, texts)).every(Number.isFinite));
      }
    });

    test('scores a text of any length, or says that it is too long', async (reranker) => {
      const long = `${'The weather is fine. '.repeat(4000)} ${pairs[0]!.related}`;
      try {
        const [first, second] = await reranker.rerank(question, [long, texts[0]!]);
        ok(Number.isFinite(first));
        assertScores([second!], await reranker.rerank(question, [texts[0]!]));
      } catch (error) {
        ok(isAquiferError(error, 'too-large'), String(error));
      }
    });

    test('stops when it is told to, and works on', async (reranker) => {
      const isAborted = (error: unknown): boolean => isAquiferError(error, 'aborted');
      await rejects(reranker.rerank(question, texts, { signal: AbortSignal.abort() }), isAborted);
      const controller = new AbortController();
      const many = Array.from({ length: 200 }, (_, index) => `${texts[index % texts.length]} (${index})`);
      const pending = reranker.rerank(question, many, { signal: controller.signal });
      controller.abort();
      await rejects(pending, isAborted);
      equal((await reranker.rerank(question, texts)).length, texts.length);
    });

    test('closes, more than once if need be', async (reranker) => {
      await reranker.close?.();
      await reranker.close?.();
    });
  });
}
