import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  checkScope,
  type Filter,
  type FilterScalar,
  filterMatches,
  isAquiferError,
  type Metadata,
  type MetadataValue,
  type Store,
} from '@aquifer/contracts';
import {
  createSeededRandom,
  generateFilter,
  type SeededRandom,
  sketchDocument,
  suiteAnalyser,
  suiteManifest,
} from '@aquifer/contracts/testing';
import { createParameters, filterToSql } from './filter-sql.js';
import { hostileText } from './hostile-text.test-fixture.js';
import { openPostgresStore } from './open-postgres-store.js';
import { startTestDatabase } from './postgres.test-fixture.js';
import { parsePostgresLocation } from './postgres-location.js';
import { createTransactions, type Transactions } from './transactions.js';

const database = await startTestDatabase();
after(() => database.stop());

// WebAssembly takes some ten times as long.
const sizes =
  database.kind === 'server'
    ? { filters: 100_000, searches: 3_000, misshapen: 10_000 }
    : { filters: 6_000, searches: 200, misshapen: 2_000 };
const documents = 24;
const filtersPerStatement = 250;

const numbers = [
  -0,
  0,
  1,
  -1,
  9,
  10,
  1e308,
  -1e308,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  5e-324,
  -5e-324,
  1e-320,
  2 ** 53,
  2 ** 53 + 2,
  0.1,
  0.1 + 0.2,
  1e21,
  1e-7,
];

/** Filters and attributes from one pool, so that they meet. */
function createPool(seed: number) {
  const random = createSeededRandom(seed);
  const many = <Item>(count: number, make: () => Item): Item[] => Array.from({ length: count }, make);
  const keys = many(40, () => hostileText(random, 200)).filter((key) => key !== '');
  keys.push('__proto__', 'constructor', 'k'.repeat(200), `${"'".repeat(199)}"`, '\u{10ffff}'.repeat(100));
  const texts = many(60, () => hostileText(random));
  // Rarely, or most of the time would go into copying them.
  const long = ['x'.repeat(50_000), "'".repeat(9_999), '\\'.repeat(777)];
  const text = (): string => (random.below(300) === 0 ? random.pick(long) : random.pick(texts));
  const list = (): string[] => many(random.below(4), text);
  const scalar = (): FilterScalar => random.pick([text, () => random.pick(numbers), () => random.next() < 0.5])();
  const value = (): MetadataValue => (random.below(4) === 0 ? list() : scalar());
  const metadata = (): Metadata =>
    Object.fromEntries(keys.filter(() => random.next() < 0.4).map((key) => [key, value()]));
  /** Of a text that some attribute has, so that prefixes and parts are found too. */
  const part = (): string => {
    const whole = text();
    const from = random.below(3) === 0 ? random.below(whole.length) : 0;
    return whole.slice(from, from + 1 + random.below(6)).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '');
  };
  const filter = (depth: number): Filter => {
    const key = random.pick(keys);
    const ordered = random.next() < 0.5 ? text() : random.pick(numbers);
    const group = () => many(1 + random.below(3), () => filter(depth - 1));
    const scalarOrList = random.below(4) === 0 ? list() : scalar();
    const scalars = many(random.below(6), scalar);
    const leaves: readonly Filter[] = [
      { equals: { key, value: scalarOrList } },
      { notEquals: { key, value: scalarOrList } },
      { greaterThan: { key, value: ordered } },
      { greaterThanOrEquals: { key, value: ordered } },
      { lessThan: { key, value: ordered } },
      { lessThanOrEquals: { key, value: ordered } },
      { in: { key, value: scalars } },
      { notIn: { key, value: scalars } },
      { startsWith: { key, value: part() } },
      { listContains: { key, value: text() } },
      { stringContains: { key, value: part() } },
    ];
    const kind = random.below(leaves.length + (depth > 0 ? 3 : 0));
    return leaves[kind] ?? (kind % 2 === 0 ? { andAll: group() } : { orAll: group() });
  };
  /** 31 groups, one in the other. */
  const deep = (): Filter => many(31, () => 0).reduce<Filter>((inner) => ({ orAll: [inner] }), filter(0));
  return {
    random,
    metadata,
    next: (): Filter => {
      const kind = random.below(100);
      if (kind === 0) return deep();
      if (kind === 1) return { orAll: many(40, () => filter(0)) };
      return kind < 6 ? generateFilter(random) : filter(2);
    },
  };
}

