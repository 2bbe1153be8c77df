// The shared index beside plain SQL on the same server: storing, searching with and without a filter, searching by keywords, and many tenants at once.
//
//   bash scripts/test-postgres.sh node bench/postgres.mjs [--stages store,search,keyword,tenants] [--data ../shared/eval]
//
// Text: sentences in a row of the sets in ../shared/eval, 25 passages a document; vectors of the built-in embedder, 1,024 dimensions; questions that people asked.
// The peers connect as the same role, or, where row-level security refuses COPY, as the superuser to a copy of the tables without it.
import { parseArgs } from 'node:util';
import { sketchDocument, suiteManifest } from '@aquifer/contracts/testing';
import { openPostgresStore } from '@aquifer/postgres-store';
import { createAnalyser } from '@aquifer/text-analysis';
import pg from 'pg';
import { readPassages, readQuestions } from './passages.mjs';
import { copyPlainly } from './postgres/plain-copy.mjs';
import { dimensions, embedAll } from './postgres/vectors.mjs';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/eval' },
    stages: { type: 'string', default: 'store,search,keyword,tenants' },
    chunks: { type: 'string', default: '50000' },
    'keyword-chunks': { type: 'string', default: '100000' },
    queries: { type: 'string', default: '100' },
    writers: { type: 'string', default: '4' },
  },
});
const address = process.env.AQUIFER_TEST_POSTGRES;
if (address === undefined) throw new Error('Run it with: bash scripts/test-postgres.sh node bench/postgres.mjs');
const stages = values.stages.split(',');
const count = Number(values.chunks);
const queryCount = Number(values.queries);
const perDocument = 25;
const analyser = createAnalyser();

const locationOf = (name, parameters = {}) => `${address}?${new URLSearchParams({ name, ...parameters })}`;
const open = (name, parameters) => openPostgresStore({ location: locationOf(name, parameters), analyser });
const client = async (user) => {
  const url = new URL(address);
  if (user) url.username = user;
  const opened = new pg.Client({ connectionString: url.href });
  await opened.connect();
  return opened;
};
const seconds = (started) => (performance.now() - started) / 1_000;
const quantile = (times, share) => [...times].sort((a, b) => a - b)[Math.floor((times.length - 1) * share)];
const fixed = (number, digits = 1) => number.toFixed(digits);

function documentOf(number, passages, vectors) {
  const from = number * perDocument;
  return sketchDocument(
    `d${number}`,
    passages.slice(from, from + perDocument).map((text, index) => ({
      id: `c${from + index}`,
      key: `${(from + index) % vectors.length}`.padStart(64, '0'),
      text,
      vector: vectors[(from + index) % vectors.length],
    })),
    { metadata: { rare: number % 100 === 0 } },
  );
}

async function fill(store, passages, vectors) {
  await store.writeManifest(suiteManifest(dimensions));
  let next = 0;
  const write = async () => {
    while (next * perDocument < passages.length) await store.replaceDocument(documentOf(next++, passages, vectors));
  };
  await Promise.all(Array.from({ length: Number(values.writers) }, write));
}

/** The best by brute force, among the chunks that `accepts`. Vectors of the built-in embedder have length 1. */
function bruteForce(vectors, query, accepts = () => true) {
  const scored = [];
  for (let number = 0; number < vectors.length; number++) {
    if (!accepts(number)) continue;
    const vector = vectors[number];
    let inner = 0;
    for (let at = 0; at < dimensions; at++) inner += vector[at] * query[at];
    scored.push([inner, `c${number}`]);
  }
  return scored.sort((left, right) => right[0] - left[0]).slice(0, 10);
}

/** Share of the ten best that were found; what scores as well as the tenth counts as it. */
const recallOf = (found, best) => {
  const worst = best.at(-1)[0] - 1e-6;
  return found.filter(({ score }) => score >= worst).length / best.length;
};

async function timed(queries, search) {
  for (const query of queries.slice(0, 20)) await search(query);
  const times = [];
  const results = [];
  for (const query of queries) {
    const started = performance.now();
    results.push(await search(query));
    times.push(performance.now() - started);
  }
  return { times, results, p50: quantile(times, 0.5), mean: times.reduce((a, b) => a + b) / times.length };
}

const passages = readPassages(
  values.data,
  Math.max(count, stages.includes('keyword') ? Number(values['keyword-chunks']) : 0),
);
const vectors = await embedAll(passages.slice(0, count), 'document');
const questions = readQuestions(values.data, 2 * queryCount);
const queryVectors = (await embedAll(questions, 'query')).slice(0, queryCount);
const literal = (vector) => `[${vector.join(',')}]`;
/** Opens a knowledge base with these passages; what an earlier run on the same server left is used as it is. */
async function opened(name, ownPassages, ownVectors) {
  const store = await open(name);
  if ((await store.readManifest()) === undefined) await fill(store, ownPassages, ownVectors);
  return store;
}

if (stages.includes('store')) {
  const store = await open('bench');
  const started = performance.now();
  await fill(store, passages.slice(0, count), vectors);
  const ours = seconds(started);
  console.log(
    `store: ${count} chunks in ${fixed(ours)} s, ${fixed(count / ours, 0)} chunks/s, ${values.writers} documents at a time`,
  );
  await store.close();
  const administrator = await client('postgres');
  const plain = await copyPlainly(administrator);
  console.log(
    `plain binary COPY of the same rows into the same tables, one after the other: ${fixed(plain.seconds)} s (${plain.rows} rows, ${fixed(plain.bytes / 2 ** 20, 0)} MB); ` +
      `the store reaches ${fixed((100 * plain.seconds) / ours, 0)} %`,
  );
  await administrator.end();
}

