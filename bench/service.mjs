// The service under load, as a process of its own: searches on 16 connections beside the library's own call, answers streamed to many at once, and searches
// while files are sent and indexed.
//
//   node bench/service.mjs [--data ../shared/eval] [--chunks 20000] [--seconds 60] [--streams 500] [--files 1000]
//
// Text: sentences in a row of the retrieval sets in ../shared/eval, and questions that people asked.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createMemorySource, openKnowledgeBase } from 'aquifer';
import { createLeanClient } from './lean-client.mjs';
import { readPassages, readQuestions } from './passages.mjs';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/eval' },
    chunks: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '60' },
    streams: { type: 'string', default: '500' },
    files: { type: 'string', default: '1000' },
  },
});
const [chunkCount, seconds, streams, files] = [values.chunks, values.seconds, values.streams, values.files].map(Number);
const connections = 16;
const rounds = 4;
const passagesPerDocument = 20;
const bin = fileURLToPath(new URL('../apps/cli/bin/aquifer.js', import.meta.url));

const passages = readPassages(values.data, chunkCount + files);
const section = (number) => `## Passage ${number}\n\n${passages[number]}\n`;
const questions = readQuestions(values.data, 400);

const folder = await mkdtemp(join(tmpdir(), 'aquifer-bench-service-'));
const location = join(folder, 'index');
let child;
// By default a signal ends this process at once, and would leave the service and the folder behind.
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, async () => {
    await end();
    process.exit(exitCode);
  });
}
const port = await prepare();
const client = createLeanClient(port);
const base = '/v1/knowledge-bases/default';
try {
  await load();
  await streaming();
  await uploading();
} finally {
  client.close();
  await end();
}

async function end() {
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill();
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
}

async function prepare() {
  const knowledgeBase = await openKnowledgeBase({ location, chunkTokens: 256 });
  const documents = Array.from({ length: Math.ceil(chunkCount / passagesPerDocument) }, (_, index) => {
    const from = index * passagesPerDocument;
    const length = Math.min(passagesPerDocument, chunkCount - from);
    return {
      path: `passages/${index}.md`,
      text: Array.from({ length }, (_, each) => section(from + each)).join('\n'),
    };
  });
  await knowledgeBase.index(createMemorySource({ id: 'bench', documents }));
  const { chunks } = await knowledgeBase.status();
  console.log(`${chunks} chunks`);
  await knowledgeBase.close();
  child = spawn(process.execPath, [bin, 'serve', '--kb', location, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return Number(new URL(JSON.parse(line).url).port);
}

function postJson(path, body, headers = {}, by = client) {
  return by.send(path, { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
}

function search(number, headers = {}) {
  return postJson(`${base}/search`, { query: questions[number % questions.length], limit: 10 }, headers);
}

/** As callers do that keep no connection. */
function searchOnce(number) {
  return search(number, { connection: 'close' });
}

function quantile(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Calls on so many lines at once until the time is over, or `isOver` says so. */
async function repeat(call, lines, isOver) {
  const times = [];
  let errors = 0;
  let number = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: lines }, async () => {
      while (!isOver(performance.now() - startedAt)) {
        number += 1;
        const before = performance.now();
        try {
          const answer = await call(number);
          if (answer.status !== undefined && answer.status !== 200) errors += 1;
        } catch {
          errors += 1;
        }
        times.push(performance.now() - before);
      }
    }),
  );
  const rate = times.length / ((performance.now() - startedAt) / 1000);
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), rate, errors, count: times.length };
}

function print(name, { p50, p99, rate, errors, count }) {
  const times = `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ${rate.toFixed(0)}/s`;
  console.log(`${name}: ${times}, ${count} calls, ${errors} errors`);
}

async function load() {
  for (let number = 0; number < questions.length; number += 1) await search(number);
  const library = await openKnowledgeBase({ location, mode: 'read' });
  for (const question of questions) await library.search(question);
  const call = (number) => library.search(questions[number % questions.length], { limit: 10 });
  const until = (limit) => (ms) => ms > limit * 1000;
  print('library, 1 at a time', await repeat(call, 1, until(5)));
  print(`library, ${connections} at a time`, await repeat(call, connections, until(5)));
  await library.close();
  print('service, 1 connection', await repeat(search, 1, until(5)));
  print(`service, ${connections} connections`, await repeat(search, connections, until(seconds)));
  print(
    `service, ${connections} at a time, each on a connection of its own`,
    await repeat(searchOnce, connections, until(10)),
  );
}

/** Of the service, which is not asked: it would have to answer in between. */
function residentMb() {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Several times, each on connections of its own: what answers the first time has not been compiled yet. */
async function streaming() {
  for (let round = 1; round <= rounds; round += 1) await streamAtOnce(round);
}

async function streamAtOnce(round) {
  const before = residentMb();
  let most = before;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, residentMb());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const asking = createLeanClient(port);
  const answers = await Promise.all(
    Array.from({ length: streams }, (_, number) => {
      const question = questions[number % questions.length];
      return postJson(`${base}/ask`, { question }, { accept: 'text/event-stream' }, asking);
    }),
  );
  isOver = true;
  await watching;
  asking.close();
  const whole = answers.filter(({ status, text }) => status === 200 && isWhole(text)).length;
  const firsts = answers.map(({ firstMs }) => firstMs);
  const lasts = answers.map(({ ms }) => ms);
  console.log(
    `${streams} streams at once, round ${round}: ${whole} whole, first byte p50 ${quantile(firsts, 0.5).toFixed(0)} ms, p99 ${quantile(firsts, 0.99).toFixed(0)} ms, ` +
      `last byte p99 ${quantile(lasts, 0.99).toFixed(0)} ms, ${(most - before).toFixed(0)} MB more memory (${before.toFixed(0)} before)`,
  );
}

/** Whether all of its events came: the pieces are the answer that the last event holds. */
function isWhole(text) {
  const events = text
    .split('\n\n')
    .filter((block) => block.startsWith('event: '))
    .map((block) => {
      const [name, data] = block.split('\n');
      return { type: name.slice('event: '.length), data: JSON.parse(data.slice('data: '.length)) };
    });
  const pieces = events.filter(({ type }) => type === 'text').map(({ data }) => data.text);
  const last = events.at(-1);
  return events[0]?.type === 'search' && last?.type === 'answer' && pieces.join('') === last.data.answer;
}

async function uploading() {
  const lines = 4;
  print(`search on ${lines} connections, idle`, await repeat(search, lines, (ms) => ms > 10_000));
  const boundary = 'bench-service';
  const parts = Array.from({ length: files }, (_, number) => {
    const head = `content-disposition: form-data; name="file"; filename="sent/${number}.md"`;
    return `--${boundary}\r\n${head}\r\n\r\n# Sent ${number}\n\n${section(chunkCount + number)}\r\n`;
  });
  let isOver = false;
  const searching = repeat(search, lines, () => isOver);
  const startedAt = performance.now();
  const sent = await client.send(`${base}/documents`, {
    body: `${parts.join('')}--${boundary}--\r\n`,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  });
  const { job } = JSON.parse(sent.text);
  const { text } = await client.send(`/v1/jobs/${job.id}/events`);
  isOver = true;
  const done = JSON.parse(text.trim().split('\n').at(-1).slice('data: '.length));
  console.log(
    `${files} files sent and indexed in ${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${done.status}`,
  );
  print('search meanwhile', await searching);
}
