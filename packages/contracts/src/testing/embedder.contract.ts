import { deepEqual, equal, match, notEqual, ok, rejects } from 'node:assert/strict';
import { type Embedder, type EmbedPurpose, fingerprintText } from '../embedder.js';
import { isAquiferError } from '../errors.js';
import type { TestRunner } from './test-runner.js';

/** Texts of which the first two are about the same thing and the third is about another. */
export interface RelatedTexts {
  readonly question: string;
  readonly related: string;
  readonly unrelated: string;
}

export interface EmbedderContractOptions {
  /** What the suite is about, for the report. */
  readonly name: string;
  /** Called once, before the first test that needs it. The suite closes what it made. */
  readonly create: () => Embedder | Promise<Embedder>;
  /** What the embedder must tell apart. Default: English sentences. */
  readonly pairs?: readonly RelatedTexts[];
  /** How far any number may be apart when the same texts are embedded again. Default 0; more for models behind a network. */
  readonly tolerance?: number;
  /**
   * How far any number may be apart when a text is embedded alone or beside others. Default 0.00001, for sums made in another
   * order; 8-bit models that scale by what a whole batch holds need more.
   */
  readonly batchTolerance?: number;
  /**
   * Whether a text's token count is its own. Default true; false where the provider counts requests, and a text gets a share that depends on
   * the texts beside it.
   */
  readonly countsEachText?: boolean;
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
    related: 'Laptops that are broken or lost are replaced by the service desk.',
    unrelated: 'Strawberry jam is boiled with sugar and lemon juice.',
  },
];

const purposes: readonly EmbedPurpose[] = ['query', 'document'];

/** Texts that break tokenizers. */
const oddTexts = ['?!…', 'the', '\ud800', 'a\u0000b', '👩‍👩‍👧‍👦', 'é'.normalize('NFD'), '東京都', 'x'.repeat(300)];

/**
 * What every {@link Embedder} must do.
 *
 * ```ts
 * import { describe, it } from 'node:test';
 * import { embedderContract } from '@aquifer/contracts/testing';
 *
 * embedderContract({ describe, it }, { name: 'mine', create: () => createMyEmbedder() });
 * ```
 */