if (stages.includes('search')) {
  const store = await opened('bench', passages.slice(0, count), vectors);
  const started = performance.now();
  await store.optimise();
  console.log(`graph: built in ${fixed(seconds(started))} s`);
  const truth = queryVectors.map((query) => bruteForce(vectors, query));
  const isRare = (number) => Math.floor(number / perDocument) % 100 === 0;
  const rareTruth = queryVectors.map((query) => bruteForce(vectors, query, isRare));
  const peer = await client();
  await peer.query("SET aquifer.tenant = 'default'");
  const handWritten = async (efSearch) => {
    await peer.query(`SET hnsw.ef_search = ${efSearch}; SET hnsw.iterative_scan = relaxed_order; SET jit = off`);
    return timed(queryVectors, async (query) => {
      // As one writes it: the settings hold for a transaction, the statement is prepared once.
      await peer.query('BEGIN READ ONLY');
      const { rows } = await peer.query({
        name: 'nearest',
        text: `SELECT chunks.id, chunks.document_id, 1 - (embeddings.vector <=> $1::vector) AS score
               FROM aquifer.embeddings JOIN aquifer.chunks ON chunks.embedding_key = embeddings.key
                 AND chunks.tenant = 'default' AND chunks.knowledge_base = 'bench'
               WHERE embeddings.tenant = 'default' AND embeddings.knowledge_base = 'bench'
               ORDER BY embeddings.vector::vector(${dimensions}) <=> $1::vector::vector(${dimensions}) LIMIT 10`,
        values: [literal(query)],
      });
      await peer.query('COMMIT');
      return rows;
    });
  };
  const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  for (let round = 0; round < 2; round++) {
    for (const efSearch of [100]) {
      const theirs = await handWritten(efSearch);
      const recall = mean(theirs.results.map((rows, index) => recallOf(rows, truth[index])));
      console.log(
        `hand-written SQL, ef_search ${efSearch}: p50 ${fixed(theirs.p50, 2)} ms, recall@10 ${fixed(recall, 4)}`,
      );
    }
    const ours = await timed(queryVectors, (vector) => store.searchDense({ vector, limit: 10 }));
    const recall = mean(ours.results.map(({ matches }, index) => recallOf(matches, truth[index])));
    console.log(`searchDense: p50 ${fixed(ours.p50, 2)} ms, recall@10 ${fixed(recall, 4)}, ${ours.results[0].method}`);
    const filter = { equals: { key: 'rare', value: true } };
    const rare = await timed(queryVectors, (vector) => store.searchDense({ vector, limit: 10, filter }));
    const rareRecall = mean(rare.results.map(({ matches }, index) => recallOf(matches, rareTruth[index])));
    const least = Math.min(...rare.results.map(({ matches }) => matches.length));
    console.log(
      `filter of 1 %: p50 ${fixed(rare.p50, 2)} ms, recall@10 ${fixed(rareRecall, 4)}, at least ${least} results`,
    );
  }
  await peer.end();
  await store.close();
}

if (stages.includes('keyword')) {
  const wordPassages = passages.slice(0, Number(values['keyword-chunks']));
  // One vector for all: what is measured are words.
  const store = await opened('words', wordPassages, vectors.slice(0, 1));
  const queries = questions
    .map((text) => [...new Set(analyser.terms(text))].slice(0, 4))
    .filter((terms) => terms.length === 4);
  const { p50, times } = await timed(queries, (terms) => store.searchKeyword({ text: terms.join(' '), limit: 10 }));
  console.log(
    `keyword leg, ${wordPassages.length} chunks, 4 words: p50 ${fixed(p50)} ms, p95 ${fixed(quantile(times, 0.95))} ms (${times.length} queries)`,
  );
  await store.close();
}

if (stages.includes('tenants')) {
  const each = 5_000;
  const tenants = Array.from({ length: 20 }, (_, number) => `tenant-${number}`);
  const part = (number) => {
    const from = ((number % 10) * each) % count;
    return { passages: passages.slice(from, from + each), vectors: vectors.slice(from, from + each) };
  };
  const measure = async (tenant, number) => {
    const store = await open('own', { tenant });
    const { vectors: own } = part(number);
    const { p50, results } = await timed(queryVectors, (vector) => store.searchDense({ vector, limit: 10 }));
    const recall = results.reduce(
      (sum, { matches }, index) => sum + recallOf(matches, bruteForce(own, queryVectors[index])),
      0,
    );
    await store.close();
    return { p50, recall: recall / queryVectors.length };
  };
  const fillTenant = async (tenant, number) => {
    const store = await open('own', { tenant });
    const own = part(number);
    await fill(store, own.passages, own.vectors);
    await store.optimise();
    await store.close();
  };
  await fillTenant(tenants[0], 0);
  const alone = await measure(tenants[0], 0);
  for (const [number, tenant] of tenants.entries()) if (number > 0) await fillTenant(tenant, number);
  const all = [];
  for (const [number, tenant] of tenants.entries()) all.push(await measure(tenant, number));
  const p50 = all.reduce((sum, one) => sum + one.p50, 0) / all.length;
  const recall = Math.min(...all.map((one) => one.recall));
  console.log(
    `20 tenants × ${each}: p50 ${fixed(p50, 2)} ms, one alone ${fixed(alone.p50, 2)} ms, ${fixed(p50 / alone.p50, 2)} ×; least recall@10 ${fixed(recall, 4)}`,
  );
}
