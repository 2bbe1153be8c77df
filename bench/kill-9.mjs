// Indexing runs that are killed (SIGKILL) at random instants, and what is left of them. For every kill:
//   after it     every visible document is whole: its text is one that its file had, and all its chunks have keywords and vectors
//   the next run ends with the same index as a run that nobody disturbed
//   embedded     no text of a document that was visible after the kill is embedded again, and of the others no more than
//                the batches that the embedder was working on
//
// Half of the runs fill a new index; the other half bring one up to date: new, edited, moved and deleted files.
// Instants are drawn evenly over what an undisturbed run takes, from opening the index to closing it.
//
// Usage: node bench/kill-9.mjs [kills, default 1000] [seed, default 1]
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embeddedText } from '@aquifer/contracts';
import { createChunker, createDocumentReader, parseSidecar } from '@aquifer/documents';
import { createFolderSource, createIngestor } from '@aquifer/ingestion';
import { openLocalStore } from '@aquifer/local-store';
import { createAnalyser } from '@aquifer/text-analysis';

const dimensions = 32;
const embedBatchSize = 8;
const embedConcurrency = 2;
/** More than 2 ms a text, as every model takes: the ingestor then keeps vectors as soon as they are made. */
const msPerText = 2.5;
const analyser = createAnalyser();
// Counting words loads no vocabulary, so that a process is ready sooner.
const tokenCounter = { id: 'words', count: (text) => text.split(/\s+/).length };
const chunker = createChunker({ tokenCounter, maxTokens: 40, overlapTokens: 0 });

function createLoggingEmbedder(log) {
  return {
    fingerprint: { provider: 'bench', model: 'hash', dimensions, normalised: false },
    dimensions,
    maxInputTokens: 1_000,
    fusionWeight: 0.5,
    async embed(texts) {
      await new Promise((resolve) => setTimeout(resolve, msPerText * texts.length));
      appendFileSync(log, texts.map((text) => `${JSON.stringify(text)}\n`).join(''));
      const vectors = texts.map((text) => {
        const bytes = createHash('sha256').update(text).digest();
        return Float32Array.from({ length: dimensions }, (_, index) => bytes[index] - 127.5);
      });
      return { vectors, tokens: texts.map(({ length }) => length) };
    },
  };
}

/** One run of `aquifer index`, with the graph, from opening to closing. */
async function runIndexing({ files, location, log }) {
  const embedder = createLoggingEmbedder(log);
  const store = await openLocalStore({ location, analyser, index: 'hnsw' });
  const reader = createDocumentReader({ threads: 1 });
  try {
    if ((await store.readManifest()) === undefined) {
      await store.writeManifest({
        schemaVersion: 1,
        knowledgeBase: { id: '0000000000', name: 'bench' },
        embedder: embedder.fingerprint,
        chunker: chunker.fingerprint,
        analyser: analyser.version,
        metric: 'cosine',
        createdAt: 0,
      });
    }
    const recognises = (name) => reader.mediaType(name) !== undefined;
    const source = createFolderSource({ root: files, recognises, parseSidecar });
    const ingestor = createIngestor({ store, reader, chunker, embedder, embedBatchSize, embedConcurrency });
    await ingestor.run(source);
    await store.optimise();
    await store.writeValue('last-run', 'done');
  } finally {
    await reader.close();
    await store.close();
  }
}

