import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AquiferError, type Filter, isAquiferError } from '@aquifer/contracts';
import { createSampleEmbedder, createSampleStore } from '../testing/sample-store.js';
import { createRetriever } from './retriever.js';
import type { SearchOptions } from './search-options.js';

const handbook = [
  {
    id: 'leave',
    title: 'Leave policy',
    text: '# Parental leave\n\nParental leave is 52 weeks.\n\n# Holidays\n\nThere are 20 holidays.',
    metadata: { country: 'JP' },
  },
  { id: 'travel', title: 'Travel policy', text: 'Trains are preferred to planes.\n\nHotels cost at most 120 euros.' },
];

function setUp(overrides: Parameters<typeof createSampleEmbedder>[0] = {}) {
  const store = createSampleStore(handbook);
  const embedder = createSampleEmbedder(overrides);
  return { store, embedder, retriever: createRetriever({ store, embedder }) };
}

const rejectsWith = (code: string, message: RegExp) => (error: unknown) =>
  isAquiferError(error, code as AquiferError['code']) && message.test(error.message);

describe('search', () => {
  it('gives matches in the promised shape', async () => {
    const { retriever } = setUp();
    const response = await retriever.search('How long is parental leave?', { limit: 2 });
    assert.equal(response.query, 'How long is parental leave?');
    assert.deepEqual(response.plan, { dense: 'exact', keyword: 'on' });
    assert.equal(response.matches.length, 2);
    const { scores, score, ...match } = response.matches[0]!;
    assert.deepEqual(match, {
      rank: 1,
      documentId: 'leave',
      chunkId: 'leave-0',
      source: 'leave.md',
      title: 'Leave policy',
      headings: ['Parental leave'],
      start: 18,
      end: 45,
      text: 'Parental leave is 52 weeks.',
      uri: 'file:///leave.md',
      metadata: { country: 'JP' },
    });
    assert.deepEqual(Object.keys(scores), ['dense', 'keyword', 'fused']);
    assert.equal(score, scores.fused);
    assert.deepEqual(Object.keys(response.ms), ['embed', 'dense', 'keyword', 'fuse', 'fetch', 'total']);
    assert.equal(response.trace, undefined);
  });

  it('makes one round trip a leg and one for the chunks', async () => {
    const { retriever, store } = setUp();
    await retriever.search('hotels', { limit: 1 });
    assert.deepEqual([...store.calls].sort(), ['getChunks', 'searchDense', 'searchKeyword']);
  });

  it('asks one leg alone', async () => {
    const { retriever, store, embedder } = setUp();
    const keyword = await retriever.search('hotels', { mode: 'keyword' });
    assert.deepEqual(keyword.plan, { dense: 'off', keyword: 'on' });
    assert.deepEqual(
      keyword.matches.map(({ chunkId }) => chunkId),
      ['travel-1'],
    );
    assert.deepEqual(embedder.embedded, []);
    const dense = await retriever.search('hotels', { mode: 'dense', fusion: 'rrf' });
    assert.deepEqual(dense.plan, { dense: 'exact', keyword: 'off' });
    assert.equal(dense.matches.length, 4);
    assert.equal(dense.matches[0]!.score, dense.matches[0]!.scores.dense);
    assert.deepEqual(store.calls, ['searchKeyword', 'getChunks', 'searchDense', 'getChunks']);
  });

  it('applies the filter to both legs', async () => {
    const { retriever } = setUp();
    const { matches } = await retriever.search('hotels', { filter: { equals: { key: 'country', value: 'JP' } } });
    assert.deepEqual(
      matches.map(({ documentId }) => documentId),
      ['leave', 'leave'],
    );
  });

  it('embeds a repeated query once', async () => {
    const { retriever, embedder } = setUp();
    await retriever.search('hotels');
    await retriever.search('hotels', { limit: 1 });
    assert.deepEqual(embedder.embedded, ['hotels']);
  });

  it('traces every candidate', async () => {
    const { retriever } = setUp();
    const { trace } = await retriever.search('parental leave', { limit: 1, trace: true });
    assert.equal(trace?.fusion, 'convex');
    assert.equal(trace.denseWeight, 0.5);
    assert.equal(trace.candidates.length, 4);
    assert.equal(trace.candidates[0]?.returned, 1);
    assert.deepEqual(trace.candidates[0]?.keyword, { rank: 1, score: 2 });
    assert.equal(trace.candidates[1]?.returned, undefined);
  });

  it('fills up for chunks that vanished between the legs and the fetch', async () => {
    const { store, embedder } = setUp();
    const getChunks = store.getChunks;
    const leaky = Object.assign(store, {
      getChunks: (ids: readonly string[]) => getChunks(ids.filter((id) => id !== 'leave-0')),
    });
    const { matches } = await createRetriever({ store: leaky, embedder }).search('parental leave', { limit: 3 });
    assert.equal(matches.length, 3);
    assert.deepEqual(
      matches.map(({ rank }) => rank),
      [1, 2, 3],
    );
  });

  it('orders by the reranker where there is one', async () => {
    const { store, embedder } = setUp();
    const reranker = {
      id: 'length',
      rerank: async (_: string, texts: readonly string[]) => texts.map((text) => -text.length),
    };
    const { matches, ms } = await createRetriever({ store, embedder, reranker }).search('hotels', { limit: 2 });
    assert.deepEqual(
      matches.map(({ text }) => text),
      ['There are 20 holidays.', 'Hotels cost at most 120 euros.'],
    );
    assert.equal(matches[0]!.score, matches[0]!.scores.rerank);
    assert.equal(typeof ms.rerank, 'number');
    const broken = { id: 'broken', rerank: async () => [1] };
    await assert.rejects(
      createRetriever({ store, embedder, reranker: broken }).search('hotels'),
      rejectsWith('model-failed', /broken/),
    );
  });

  it('says what the models were paid', async () => {
    const { store, embedder } = setUp({ terms: { usdPerMillionTokens: 1000, textsPerRequest: 1 } });
    const reranker = {
      id: 'priced',
      rerank: async (_: string, texts: readonly string[]) => texts.map((text) => text.length),
      costUsd: (_: string, texts: readonly string[]) => texts.length,
    };
    const retriever = createRetriever({ store, embedder, reranker });
    // One token a character; four chunks.
    const first = await retriever.search('hotels');
    assert.equal(first.costUsd, 6 / 1000 + 4);
    const [embedded, reranked] = first.usage ?? [];
    assert.deepEqual(embedded, { model: embedder.fingerprint.model, tokens: 6, costUsd: 6 / 1000 });
    assert.deepEqual({ ...reranked, tokens: 0 }, { model: 'priced', tokens: 0, costUsd: 4 });
    assert.ok((reranked?.tokens ?? 0) > 10);
    const again = await retriever.search('hotels');
    assert.equal(again.costUsd, 4, 'a question that is remembered is not embedded again');
    assert.deepEqual(again.usage, [reranked]);
    assert.equal((await retriever.search('hotels', { mode: 'keyword' })).costUsd, 1);
    const nothing = { equals: { key: 'country', value: 'nowhere' } };
    assert.equal((await retriever.search('hotels', { filter: nothing })).costUsd, undefined);
    const unpriced = setUp().retriever;
    assert.equal((await unpriced.search('hotels')).costUsd, undefined);
    assert.equal((await unpriced.search('hotels')).usage, undefined);
    assert.deepEqual((await unpriced.explain('hotel', 'leave')).usage, [
      { model: embedder.fingerprint.model, tokens: 5 },
    ]);
  });
});

