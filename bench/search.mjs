// Dense search over many vectors: recall@10 against brute force, time of a query, and how long the caller's event loop was
// held up, after building, inserting, deleting and reopening; beside hnswlib-node as it comes.
//
//   node bench/search.mjs [--vectors 20000] [--dimensions 1024] [--queries 100] [--structure clustered|random] [--index auto,hnsw]
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createClusteredVectors, createSeededRandom, sketchDocument, suiteManifest } from '@aquifer/contracts/testing';
import { openLocalStore } from '@aquifer/local-store';

const { values } = parseArgs({
  options: {
    vectors: { type: 'string', default: '20000' },
    dimensions: { type: 'string', default: '1024' },
    queries: { type: 'string', default: '100' },
    structure: { type: 'string', default: 'clustered' },
    index: { type: 'string', default: 'auto,hnsw' },
  },
});
const vectorCount = Number(values.vectors);
const dimensions = Number(values.dimensions);
const chunksPerDocument = 20;
const documentCount = Math.ceil(vectorCount / chunksPerDocument);
const analyser = { version: 'suite-1', terms: (text) => text.split(' ') };

const random = createSeededRandom(1);
const draw =
  values.structure === 'random'
    ? () => Float32Array.from({ length: dimensions }, () => random.gaussian())
    : createClusteredVectors(random, dimensions, 100);
const queries = Array.from({ length: Number(values.queries) }, draw);
// Document number → its vectors, as the index should hold them.
const first = new Map(
  Array.from({ length: documentCount }, (_, document) => [document, Array.from({ length: chunksPerDocument }, draw)]),
);
const inserted = new Map(
  Array.from({ length: documentCount / 10 }, (_, index) => [
    documentCount + index,
    Array.from({ length: chunksPerDocument }, draw),
  ]),
);
const isRare = (document) => document % 100 === 0;

const idOf = (document, index) => `${document}#${index}`;
const squaredLength = (vector) => vector.reduce((sum, value) => sum + value * value, 0);
function bruteForce(documents, accepts, query) {
  const scored = [];
  for (const [document, vectors] of documents) {
    if (!accepts(document)) continue;
    for (let index = 0; index < vectors.length; index++) {
      const vector = vectors[index];
      let inner = 0;
      for (let at = 0; at < dimensions; at++) inner += query[at] * vector[at];
      vector.norm ??= Math.sqrt(squaredLength(vector));
      scored.push([inner / vector.norm, idOf(document, index)]);
    }
  }
  return new Set(
    scored
      .sort((left, right) => right[0] - left[0])
      .slice(0, 10)
      .map((entry) => entry[1]),
  );
}

const rows = [];
const quantile = (times, share) =>
  [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))];
async function measure(system, stage, truth, search) {
  for (let warmUp = 0; warmUp < 5; warmUp++) await search(queries[warmUp % queries.length]);
  // A graph on disk is loaded behind the first searches.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const times = [];
  let hits = 0;
  let wanted = 0;
  let method = '';
  for (const [index, query] of queries.entries()) {
    const began = performance.now();
    const { ids, how } = await search(query);
    times.push(performance.now() - began);
    // Without a turn of the event loop its delay would not be seen.
    await nextTurn();
    method = how;
    hits += ids.filter((id) => truth[index].has(id)).length;
    wanted += truth[index].size;
  }
  delay.disable();
  rows.push([
    system,
    stage,
    method,
    (hits / wanted).toFixed(4),
    quantile(times, 0.5).toFixed(2),
    quantile(times, 0.99).toFixed(2),
    (delay.max / 1e6).toFixed(1),
  ]);
}

const truths = new Map();
function truthOf(stage, documents, accepts = () => true) {
  if (!truths.has(stage))
    truths.set(
      stage,
      queries.map((query) => bruteForce(documents, accepts, query)),
    );
  return truths.get(stage);
}

async function benchStore(index) {
  const system = `aquifer, index ${index}`;
  const location = await mkdtemp(join(tmpdir(), 'aquifer-bench-'));
  let store = await openLocalStore({ location, analyser, index });
  await store.writeManifest(suiteManifest(dimensions));
  const now = new Map();
  const write = async ([document, vectors]) => {
    const sketches = vectors.map((vector, at) => ({ id: idOf(document, at), text: 'some words', vector }));
    await store.replaceDocument(sketchDocument(`d${document}`, sketches, { metadata: { rare: isRare(document) } }));
    now.set(document, vectors);
  };
  const search = (scope) => async (vector) => {
    const { matches, method } = await store.searchDense({ vector, limit: 10, ...scope });
    return { ids: matches.map((match) => match.chunkId), how: method };
  };
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const writeAll = async (documents) => {
    delay.reset();
    delay.enable();
    const began = performance.now();
    for (const entry of documents) await write(entry);
    const wrote = performance.now();
    await store.optimise();
    delay.disable();
    return { writeMs: wrote - began, optimiseMs: performance.now() - wrote, maxDelayMs: delay.max / 1e6 };
  };
  const built = await writeAll(first);
  console.error(
    `${system}: ${first.size * chunksPerDocument} vectors written in ${(built.writeMs / 1000).toFixed(1)} s, optimised in ${(built.optimiseMs / 1000).toFixed(1)} s, event loop held up ${built.maxDelayMs.toFixed(1)} ms at most`,
  );
  console.error(JSON.stringify((await store.stats()).index));
  await measure(system, 'built', truthOf('built', now), search());
  const filter = { equals: { key: 'rare', value: true } };
  await measure(system, 'filter 1 %', truthOf('filter', now, isRare), search({ filter }));
  await writeAll(inserted);
  await measure(system, 'inserted', truthOf('inserted', now), search());
  const gone = [...now.keys()].filter((document) => document % 7 === 3);
  await store.deleteDocuments(gone.map((document) => `d${document}`));
  for (const document of gone) now.delete(document);
  await measure(system, 'deleted', truthOf('deleted', now), search());
  await store.close();
  store = await openLocalStore({ location, analyser, index });
  await measure(system, 'reopened', truthOf('deleted', now), search());
  await store.close();
  await rm(location, { recursive: true });
}

function hnswlib() {
  const { HierarchicalNSW } = createRequire(import.meta.url)('hnswlib-node');
  const labels = [];
  const graph = new HierarchicalNSW('cosine', dimensions);
  graph.initIndex(vectorCount);
  const began = performance.now();
  for (const [document, vectors] of first) {
    for (const [index, vector] of vectors.entries()) {
      graph.addPoint(Array.from(vector), labels.length);
      labels.push({ document, id: idOf(document, index) });
    }
  }
  console.error(`hnswlib-node: built in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return (accepts) => async (vector) => {
    const { neighbors } = graph.searchKnn(
      Array.from(vector),
      10,
      accepts && ((label) => accepts(labels[label].document)),
    );
    return { ids: neighbors.map((label) => labels[label].id), how: 'ef 10' };
  };
}

for (const index of values.index.split(',')) await benchStore(index);
const peer = hnswlib();
await measure('hnswlib-node 3.0.0, defaults', 'built', truthOf('built'), peer());
await measure('hnswlib-node 3.0.0, defaults', 'filter 1 %', truthOf('filter'), peer(isRare));

console.log(
  `${vectorCount} × ${dimensions} ${values.structure} vectors, ${queries.length} queries, limit 10, Node ${process.versions.node}\n`,
);
console.log('| system | after | method | recall@10 | ms p50 | ms p99 | event loop held up, ms at most |');
console.log('|---|---|---|---|---|---|---|');
for (const row of rows) console.log(`| ${row.join(' | ')} |`);
