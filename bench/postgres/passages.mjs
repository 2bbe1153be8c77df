// Real text and real questions for the measurements on PostgreSQL: every few sentences in a row of the retrieval sets in ../shared/eval,
// embedded by the built-in embedder, which is deterministic. Vectors are kept in a temporary folder, to be used again.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBuiltinEmbedder } from '@aquifer/models';
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
export const dimensions = 1_024;

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

export async function embedAll(texts, purpose) {
  const embedder = createBuiltinEmbedder({ dimensions });
  const cache = join(tmpdir(), `aquifer-bench-${purpose}-${texts.length}-${dimensions}`);
  if (!existsSync(cache)) {
    const bytes = new Float32Array(texts.length * dimensions);
    for (let from = 0; from < texts.length; from += 256) {
      const { vectors } = await embedder.embed(texts.slice(from, from + 256), { purpose });
      for (const [index, vector] of vectors.entries()) bytes.set(vector, (from + index) * dimensions);
    }
    writeFileSync(cache, bytes);
  }
  const { buffer, byteOffset } = readFileSync(cache);
  const all = new Float32Array(buffer.slice(byteOffset, byteOffset + 4 * texts.length * dimensions));
  return texts.map((_, index) => all.subarray(index * dimensions, (index + 1) * dimensions));
}
