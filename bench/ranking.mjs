/**
 * Ranking quality on BEIR-style sets, through the library as people use it: default settings, documents as the unit.
 *
 *   node bench/ranking.mjs --data ../shared/eval                          built-in embedder
 *   node bench/ranking.mjs --data ../shared/eval --models ../shared/models    beside all-MiniLM-L6-v2 and multilingual-e5-small
 *   --sets cacm,med   only these;   --keep <folder>   keep the indexes there and use them again
 *   --store postgres  in the shared store instead of folders: bash scripts/test-postgres.sh node bench/ranking.mjs --store postgres
 *
 * nDCG with linear gain, as trec_eval and BEIR count it; the first 1,000 judged queries in file order.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createMemorySource, openKnowledgeBase } from 'aquifer';

/** What careful, simple methods reach: BM25, and BM25 fused with a sentence embedding. nDCG@10 and recall@10. */
const floors = {
  cacm: { keyword: [0.514, 0.361], fused: [0.551, 0.364], language: 'en' },
  cisi: { keyword: [0.393, 0.135], fused: [0.441, 0.14], language: 'en' },
  cranfield: { keyword: [0.381, 0.41], fused: [0.421, 0.46], language: 'en' },
  'hotpotqa-100': { keyword: [0.829, 0.9], fused: [0.845, 0.91], language: 'en' },
  med: { keyword: [0.696, 0.319], fused: [0.802, 0.372], language: 'en' },
  'squad-v2-dev-half': { keyword: [0.883, 0.961], fused: [0.905, 0.981], language: 'en' },
  'jaquad-dev': { keyword: [0.9, 0.978], fused: [0.922, 0.989], language: 'ja' },
  'jsquad-v1.3-valid': { keyword: [0.928, 0.97], fused: [0.941, 0.982], language: 'ja' },
};
const modelFolders = { en: 'all-MiniLM-L6-v2', ja: 'multilingual-e5-small-en-ja' };
const maxQueries = 1_000;
const depth = 10;
/** Chunks to ask for, so that ten different documents are among them. */
const chunkLimit = 60;

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/eval' },
    models: { type: 'string' },
    sets: { type: 'string', default: Object.keys(floors).join(',') },
    keep: { type: 'string' },
    weights: { type: 'string' },
    store: { type: 'string', default: 'folder' },
  },
});
const database = options.store === 'postgres' ? process.env.AQUIFER_TEST_POSTGRES : undefined;
if (options.store === 'postgres' && database === undefined)
  throw new Error(
    '--store postgres needs a server: bash scripts/test-postgres.sh node bench/ranking.mjs --store postgres',
  );
const weights = options.weights?.split(',').map(Number) ?? [undefined];

const readLines = (path) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');

function loadSet(name) {
  const folder = join(options.data, name);
  const judgements = new Map();
  for (const line of readLines(join(folder, 'qrels/test.tsv')).slice(1)) {
    const [query, document, grade] = line.split('\t');
    if (Number(grade) <= 0) continue;
    if (!judgements.has(query)) judgements.set(query, new Map());
    judgements.get(query).set(document, Number(grade));
  }
  const queries = readLines(join(folder, 'queries.jsonl'))
    .map((line) => JSON.parse(line))
    .filter(({ _id }) => judgements.has(_id))
    .slice(0, maxQueries);
  return { documents: readLines(join(folder, 'corpus.jsonl')).map((line) => JSON.parse(line)), queries, judgements };
}

const discounted = (grades) =>
  grades.slice(0, depth).reduce((sum, grade, rank) => sum + grade / Math.log2(rank + 2), 0);

function score(ranked, grades) {
  const ideal = discounted([...grades.values()].sort((a, b) => b - a));
  const found = ranked.slice(0, depth).map((id) => grades.get(id) ?? 0);
  return { ndcg: discounted(found) / ideal, recall: found.filter((grade) => grade > 0).length / grades.size };
}

async function openIndexed(name, embedder, documents) {
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'aquifer-ranking-'));
  const index = `${name}-${embedder.split(/[/\\:]/).at(-1)}`;
  const location = database === undefined ? join(folder, index) : `${database}?name=${index}`;
  const knowledgeBase = await openKnowledgeBase({ location, embedder });
  const source = createMemorySource({
    id: name,
    // A document that has nothing but a title says its title.
    documents: documents
      .filter(({ title, text }) => title.trim() !== '' || text.trim() !== '')
      .map(({ _id, title, text }) => ({
        path: encodeURIComponent(_id),
        text: text.trim() === '' ? title : text,
        mediaType: 'text/plain',
        title: title.trim(),
        metadata: { id: _id },
      })),
  });
  const { failed } = await knowledgeBase.index(source);
  if (failed > 0) throw new Error(`${name}: ${failed} documents could not be indexed`);
  const close = async () => {
    await knowledgeBase.close();
    if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
  };
  return { knowledgeBase, close };
}

async function measure(name, embedder, { documents, queries, judgements }) {
  const { knowledgeBase, close } = await openIndexed(name, embedder, documents);
  try {
    const results = [];
    for (const denseWeight of weights) {
      const sums = { ndcg: 0, recall: 0 };
      const times = [];
      for (const query of queries) {
        const started = performance.now();
        const { matches } = await knowledgeBase.search(query.text, {
          limit: chunkLimit,
          ...(denseWeight === undefined ? {} : { denseWeight }),
        });
        times.push(performance.now() - started);
        const ranked = [...new Set(matches.map(({ metadata }) => metadata.id))];
        const { ndcg, recall } = score(ranked, judgements.get(query._id));
        sums.ndcg += ndcg / queries.length;
        sums.recall += recall / queries.length;
      }
      times.sort((a, b) => a - b);
      results.push({ ...sums, denseWeight, medianMs: times[times.length >> 1] });
    }
    return results;
  } finally {
    await close();
  }
}

const cell = ({ ndcg, recall }, floor) =>
  `${ndcg.toFixed(3)} / ${recall.toFixed(3)}${Number(ndcg.toFixed(3)) < floor[0] ? ' ✖' : ''}`;

console.log('| set | documents / queries | built-in | BM25 | with model | BM25 and the same model | ms a query |');
console.log('|---|---|---|---|---|---|---|');
for (const name of options.sets.split(',')) {
  const set = loadSet(name);
  const { keyword, fused, language } = floors[name];
  const builtin = await measure(name, 'builtin', set);
  const model =
    options.models === undefined
      ? undefined
      : await measure(name, `onnx:${resolve(options.models, modelFolders[language])}`, set);
  builtin.forEach((result, index) => {
    const label = result.denseWeight === undefined ? name : `${name}, dense ${result.denseWeight}`;
    console.log(
      `| ${label} | ${set.documents.length} / ${set.queries.length} | ${cell(result, keyword)} | ${keyword.join(' / ')} ` +
        `| ${model === undefined ? '' : cell(model[index], fused)} | ${fused.join(' / ')} | ${result.medianMs.toFixed(1)} |`,
    );
  });
}
