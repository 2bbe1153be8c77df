import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AquiferError, type Chunk, type Embedder, type EmbedderTerms, isAquiferError } from '@aquifer/contracts';
import { createChunkVectors } from './chunk-vectors.js';

function chunksOf(texts: readonly string[]): Chunk[] {
  return texts.map((text, ordinal) => ({
    id: `${ordinal}`,
    documentId: 'd',
    ordinal,
    start: 0,
    end: text.length,
    headings: [],
    text,
    context: '',
    tableHeader: '',
    tokens: 1,
  }));
}

interface SetUpOptions {
  readonly msPerText?: number;
  readonly embed?: (text: string) => Float32Array;
  readonly parts?: (text: string) => number;
  readonly terms?: EmbedderTerms;
}

function setUp(options: SetUpOptions = {}) {
  const cache = new Map<string, Float32Array>();
  const calls: string[][] = [];
  const embedder: Embedder = {
    fingerprint: { provider: 'test', model: 'length', dimensions: 1, normalised: false },
    dimensions: 1,
    maxInputTokens: 100,
    fusionWeight: 0.5,
    async embed(texts) {
      calls.push([...texts]);
      if (options.msPerText) await new Promise((resolve) => setTimeout(resolve, options.msPerText! * texts.length));
      const vectors = texts.map(options.embed ?? ((text) => Float32Array.of(text.length)));
      return { vectors, tokens: texts.map((text) => text.length), parts: options.parts && texts.map(options.parts) };
    },
    terms: options.terms,
  };
  const controller = new AbortController();
  const vectors = createChunkVectors({
    store: {
      getEmbeddings: async (keys) => keys.map((key) => cache.get(key)),
      putEmbeddings: async (entries) => {
        for (const { key, vector } of entries) cache.set(key, vector);
      },
    },
    embedder,
    embedBatchSize: 4,
    embedConcurrency: 1,
    fillBatches: false,
    signal: controller.signal,
    // A busy machine makes anything take long.
    ...(options.msPerText === undefined && { worthSavingMs: Number.POSITIVE_INFINITY }),
  });
  return { vectors, cache, calls, controller };
}

const refuse =
  (refused: string, code: 'too-large' | 'model-rejected' = 'too-large') =>
  (text: string) => {
    if (text === refused) throw new AquiferError(code, `${text} is not taken.`);
    return Float32Array.of(text.length);
  };

