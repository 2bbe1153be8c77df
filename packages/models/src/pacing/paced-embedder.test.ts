import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { AquiferError, type EmbedPurpose } from '@aquifer/contracts';
import { createBuiltinEmbedder } from '../builtin-embedder.js';
import { createPacedEmbedder, type EmbeddedBatch, type EmbeddingAdapter } from './paced-embedder.js';
import { createPacer } from './pacer.js';

const local = createBuiltinEmbedder({ dimensions: 256 });
const words = (text: string): number => text.trim().split(/\s+/).length;

/** A provider that runs the built-in model, takes at most ten words a text and counts words as its tokens. */
function provider(changes: Partial<EmbeddingAdapter> = {}, change = (batch: EmbeddedBatch): EmbeddedBatch => batch) {
  const requests: (readonly string[])[] = [];
  const purposes: EmbedPurpose[] = [];
  const adapter: EmbeddingAdapter = {
    fingerprint: { provider: 'test', model: 'ten-words', dimensions: 256, normalised: true },
    dimensions: 256,
    maxInputTokens: 10,
    fusionWeight: 0.5,
    maxBatch: 4,
    async embedBatch(texts, { purpose }) {
      requests.push(texts);
      purposes.push(purpose);
      if (texts.some((text) => words(text) > 10)) throw new AquiferError('too-large', 'Too many words.');
      const { vectors } = await local.embed(texts, { purpose: 'document' });
      return change({ vectors, tokens: texts.map(words) });
    },
    ...changes,
  };
  return { requests, purposes, embedder: createPacedEmbedder(adapter, createPacer({ name: 'ten-words' })) };
}

const embed = (embedder: ReturnType<typeof provider>['embedder'], texts: readonly string[]) =>
  embedder.embed(texts, { purpose: 'document' });

function assertNear(actual: Float32Array, expected: ArrayLike<number>): void {
  assert.equal(actual.length, expected.length);
  for (const [index, value] of actual.entries())
    assert.ok(Math.abs(value - expected[index]!) < 1e-6, `number ${index}`);
}

