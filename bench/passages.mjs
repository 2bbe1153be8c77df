// Real text and real questions to measure with: every few sentences in a row of the retrieval sets in ../shared/eval.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitSentences } from '@aquifer/text-analysis';

const sets = [
  'cranfield',
  'med',
  'cisi',
  'cacm',
  'squad-v2-dev-half',
  'hotpotqa-100',
  'jaquad-dev',
  'jsquad-v1.3-valid',
];

const readJsonLines = (path) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** `count` different passages: windows of three sentences over all sets, then of four, five and so on. */
export function readPassages(folder, count) {
  const documents = sets.flatMap((set) =>
    readJsonLines(join(folder, set, 'corpus.jsonl')).map(({ text }) => {
      return splitSentences(text).map(({ start, end }) => text.slice(start, end).trim());
    }),
  );
  const passages = new Set();
  for (const length of [3, 4, 5, 2, 6, 7, 8, 9, 1]) {
    for (const sentences of documents) {
      for (let from = 0; from === 0 || from + length <= sentences.length; from++) {
        const text = sentences.slice(from, from + length).join(' ');
        if (text.length > 0) passages.add(text);
        if (passages.size === count) return [...passages];
      }
    }
  }
  throw new Error(`The sets have ${passages.size} passages, not ${count}.`);
}

/** Questions that people asked, from every set in turn. */
export function readQuestions(folder, count) {
  const lists = sets.map((set) => readJsonLines(join(folder, set, 'queries.jsonl')).map(({ text }) => text));
  const questions = [];
  for (let at = 0; questions.length < count; at++) {
    const round = lists.flatMap((list) => list[at] ?? []);
    if (round.length === 0) throw new Error(`The sets have ${questions.length} questions, not ${count}.`);
    questions.push(...round);
  }
  return questions.slice(0, count);
}
