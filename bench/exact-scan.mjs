// Exact dense search without addons: the ten nearest of many vectors, in one thread, beside a plain loop and hnswlib's own
// brute force, which reads four times the bytes with the processor's vector instructions.
//
//   node bench/exact-scan.mjs [--vectors 20000] [--dimensions 1024] [--queries 50] [--structure clustered|random]
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { createClusteredVectors, createSeededRandom } from '@aquifer/contracts/testing';

const { values } = parseArgs({
  options: {
    vectors: { type: 'string', default: '20000' },
    dimensions: { type: 'string', default: '1024' },
    queries: { type: 'string', default: '50' },
    structure: { type: 'string', default: 'clustered' },
  },
});
const count = Number(values.vectors);
const dimensions = Number(values.dimensions);
const limit = 10;
const random = createSeededRandom(1);
const draw =
  values.structure === 'random'
    ? () => Float32Array.from({ length: dimensions }, () => random.gaussian())
    : createClusteredVectors(random, dimensions, 100);
const vectors = Array.from({ length: count }, draw);
const queries = Array.from({ length: Number(values.queries) }, draw);
const bytesOf = (vector) => new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);

// Not part of what the package exports: the scan itself, without SQLite and threads around it.
const internal = (file) => import(new URL(`../packages/local-store/dist/vectors/${file}.js`, import.meta.url));
const { createVectorTable } = await internal('vector-table');
const { createCodeBlocks } = await internal('code-blocks');
const { createPlainMemory } = await internal('inner-products');

let exactScores = 0;
const tableWith = (createBlocks) => {
  const table = createVectorTable({
    dimensions,
    createBlocks,
    readEmbedding: (number) => {
      exactScores++;
      return bytesOf(vectors[number]);
    },
  });
  for (const [number, vector] of vectors.entries()) table.add(number, 0, number, bytesOf(vector));
  return (query) => {
    const { numbers, scores, length } = table.nearest(query, limit);
    return Array.from({ length }, (_, index) => [numbers[index], scores[index]])
      .sort((left, right) => right[1] - left[1])
      .slice(0, limit)
      .map(([number]) => number);
  };
};
const norms = vectors.map((vector) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)));
const plainLoop = (query) => {
  const best = [];
  for (let row = 0; row < count; row++) {
    const vector = vectors[row];
    let a = 0;
    let b = 0;
    for (let at = 0; at + 1 < dimensions; at += 2) {
      a += query[at] * vector[at];
      b += query[at + 1] * vector[at + 1];
    }
    const score = (a + b) / norms[row];
    if (best.length === limit && score <= best[limit - 1][0]) continue;
    best.push([score, row]);
    best.sort((left, right) => right[0] - left[0]);
    if (best.length > limit) best.pop();
  }
  return best.map((entry) => entry[1]);
};
const bruteForce = () => {
  const { BruteforceSearch } = createRequire(import.meta.url)('hnswlib-node');
  const index = new BruteforceSearch('cosine', dimensions);
  index.initIndex(count);
  for (const [number, vector] of vectors.entries()) index.addPoint(Array.from(vector), number);
  return (query) => index.searchKnn(Array.from(query), limit).neighbors;
};

const systems = [
  ['a loop over 32-bit numbers', plainLoop],
  ['hnswlib-node 3.0.0, BruteforceSearch (addon)', bruteForce()],
  ['aquifer, codes and a plain loop (no WebAssembly)', tableWith((size) => createCodeBlocks(size, createPlainMemory))],
  ['aquifer, codes and WebAssembly', tableWith()],
];
const truth = queries.map(plainLoop);
console.log(
  `${count} × ${dimensions} ${values.structure} vectors, ${queries.length} queries, limit ${limit}, Node ${process.versions.node}\n`,
);
console.log(
  '| exact search | found of the true ten | CPU ms min | CPU ms p50 | exact scores a query |\n|---|---|---|---|---|',
);
for (const [name, search] of systems) {
  for (let warmUp = 0; warmUp < 5; warmUp++) search(queries[warmUp % queries.length]);
  exactScores = 0;
  let hits = 0;
  const times = queries.map((query, index) => {
    const began = process.cpuUsage();
    const found = search(query);
    const { user, system } = process.cpuUsage(began);
    hits += found.filter((number) => truth[index].includes(number)).length;
    return (user + system) / 1000;
  });
  times.sort((left, right) => left - right);
  const scored = exactScores === 0 ? 'all' : (exactScores / queries.length).toFixed(0);
  const recall = (hits / (limit * queries.length)).toFixed(3);
  console.log(`| ${name} | ${recall} | ${times[0].toFixed(1)} | ${times[times.length >> 1].toFixed(1)} | ${scored} |`);
}