async function main(kills, seed) {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-kill-'));
  const random = seededRandom(seed);
  const startedAt = performance.now();
  try {
    const scenarios = [];
    for (const make of [firstRun, update]) scenarios.push(await prepare(await make(folder), folder));

    const counts = { visible: 0, partly: 0, finished: 0, twice: 0, mostTwice: 0 };
    let next = startChild();
    for (let kill = 0; kill < kills; ) {
      const scenario = scenarios[kill % scenarios.length];
      // A little beyond the end, to notice when runs take longer than before.
      const afterMs = random() * scenario.ms * 1.1;
      const child = next;
      next = startChild();
      const where = `kill ${kill} of seed ${seed}, ${scenario.name}, after ${afterMs.toFixed(1)} ms`;
      try {
        if (await killOnce(scenario, await child, afterMs, folder, counts)) kill++;
        else counts.finished++;
      } catch (error) {
        console.error(where);
        (await next).kill('SIGKILL');
        throw error;
      }
      if (process.stderr.isTTY) process.stderr.write(`\r${kill} of ${kills}`);
    }
    (await next).kill('SIGKILL');
    if (process.stderr.isTTY) process.stderr.write('\r');
    console.log(`Node ${process.version}, ${availableParallelism()} cores, ${kills} kills with seed ${seed}\n`);
    console.log('| | |\n|---|---|');
    console.log(`| runs killed at random instants | ${kills} |`);
    console.log(`| of them with some documents visible, not all | ${counts.partly} |`);
    console.log(`| runs that ended before the signal, not counted | ${counts.finished} |`);
    console.log(`| documents looked at after the kills, all whole | ${counts.visible} |`);
    console.log(`| next runs that ended as an undisturbed run does | ${kills} |`);
    console.log(`| texts of visible documents embedded again | 0 |`);
    console.log(
      `| texts embedded again after one kill (batches under way: ${embedBatchSize * embedConcurrency}) | at most ${counts.mostTwice}, ${(counts.twice / kills).toFixed(2)} on average |`,
    );
    console.log(`| seconds | ${((performance.now() - startedAt) / 1_000).toFixed(0)} |`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns whether the signal came before the end. */
async function killOnce(scenario, child, afterMs, folder, counts) {
  const location = join(folder, 'index');
  const [killedLog, nextLog] = [join(folder, 'killed.log'), join(folder, 'next.log')];
  for (const path of [location, killedLog, nextLog]) rmSync(path, { recursive: true, force: true });
  if (scenario.base !== undefined) cpSync(scenario.base, location, { recursive: true, preserveTimestamps: true });

  const ended = once(child, 'exit');
  const startedAt = performance.now();
  child.send({ files: scenario.files, location, log: killedLog });
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  const [code, signal] = await ended;
  clearTimeout(timer);
  assert.ok(signal === 'SIGKILL' || code === 0, `the run ended with ${code ?? signal}`);
  if (signal === null) {
    // The machine is busier or less so than when this was measured.
    scenario.ms = (scenario.ms + performance.now() - startedAt) / 2;
    return false;
  }

  const left = await readIndex(location);
  for (const { record, content, chunks } of left.documents) {
    assert.equal(record.status, 'indexed');
    assert.ok(scenario.texts.has(content.text), `${record.source} has a text that its file never had`);
    assert.equal(record.chunkCount, chunks.length, record.source);
    for (const { start, end, text } of chunks) assert.equal(text, content.text.slice(start, end));
  }
  const chunkIds = left.documents.flatMap(({ chunks }) => chunks.map(({ id }) => id)).sort();
  assert.deepEqual(left.dense.map(({ chunkId }) => chunkId).sort(), chunkIds, 'vectors');
  assert.deepEqual(left.keyword.map(({ chunkId }) => chunkId).sort(), chunkIds, 'keywords');
  counts.visible += left.documents.length;
  if (left.documents.length > 0 && !isEqual(left, scenario.expected)) counts.partly++;

  await runIndexing({ files: scenario.files, location, log: nextLog });
  assert.deepEqual(await readIndex(location), scenario.expected);
  const names = readdirSync(location);
  assert.deepEqual(
    names.filter((name) => !/^(index\.sqlite|writer\.lock|vectors\.codes|graph\.header|graph-\w+\.hnsw)$/.test(name)),
    [],
  );
  assert.equal(names.filter((name) => name.startsWith('graph-')).length, 1, 'one graph');

  const before = embeddedTexts(killedLog);
  const after = embeddedTexts(nextLog);
  assert.equal(new Set(after).size, after.length, 'a text was embedded twice in one run');
  const twice = after.filter((text) => before.includes(text));
  const visible = left.documents.flatMap(({ chunks }) => chunks.map(embeddedText));
  for (const text of after) assert.ok(!visible.includes(text), `embedded again: ${text}`);
  assert.ok(twice.length <= embedBatchSize * embedConcurrency, `${twice.length} texts were embedded again`);
  counts.twice += twice.length;
  counts.mostTwice = Math.max(counts.mostTwice, twice.length);
  return true;
}

/** Everything that an index says, but times. */
async function readIndex(location) {
  let store;
  try {
    store = await openLocalStore({ location, analyser, mode: 'read', index: 'hnsw' });
  } catch (error) {
    assert.equal(error.code, 'index-not-found', error.message);
    return { documents: [], dense: [], keyword: [] };
  }
  try {
    const documents = [];
    for (const { indexedAt: _, ...record } of await store.listDocuments({ limit: 10_000 })) {
      documents.push({ record, content: await store.getContent(record.id), chunks: await store.listChunks(record.id) });
    }
    if ((await store.readManifest()) === undefined) return { documents, dense: [], keyword: [] };
    const vector = Float32Array.from({ length: dimensions }, (_, index) => (index % 5) - 2);
    const { matches: dense } = await store.searchDense({ vector, limit: 10_000, exact: true });
    const { matches: keyword } = await store.searchKeyword({ text: 'everywhere', limit: 10_000 });
    return { documents, dense, keyword };
  } finally {
    await store.close();
  }
}

const isEqual = (left, right) => JSON.stringify(left) === JSON.stringify(right);

function embeddedTexts(log) {
  if (!existsSync(log)) return [];
  // The last line may be cut short.
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

/** A process that has loaded everything and waits for its job. */
async function startChild() {
  const child = fork(fileURLToPath(import.meta.url), ['child'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(child, 'message');
  return child;
}

/** The expected outcome of a scenario and what it takes, from undisturbed runs. */
async function prepare(scenario, folder) {
  const location = join(folder, 'undisturbed');
  const times = [];
  let expected;
  for (let round = 0; round < 3; round++) {
    rmSync(location, { recursive: true, force: true });
    if (scenario.base !== undefined) cpSync(scenario.base, location, { recursive: true, preserveTimestamps: true });
    const child = await startChild();
    const ended = once(child, 'exit');
    const startedAt = performance.now();
    child.send({ files: scenario.files, location, log: join(folder, 'undisturbed.log') });
    assert.deepEqual((await ended)[0], 0);
    times.push(performance.now() - startedAt);
    const outcome = await readIndex(location);
    if (expected !== undefined) assert.deepEqual(outcome, expected);
    expected = outcome;
  }
  assert.equal(expected.documents.length, readdirSync(scenario.files).length);
  return { ...scenario, expected, ms: times.sort((a, b) => a - b)[1] };
}

const paragraphsOf = (name, version) =>
  Array.from({ length: 4 }, (_, n) => {
    const words = createHash('sha256').update(`${name} ${n} ${version}`).digest('hex').match(/.{4}/g).slice(0, 6);
    return `Paragraph ${n} of ${name} stands everywhere with ${words.join(' ')}.`;
  }).join('\n\n');

let written = 0;
function writeNote(files, name, version, texts) {
  const text = paragraphsOf(name, version);
  texts.add(text);
  const file = join(files, name);
  writeFileSync(file, text);
  // Long ago and each at another second, so that nothing depends on how quickly this script runs.
  const seconds = 1_700_000_000 + ++written;
  utimesSync(file, seconds, seconds);
}

function firstRun(folder) {
  const files = join(folder, 'first');
  mkdirSync(files);
  const texts = new Set();
  for (let n = 0; n < 20; n++) writeNote(files, `note-${n}.txt`, 1, texts);
  return { name: 'first run', files, texts };
}

async function update(folder) {
  const files = join(folder, 'update');
  mkdirSync(files);
  const texts = new Set();
  for (let n = 0; n < 20; n++) writeNote(files, `note-${n}.txt`, 1, texts);
  const base = join(folder, 'base');
  await runIndexing({ files, location: base, log: join(folder, 'base.log') });
  for (let n = 0; n < 8; n++) writeNote(files, `note-${n}.txt`, 2, texts);
  for (let n = 8; n < 11; n++) renameSync(join(files, `note-${n}.txt`), join(files, `moved-${n}.txt`));
  for (let n = 11; n < 14; n++) rmSync(join(files, `note-${n}.txt`));
  for (let n = 20; n < 26; n++) writeNote(files, `note-${n}.txt`, 1, texts);
  return { name: 'update', files, texts, base };
}

function seededRandom(seed) {
  // mulberry32, by Tommy Ettinger (public domain)
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

if (process.argv[2] === 'child') {
  process.once('message', async (job) => {
    await runIndexing(job);
    process.disconnect();
  });
  process.send('ready');
} else {
  await main(Number(process.argv[2] ?? 1_000), Number(process.argv[3] ?? 1));
}
