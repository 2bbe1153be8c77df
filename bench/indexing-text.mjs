// A folder of text and Markdown to searchable, built-in embedder, beside LangChain.js. Each measurement has a process of its own, so that none finds code that another had compiled.
//
// The folder is made of the passages of the retrieval sets in ../shared/eval: files of some 400, 60 and 8 kB, in turn.
//
// Usage: node bench/indexing-text.mjs [megabytes, default 8] [rounds, default 2]
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPassages } from './passages.mjs';
import { byAquifer, byLangChain } from './to-searchable.mjs';

const [megabytes = '8', rounds = '2', part, madeFolder] = process.argv.slice(2);
const data = process.env.AQUIFER_SHARED ? join(process.env.AQUIFER_SHARED, 'eval') : '../shared/eval';
const fileBytes = [400_000, 60_000, 8_000, 60_000];
const question = 'Who won the first election?';

function makeFolder(folder) {
  const passages = readPassages(data, 60_000);
  let [file, next, bytes] = [0, 0, 0];
  for (; bytes < Number(megabytes) * 1e6; file += 1) {
    let text = `# Document ${file}\n\n`;
    for (const size = fileBytes[file % fileBytes.length]; text.length < size; next += 1) {
      if (next % 7 === 0) text += `## Section ${next}\n\n`;
      text += `${passages[next % passages.length]}\n\n`;
    }
    writeFileSync(join(folder, `${file}.${file % 2 ? 'md' : 'txt'}`), text);
    bytes += Buffer.byteLength(text);
  }
}

/** Each gives its number of chunks. */
const parts = {
  aquifer: (folder) => byAquifer(folder, question),

  async langchain(folder) {
    const { Document } = await import('@langchain/core/documents');
    const load = async () =>
      readdirSync(folder).map(
        (name) => new Document({ pageContent: readFileSync(join(folder, name), 'utf8'), metadata: { source: name } }),
      );
    return await byLangChain(load, question);
  },
};

if (part !== undefined) {
  const startedAt = performance.now();
  const chunks = await parts[part](madeFolder);
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const seconds = (performance.now() - startedAt) / 1_000;
  const result = { chunks, seconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMb: maxRSS / 1024 };
  process.stdout.write(JSON.stringify(result));
} else {
  const folder = join(mkdtempSync(join(tmpdir(), 'aquifer-bench-text-')), 'folder');
  mkdirSync(folder);
  try {
    makeFolder(folder);
    console.log('| round | what | chunks | s | MB/s | CPU s | peak MB | LangChain.js = 1 |');
    console.log('|---|---|---|---|---|---|---|---|');
    for (let round = 1; round <= Number(rounds); round += 1) {
      const measured = Object.keys(parts).map((name) => {
        const program = fileURLToPath(import.meta.url);
        const output = execFileSync(process.execPath, [program, megabytes, rounds, name, folder], { encoding: 'utf8' });
        return [name, JSON.parse(output)];
      });
      const slowest = measured.at(-1)[1].seconds;
      for (const [name, { chunks, seconds, cpuSeconds, peakMb }] of measured) {
        const title = name === 'aquifer' ? '**Aquifer**' : 'LangChain.js';
        const times = [seconds, Number(megabytes) / seconds, cpuSeconds].map((value) => value.toFixed(1)).join(' | ');
        console.log(
          `| ${round} | ${title} | ${chunks} | ${times} | ${peakMb.toFixed(0)} | ${(slowest / seconds).toFixed(2)} |`,
        );
      }
    }
  } finally {
    rmSync(join(folder, '..'), { recursive: true, force: true });
  }
}
