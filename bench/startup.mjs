// The whole process `aquifer search` on a warm index of 10,000 chunks, from start to exit.
//   node bench/startup.mjs [chunks] [runs]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMemorySource, openKnowledgeBase } from 'aquifer';

const [chunks = 10_000, runs = 9] = process.argv.slice(2).map(Number);
const bin = fileURLToPath(new URL('../apps/cli/bin/aquifer.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'aquifer-startup-'));

// Distinct vocabularies, so that terms are neither all common nor all rare.
let seed = 1;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};
const word = () => `w${Math.floor(random() ** 3 * 20_000).toString(36)}`;
const documents = Array.from({ length: chunks }, (_, n) => ({
  path: `note-${n}.txt`,
  text: Array.from({ length: 120 }, word).join(' '),
}));

const knowledgeBase = await openKnowledgeBase({ location: folder });
const summary = await knowledgeBase.index(createMemorySource({ id: 'startup', documents }));
await knowledgeBase.close();

const time = (args) => {
  const samples = [];
  for (let run = 0; run <= runs; run++) {
    const startedAt = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    if (run > 0) samples.push(performance.now() - startedAt);
  }
  samples.sort((a, b) => a - b);
  return { min: samples[0], median: samples[samples.length >> 1], max: samples.at(-1) };
};
const rows = [
  ['node, nothing', time(['-e', '0'])],
  ['aquifer --version', time([bin, '--version'])],
  [
    `aquifer search, ${summary.chunks.toLocaleString('en')} chunks`,
    time([bin, 'search', 'w1a w2b w3c', '--kb', folder, '--json']),
  ],
];
console.log('| process, start to exit | min ms | median ms | max ms |\n|---|---|---|---|');
for (const [name, { min, median, max }] of rows) {
  console.log(`| ${name} | ${min.toFixed(0)} | ${median.toFixed(0)} | ${max.toFixed(0)} |`);
}
rmSync(folder, { recursive: true });