describe('bad queries and options', () => {
  it('refuses empty and oversize queries', async () => {
    const { retriever } = setUp();
    for (const query of ['', '  \n\t\u3000']) {
      await assert.rejects(retriever.search(query), rejectsWith('invalid-query', /empty/));
    }
    await assert.rejects(retriever.search('x'.repeat(1_000_000)), rejectsWith('invalid-query', /20,000/));
    await assert.rejects(retriever.search(7 as unknown as string), rejectsWith('invalid-query', /text/));
    assert.equal((await retriever.search('parental '.repeat(2_000))).matches.length, 4);
  });

  it('finds nothing for punctuation alone, and says why', async () => {
    const { retriever, store } = setUp();
    const response = await retriever.search('?!… 「」');
    assert.deepEqual(response.plan, { dense: 'off', keyword: 'off' });
    assert.deepEqual([response.matches, store.calls], [[], []]);
    assert.match(response.notes?.[0] ?? '', /no word/);
  });

  it('leaves the dense leg out where the embedder knows nothing of the query', async () => {
    const { retriever } = setUp();
    const response = await retriever.search('the of');
    assert.deepEqual(response.plan, { dense: 'off', keyword: 'on' });
    assert.deepEqual(response.matches, []);
  });

  it('replaces lone surrogates and keeps pairs', async () => {
    const { retriever, embedder } = setUp();
    const { query } = await retriever.search('leave \ud83d and \ude00 and 😀');
    assert.equal(query, 'leave \ufffd and \ufffd and 😀');
    assert.deepEqual(embedder.embedded, [query]);
  });

  const refused: readonly [SearchOptions, RegExp][] = [
    [{ limit: 0 }, /"limit".*1 to 10000, not 0/],
    [{ limit: -1 }, /1 to 10000, not -1/],
    [{ limit: 1e9 }, /1 to 10000, not 1000000000/],
    [{ limit: 1.5 }, /whole number/],
    [{ limit: Number.NaN }, /NaN/],
    [{ limit: '5' as unknown as number }, /not "5"/],
    [{ candidates: 0 }, /"candidates"/],
    [{ denseWeight: 1.1 }, /"denseWeight".*0 to 1/],
    [{ mode: 'fuzzy' as 'dense' }, /hybrid, dense, keyword, not "fuzzy"/],
    [{ fusion: 'sum' as 'rrf' }, /convex, rrf/],
  ];
  for (const [options, message] of refused) {
    it(`refuses ${JSON.stringify(options)}`, async () => {
      await assert.rejects(setUp().retriever.search('leave', options), rejectsWith('invalid-options', message));
    });
  }

  it('refuses an unknown filter operator', async () => {
    const filter = { like: { key: 'a', value: 'b' } } as unknown as Filter;
    await assert.rejects(setUp().retriever.search('leave', { filter }), rejectsWith('invalid-filter', /like/));
  });

  it('raises the candidates to the limit', async () => {
    const { store, embedder } = setUp();
    const limits: number[] = [];
    const { searchKeyword } = store;
    Object.assign(store, {
      searchKeyword: (query: Parameters<typeof searchKeyword>[0]) => {
        limits.push(query.limit);
        return searchKeyword(query);
      },
    });
    const retriever = createRetriever({ store, embedder });
    await retriever.search('leave');
    await retriever.search('leave', { limit: 250 });
    await retriever.search('leave', { limit: 250, candidates: 300 });
    assert.deepEqual(limits, [100, 250, 300]);
  });

  it('embeds the beginning of a query that is too long for the embedder, and says so', async () => {
    for (const tokenCounter of [undefined, { id: 'characters', count: (text: string) => text.length }]) {
      const embedder = createSampleEmbedder({ maxInputTokens: 40, ...(tokenCounter && { tokenCounter }) });
      const { embed } = embedder;
      Object.assign(embedder, {
        embed: async (texts: readonly string[], options: Parameters<typeof embed>[1]) => {
          if (texts[0]!.length > 40) throw new AquiferError('too-large', 'Too long.');
          return embed(texts, options);
        },
      });
      const retriever = createRetriever({ store: createSampleStore(handbook), embedder });
      const query = `parental leave ${'and more of it '.repeat(10)}`;
      const response = await retriever.search(query);
      assert.equal(response.matches[0]!.chunkId, 'leave-0');
      assert.match(response.notes?.[0] ?? '', /at most 40 tokens.*keyword search saw all/);
      assert.ok(query.startsWith(embedder.embedded[0]!) && embedder.embedded[0]!.length <= 40);
    }
  });

  it('stops when aborted, and passes failures on', async () => {
    await assert.rejects(
      setUp().retriever.search('leave', { signal: AbortSignal.abort() }),
      rejectsWith('aborted', /./),
    );
    const failing = setUp({ embed: async () => Promise.reject(new AquiferError('model-failed', 'No.')) });
    await assert.rejects(failing.retriever.search('leave'), rejectsWith('model-failed', /No/));
    const wrong = setUp({ embed: async () => ({ vectors: [new Float32Array(3)], tokens: [1] }) });
    await assert.rejects(wrong.retriever.search('leave'), rejectsWith('model-failed', /64 finite/));
  });
});

