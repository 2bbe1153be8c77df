// Reads many files that were changed at random, with every reader, and checks that each is read or refused with a reason:
//   node scripts/fuzz-readers.mjs [--files 10000] [--seed 1] [--only <number>] [--format <id>] [--timeout-seconds 20] [--memory-mb 256] [--show too-large]
// The same seed makes the same files from the same samples. Ends with 1 and keeps the files of which one of these is true: the reading thread crashed; the limit
// on time did not hold; the error has no code or the wrong one; the text breaks the rules; the same bytes gave another text;
// something was thrown where nobody catches it.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { isAquiferError } from '@aquifer/contracts';
import { assertWellFormed, createSeededRandom } from '@aquifer/contracts/testing';
import { createDocumentReader } from '@aquifer/documents';
import { formats } from '../packages/documents/dist/reading/formats.js';
import { mutate } from './fuzz/mutations.mjs';
import { seedsByFormat } from './fuzz/seeds.mjs';

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    format: { type: 'string' },
    show: { type: 'string' },
    'timeout-seconds': { type: 'string', default: '20' },
    'memory-mb': { type: 'string', default: '256' },
  },
});
const [files, seed] = [Number(values.files), Number(values.seed)];
const timeoutMs = Number(values['timeout-seconds']) * 1_000;
/** For the timer to fire and the thread to end, on a machine that is busy. */
const graceMs = 10_000;
const codes = ['unsupported-format', 'password-required', 'invalid-document', 'too-large'];
const readTwiceEvery = 20;

const limits = { timeoutMs, maxMemoryMb: Number(values['memory-mb']), threads: 2 };
const reader = createDocumentReader(limits);
let pictureReader;
try {
  pictureReader = createDocumentReader({ ...limits, threads: 1, ocrLanguages: ['eng'] });
} catch {
  // Without OCR, pictures are refused, which is tested all the same.
}

const seeds = await seedsByFormat();
const problems = [];
const kept = mkdtempSync(join(tmpdir(), 'aquifer-fuzz-'));
const report = (problem, number, name, bytes) => {
  const file = join(kept, `${seed}-${number}-${basename(name)}`);
  if (bytes) writeFileSync(file, bytes);
  problems.push(problem);
  console.log(`✖ --seed ${seed} --only ${number}: ${problem}${bytes ? `\n  ${file}` : ''}`);
};
for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, (error) => report(`${event}: ${error?.stack ?? error}`, '?', '', undefined));
}

const tested = formats.filter(({ id }) => seeds.get(id).length > 0 && (values.format ?? id) === id);
for (const { id, needsRecogniser } of formats) {
  if (seeds.get(id).length > 0) continue;
  if (!needsRecogniser)
    report(`there is no sample of the format ${id}: add one to scripts/fuzz/seeds.mjs`, '-', id, undefined);
}
/** Recognising takes a hundred times as long as reading, so pictures get a small share. */
const turns = tested.flatMap((format) => Array(format.needsRecogniser ? 1 : 10).fill(format));
const everything = [...seeds.values()].flat().map(({ bytes }) => bytes);
const rows = new Map(
  tested.map(({ id }) => [
    id,
    { files: 0, read: 0, slowestMs: 0, ...Object.fromEntries(codes.map((code) => [code, 0])) },
  ]),
);

async function tryFile(number) {
  const random = createSeededRandom(Math.imul(seed, 0x9e3779b1) ^ number);
  const format = random.pick(turns);
  const sample = random.pick(seeds.get(format.id));
  const bytes = mutate(
    random,
    sample.bytes,
    random.next() < 0.7 ? seeds.get(format.id).map((each) => each.bytes) : everything,
  );
  const name = `fuzz-${sample.name}`;
  const row = rows.get(format.id);
  const startedAt = performance.now();
  const first = await attempt(format, name, bytes);
  const ms = performance.now() - startedAt;
  row.files++;
  row.slowestMs = Math.max(row.slowestMs, ms);
  if (first.problem) return report(first.problem, number, name, bytes);
  if (values.show && first.error?.code === values.show) console.log(`${number} ${name}: ${first.error.message}`);
  if (first.error) row[first.error.code]++;
  else row.read++;
  if (number % readTwiceEvery !== 0 || first.error?.code === 'too-large') return;
  const second = await attempt(format, name, bytes);
  try {
    assert.deepEqual(second, first);
  } catch {
    report('the same bytes were read differently the second time', number, name, bytes);
  }
}

async function attempt(format, name, bytes) {
  const startedAt = performance.now();
  let outcome;
  try {
    const input = { bytes: Buffer.from(bytes), name };
    const document = await (format.needsRecogniser && pictureReader ? pictureReader : reader).read(input);
    outcome = { document };
    assertWellFormed(document);
  } catch (error) {
    if (outcome) return { problem: `the text breaks the rules: ${error.message}` };
    if (!isAquiferError(error) || !codes.includes(error.code))
      return { problem: `not an error of reading: ${error?.stack ?? error}` };
    if (/the reader stopped/.test(error.message)) return { problem: `the thread crashed: ${error.message}` };
    outcome = { error: { code: error.code, message: error.message } };
  }
  // With its grace, and again for what waited in front of it.
  const limitMs = (format.needsRecogniser ? 5 : 1) * timeoutMs + graceMs;
  if (performance.now() - startedAt > limitMs)
    return { problem: `it took ${Math.round(performance.now() - startedAt)} ms, over the limit` };
  return outcome;
}

const startedAt = performance.now();
if (values.only !== undefined) {
  await tryFile(Number(values.only));
} else {
  // Two at once, as many as there are threads, so that nothing waits and the time of each is its own.
  let next = 1;
  const work = async () => {
    while (next <= files) await tryFile(next++);
  };
  await Promise.all([work(), work()]);
}
await Promise.all([reader.close(), pictureReader?.close()]);

console.log(
  `\n| reader | samples | files | read | ${codes.join(' | ')} | slowest ms |\n|---|${'--:|'.repeat(codes.length + 4)}`,
);
for (const [id, row] of rows) {
  console.log(
    `| ${id} | ${seeds.get(id).length} | ${row.files} | ${row.read} | ${codes.map((code) => row[code]).join(' | ')} | ${Math.round(row.slowestMs)} |`,
  );
}
console.log(
  `\n${values.only === undefined ? files : 1} files, seed ${seed}, ${Math.round((performance.now() - startedAt) / 1_000)} s, ${problems.length} problems`,
);
console.log(`${problems.length === 0 ? 1 : 0} passed, ${problems.length === 0 ? 0 : 1} failed, 0 skipped`);
process.exitCode = problems.length === 0 ? 0 : 1;
