// How much more two ingestion workers do than one on two cores: PDFs in, searchable in PostgreSQL. Each worker is a process with one reading thread and
// one document at a time. Workers run for days, so a first pass over the folder, in which V8 compiles them, is not counted; the time of the
// second is from the first job in the queue to the last document.
//
// Usage: bash scripts/test-postgres.sh node bench/workers.mjs <folder of PDFs> [rounds, default 2] [workers, default 1,2]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openKnowledgeBase } from '../packages/aquifer/dist/index.js';

const [folder, rounds = '2', counts = '1,2'] = process.argv.slice(2);
const server = process.env.AQUIFER_TEST_POSTGRES;
if (folder === undefined || server === undefined) {
  throw new Error('Usage: bash scripts/test-postgres.sh node bench/workers.mjs <folder of PDFs> [rounds] [workers]');
}
const main = fileURLToPath(new URL('../apps/ingestion-worker/dist/main.js', import.meta.url));
const locationOf = (name) => `${server}?name=${encodeURIComponent(`bench ${process.pid} ${name}`)}`;
const pdfs = readdirSync(folder).filter((name) => name.endsWith('.pdf'));

async function withBase(name, work) {
  const knowledgeBase = await openKnowledgeBase({ location: locationOf(name) });
  try {
    return await work(knowledgeBase);
  } finally {
    await knowledgeBase.close();
  }
}

async function measure(count, round) {
  const workers = [];
  for (let number = 0; number < count; number += 1) {
    const child = spawn(process.execPath, [main], {
      env: { PATH: process.env.PATH, AQUIFER_KB: server, AQUIFER_CONCURRENCY: '1', AQUIFER_THREADS: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const events = [];
    createInterface(child.stderr).on('line', (line) => events.push(JSON.parse(line)));
    while (!events.some(({ type }) => type === 'started')) await wait(50);
    workers.push({ child, events });
  }
  const pass = async (name) => {
    for (const { events } of workers) events.length = 0;
    const isDone = ({ type, knowledgeBase, status }) =>
      type === 'job' && knowledgeBase.endsWith(name) && !['retry', 'refused'].includes(status);
    const done = () => workers.map(({ events }) => events.filter(isDone).length);
    await withBase(name, async () => {});
    const startedAt = performance.now();
    await withBase(name, (knowledgeBase) => knowledgeBase.index(resolve(folder), { wait: false }));
    while (done().reduce((sum, count) => sum + count) < pdfs.length) await wait(20);
    const seconds = (performance.now() - startedAt) / 1000;
    const odd = workers.flatMap(({ events }) => events).filter((event) => !isDone(event));
    for (const event of odd) console.error(JSON.stringify(event));
    return { seconds, each: done() };
  };
  await pass(`${count} warm ${round}`);
  const name = `${count} workers ${round}`;
  const { seconds, each } = await pass(name);
  const { documents, chunks } = await withBase(name, (knowledgeBase) => knowledgeBase.status());
  for (const { child } of workers) {
    child.kill('SIGTERM');
    await once(child, 'close');
  }
  return { workers: count, seconds, documents, chunks, each };
}

const best = new Map();
for (let round = 0; round < Number(rounds); round += 1) {
  for (const count of counts.split(',').map(Number)) {
    const result = await measure(count, round);
    console.log(JSON.stringify(result));
    best.set(count, Math.min(best.get(count) ?? Number.POSITIVE_INFINITY, result.seconds));
  }
}
const [[, alone]] = best;
for (const [count, seconds] of best) {
  const rate = (pdfs.length / seconds).toFixed(2);
  console.log(`| ${count} | ${seconds.toFixed(1)} | ${rate} | ${(alone / seconds).toFixed(2)} × |`);
}