describe('explain', () => {
  it('tells where the best chunk of a document stood', async () => {
    const { retriever } = setUp();
    const returned = await retriever.explain('parental leave', 'leave');
    assert.equal(returned.outcome, 'returned');
    assert.equal(returned.best?.chunkId, 'leave-0');
    assert.equal(returned.best.returned, 1);
    assert.equal(returned.best.dense?.rank, 1);
    const below = await retriever.explain('parental leave', 'travel', { limit: 1 });
    assert.equal(below.outcome, 'below-limit');
    assert.match(below.reason, /limit is 1/);
  });

  it('tells documents that the filter or the words rule out', async () => {
    const { retriever } = setUp();
    const filter: Filter = { equals: { key: 'country', value: 'JP' } };
    assert.equal((await retriever.explain('hotels', 'travel', { filter })).outcome, 'filtered-out');
    assert.equal((await retriever.explain('hotels', 'leave', { mode: 'keyword' })).outcome, 'not-a-candidate');
    const distant = await retriever.explain('parental leave weeks', 'travel', { limit: 1, candidates: 1 });
    assert.equal(distant.outcome, 'not-a-candidate');
    assert.ok((distant.best?.dense?.rank ?? 0) > 1);
    await assert.rejects(retriever.explain('hotels', 'nowhere'), rejectsWith('document-not-found', /nowhere/));
  });
});
