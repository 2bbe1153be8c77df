import assert from 'node:assert/strict';
import type { Filter } from '../filter.js';
import { filterMatches } from '../filter-matches.js';
import type { DocumentWrite, Store } from '../store.js';
import { generateFilter, generateMetadata } from './generated-filters.js';
import { createSeededRandom } from './seeded-random.js';
import {
  cosine,
  createClusteredVectors,
  referenceDenseSearch,
  referenceKeywordSearch,
  sketchDocument,
} from './store-fixtures.js';
import { assertRejects, type StoreTestContext } from './store-test-context.js';
import type { TestRunner } from './test-runner.js';

const query4 = Float32Array.of(1, 2, 3, 4);

/** The searching half of the store contract. */
export function storeSearchContract({ describe, it }: TestRunner, { options, withStore }: StoreTestContext): void {
  const { generatedFilters = 2_500, recallVectors = 3_000, recallDimensions = 64 } = options;

  describe('keyword search', () => {
    it(
      'scores by BM25',
      withStore(async (store) => {
        const random = createSeededRandom(1);
        const words = Array.from({ length: 60 }, (_, index) => `w${index}`);
        // Some words in nearly every chunk, most in few.
        const word = (): string => words[Math.floor(words.length * random.next() ** 3)] as string;
        const sentence = (length: number): string => Array.from({ length: random.below(length) }, word).join(' ');
        const documents: DocumentWrite[] = [];
        const write = async (id: string): Promise<void> => {
          const sketches = Array.from({ length: 1 + random.below(4) }, () => ({
            text: sentence(60),
            context: sentence(8),
            tableHeader: sentence(3),
          }));
          const document = sketchDocument(
            id,
            // New text, new id, as chunkers make them.
            sketches.map((sketch, index) => ({ ...sketch, id: `${id}:${documents.length}:${index}` })),
          );
          const at = documents.findIndex((other) => other.document.id === id);
          if (at >= 0) documents.splice(at, 1);
          documents.push(document);
          await store.replaceDocument(document);
        };
        for (let index = 0; index < 60; index++) await write(`d${index}`);
        const compare = async (): Promise<void> => {
          const queries = ['w0', 'w0 w1', 'w59', 'w0 w0 w30', 'absent w5', 'w1 w2 w3 w4 w50 w51 w52', 'absent'];
          // As many terms as pairs count in, and one more.
          queries.push('w1 w2 '.repeat(32), `${'w1 w2 '.repeat(32)}w3`);
          for (const text of [...queries, ...Array.from({ length: 20 }, () => sentence(12))]) {
            const expected = referenceKeywordSearch(documents, text);
            const { matches, method } = await store.searchKeyword({ text, limit: 10_000 });
            assert.equal(method, 'exact');
            assert.equal(matches.length, expected.length, text);
            const scores = new Map(expected.map(({ chunkId, score }) => [chunkId, score]));
            for (const [rank, match] of matches.entries()) {
              const score = scores.get(match.chunkId) ?? Number.NaN;
              assert.equal(match.documentId, match.chunkId.split(':')[0]);
              const slack = 1e-9 * Math.max(1, score);
              assert.ok(Math.abs(match.score - score) <= slack, `${text}: ${match.chunkId} ${match.score} ≠ ${score}`);
              assert.ok(Math.abs(match.score - (expected[rank]?.score ?? Number.NaN)) <= slack);
            }
            const few = await store.searchKeyword({ text, limit: 3 });
            assert.deepEqual(few.matches, matches.slice(0, 3));
          }
        };
        await compare();
        // Lengths and frequencies must follow what is replaced and deleted.
        for (let index = 0; index < 20; index++) await write(`d${index}`);
        await store.deleteDocuments(['d30', 'd31', 'd32', 'd33']);
        for (const id of ['d30', 'd31', 'd32', 'd33']) {
          documents.splice(
            documents.findIndex((other) => other.document.id === id),
            1,
          );
        }
        await compare();
      }),
    );

    it(
      'finds every term of the analyser whole',
      withStore(async (store) => {
        const terms = [
          'err_tls.cert-name',
          'x-amz-id-2',
          "o'neil",
          'c++',
          'c#',
          'a.b',
          '東京',
          'été',
          'e\u0301',
          'ж',
          '한국',
          '٣',
        ];
        for (const [index, term] of terms.entries()) {
          await store.replaceDocument(sketchDocument(`d${index}`, [{ text: term, vector: [1, 1, 1, 1] }]));
        }
        for (const [index, term] of terms.entries()) {
          const { matches } = await store.searchKeyword({ text: term, limit: 10 });
          assert.equal(matches[0]?.chunkId, `d${index}#0`, term);
        }
        for (const part of ['err', 'tls', 'cert', 'amz', 'id', 'neil', 'b', 'ete', 'ETE', '京']) {
          assert.deepEqual((await store.searchKeyword({ text: part, limit: 10 })).matches, [], part);
        }
      }),
    );

    it(
      'takes any string as a query',
      withStore(async (store) => {
        await store.replaceDocument(sketchDocument('a', [{ text: 'leave not or and word' }]));
        for (const text of [
          '',
          ' \n\t',
          '?!… "',
          '"',
          '""',
          '* ^ : ( )',
          '\ud800',
          'a\0b',
          'NEAR(',
          '; DROP TABLE x',
        ]) {
          assert.deepEqual((await store.searchKeyword({ text, limit: 5 })).matches, [], JSON.stringify(text));
        }
        for (const text of ['NOT', 'or', 'word AND', '\ud800 word', '"word', 'word*', '-word word']) {
          assert.equal((await store.searchKeyword({ text, limit: 5 })).matches.length, 1, text);
        }
        const long = `${Array.from({ length: 150_000 }, (_, index) => `x${index}`).join(' ')} word`;
        assert.ok(long.length > 1_000_000);
        assert.equal((await store.searchKeyword({ text: long, limit: 5 })).matches.length, 1);
        assert.equal((await store.searchKeyword({ text: 'word '.repeat(200_000), limit: 5 })).matches.length, 1);
        assert.deepEqual((await store.searchKeyword({ text: 'y'.repeat(1_000_000), limit: 5 })).matches, []);
      }),
    );

    it(
      'tells very long terms apart',
      withStore(async (store) => {
        const long = 'z'.repeat(70_000);
        await store.replaceDocument(sketchDocument('a', [{ text: `${long}1` }, { text: `${long}2` }]));
        const { matches } = await store.searchKeyword({ text: `${long}2`, limit: 5 });
        assert.deepEqual(
          matches.map((match) => match.chunkId),
          ['a#1'],
        );
      }),
    );
  });

  describe('scope of a search', () => {
    it(
      `agrees with the reference evaluator on ${generatedFilters} generated filters`,
      withStore(async (store) => {
        const random = createSeededRandom(7);
        const documents = Array.from({ length: 60 }, (_, index) =>
          sketchDocument(`d${index}`, [{ text: 'word' }], { metadata: index === 0 ? {} : generateMetadata(random) }),
        );
        for (const document of documents) await store.replaceDocument(document);
        for (const { document } of documents) {
          const stored = await store.getDocument(document.id);
          assert.deepEqual(
            Object.entries(stored?.metadata ?? {}).sort(),
            Object.entries(document.metadata)
              .map(([key, value]) => [key, value === 0 ? 0 : value])
              .sort(),
          );
        }
        let selective = 0;
        for (let round = 0; round < generatedFilters; round++) {
          const filter = generateFilter(random);
          const expected = documents
            .filter(({ document }) => filterMatches(filter, document.metadata))
            .map(({ document }) => `${document.id}#0`)
            .sort();
          const { matches } =
            round % 2 === 0
              ? await store.searchDense({ vector: query4, limit: 1_000, filter })
              : await store.searchKeyword({ text: 'word', limit: 1_000, filter });
          assert.deepEqual(matches.map((match) => match.chunkId).sort(), expected, JSON.stringify(filter));
          if (expected.length > 0 && expected.length < documents.length) selective++;
        }
        // Filters that match nothing or everything would prove little.
        assert.ok(selective > generatedFilters / 3, `${selective} of ${generatedFilters} were selective`);
      }),
    );

    it(
      'takes the largest filters that the grammar allows',
      withStore(async (store) => {
        await store.replaceDocument(sketchDocument('a', [{ text: 'word' }], { metadata: { n: 998, t: 'x' } }));
        const conditions = Array.from({ length: 999 }, (_, n): Filter => ({ equals: { key: 'n', value: n } }));
        const count = async (filter: Filter): Promise<number> =>
          (await store.searchKeyword({ text: 'word', limit: 5, filter })).matches.length;
        assert.equal(await count({ orAll: conditions }), 1);
        assert.equal(await count({ andAll: conditions }), 0);
        const values = Array.from({ length: 50_000 }, (_, n) => n);
        assert.equal(await count({ in: { key: 'n', value: values } }), 1);
        assert.equal(await count({ notIn: { key: 'n', value: values } }), 0);
        let nested: Filter = { equals: { key: 't', value: 'x' } };
        for (let level = 1; level < 32; level++) nested = { andAll: [nested] };
        assert.equal(await count(nested), 1);
      }),
    );

    it(
      'refuses what is no filter or no limit',
      withStore(async (store) => {
        await store.replaceDocument(sketchDocument('a', [{ text: 'word' }]));
        const filters = [{}, { almost: { key: 'a', value: 1 } }, { equals: { key: 'a' } }, { andAll: [] }, 'x', []];
        for (const filter of filters as never[]) {
          await assertRejects(store.searchDense({ vector: query4, limit: 1, filter }), 'invalid-filter');
          await assertRejects(store.searchKeyword({ text: 'word', limit: 1, filter }), 'invalid-filter');
        }
        for (const limit of [0, -1, 1e9, 10_001, 1.5, Number.NaN, '3' as never]) {
          await assertRejects(store.searchDense({ vector: query4, limit }), 'invalid-options');
          await assertRejects(store.searchKeyword({ text: 'word', limit }), 'invalid-options');
        }
        assert.equal((await store.searchKeyword({ text: 'word', limit: 10_000 })).matches.length, 1);
      }),
    );

    it(
      'can be a list of documents',
      withStore(async (store) => {
        for (const id of ['a', 'b', 'c']) {
          await store.replaceDocument(sketchDocument(id, [{ text: 'word' }], { metadata: { id } }));
        }
        const filter: Filter = { notEquals: { key: 'id', value: 'a' } };
        const search = async (documentIds: readonly string[], withFilter = false): Promise<string[][]> => {
          const scope = { limit: 10, documentIds, ...(withFilter ? { filter } : {}) };
          const results = [
            await store.searchDense({ vector: query4, ...scope }),
            await store.searchKeyword({ text: 'word', ...scope }),
          ];
          return results.map(({ matches }) => matches.map((match) => match.chunkId));
        };
        assert.deepEqual(await search(['c', 'a', 'absent', 'a']), [
          ['a#0', 'c#0'],
          ['a#0', 'c#0'],
        ]);
        assert.deepEqual(await search(['c', 'a'], true), [['c#0'], ['c#0']]);
        assert.deepEqual(await search([]), [[], []]);
        const many = Array.from({ length: 40_000 }, (_, index) => `no ${index}`);
        assert.deepEqual(await search([...many, 'b']), [['b#0'], ['b#0']]);
      }),
    );

    it(
      'stops for a signal',
      withStore(async (store) => {
        await store.replaceDocument(sketchDocument('a', [{ text: 'word' }]));
        const aborted = AbortSignal.abort();
        await assertRejects(store.searchDense({ vector: query4, limit: 1 }, aborted), 'aborted');
        await assertRejects(store.searchKeyword({ text: 'word', limit: 1 }, aborted), 'aborted');
        const controller = new AbortController();
        const search = store.searchKeyword({ text: 'word', limit: 1 }, controller.signal);
        controller.abort();
        await assertRejects(search, 'aborted');
        assert.equal((await store.searchKeyword({ text: 'word', limit: 1 })).matches.length, 1);
      }),
    );
  });

  describe('dense search', () => {
    it(
      'scores by cosine, whatever the length of the vectors',
      withStore(async (store) => {
        const vectors = [
          [1, 2, 3, 4],
          [1e-15, 2e-15, 3e-15, 4e-15],
          [1e15, 2e15, 3e15, -4e15],
          [-1, -2, -3, -4],
          [4, -3, 2, -1],
        ];
        await store.replaceDocument(
          sketchDocument(
            'a',
            vectors.map((vector) => ({ text: 'x', vector })),
          ),
        );
        const expected = referenceDenseSearch(
          vectors.map((vector, index) => [`a#${index}`, Float32Array.from(vector)] as const),
          query4,
        );
        const { matches } = await store.searchDense({ vector: query4, limit: 10 });
        assert.equal(matches.length, expected.length);
        for (const [index, { score }] of expected.entries()) {
          assert.equal(matches[index]?.documentId, 'a');
          assert.ok(Math.abs((matches[index]?.score ?? Number.NaN) - score) < 1e-6);
        }
        const scores = await store.scoreDense(query4, ['a#4', 'absent', 'a#0']);
        assert.ok(Math.abs((scores[0] ?? Number.NaN) - cosine(query4, Float32Array.of(4, -3, 2, -1))) < 1e-6);
        assert.equal(scores[1], undefined);
        assert.ok(Math.abs((scores[2] ?? Number.NaN) - 1) < 1e-6);
      }),
    );

    it(
      'breaks ties by chunk id, also at the limit',
      withStore(async (store) => {
        const ids = Array.from({ length: 50 }, (_, index) => `t${(index * 37) % 50}`);
        await store.replaceDocument(
          sketchDocument('a', [
            ...ids.map((id) => ({ id, text: 'same words', vector: [1, 2, 3, 4] })),
            { id: 'best', text: 'same words words words', vector: [4, 3, 2, 1] },
          ]),
        );
        const sorted = [...ids].sort();
        for (const limit of [1, 2, 7, 49, 50]) {
          const dense = await store.searchDense({ vector: query4, limit });
          assert.deepEqual(
            dense.matches.map((match) => match.chunkId),
            sorted.slice(0, limit),
          );
          const keyword = await store.searchKeyword({ text: 'same', limit });
          assert.deepEqual(
            keyword.matches.map((match) => match.chunkId),
            sorted.slice(0, limit),
          );
          const first = await store.searchDense({ vector: Float32Array.of(4, 3, 2, 1), limit });
          assert.deepEqual(
            first.matches.map((match) => match.chunkId),
            ['best', ...sorted].slice(0, limit),
          );
        }
      }),
    );

    it(
      `has recall after building, inserting, deleting and reopening (${recallVectors} vectors)`,
      withStore(async (store, reopen) => {
        const random = createSeededRandom(11);
        const draw = createClusteredVectors(random, recallDimensions, 40);
        const vectors = new Map<string, { readonly document: number; readonly vector: Float32Array }>();
        const chunksPerDocument = 20;
        const documents = Math.ceil(recallVectors / chunksPerDocument);
        const rare = (document: number): boolean => document % 100 === 0;
        let version = 0;
        const write = async (into: Store, document: number): Promise<void> => {
          forget(document);
          version++;
          const sketches = Array.from({ length: chunksPerDocument }, (_, index) => ({
            id: `${document}.${version}.${index}`,
            text: 'x',
            vector: draw(),
          }));
          for (const { id, vector } of sketches) vectors.set(id, { document, vector });
          const metadata = { rare: rare(document), half: document % 2 === 0 };
          await into.replaceDocument(sketchDocument(`d${document}`, sketches, { metadata }));
        };
        const forget = (document: number): void => {
          for (const [id, entry] of vectors) if (entry.document === document) vectors.delete(id);
        };
        const check = async (current: Store, stage: string): Promise<void> => {
          let found = 0;
          let wanted = 0;
          for (let round = 0; round < 50; round++) {
            const vector = draw();
            const expect = (matching: (document: number) => boolean, limit: number) => {
              const entries = [...vectors].filter(([, entry]) => matching(entry.document));
              const all = referenceDenseSearch(
                entries.map(([id, entry]) => [id, entry.vector] as const),
                vector,
              );
              return { best: new Set(all.slice(0, limit).map((match) => match.chunkId)), matching: entries.length };
            };
            const plain = await current.searchDense({ vector, limit: 10 });
            const { best } = expect(() => true, 10);
            found += plain.matches.filter((match) => best.has(match.chunkId)).length;
            wanted += best.size;
            assert.equal(plain.matches.length, best.size);
            if (round >= 5) continue;

            const exact = await current.searchDense({ vector, limit: 10, exact: true });
            assert.equal(exact.method, 'exact');
            assert.deepEqual(new Set(exact.matches.map((match) => match.chunkId)), best);
            const onlyRare: Filter = { equals: { key: 'rare', value: true } };
            for (const limit of [1, 10, 1_000]) {
              const { matches } = await current.searchDense({ vector, limit, filter: onlyRare });
              const reference = expect(rare, limit);
              assert.equal(matches.length, Math.min(limit, reference.matching), `${stage}: selective filter`);
              assert.deepEqual(new Set(matches.map((match) => match.chunkId)), reference.best);
            }
            const half: Filter = { equals: { key: 'half', value: true } };
            const broad = await current.searchDense({ vector, limit: 10_000, filter: half });
            assert.equal(broad.matches.length, Math.min(10_000, expect((n) => n % 2 === 0, 1).matching));
            const all = await current.searchDense({ vector, limit: 10_000 });
            assert.equal(all.matches.length, Math.min(10_000, vectors.size), `${stage}: everything`);
            const scores = all.matches.map((match) => match.score);
            assert.deepEqual(
              scores,
              [...scores].sort((left, right) => right - left),
            );
          }
          assert.ok(found / wanted >= 0.99, `${stage}: recall@10 is ${found / wanted}`);
        };

        for (let document = 0; document < documents; document++) await write(store, document);
        await check(store, 'before optimising');
        await store.optimise();
        await check(store, 'built');
        for (let document = 0; document < documents; document += 7) await write(store, document);
        await check(store, 'replaced');
        const deleted = Array.from({ length: documents }, (_, n) => n).filter((n) => n % 5 === 1);
        await store.deleteDocuments(deleted.map((document) => `d${document}`));
        for (const document of deleted) forget(document);
        await check(store, 'deleted');
        const reopened = await reopen();
        await check(reopened, 'reopened');
        await reopened.optimise();
        await check(reopened, 'optimised again');
        const again = await reopen();
        await check(again, 'reopened again');
        assert.equal((await again.stats()).index.vectors, vectors.size);
      }, recallDimensions),
    );

    it(
      'can be told to stop optimising, and loses nothing',
      withStore(async (store) => {
        await store.replaceDocument(sketchDocument('a', [{ text: 'x', vector: [1, 2, 3, 4] }]));
        await assertRejects(store.optimise({ signal: AbortSignal.abort() }), 'aborted');
        const seen: number[] = [];
        await store.optimise({ onProgress: ({ done, total }) => seen.push(done / Math.max(1, total)) });
        assert.ok(seen.every((share) => share >= 0 && share <= 1));
        assert.equal((await store.searchDense({ vector: query4, limit: 3 })).matches.length, 1);
      }),
    );
  });
}
