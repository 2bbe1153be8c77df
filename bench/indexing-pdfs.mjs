// A folder of PDFs to searchable, built-in embedder, beside what reading alone would take on all cores, and beside LangChain.js with
// its PDFLoader. Each measurement has a process of its
// own, so that none finds code that another had compiled, or memory that it left.
//
// Usage: node bench/indexing-pdfs.mjs <folder of PDFs> [rounds, default 2]
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { byAquifer, byLangChain } from './to-searchable.mjs';

const [folder, rounds = '2', part] = isMainThread ? process.argv.slice(2) : workerData;
if (folder === undefined) throw new Error('Usage: node bench/indexing-pdfs.mjs <folder of PDFs> [rounds]');
const names = readdirSync(folder).filter((name) => name.endsWith('.pdf'));
// As an index does: so that no thread is left alone with a large file at the end.
const largestFirst = names.toSorted((a, b) => statSync(join(folder, b)).size - statSync(join(folder, a)).size);
const cores = availableParallelism();
const question = 'total net sales';

async function read(files) {
  const { pdfReader } = await import('../packages/documents/dist/reading/pdf.js');
  let pages = 0;
  for (const { name, bytes } of files)
    pages += (await pdfReader.read({ name, bytes: new Uint8Array(bytes) })).pages.length;
  return pages;
}
const contentOf = (name) => ({ name, bytes: readFileSync(join(folder, name)) });

/** Each says when its time starts. */
const parts = {
  /** In one thread, which has read a file before. */
  async reader(start) {
    const files = names.map(contentOf);
    await read(files.slice(0, 1));
    start();
    return await read(files);
  },

  /** As many threads as cores, each of which takes the next file, and does nothing but read: no index can be faster. */
  async threads(start) {
    start();
    const left = largestFirst.values();
    const workers = Array.from({ length: cores }, async () => {
      const worker = new Worker(new URL(import.meta.url), { workerData: [folder] });
      let pages = 0;
      for (const name of left) {
        worker.postMessage(name);
        const [read] = await once(worker, 'message');
        pages += read;
      }
      await worker.terminate();
      return pages;
    });
    return (await Promise.all(workers)).reduce((sum, pages) => sum + pages, 0);
  },

  async aquifer(start) {
    await byAquifer(folder, question, start);
  },

  async langchain(start) {
    const { PDFLoader } = await import('@langchain/community/document_loaders/fs/pdf');
    const load = async () => {
      const documents = [];
      for (const name of names) documents.push(...(await new PDFLoader(join(folder, name)).load()));
      return documents;
    };
    await byLangChain(load, question, start);
  },
};

async function measureHere(work) {
  let [startedAt, before] = [0, undefined];
  const pages = await work(() => {
    [startedAt, before] = [performance.now(), process.cpuUsage()];
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(before);
  return { pages, seconds, cpuSeconds: (user + system) / 1e6 };
}

function measure(name) {
  const program = fileURLToPath(import.meta.url);
  return JSON.parse(execFileSync(process.execPath, [program, folder, rounds, name], { encoding: 'utf8' }));
}

if (!isMainThread) {
  parentPort.on('message', async (name) => parentPort.postMessage(await read([contentOf(name)])));
} else if (part !== undefined) {
  process.stdout.write(JSON.stringify(await measureHere(parts[part])));
} else {
  const titles = {
    reader: 'reader alone, one thread',
    threads: `reader alone, ${cores} threads`,
    aquifer: '**Aquifer**, to searchable',
    langchain: 'LangChain.js, to searchable',
  };
  console.log(`| round | what | pages/s | CPU s | of one thread × ${cores} | LangChain.js = 1 |`);
  console.log('|---|---|---|---|---|---|');
  for (let round = 1; round <= Number(rounds); round += 1) {
    const measured = Object.fromEntries(Object.keys(parts).map((name) => [name, measure(name)]));
    const { pages, seconds } = measured.reader;
    for (const [name, { seconds: its, cpuSeconds }] of Object.entries(measured)) {
      const share = `${((100 * seconds) / cores / its).toFixed(0)} %`;
      const ratio = (measured.langchain.seconds / its).toFixed(2);
      console.log(
        `| ${round} | ${titles[name]} | ${(pages / its).toFixed(1)} | ${cpuSeconds.toFixed(1)} | ${share} | ${ratio} |`,
      );
    }
  }
}
