// A folder of very many small files: the first run, the graph after it, a run in which nothing changed, a dry run; and for
// comparison what it takes to read and hash the same files and do nothing with them.
//
// Usage: node bench/many-files.mjs [files, default 20000] [files in one folder, default 1000]
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKnowledgeBase } from 'aquifer';

const fileCount = Number(process.argv[2] ?? 20_000);
const filesPerFolder = Number(process.argv[3] ?? 1_000);

const words = (
  'people may take leave after a year of work and ask for it early so that others can plan the office covers travel by ' +
  'train and one night in a hotel while meals are paid up to a daily limit receipts are kept for seven years and sent ' +
  'with the form in the month of the journey questions go to the team that wrote this page'
).split(' ');
let seed = 11;
const random = (below) => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return (seed >>> 8) % below;
};
const sentence = () => `${Array.from({ length: 8 + random(10) }, () => words[random(words.length)]).join(' ')}.`;

const folder = mkdtempSync(join(tmpdir(), 'aquifer-bench-many-'));
const files = join(folder, 'files');
for (let n = 0; n < fileCount; n += 1) {
  const inner = join(files, `folder-${Math.floor(n / filesPerFolder)}`);
  if (n % filesPerFolder === 0) mkdirSync(inner, { recursive: true });
  const text = Array.from({ length: 2 + random(6) }, sentence).join(' ');
  writeFileSync(join(inner, `note-${n}.md`), `# Note ${n}\n\n${text}\n`);
}

const rows = [];
async function measure(what, work) {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  const said = (await work()) ?? '';
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  const perSecond = Math.round(fileCount / seconds).toLocaleString('en-US');
  const row = [what, `${seconds.toFixed(1)} s`, `${cpuSeconds.toFixed(1)} s`, perSecond];
  rows.push([...row, `${Math.round(process.resourceUsage().maxRSS / 1_024)} MB`, said]);
}

try {
  // Freshly written files are read once more (their time says nothing yet), which is not what is measured.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await measure('read and hash, 16 at once', async () => {
    for (const inner of await readdir(files)) {
      const names = await readdir(join(files, inner));
      const next = names.values();
      const work = async () => {
        for (const name of next) {
          await stat(join(files, inner, name));
          createHash('sha256')
            .update(await readFile(join(files, inner, name)))
            .digest('hex');
        }
      };
      await Promise.all(Array.from({ length: 16 }, work));
    }
  });
  const location = join(folder, 'index');
  let committedAt;
  const knowledgeBase = await openKnowledgeBase({ location });
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  let cpuAtCommit;
  await measure('first run, graph included', async () => {
    const summary = await knowledgeBase.index(files, {
      onProgress: ({ done, total }) => {
        if (done !== total || total === 0) return;
        committedAt = performance.now();
        cpuAtCommit = process.cpuUsage(cpuBefore);
      },
    });
    if (summary.new !== fileCount) throw new Error(`${summary.new} of ${fileCount} files were indexed.`);
    return `${summary.chunks} chunks`;
  });
  const seconds = (committedAt - startedAt) / 1_000;
  const perSecond = Math.round(fileCount / seconds).toLocaleString('en-US');
  const cpuSeconds = (cpuAtCommit.user + cpuAtCommit.system) / 1e6;
  rows.push(['of it to the last commit', `${seconds.toFixed(1)} s`, `${cpuSeconds.toFixed(1)} s`, perSecond, '', '']);
  await measure('nothing changed', async () => {
    const { unchanged, embedded } = await knowledgeBase.index(files);
    return `${unchanged} unchanged, ${embedded} embedded`;
  });
  await knowledgeBase.close();
  await measure('dry run without an index', async () => {
    const { dryRunIndex } = await import('aquifer');
    const { new: added, tokens } = await dryRunIndex({ location: join(folder, 'none') }, files);
    return `${added} new, ${tokens} tokens`;
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

console.log(`${fileCount.toLocaleString('en-US')} files, ${filesPerFolder.toLocaleString('en-US')} in a folder\n`);
console.log('| run | time | CPU | files/s | peak memory so far | |\n|---|---|---|---|---|---|');
for (const row of rows) console.log(`| ${row.join(' | ')} |`);