describe('chunk vectors', () => {
  it('batches texts of several documents, in bounded batches', async () => {
    const { vectors, calls } = setUp();
    const [first, second] = await Promise.all([
      vectors.resolve(chunksOf(['a', 'bb', 'ccc'])),
      vectors.resolve(chunksOf(['dddd', 'eeeee'])),
    ]);
    assert.deepEqual(
      first.writes.map(({ vector }) => vector?.[0]),
      [1, 2, 3],
    );
    assert.deepEqual(
      second.writes.map(({ vector }) => vector?.[0]),
      [4, 5],
    );
    assert.deepEqual(calls, [['a', 'bb', 'ccc', 'dddd'], ['eeeee']]);
    assert.deepEqual(vectors.counts, { embedded: 5, cacheHits: 0, tokens: 15, requests: 0 });
  });

  it('embeds equal texts of one run once, however the documents overlap', async () => {
    const { vectors, cache, calls } = setUp();
    const [first, second] = await Promise.all([
      vectors.resolve(chunksOf(['same', 'a'])),
      vectors.resolve(chunksOf(['same', 'b', 'same'])),
    ]);
    const late = await vectors.resolve(chunksOf(['same']));
    assert.equal(late.writes[0]?.vector?.[0], 4, 'shared until it is committed');
    // As a store does at the commit.
    for (const { embeddingKey, vector } of [...first.writes, ...second.writes]) cache.set(embeddingKey, vector!);
    first.release();
    second.release();
    const after = await vectors.resolve(chunksOf(['same']));
    assert.equal(after.writes[0]?.vector, undefined, 'the cache holds it');
    assert.deepEqual(calls.flat().sort(), ['a', 'b', 'same']);
    assert.deepEqual(vectors.counts, { embedded: 3, cacheHits: 4, tokens: 6, requests: 0 });
  });

  it('stores costly vectors before their documents are committed', async () => {
    const { vectors, cache } = setUp({ msPerText: 10 });
    const { writes } = await vectors.resolve(chunksOf(['a', 'bb']));
    assert.deepEqual(
      writes.map(({ embeddingKey, vector }) => [cache.get(embeddingKey)?.[0], vector]),
      [
        [1, undefined],
        [2, undefined],
      ],
    );
  });

  it('does not hold the vectors of a long document in memory', async () => {
    const { vectors, cache } = setUp();
    const { writes } = await vectors.resolve(chunksOf(Array.from({ length: 1_000 }, (_, index) => `text ${index}`)));
    assert.equal(writes.length, 1_000);
    assert.ok(writes.every(({ vector }) => vector === undefined));
    assert.equal(cache.size, 1_000);
  });

  it('fails only the document whose text is too large', async () => {
    const { vectors } = setUp({ embed: refuse('b') });
    const results = await Promise.allSettled(['a', 'b', 'c'].map((text) => vectors.resolve(chunksOf([text]))));
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.ok(results[1]?.status === 'rejected' && isAquiferError(results[1].reason, 'too-large'));
  });

  it('fails only the document whose text a provider rejects, once that has taken others', async () => {
    const { vectors } = setUp({ embed: refuse('b', 'model-rejected') });
    await vectors.resolve(chunksOf(['first']));
    const results = await Promise.allSettled(['a', 'b', 'c'].map((text) => vectors.resolve(chunksOf([text]))));
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.ok(results[1]?.status === 'rejected' && isAquiferError(results[1].reason, 'invalid-document'));
  });

  it('asks a provider that rejects everything once', async () => {
    const { vectors, calls } = setUp({ embed: refuse('a', 'model-rejected') });
    await assert.rejects(vectors.resolve(chunksOf(['a', 'b', 'c'])), (error) =>
      isAquiferError(error, 'model-rejected'),
    );
    assert.equal(calls.length, 1);
  });

  it('says how many chunks were embedded in parts, stored at once or not', async () => {
    for (const msPerText of [0, 4]) {
      const { vectors } = setUp({ parts: (text) => (text === 'long' ? 3 : 1), msPerText });
      assert.equal((await vectors.resolve(chunksOf(['a', 'long', 'b']))).inParts, 1);
    }
  });

  it('counts the requests that a provider is sent', async () => {
    const parts = (text: string) => (text === 'long' ? 3 : 1);
    const { vectors } = setUp({ parts, terms: { textsPerRequest: 1 } });
    await vectors.resolve(chunksOf(['a', 'b', 'c', 'long']));
    assert.equal(vectors.counts.requests, 6);
    const batches = setUp({ terms: { textsPerRequest: 96 } });
    await batches.vectors.resolve(chunksOf(['a', 'b', 'c', 'd']));
    assert.equal(batches.vectors.counts.requests, 1);
    const here = setUp();
    await here.vectors.resolve(chunksOf(['a']));
    assert.equal(here.vectors.counts.requests, 0);
  });

  it('refuses vectors of another number or dimension than the embedder promises', async () => {
    const { vectors } = setUp({ embed: () => Float32Array.of(1, 2) });
    await assert.rejects(vectors.resolve(chunksOf(['a'])), (error) => isAquiferError(error, 'model-failed'));
  });

  it('gives up as soon as the run is cancelled, though the embedder goes on', async () => {
    const { vectors, controller } = setUp({ embed: (text) => Float32Array.of(text.length), msPerText: 100 });
    const resolving = vectors.resolve(chunksOf(['a']));
    setImmediate(() => controller.abort());
    await assert.rejects(resolving, (error) => isAquiferError(error, 'aborted'));
  });
});