/** Anything but a filter: what a program might pass on that trusts its users. */
function misshapenFilter(random: SeededRandom, filter: Filter): unknown {
  const text = hostileText(random);
  const key = text === '' ? 'k' : text.slice(0, 200).toString();
  const deep = Array.from({ length: 33 }).reduce<Filter>((inner) => ({ andAll: [inner] }), filter);
  const makers: readonly (() => unknown)[] = [
    () => text,
    () => [filter],
    () => ({ [text]: { key, value: text } }),
    () => ({ equals: text }),
    () => ({ equals: { key: { toString: () => text }, value: 1 } }),
    () => ({ equals: { key, value: { toJSON: () => text } } }),
    () => ({ equals: { key, value: Number.NaN } }),
    () => ({ greaterThan: { key, value: Number.POSITIVE_INFINITY } }),
    () => ({ lessThan: { key, value: [text] } }),
    () => ({ in: { key, value: [[text]] } }),
    () => ({ in: { key, value: text } }),
    () => ({ equals: { key: `${text}\0`, value: text } }),
    () => ({ startsWith: { key, value: `\0${text}` } }),
    () => ({ stringContains: { key, value: `${text}\ud800` } }),
    () => ({ in: { key, value: [text, `\udc00${text}`] } }),
    () => ({ equals: { key: 'k'.repeat(201), value: text } }),
    () => ({ equals: { key: '', value: text } }),
    () => ({ equals: { key, value: text, tenant: text } }),
    () => ({ ...filter, orAll: [], andAll: [] }),
    () => ({ orAll: [] }),
    () => JSON.parse('{"__proto__": {"equals": {"key": "a", "value": 1}}}'),
    () => ({ orAll: Array.from({ length: 1_001 }, () => ({ equals: { key, value: 1 } })) }),
    () => deep,
  ];
  return random.pick(makers)();
}

describe('filters that are built to escape', () => {
  const pool = createPool(20_240_613);
  const location = database.location({ tenant: `filters ${process.pid}` });
  const name = new URL(location).searchParams.get('name') as string;
  const { tenant, knowledgeBase } = parsePostgresLocation(location);
  const metadata = new Map<string, Metadata>();
  let store: Store;
  let transactions: Transactions;
  before(async () => {
    transactions = createTransactions({ location: parsePostgresLocation(location) });
    const open = (address: string) => openPostgresStore({ location: address, analyser: suiteAnalyser });
    store = await open(location);
    // Another tenant, and another knowledge base, have the same attributes.
    const others = [
      await open(database.location({ tenant: `victim ${process.pid}`, name })),
      await open(database.location({ tenant })),
    ];
    for (const each of [store, ...others]) await each.writeManifest(suiteManifest(4));
    for (let n = 0; n < documents; n++) {
      const record = { metadata: n === 0 ? {} : pool.metadata() };
      metadata.set(`own ${n}`, record.metadata);
      await store.replaceDocument(sketchDocument(`own ${n}`, [{ text: 'word' }], record));
      for (const other of others)
        await other.replaceDocument(sketchDocument(`theirs ${n}`, [{ text: 'word' }], record));
    }
    for (const other of others) await other.close();
  });
  after(async () => {
    await store.close();
    await transactions.close();
  });

  const expected = (filter: Filter): string[] =>
    [...metadata].filter(([, attributes]) => filterMatches(filter, attributes)).map(([id]) => id);

  it(`mean in ${sizes.filters} cases what the reference says`, async () => {
    let selective = 0;
    for (let done = 0; done < sizes.filters; done += filtersPerStatement) {
      const filters = Array.from({ length: filtersPerStatement }, () => pool.next());
      const parameters = createParameters(tenant, knowledgeBase);
      const conditions = filters.map((filter) => `coalesce(${filterToSql(filter, parameters)}, false)`);
      const rows = await transactions.read((query) =>
        query(
          `SELECT id, ARRAY[${conditions.join(', ')}] AS found FROM aquifer.documents WHERE tenant = $1 AND knowledge_base = $2`,
          parameters.values,
        ),
      );
      assert.equal(rows.length, documents);
      for (const [index, filter] of filters.entries()) {
        checkScope({ limit: 1, filter });
        const found = rows.filter((row) => (row.found as boolean[])[index]).map((row) => row.id as string);
        const wanted = expected(filter);
        if (wanted.length > 0 && wanted.length < documents) selective++;
        assert.deepEqual(found.sort(), wanted.sort(), JSON.stringify(filter).slice(0, 2_000));
      }
    }
    assert.ok(selective > sizes.filters / 4, `${selective} were selective`);
  });

  it(`find in ${sizes.searches} searches what the reference says, and nothing of anybody else`, async () => {
    const filters = Array.from({ length: sizes.searches }, () => pool.next());
    const search = async (filter: Filter, turn: number): Promise<void> => {
      const scope = { limit: 1_000, filter };
      const { matches } =
        turn % 2 === 0
          ? await store.searchKeyword({ text: 'word', ...scope })
          : await store.searchDense({ vector: Float32Array.of(1, 1, 1, 1), ...scope });
      assert.deepEqual(
        matches.map(({ documentId }) => documentId).sort(),
        expected(filter).sort(),
        JSON.stringify(filter),
      );
    };
    for (let from = 0; from < filters.length; from += 8) {
      await Promise.all(filters.slice(from, from + 8).map(search));
    }
  });

  it(`are refused in ${sizes.misshapen} cases that are no filters, before the database hears of them`, async () => {
    // The size is an estimate over tables that other tests are filling.
    const counted = async () => ({ ...(await store.stats()), bytes: 0 });
    const before = await counted();
    for (let n = 0; n < sizes.misshapen; n++) {
      const filter = misshapenFilter(pool.random, pool.next()) as Filter;
      await assert.rejects(store.searchKeyword({ text: 'word', limit: 10, filter }), (error) => {
        assert.ok(isAquiferError(error, 'invalid-filter'), `${error} for ${JSON.stringify(filter)?.slice(0, 500)}`);
        return true;
      });
    }
    assert.deepEqual(await counted(), before);
  });
});
