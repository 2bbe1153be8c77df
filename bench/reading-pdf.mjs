// Pages a second of processor time (so that other work on the machine counts less): the PDF reader beside plain `pdf-parse` getText, on the same files. Each runs in processes of its own, in turns.
//   node bench/reading-pdf.mjs <folder with PDF files> [most files, default 6] [rounds, default 2]
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ways = {
  '`pdf-parse` getText': async () => {
    const documents = createRequire(new URL('../packages/documents/package.json', import.meta.url));
    const { PDFParse } = await import(documents.resolve('pdf-parse'));
    return async (bytes) => {
      const parser = new PDFParse({ data: new Uint8Array(bytes), verbosity: 0 });
      const { total } = await parser.getText();
      await parser.destroy();
      return total;
    };
  },
  '`@aquifer/documents` (structure, tables, pages)': async () => {
    const { pdfReader } = await import('../packages/documents/dist/reading/pdf.js');
    return async (bytes, name) => (await pdfReader.read({ bytes, name })).pages.length;
  },
};

const [folder, most = '6', rounds = '2', way] = process.argv.slice(2);
if (folder === undefined)
  throw new Error('Usage: node bench/reading-pdf.mjs <folder with PDF files> [most files] [rounds]');

const cpuMs = ({ user, system }) => (user + system) / 1000;

if (way !== undefined) {
  const read = await ways[way]();
  const names = readdirSync(folder).filter((name) => name.endsWith('.pdf'));
  const files = names.slice(0, Number(most)).map((name) => [readFileSync(join(folder, name)), name]);
  await read(...files[0]);
  const start = process.cpuUsage();
  let pages = 0;
  for (const file of files) pages += await read(...file);
  console.log(JSON.stringify({ pages, ms: cpuMs(process.cpuUsage(start)) }));
} else {
  const totals = Object.fromEntries(Object.keys(ways).map((name) => [name, { pages: 0, ms: 0 }]));
  for (let round = 0; round < Number(rounds); round++) {
    for (const [name, total] of round % 2 === 0 ? Object.entries(totals) : Object.entries(totals).reverse()) {
      const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), folder, most, rounds, name]);
      const { pages, ms } = JSON.parse(String(output));
      total.pages += pages;
      total.ms += ms;
    }
  }
  const base = Object.values(totals)[0].ms;
  console.log('| reader | pages | pages/CPU s | CPU time, pdf-parse = 1 |\n|---|---|---|---|');
  for (const [name, { pages, ms }] of Object.entries(totals)) {
    console.log(`| ${name} | ${pages} | ${((pages / ms) * 1000).toFixed(1)} | ${(ms / base).toFixed(2)} |`);
  }
}
