import type { Filter, FilterScalar } from '../filter.js';
import type { Metadata, MetadataValue } from '../metadata.js';
import type { SeededRandom } from './seeded-random.js';

// Few keys and values, so that filters and documents meet, and those that databases get wrong: quotes and wildcards,
// upper and lower case, numbers as text, the empty string, zeros of both signs, and characters whose order by UTF-16
// unit is not their order by code point.
const keys = ['country', 'year', "it's", 'draft', 'tags', 'a.b', '日本', '__proto__', 'constructor', '%'];
const texts = [
  '',
  'JP',
  'jp',
  'JPN',
  'US',
  '2024',
  '2024-01-31',
  '10',
  '9',
  'true',
  "O'Neil",
  'a%b',
  'a_b',
  '\\',
  '"quoted"',
  '東京',
  '東京都',
  '\uffe6',
  '😀',
  '😀😀',
  '["JP"]',
  "'; DROP TABLE documents; --",
];
const numbers = [
  -0, 0, 1, -1, 9, 10, 2024, 0.1, 0.30000000000000004, 1e-7, 1e21, 9_007_199_254_740_991, -5e-324, 1.7e308,
];

const randomList = (random: SeededRandom): string[] =>
  Array.from({ length: random.below(4) }, () => random.pick(texts));

const randomScalar = (random: SeededRandom): FilterScalar => {
  const kind = random.below(5);
  return kind < 2 ? random.pick(texts) : kind < 4 ? random.pick(numbers) : random.next() < 0.5;
};

const randomValue = (random: SeededRandom): MetadataValue =>
  random.below(4) === 0 ? randomList(random) : randomScalar(random);

/** Attributes of a document: up to as many as there are keys. */
export function generateMetadata(random: SeededRandom): Metadata {
  const entries = keys.filter(() => random.next() < 0.6).map((key) => [key, randomValue(random)] as const);
  // Unlike an assignment, this makes `__proto__` an attribute like any other.
  return Object.fromEntries(entries);
}

/** A filter of any operator, nested up to `depth` groups. */
export function generateFilter(random: SeededRandom, depth = 3): Filter {
  const key = random.pick(keys);
  const text = random.pick(texts);
  const ordered = random.next() < 0.5 ? text : random.pick(numbers);
  const scalarOrList = random.below(4) === 0 ? randomList(random) : randomScalar(random);
  const scalars = () => Array.from({ length: random.below(5) }, () => randomScalar(random));
  const group = () => Array.from({ length: 1 + random.below(3) }, () => generateFilter(random, depth - 1));
  const makers: readonly (() => Filter)[] = [
    () => ({ equals: { key, value: scalarOrList } }),
    () => ({ notEquals: { key, value: scalarOrList } }),
    () => ({ greaterThan: { key, value: ordered } }),
    () => ({ greaterThanOrEquals: { key, value: ordered } }),
    () => ({ lessThan: { key, value: ordered } }),
    () => ({ lessThanOrEquals: { key, value: ordered } }),
    () => ({ in: { key, value: scalars() } }),
    () => ({ notIn: { key, value: scalars() } }),
    () => ({ startsWith: { key, value: text } }),
    () => ({ listContains: { key, value: text } }),
    () => ({ stringContains: { key, value: text } }),
    () => ({ andAll: group() }),
    () => ({ orAll: group() }),
  ];
  return random.pick(depth > 0 ? makers : makers.slice(0, -2))();
}