export function embedderContract({ describe, it }: TestRunner, options: EmbedderContractOptions): void {
  const { name, create, pairs = englishPairs, tolerance = 0, skip } = options;
  const batchTolerance = Math.max(tolerance, options.batchTolerance ?? 1e-5);
  let created: Promise<Embedder> | undefined;
  const open = (): Promise<Embedder> => {
    created ??= Promise.resolve(create());
    return created;
  };
  const test = (title: string, body: (embedder: Embedder) => Promise<void>): void => {
    it(title, skip === undefined ? {} : { skip }, async () => body(await open()));
  };
  const texts = pairs.flatMap(({ question, related, unrelated }) => [question, related, unrelated]);

  describe(`embedder contract: ${name}`, () => {
    test('describes itself', async ({ fingerprint, dimensions, maxInputTokens, fusionWeight }) => {
      match(fingerprint.provider, /\S/);
      match(fingerprint.model, /\S/);
      equal(fingerprint.dimensions, dimensions);
      match(fingerprintText(fingerprint), /\S/);
      ok(Number.isInteger(dimensions) && dimensions > 0);
      ok(maxInputTokens > 0);
      ok(fusionWeight >= 0 && fusionWeight <= 1);
    });

    for (const purpose of purposes) {
      test(`gives one finite vector and token count a text, for a ${purpose}`, async (embedder) => {
        const { vectors, tokens } = await embedder.embed(texts, { purpose });
        equal(vectors.length, texts.length);
        equal(tokens.length, texts.length);
        for (const vector of vectors) assertUsable(vector, embedder);
        for (const count of tokens) ok(Number.isInteger(count) && count > 0);
      });

      test(`gives the same vectors for the same texts, alone or together, for a ${purpose}`, async (embedder) => {
        const together = await embedder.embed(texts, { purpose });
        const again = await embedder.embed([...texts].reverse(), { purpose });
        for (const [index, text] of texts.entries()) {
          const alone = await embedder.embed([text], { purpose });
          assertClose(alone.vectors[0]!, together.vectors[index]!, batchTolerance);
          assertClose(again.vectors[texts.length - 1 - index]!, together.vectors[index]!, batchTolerance);
          if (options.countsEachText ?? true) equal(alone.tokens[0], together.tokens[index]);
        }
      });
    }

    test('repeats itself exactly', async (embedder) => {
      const first = await embedder.embed(texts, { purpose: 'document' });
      const second = await embedder.embed(texts, { purpose: 'document' });
      for (const [index, vector] of first.vectors.entries()) assertClose(vector, second.vectors[index]!, tolerance);
    });

    test('gives empty lists for an empty list', async (embedder) => {
      deepEqual(await embedder.embed([], { purpose: 'document' }), { vectors: [], tokens: [] });
    });

    test('gives different texts different vectors', async (embedder) => {
      const { vectors } = await embedder.embed(texts, { purpose: 'document' });
      const distinct = new Set(vectors.map((vector) => vector.join()));
      equal(distinct.size, new Set(texts).size);
    });

    test('gives vectors that do not share memory', async (embedder) => {
      const { vectors } = await embedder.embed([texts[0]!, texts[0]!], { purpose: 'document' });
      const before = vectors[1]![0];
      vectors[0]!.fill(7);
      equal(vectors[1]![0], before);
      notEqual(vectors[1]![0], 7);
    });

    test('puts a question nearer to a text on its subject than to another', async (embedder) => {
      for (const { question, related, unrelated } of pairs) {
        const query = (await embedder.embed([question], { purpose: 'query' })).vectors[0]!;
        const { vectors } = await embedder.embed([related, unrelated], { purpose: 'document' });
        const near = cosine(query, vectors[0]!);
        const far = cosine(query, vectors[1]!);
        ok(near > far, `${JSON.stringify(question)}: ${near} with the related text, ${far} with the unrelated one`);
      }
    });

    test('takes any string', async (embedder) => {
      const { vectors } = await embedder.embed(oddTexts, { purpose: 'document' });
      equal(vectors.length, oddTexts.length);
      for (const vector of vectors) assertUsable(vector, embedder);
    });

    test('counts tokens as its token counter does', async (embedder) => {
      const { tokenCounter } = embedder;
      if (tokenCounter === undefined) return;
      match(tokenCounter.id, /\S/);
      const { tokens } = await embedder.embed(texts, { purpose: 'document' });
      deepEqual(
        tokens,
        texts.map((text) => tokenCounter.count(text)),
      );
    });

    test('embeds a text over its limit in parts, or refuses it, and never cuts it', async (embedder) => {
      if (embedder.maxInputTokens > 1_000_000) return;
      const long = 'strawberry '.repeat(embedder.maxInputTokens + 1);
      for (const purpose of purposes) {
        try {
          const { vectors, parts } = await embedder.embed([texts[0]!, long], { purpose });
          for (const vector of vectors) assertUsable(vector, embedder);
          equal(parts?.[0], 1);
          ok(parts[1]! > 1, 'the long text was embedded whole, or cut');
        } catch (error) {
          ok(isAquiferError(error, 'too-large'), String(error));
        }
      }
      const { vectors } = await embedder.embed([texts[0]!], { purpose: 'document' });
      assertUsable(vectors[0]!, embedder);
    });

    test('stops when it is told to', async (embedder) => {
      const signal = AbortSignal.abort();
      await rejects(embedder.embed(texts, { purpose: 'document', signal }), (error) =>
        isAquiferError(error, 'aborted'),
      );
      assertUsable((await embedder.embed([texts[0]!], { purpose: 'document' })).vectors[0]!, embedder);
    });

    test('closes, more than once if need be', async (embedder) => {
      await embedder.close?.();
      await embedder.close?.();
    });
  });
}

function assertUsable(vector: Float32Array, { dimensions, fingerprint }: Embedder): void {
  ok(vector instanceof Float32Array);
  equal(vector.length, dimensions);
  ok(
    vector.every((value) => Number.isFinite(value)),
    'a number is NaN or infinite',
  );
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  ok(length > 0, 'the vector is all zero');
  if (fingerprint.normalised) ok(Math.abs(length - 1) < 1e-3, `the vector's length is ${length}, not 1`);
}

function assertClose(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  equal(actual.length, expected.length);
  for (const [index, value] of actual.entries()) {
    ok(Math.abs(value - expected[index]!) <= tolerance, `number ${index}: ${value} and ${expected[index]}`);
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (const [index, value] of a.entries()) {
    product += value * b[index]!;
    squaresA += value * value;
    squaresB += b[index]! * b[index]!;
  }
  return product / Math.sqrt(squaresA * squaresB);
}