describe('paced embedder', () => {
  it('sends batches no larger than the provider takes, and keeps the order', async () => {
    const { embedder, requests, purposes } = provider();
    const texts = Array.from({ length: 10 }, (_, index) => `text number ${index}`);
    const { vectors, tokens, parts } = await embedder.embed(texts, { purpose: 'query' });
    assert.deepEqual(
      requests.map((request) => request.length),
      [4, 4, 2],
    );
    assert.deepEqual(purposes, ['query', 'query', 'query']);
    for (const [index, text] of texts.entries()) {
      assertNear(vectors[index]!, (await local.embed([text], { purpose: 'document' })).vectors[0]!);
    }
    assert.deepEqual(tokens, Array(10).fill(3));
    assert.equal(parts, undefined);
  });

  it('keeps to the tokens that one request may have', async () => {
    const { embedder, requests } = provider({ maxBatchTokens: 8 });
    await embed(embedder, ['one two three four', 'one two', 'one', 'one two three four five six seven eight nine']);
    assert.deepEqual(
      requests.map((request) => request.length),
      [3, 1],
    );
  });

  it('embeds a text that is too long in parts, and the others as ever', async () => {
    const { embedder, requests } = provider();
    const sentences = ['The first sentence of this text has eight words. ', 'The other one is short. '];
    const { vectors, tokens, parts } = await embed(embedder, ['short', sentences.join(''), 'another']);
    assert.deepEqual(parts, [1, 2, 1]);
    assert.deepEqual(tokens, [1, 14, 1]);
    assert.deepEqual(requests.slice(-2), [[sentences[0]], [sentences[1]]]);
    const [first, second] = (await local.embed(sentences, { purpose: 'document' })).vectors;
    const mean = Array.from(first!, (value, index) => value * 9 + second![index]! * 5);
    const length = Math.hypot(...mean);
    assertNear(
      vectors[1]!,
      mean.map((value) => value / length),
    );
  });

  it('cuts until every part fits, loses nothing and divides no character', async () => {
    const { embedder, requests } = provider({ maxCharacters: 20 });
    const text =
      '東京都港区の本社では、新しい勤怠規則が四月から適用される。👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦詳細は人事部へ。';
    const { parts } = await embed(embedder, [text]);
    const sent = requests.flat();
    assert.equal(sent.join(''), text);
    assert.equal(parts![0], sent.length);
    for (const part of sent) assert.ok(part.length <= 20 && !part.startsWith('\u200d'), part);
  });

  it("cuts before anything is sent where the model's own tokenizer is at hand", async () => {
    const { embedder, requests } = provider({ tokenCounter: { id: 'words', count: words } });
    const { parts } = await embed(embedder, [`${'word '.repeat(9)}end. ${'more '.repeat(9)}end.`]);
    assert.deepEqual(parts, [2]);
    assert.equal(requests.length, 1);
  });

  it('gives the error where a text cannot be cut any further', async () => {
    const error = new AquiferError('too-large', 'Nothing fits.');
    const { embedder } = provider({ embedBatch: () => Promise.reject(error) });
    await assert.rejects(embed(embedder, ['a b']), error);
  });

  it("shares the provider's count of a request among its texts", async () => {
    const { embedder } = provider({}, ({ vectors }) => ({ vectors, tokens: 101 }));
    const { tokens } = await embed(embedder, ['a', 'one two three four five six', 'one two']);
    assert.equal(
      tokens.reduce((sum, count) => sum + count, 0),
      101,
    );
    assert.ok(tokens[1]! > tokens[2]! && tokens[2]! > tokens[0]!);
  });

  it('replaces halves of surrogate pairs, which are no text', async () => {
    const { embedder, requests } = provider();
    await embed(embedder, ['a\ud800b']);
    assert.deepEqual(requests, [['a\ufffdb']]);
  });

  it('gives vectors the length 1 where it says that they have it, else leaves them', async () => {
    const twice = ({ vectors, tokens }: EmbeddedBatch): EmbeddedBatch => ({
      vectors: vectors.map((vector) => Array.from(vector, (value) => value * 2)),
      tokens,
    });
    const length = async (normalised: boolean): Promise<number> => {
      const fingerprint = { provider: 'test', model: 'ten-words', dimensions: 256, normalised };
      return Math.hypot(...(await embed(provider({ fingerprint }, twice).embedder, ['word'])).vectors[0]!);
    };
    assert.ok(Math.abs((await length(true)) - 1) < 1e-6);
    assert.ok(Math.abs((await length(false)) - 2) < 1e-6);
  });

  const bad: readonly (readonly [string, (vector: number[]) => unknown, RegExp])[] = [
    ['the wrong length', (vector) => vector.slice(1), /test ten-words gave a vector of 255 numbers where 256/],
    ['NaN', (vector) => vector.with(7, Number.NaN), /number 7 is NaN/],
    ['infinity', (vector) => vector.with(7, Number.NEGATIVE_INFINITY), /number 7 is -Infinity/],
    [
      'null, which JSON makes of NaN',
      (vector) => vector.map((value, index) => (index === 3 ? null : value)),
      /number 3 is null/,
    ],
    ['nothing but zeros', (vector) => vector.map(() => 0), /nothing but zeros/],
    ['more than single precision holds', (vector) => vector.map(() => 1e300), /too long/],
  ];
  for (const [what, spoil, message] of bad) {
    it(`refuses a vector with ${what}`, async () => {
      const { embedder, requests } = provider({}, ({ vectors, tokens }) => ({
        vectors: vectors.map((vector) => spoil(Array.from(vector)) as number[]),
        tokens,
      }));
      await assert.rejects(embed(embedder, ['word']), { code: 'model-failed', message });
      assert.equal(requests.length, 1);
    });
  }

  it('refuses fewer vectors than texts', async () => {
    const { embedder } = provider({}, ({ vectors, tokens }) => ({ vectors: vectors.slice(1), tokens }));
    await assert.rejects(embed(embedder, ['one', 'two']), { code: 'model-failed', message: /1 vectors for 2 texts/ });
  });

  it('ends the other requests of a call when one fails for good, and leaves no listener', async () => {
    const aborted: string[] = [];
    const { embedder } = provider({
      maxBatch: 1,
      embedBatch: ([text], { signal }) =>
        new Promise((_, reject) => {
          if (text === 'bad') setTimeout(() => reject(new AquiferError('model-rejected', 'No.')), 5);
          signal.addEventListener('abort', () => {
            aborted.push(text!);
            reject(signal.reason);
          });
        }),
    });
    const { signal } = new AbortController();
    await assert.rejects(embedder.embed(['a', 'bad', 'b'], { purpose: 'document', signal }), {
      code: 'model-rejected',
    });
    assert.deepEqual(aborted, ['a', 'b']);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('rejects with aborted when the caller cancels', async () => {
    const { embedder } = provider({
      embedBatch: (_, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 5);
    await assert.rejects(embedder.embed(['a'], { purpose: 'document', signal: controller.signal }), {
      code: 'aborted',
    });
  });

  it('sends any number of requests of one call without a warning of leaks', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    const { embedder, requests } = provider({ maxBatch: 1 });
    await embed(
      embedder,
      Array.from({ length: 50 }, (_, index) => `text ${index}`),
    );
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    assert.equal(requests.length, 50);
    assert.deepEqual(warnings, []);
  });

  it('gives empty lists for an empty list, and closes what the adapter holds', async () => {
    let closed = 0;
    const { embedder, requests } = provider({
      close: async () => {
        closed += 1;
      },
    });
    assert.deepEqual(await embed(embedder, []), { vectors: [], tokens: [] });
    await embedder.close?.();
    assert.deepEqual([requests.length, closed], [0, 1]);
  });
});
