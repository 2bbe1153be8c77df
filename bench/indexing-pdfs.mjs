// A folder of PDFs to searchable, built-in embedder, beside what reading alone would take on all cores.
//
// Usage: node bench/indexing-pdfs.mjs <folder of PDFs> [rounds, default 2]
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKnowledgeBase } from 'aquifer';
import { pdfReader } from '../packages/documents/dist/reading/pdf.js';

const [folder, rounds = '2'] = process.argv.slice(2);
if (folder === undefined) throw new Error('Usage: node bench/indexing-pdfs.mjs <folder of PDFs> [rounds]');
const names = readdirSync(folder).filter((name) => name.endsWith('.pdf'));
const cores = availableParallelism();

/** Pages a second of the reader alone, in one thread, which has read a file before. */
async function readAlone() {
  const files = names.map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
  await pdfReader.read({ name: files[0].name, bytes: new Uint8Array(files[0].bytes) });
  let pages = 0;
  const startedAt = performance.now();
  for (const { name, bytes } of files)
    pages += (await pdfReader.read({ name, bytes: new Uint8Array(bytes) })).pages.length;
  return { pages, perSecond: (pages * 1_000) / (performance.now() - startedAt) };
}

/** Pages a second from opening a new index until all of it can be searched. */
async function index(pages) {
  const location = mkdtempSync(join(tmpdir(), 'aquifer-bench-pdfs-'));
  try {
    const startedAt = performance.now();
    const knowledgeBase = await openKnowledgeBase({ location });
    const { failed } = await knowledgeBase.index(folder);
    const { matches } = await knowledgeBase.search('total net sales', { limit: 1 });
    const seconds = (performance.now() - startedAt) / 1_000;
    await knowledgeBase.close();
    if (failed > 0 || matches.length === 0) throw new Error(`${failed} files failed`);
    return pages / seconds;
  } finally {
    rmSync(location, { recursive: true, force: true });
  }
}

console.log(`| round | reader alone, pages/s | × ${cores} cores | folder to searchable, pages/s | of it |`);
console.log('|---|---|---|---|---|');
for (let round = 1; round <= Number(rounds); round += 1) {
  const { pages, perSecond } = await readAlone();
  const indexed = await index(pages);
  const ideal = perSecond * cores;
  const share = `${((100 * indexed) / ideal).toFixed(0)} %`;
  console.log(`| ${round} | ${perSecond.toFixed(1)} | ${ideal.toFixed(1)} | ${indexed.toFixed(1)} | ${share} |`);
}
