// The built-in answerer on questions with known answers: how often its quotations hold the answer, and how often it abstains.
// Passages are the 8 best of a BM25 search over the set. "Other articles": the 8 best that are not from the answer's article,
// so that nothing answers the question. Weights were tuned on half of the articles; only the other half is asked here.
//
//   node bench/answers.mjs [--shared ../shared] [--limit 600]
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createBuiltinAnswerer } from '@aquifer/models';
import { createAnalyser } from '@aquifer/text-analysis';

const { values } = parseArgs({
  options: {
    shared: { type: 'string', default: fileURLToPath(new URL('../../shared', import.meta.url)) },
    limit: { type: 'string', default: '600' },
  },
});
const analyser = createAnalyser();
const answerer = createBuiltinAnswerer();
const passageCount = 8;

const readLines = (set, file) =>
  readFileSync(join(values.shared, 'eval', set, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const digest = (text) => Number.parseInt(createHash('md5').update(text).digest('hex').slice(0, 6), 16);
const percent = (part, whole) => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`);

/** A BM25 index over title (counted twice) and text; returns positions in the corpus, best first. */
function createSearch(corpus) {
  const postings = new Map();
  const lengths = corpus.map(({ title, text }, position) => {
    const terms = [...analyser.terms(title), ...analyser.terms(title), ...analyser.terms(text)];
    const counts = new Map();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, count] of counts) {
      if (!postings.has(term)) postings.set(term, []);
      postings.get(term).push([position, count]);
    }
    return terms.length;
  });
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  return (question) => {
    const scores = new Map();
    for (const term of analyser.terms(question)) {
      const found = postings.get(term) ?? [];
      const rarity = Math.log(1 + (corpus.length - found.length + 0.5) / (found.length + 0.5));
      for (const [position, count] of found) {
        const saturated = (count * 2.2) / (count + 1.2 * (0.25 + (0.75 * lengths[position]) / meanLength));
        scores.set(position, (scores.get(position) ?? 0) + rarity * saturated);
      }
    }
    return [...scores.keys()].sort((left, right) => scores.get(right) - scores.get(left));
  };
}

async function answer(question, documents) {
  const passages = documents.map(({ _id, title, text }, index) => ({
    ...{
      number: index + 1,
      documentId: _id,
      source: _id,
      title,
      headings: [],
      start: 0,
      end: text.length,
      text,
      tableHeader: '',
    },
  }));
  let text = '';
  let reason = '';
  for await (const event of answerer.generate({ system: '', user: '', question, passages })) {
    if (event.type === 'text') text += event.text;
    else reason = event.reason;
  }
  return { text, abstained: reason === 'abstained' };
}

console.log(
  '| set | questions | quotations hold the answer | wrongly abstains | characters | abstains: other articles | abstains: near misses (SQuAD 2.0) | ms |',
);
console.log('|---|---|---|---|---|---|---|---|');
for (const set of ['squad-v2-dev-half', 'jaquad-dev', 'jsquad-v1.3-valid']) {
  const corpus = readLines(set, 'corpus.jsonl').map((item) => ({
    ...item,
    text: item.text.replace(/^.*? \[SEP\] /, ''),
  }));
  const search = createSearch(corpus);
  const questions = readLines(set, 'qa.jsonl')
    .filter(({ title }) => digest(title) % 2 === 1)
    .sort((left, right) => digest(left.id) - digest(right.id))
    .slice(0, Number(values.limit));
  const count = {
    answerable: 0,
    hit: 0,
    wrong: 0,
    characters: 0,
    other: 0,
    otherAbstained: 0,
    near: 0,
    nearAbstained: 0,
  };
  let milliseconds = 0;
  let runs = 0;
  const timed = async (question, documents) => {
    const start = performance.now();
    const result = await answer(question, documents);
    milliseconds += performance.now() - start;
    runs += 1;
    return result;
  };
  for (const { question, answers, answerable, passage_id, title } of questions) {
    const ranked = search(question).map((position) => corpus[position]);
    const best = ranked.slice(0, passageCount);
    if (!answerable) {
      count.near += 1;
      if ((await timed(question, best)).abstained) count.nearAbstained += 1;
    } else if (best.some(({ _id }) => _id === passage_id)) {
      const { text, abstained } = await timed(question, best);
      count.answerable += 1;
      if (abstained) count.wrong += 1;
      else count.characters += text.length;
      if (!abstained && answers.some((gold) => text.includes(gold))) count.hit += 1;
    }
    count.other += 1;
    const elsewhere = ranked.filter((document) => document.title !== title).slice(0, passageCount);
    if ((await timed(question, elsewhere)).abstained) count.otherAbstained += 1;
  }
  const cells = [
    set,
    count.answerable,
    percent(count.hit, count.answerable),
    percent(count.wrong, count.answerable),
    Math.round(count.characters / (count.answerable - count.wrong)),
    percent(count.otherAbstained, count.other),
    percent(count.nearAbstained, count.near),
    (milliseconds / runs).toFixed(1),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
